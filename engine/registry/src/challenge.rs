//! How a registry asks who asks: the header field `WWW-Authenticate`.

/// What a registry wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token, got from another place.
    Bearer {
        /// Where tokens are got.
        realm: String,
        /// For whom.
        service: Option<String>,
    },
}

/// The longest field that is looked at, in bytes.
const LONGEST: usize = 4096;

/// Reads the field; none where it says nothing that is known.
pub(crate) fn challenge(field: &str) -> Option<Challenge> {
    if field.len() > LONGEST {
        return None;
    }
    let (scheme, rest) = field.trim().split_once(' ').unwrap_or((field.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut realm = None;
    let mut service = None;
    let mut rest = rest;
    while let Some((name, value, after)) = parameter(rest) {
        match name.to_ascii_lowercase().as_str() {
            "realm" => realm = realm.or(Some(value)),
            "service" => service = service.or(Some(value)),
            _ => {}
        }
        rest = after;
    }
    Some(Challenge::Bearer {
        realm: realm?,
        service,
    })
}

/// The first of some `name="value"`, and what comes after it.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let (name, rest) = text.split_once('=')?;
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, after) = rest.split_once(',').unwrap_or((rest, ""));
        return Some((name.trim(), value.trim().to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((name.trim(), value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_where_tokens_are_got() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.to_owned(),
                service: service.map(str::to_owned),
            })
        };
        for (field, read) in [
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://a/token\",service=\"r, \\\"s\\\"\",scope=\"repository:x:pull\"",
                bearer("https://a/token", Some("r, \"s\"")),
            ),
            (
                "bearer  service=s , realm=https://a",
                bearer("https://a", Some("s")),
            ),
            ("Bearer realm=\"a\",realm=\"b\"", bearer("a", None)),
            ("Bearer realm=\"open", None),
            ("Bearer", None),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(challenge(field), read, "{field}");
        }
        assert_eq!(challenge(&format!("Basic {}", "x".repeat(5000))), None);
    }
}
