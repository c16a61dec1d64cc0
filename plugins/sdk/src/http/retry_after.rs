use std::time::Duration;

/// How long `Retry-After` asks to wait: a number of seconds, or a date (RFC 9110, section 10.2.3). A date that has
/// passed is no wait; what is neither is ignored. `now` is in milliseconds since the Unix epoch.
pub(super) fn parse(value: &str, now: u64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = date(value)?;
    Some(Duration::from_secs(at.saturating_sub(now / 1_000)))
}

/// Seconds since the epoch of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that may still be sent.
pub(super) fn date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day: u64 = parts.next()?.parse().ok()?;
    let month_name = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month_name)? as u64 + 1;
    let year: u64 = parts.next()?.parse().ok()?;
    let mut clock = parts.next()?.splitn(3, ':').map(str::parse::<u64>);
    let (hour, minute, second) = (
        clock.next()?.ok()?,
        clock.next()?.ok()?,
        clock.next()?.ok()?,
    );
    let known =
        parts.next() == Some("GMT") && (1..=31).contains(&day) && (1970..=9999).contains(&year);
    (known && hour < 24 && minute < 60 && second <= 60)
        .then(|| days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, by counting in years that begin in March.
fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days_before_year = year * 365 + year / 4 - year / 100 + year / 400;
    let days_before_month = (153 * month + 2) / 5;
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    days_before_year + days_before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_taken_as_they_are() {
        assert_eq!(parse(" 120 ", 0), Some(Duration::from_secs(120)));
    }

    #[test]
    fn a_date_is_counted_from_now() {
        let now = 784_111_770_000;
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:37 GMT", now),
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:37 GMT", now + 60_000),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn dates_around_leap_days_are_right() {
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(date("Tue, 29 Feb 2000 12:00:00 GMT"), Some(951_825_600));
        assert_eq!(date("Wed, 01 Mar 2028 00:00:00 GMT"), Some(1_835_481_600));
    }

    #[test]
    fn what_is_neither_is_ignored() {
        for value in [
            "",
            "soon",
            "-5",
            "1.5",
            "Sun, 06 Nov",
            "Sun, 06 Nov 1994 08:49:37 CET",
        ] {
            assert_eq!(parse(value, 0), None, "{value}");
        }
    }
}
