use crate::Failure;

/// A URL of a base and further path segments, each percent-encoded, so that none can be more than one.
///
/// # Errors
///
/// An invalid input when a segment is empty, `.` or `..`: no encoding keeps those from being another path.
pub fn join<S: AsRef<str>>(
    base: &str,
    segments: impl IntoIterator<Item = S>,
) -> Result<String, Failure> {
    let mut url = base.trim_end_matches('/').to_owned();
    for segment in segments {
        let segment = segment.as_ref();
        if matches!(segment, "" | "." | "..") {
            return Err(Failure::invalid_input(format!(
                "`{segment}` can't be a part of a URL's path"
            )));
        }
        url.push('/');
        url.push_str(&encode(segment));
    }
    Ok(url)
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for half in [byte >> 4, byte & 15] {
                encoded.push(
                    char::from_digit(half.into(), 16)
                        .map_or('0', |digit| digit.to_ascii_uppercase()),
                );
            }
        }
    }
    encoded
}

/// Adds a pair to a URL's query, before its fragment.
pub(super) fn add_query(url: &mut String, name: &str, value: &str) {
    let end = url.find('#').unwrap_or(url.len());
    let mark = if url[..end].contains('?') { '&' } else { '?' };
    url.insert_str(end, &format!("{mark}{}={}", encode(name), encode(value)));
}

/// A URL without query and fragment, which may hold what doesn't belong into a message.
pub(super) fn without_query(url: &str) -> &str {
    &url[..url.find(['?', '#']).unwrap_or(url.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        let url = join("https://a.example/v1/", ["pages", "a/b?c#d", "ü"]).unwrap();
        assert_eq!(url, "https://a.example/v1/pages/a%2Fb%3Fc%23d/%C3%BC");
    }

    #[test]
    fn a_segment_that_would_be_another_path_is_refused() {
        for segment in ["", ".", ".."] {
            assert!(
                join("https://a.example", ["a", segment]).is_err(),
                "{segment}"
            );
        }
    }

    #[test]
    fn a_query_grows_before_the_fragment() {
        let mut url = "https://a.example/x#top".to_owned();
        add_query(&mut url, "api-version", "1 2");
        add_query(&mut url, "b", "&");
        assert_eq!(url, "https://a.example/x?api-version=1%202&b=%26#top");
        assert_eq!(without_query(&url), "https://a.example/x");
    }
}
