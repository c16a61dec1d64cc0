//! Sizes as people write them: `512B`, `64MiB`, `1GB`.

/// The units, the largest first, in bytes.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeFault {
    /// It doesn't begin with a whole number.
    #[error("`{0}` is not a size: write a whole number with a unit, such as `64MiB` or `1GB`")]
    NotANumber(String),
    /// It has no unit.
    #[error("`{0}` has no unit: write `{0}B`, `{0}MiB` or another of B, kB, KiB, MB, MiB, GB, GiB")]
    NoUnit(String),
    /// A unit that there is not.
    #[error("`{unit}` in `{text}` is not a unit: the units are B, kB, KiB, MB, MiB, GB and GiB")]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// The unit.
        unit: String,
    },
    /// No machine has so much.
    #[error("`{0}` is more than any machine has")]
    TooLarge(String),
}

/// Reads a size: a whole number and one of the units `B`, `kB`, `KiB`, `MB`, `MiB`, `GB`, `GiB`; those with
/// an `i` count by 1,024, the others by 1,000. In bytes.
///
/// Blanks around it are passed over.
///
/// # Errors
///
/// The fault says what is expected.
///
/// ```
/// # use sandbook_runbook::parse_size;
/// assert_eq!(parse_size("64MiB").unwrap(), 64 << 20);
/// ```
pub fn parse_size(text: &str) -> Result<u64, SizeFault> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(SizeFault::NotANumber(text.to_owned()));
    }
    if unit.is_empty() {
        return Err(SizeFault::NoUnit(text.to_owned()));
    }
    if !unit.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(SizeFault::NotANumber(text.to_owned()));
    }
    let (_, bytes) = UNITS
        .iter()
        .find(|(known, _)| *known == unit)
        .ok_or_else(|| SizeFault::UnknownUnit {
            text: text.to_owned(),
            unit: unit.to_owned(),
        })?;
    let number: Option<u64> = number.parse().ok();
    number
        .and_then(|number| number.checked_mul(*bytes))
        .ok_or_else(|| SizeFault::TooLarge(text.to_owned()))
}

/// A size as people write it, in the largest unit of which it is a whole number: `64MiB`, `1GB`, `0B`.
///
/// [`parse_size`] reads it back.
pub fn format_size(bytes: u64) -> String {
    let (unit, scale) = UNITS
        .into_iter()
        .find(|(_, scale)| bytes > 0 && bytes.is_multiple_of(*scale))
        .unwrap_or(("B", 1));
    format!("{}{unit}", bytes / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_read() {
        for (text, bytes) in [
            ("0B", 0),
            ("512B", 512),
            ("10kB", 10_000),
            ("64KiB", 64 << 10),
            (" 5MB ", 5_000_000),
            ("64MiB", 64 << 20),
            ("1GB", 1_000_000_000),
            ("4GiB", 4 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn faults_say_what_is_expected() {
        for (text, said) in [
            ("", "is not a size"),
            ("64", "`64` has no unit: write `64B`"),
            ("1.5GiB", "is not a size"),
            ("-1B", "is not a size"),
            ("MiB", "is not a size"),
            ("1 GiB", "is not a size"),
            ("64mb", "`mb` in `64mb` is not a unit"),
            ("64M", "`M` in `64M` is not a unit"),
            ("99999999999999999999B", "more than any machine has"),
            ("99999999999GiB", "more than any machine has"),
        ] {
            let fault = parse_size(text).unwrap_err().to_string();
            assert!(fault.contains(said), "{text}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(number in 0..=u64::MAX >> 30, scale in prop::sample::select(&UNITS[..])) {
            let bytes = number * scale.1;
            prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,12}") {
            let _ = parse_size(&text);
        }
    }
}
