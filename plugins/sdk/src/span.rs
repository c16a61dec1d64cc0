use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A span of time as runbooks write it: `500ms`, `30s`, `10m`, `1h30m`.
///
/// For inputs. In a manifest its schema is a string of the pattern `^([0-9]+(ms|s|m|h))+$`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

impl Span {
    /// A span of whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Span(Duration::from_secs(seconds))
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("`{text}` is not a span of time such as `500ms`, `30s` or `10m`");
        let mut total = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let (digits, after) = split_where(rest, |c| !c.is_ascii_digit());
            let (unit, next) = split_where(after, |c| c.is_ascii_digit());
            let count: u64 = digits.parse().map_err(|_| fault())?;
            let unit_milliseconds = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                _ => return Err(fault()),
            };
            total = count
                .checked_mul(unit_milliseconds)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(fault)?;
            rest = next;
        }
        if text.is_empty() {
            Err(fault())
        } else {
            Ok(Span(Duration::from_millis(total)))
        }
    }
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// The largest unit that leaves nothing over: `90s`, `10m`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            0 => f.write_str("0s"),
            ms if ms % 3_600_000 == 0 => write!(f, "{}h", ms / 3_600_000),
            ms if ms % 60_000 == 0 => write!(f, "{}m", ms / 60_000),
            ms if ms % 1_000 == 0 => write!(f, "{}s", ms / 1_000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_units() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Span(Duration::from_millis(milliseconds))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused() {
        for text in [
            "",
            "30",
            "s",
            "1.5s",
            "-1s",
            "5d",
            "99999999999999999999s",
            "999999999999999999h",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_shown_in_the_largest_unit_that_fits() {
        for text in ["0s", "250ms", "90s", "10m", "2h"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
    }
}
