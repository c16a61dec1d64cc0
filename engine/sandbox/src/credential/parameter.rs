//! The query parameter in which a credential stands.

use percent_encoding::percent_decode;
use url::Url;

/// Whether a parameter's name is one that reads the same for everybody.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !name.is_empty() && name.bytes().all(plain)
}

/// Whether a query has this parameter, for any service that might read it: `;` may stand between two, capitals may be
/// the same as small letters, and `name[]` the same as `name`.
pub(super) fn has_parameter(url: &Url, name: &str) -> bool {
    let names = |pair: &str| {
        let text = pair.split('=').next().unwrap_or_default().replace('+', " ");
        let plain: Vec<u8> = percent_decode(text.as_bytes()).collect();
        let end = plain.iter().position(|byte| *byte == b'[');
        plain[..end.unwrap_or(plain.len())]
            .trim_ascii()
            .eq_ignore_ascii_case(name.as_bytes())
    };
    url.query()
        .is_some_and(|query| query.split(['&', ';']).any(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_however_it_is_written() {
        for query in [
            "key=1",
            "a=b&key=",
            "a&KEY",
            "a;key=1",
            "%6b%65y=1",
            "key[]=1",
            "key%5B0%5D=1",
            "+key=1",
        ] {
            let url = Url::parse(&format!("https://h/?{query}")).unwrap();
            assert!(has_parameter(&url, "key"), "{query}");
        }
        for query in ["", "a=key", "keys=1", "a=b=key"] {
            let url = Url::parse(&format!("https://h/?{query}")).unwrap();
            assert!(!has_parameter(&url, "key"), "{query}");
        }
    }
}
