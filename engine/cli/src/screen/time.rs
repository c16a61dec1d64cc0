//! Times for people: local with their offset, and spans in the unit that fits.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Where the reader's clock stands.
#[derive(Debug)]
pub(crate) struct Zone(LazyLock<TimeZone>);

impl Zone {
    /// The machine's own zone, or `TZ`. It is looked for when a time is first shown: that takes a millisecond, for all
    /// the zones there are are listed.
    pub(crate) fn local() -> Zone {
        Zone(LazyLock::new(TimeZone::system))
    }

    /// `2026-11-23 10:25:46 +01:00`; the time is in milliseconds since the epoch.
    pub(crate) fn stamp(&self, time: u64) -> String {
        self.format(time, "%Y-%m-%d %H:%M:%S %:z")
    }

    /// `10:25:46.120`, for lines whose day is clear.
    pub(crate) fn clock(&self, time: u64) -> String {
        self.format(time, "%H:%M:%S.%3f")
    }

    /// `2026-11-23 +01:00`, above such lines.
    pub(crate) fn day(&self, time: u64) -> String {
        self.format(time, "%Y-%m-%d %:z")
    }

    fn format(&self, time: u64, form: &str) -> String {
        match i64::try_from(time)
            .ok()
            .and_then(|time| Timestamp::from_millisecond(time).ok())
        {
            Some(timestamp) => timestamp
                .to_zoned(TimeZone::clone(&self.0))
                .strftime(form)
                .to_string(),
            // Beyond the year 9999: shown as it is.
            None => format!("{time} ms"),
        }
    }
}

/// A span: `<1 ms`, `12 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`.
pub(crate) fn span(span: Duration) -> String {
    let millis = span.as_millis();
    let seconds = span.as_secs();
    match seconds {
        0 if millis == 0 => "<1 ms".to_owned(),
        0 => format!("{millis} ms"),
        1..10 => format!("{}.{} s", seconds, span.subsec_millis() / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => with_rest(seconds / 60, "min", seconds % 60, "s"),
        _ => with_rest(seconds / 3600, "h", seconds % 3600 / 60, "min"),
    }
}

/// What is left, in whole seconds rounded up, so that it never reads 0 while there is something left.
pub(crate) fn countdown(left: Duration) -> String {
    match left.as_millis().div_ceil(1000) {
        0 => "now".to_owned(),
        seconds if seconds < 60 => format!("{seconds} s"),
        _ => span(left),
    }
}

fn with_rest(whole: u64, unit: &str, rest: u64, smaller: &str) -> String {
    if rest == 0 {
        format!("{whole} {unit}")
    } else {
        format!("{whole} {unit} {rest} {smaller}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_with_its_offset() {
        let zone = Zone(LazyLock::new(|| TimeZone::fixed(jiff::tz::offset(2))));
        assert_eq!(zone.stamp(1_700_000_000_123), "2023-11-15 00:13:20 +02:00");
        assert_eq!(zone.day(1_700_000_000_123), "2023-11-15 +02:00");
        assert_eq!(zone.clock(1_700_000_000_123), "00:13:20.123");
        assert_eq!(zone.stamp(u64::MAX), format!("{} ms", u64::MAX));
    }

    #[test]
    fn a_span_has_the_unit_that_fits() {
        let shown = |millis| span(Duration::from_millis(millis));
        assert_eq!(shown(0), "<1 ms");
        assert_eq!(shown(999), "999 ms");
        assert_eq!(shown(1250), "1.2 s");
        assert_eq!(shown(59_999), "59 s");
        assert_eq!(shown(60_000), "1 min");
        assert_eq!(shown(184_000), "3 min 4 s");
        assert_eq!(shown(7_500_000), "2 h 5 min");
    }

    #[test]
    fn a_countdown_does_not_end_early() {
        assert_eq!(countdown(Duration::from_millis(1)), "1 s");
        assert_eq!(countdown(Duration::from_millis(2000)), "2 s");
        assert_eq!(countdown(Duration::ZERO), "now");
        assert_eq!(countdown(Duration::from_secs(61)), "1 min 1 s");
    }
}
