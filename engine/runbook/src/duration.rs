//! Durations as people write them: `500ms`, `30s`, `10m`, `2h`, `1m30s`.

use std::time::Duration;

/// The longest duration that a document may say: 30 days.
pub const LONGEST_DURATION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The units, the largest first, in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationFault {
    /// Nothing is there.
    #[error("a duration is empty: write one such as `30s` or `1m30s`")]
    Empty,
    /// It begins with, or has in it, something that is no whole number.
    #[error(
        "`{0}` is not a duration: write whole numbers with units, such as `500ms`, `30s` or `1m30s`"
    )]
    NotANumber(String),
    /// The last number has no unit.
    #[error("`{0}` has no unit: write `{0}s`, `{0}m` or another of ms, s, m, h")]
    NoUnit(String),
    /// A unit that there is not.
    #[error("`{unit}` in `{text}` is not a unit: the units are ms, s, m and h")]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// The unit.
        unit: String,
    },
    /// A unit comes twice, or a smaller one before a larger one.
    #[error(
        "`{0}` has its units out of order: write the larger ones first, each once, such as `1h30m`"
    )]
    Order(String),
    /// It is longer than [`LONGEST_DURATION`].
    #[error("`{0}` is longer than 30 days")]
    TooLong(String),
}

/// Reads a duration: whole numbers with the units `h`, `m`, `s`, `ms`, the larger first, each at most once.
///
/// Zero is a duration (`0s`); blanks around it are passed over.
///
/// # Errors
///
/// The fault says what is expected.
///
/// ```
/// # use sandbook_runbook::parse_duration;
/// assert_eq!(parse_duration("1m30s").unwrap().as_secs(), 90);
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, DurationFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(DurationFault::Empty);
    }
    let too_long = || DurationFault::TooLong(text.to_owned());
    let mut rest = text;
    let mut millis: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |byte| !byte.is_ascii_digit());
        if number.is_empty() {
            return Err(DurationFault::NotANumber(text.to_owned()));
        }
        let (unit, after) = split_where(after, |byte| !byte.is_ascii_alphabetic());
        if unit.is_empty() {
            return Err(no_unit(text, after));
        }
        rest = after;
        if !UNITS.iter().any(|(known, _)| *known == unit) {
            return Err(DurationFault::UnknownUnit {
                text: text.to_owned(),
                unit: unit.to_owned(),
            });
        }
        // Units that were passed over or used can't come any more.
        let (_, scale) = units
            .find(|(known, _)| *known == unit)
            .ok_or_else(|| DurationFault::Order(text.to_owned()))?;
        let number: u64 = number.parse().map_err(|_| too_long())?;
        millis = number
            .checked_mul(*scale)
            .and_then(|part| millis.checked_add(part))
            .ok_or_else(too_long)?;
    }
    let duration = Duration::from_millis(millis);
    if duration > LONGEST_DURATION {
        Err(too_long())
    } else {
        Ok(duration)
    }
}

/// A duration as people write it, down to the millisecond: `1m30s`, `0s`.
///
/// [`parse_duration`] reads it back.
pub fn format_duration(duration: Duration) -> String {
    let mut millis = duration.as_millis();
    let mut text = String::new();
    for (unit, scale) in UNITS {
        let count = millis / u128::from(scale);
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            millis -= count * u128::from(scale);
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

fn no_unit(text: &str, after: &str) -> DurationFault {
    if after.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        DurationFault::NoUnit(text.to_owned())
    } else {
        DurationFault::NotANumber(text.to_owned())
    }
}

fn split_where(text: &str, ends: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(ends).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_read_and_added_up() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("10m", 600_000),
            ("2h", 7_200_000),
            ("1m30s", 90_000),
            ("1h500ms", 3_600_500),
            ("0s", 0),
            (" 90s ", 90_000),
            ("720h", 2_592_000_000),
        ] {
            assert_eq!(
                parse_duration(text).unwrap(),
                Duration::from_millis(millis),
                "{text}"
            );
        }
    }

    #[test]
    fn faults_say_what_is_expected() {
        for (text, said) in [
            ("", "a duration is empty"),
            ("30", "`30` has no unit: write `30s`"),
            ("1m30", "`1m30` is not a duration"),
            ("1.5s", "write whole numbers"),
            ("-1s", "write whole numbers"),
            ("s", "write whole numbers"),
            ("1 s", "write whole numbers"),
            ("2d", "`d` in `2d` is not a unit"),
            ("3S", "`S` in `3S` is not a unit"),
            ("30s1m", "out of order"),
            ("1s1s", "out of order"),
            ("721h", "longer than 30 days"),
            ("99999999999999999999h", "longer than 30 days"),
            ("1ü", "not a duration"),
        ] {
            let fault = parse_duration(text).unwrap_err().to_string();
            assert!(fault.contains(said), "{text}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0..=2_592_000_000_u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,12}") {
            let _ = parse_duration(&text);
        }
    }
}
