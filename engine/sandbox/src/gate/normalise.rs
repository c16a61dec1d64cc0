//! What the guest wrote, made into the one request that is checked and sent.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::{HttpError, Request, request::Headers};
use crate::network::location;

/// The most header fields of a request, and the most bytes of their names and values.
const FIELDS: usize = 64;
const FIELD_BYTES: usize = 32 << 10;

/// How the names of fields begin that no service ever sees. Those that are known are taken out where
/// requests by `wasi:http` are put together.
const OWN: &str = "sandbook-";

/// A request that means one thing only.
#[derive(Debug)]
pub(super) struct Normal {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) timeout: Option<Duration>,
    pub(super) repeatable: bool,
    pub(super) changing: bool,
}

pub(super) fn normalise(request: Request) -> Result<Normal, HttpError> {
    let Request {
        method,
        url,
        headers,
        body,
        repeatable,
        timeout,
    } = request;
    let method = self::method(&method)?;
    let url = location(&url).map_err(|fault| {
        if fault.is_malformed() {
            HttpError::Malformed(fault.to_string())
        } else {
            HttpError::Denied(fault.to_string())
        }
    })?;
    let headers = fields(&headers)?;
    let changing = !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
    let idempotent = !matches!(method, Method::POST | Method::PATCH);
    let repeatable = !changing || repeatable.unwrap_or(idempotent);
    Ok(Normal {
        method,
        url,
        headers,
        body,
        timeout,
        repeatable,
        changing,
    })
}

fn method(text: &str) -> Result<Method, HttpError> {
    let method = match text {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "OPTIONS" => Method::OPTIONS,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => {
            let known = "GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE, in capitals";
            return Err(HttpError::Malformed(format!("the method is not {known}")));
        }
    };
    Ok(method)
}

fn fields(headers: &Headers) -> Result<HeaderMap, HttpError> {
    if headers.len() > FIELDS {
        return Err(HttpError::FieldsTooLarge(format!(
            "the request has more than {FIELDS} header fields"
        )));
    }
    if headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum::<usize>()
        > FIELD_BYTES
    {
        return Err(HttpError::FieldsTooLarge(format!(
            "the request's header fields are larger than {FIELD_BYTES} bytes"
        )));
    }
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            HttpError::Malformed(format!(
                "the name of {} holds a character that it can't have, or none at all",
                field(name)
            ))
        })?;
        if is_forbidden(name.as_str()) {
            return Err(HttpError::Denied(format!(
                "the header field `{name}` is not a plugin's to set"
            )));
        }
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            HttpError::Malformed(format!(
                "the header field `{name}` holds a control character or a line break"
            ))
        })?;
        map.append(name, value);
    }
    Ok(map)
}

/// A field whose name is none, as it can be shown: never a part of it, since what is cut isn't redacted.
fn field(name: &str) -> String {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return "a header field".to_owned();
    }
    format!("the header field `{}`", name.escape_debug())
}

/// Fields that belong to the connection, that frame the message, that make a server take the
/// request for another one than was granted, or that are words between a plugin and the engine.
pub(crate) fn is_forbidden(name: &str) -> bool {
    const CONNECTION: [&str; 12] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
        "via",
    ];
    const DISGUISE: [&str; 8] = [
        "forwarded",
        "x-forwarded-host",
        "x-host",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
    ];
    let name = folded(name);
    CONNECTION.contains(&&*name)
        || DISGUISE.contains(&&*name)
        || name.starts_with("proxy-")
        || name.starts_with(OWN)
}

/// A field's name as servers see it that hand fields on as variables (CGI, WSGI, Rack): to these `x_host` and `x-host`
/// are the same. All but letters and digits is a `-` here.
pub(crate) fn folded(name: &str) -> String {
    let fold = |character: char| match character.to_ascii_lowercase() {
        plain @ ('a'..='z' | '0'..='9') => plain,
        _ => '-',
    };
    name.chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request {
        Request {
            method: method.to_owned(),
            url: "https://h/".to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Request::default()
        }
    }

    fn fault(request: Request) -> HttpError {
        normalise(request).unwrap_err()
    }

    #[test]
    fn the_method_decides_unless_the_request_says_otherwise() {
        for (method, said, repeatable, changing) in [
            ("GET", None, true, false),
            ("HEAD", None, true, false),
            ("OPTIONS", None, true, false),
            ("PUT", None, true, true),
            ("DELETE", None, true, true),
            ("POST", None, false, true),
            ("PATCH", None, false, true),
            ("POST", Some(true), true, true),
            ("PUT", Some(false), false, true),
            ("GET", Some(false), true, false),
        ] {
            let request = Request {
                repeatable: said,
                ..request(method, &[])
            };
            let normal = normalise(request).unwrap();
            assert_eq!(
                (normal.repeatable, normal.changing),
                (repeatable, changing),
                "{method} {said:?}"
            );
        }
    }

    #[test]
    fn other_methods_are_refused() {
        for method in [
            "CONNECT",
            "TRACE",
            "get",
            "Get",
            "",
            "GET ",
            "GET /x HTTP/1.1\r\nHost: h\r\n\r\n",
            "BREW",
        ] {
            assert!(
                matches!(fault(request(method, &[])), HttpError::Malformed(_)),
                "{method:?}"
            );
        }
    }

    #[test]
    fn fields_that_are_not_a_plugins_are_refused() {
        for name in [
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "Proxy-Authorization",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Upgrade",
            "Expect",
            "HTTP2-Settings",
            "X-HTTP-Method-Override",
            "X-Original-URL",
            "Forwarded",
            "X_HTTP_Method_Override",
            "x_original-url",
            "x.rewrite~url",
            "Content_Length",
            "Proxy_Authorization",
            "Sandbook-Credential",
            "sandbook-repeatable",
            "sandbook_anything",
        ] {
            let HttpError::Denied(why) = fault(request("GET", &[(name, "x")])) else {
                panic!("{name}")
            };
            assert!(why.contains(&name.to_lowercase()), "{why}");
        }
    }

    #[test]
    fn control_characters_are_refused_in_names_and_values() {
        for (name, value) in [
            ("a b", "x"),
            ("a:", "x"),
            ("a\r\nb", "x"),
            ("", "x"),
            ("ü", "x"),
            ("a", "x\r\nhost: evil"),
            ("a", "x\0"),
            ("a", "x\x7f"),
        ] {
            assert!(
                matches!(
                    fault(request("GET", &[(name, value)])),
                    HttpError::Malformed(_)
                ),
                "{name:?}: {value:?}"
            );
        }
    }

    #[test]
    fn size_and_number_are_bounded() {
        let many: Vec<(&str, &str)> = vec![("a", "b"); FIELDS + 1];
        assert!(matches!(
            fault(request("GET", &many)),
            HttpError::FieldsTooLarge(_)
        ));
        let long = "x".repeat(FIELD_BYTES);
        assert!(matches!(
            fault(request("GET", &[("a", &long)])),
            HttpError::FieldsTooLarge(_)
        ));
    }

    #[test]
    fn repeated_fields_are_kept_in_their_order() {
        let normal = normalise(request("GET", &[("A", "1"), ("a", "2")])).unwrap();
        assert_eq!(
            normal.headers.get_all("a").iter().collect::<Vec<_>>(),
            ["1", "2"]
        );
    }
}
