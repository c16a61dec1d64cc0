//! AWS Signature Version 4: the host signs the request that is really sent.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>

use std::fmt::Write as _;

use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use jiff::Timestamp;
use percent_encoding::{
    AsciiSet, percent_decode, percent_decode_str, percent_encode, utf8_percent_encode,
};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::{percent::RESERVED, secret::Secret};

pub(super) const DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(super) const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
pub(super) const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// The query parameters of a signature that a request carries in its URL.
pub(super) const QUERY: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// What is encoded in a path: the same as elsewhere, less the slash.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Signs with one access key.
pub(super) struct Signer {
    pub(super) access_key_id: String,
    pub(super) secret: Secret,
    pub(super) region: String,
    pub(super) service: String,
    /// For keys that are good for a while only.
    pub(super) session_token: Option<HeaderValue>,
}

/// What is signed beside the header fields.
pub(super) struct Message<'a> {
    pub(super) method: &'a Method,
    /// What the `Host` field will hold.
    pub(super) host: &'a [u8],
    /// As it is sent.
    pub(super) path: &'a str,
    /// As it is sent.
    pub(super) query: Option<&'a str>,
    pub(super) body: &'a [u8],
}

impl Signer {
    /// Adds the fields of a signature. None of them may be there yet.
    ///
    /// # Errors
    ///
    /// Key id, region or service hold what a header field can't carry.
    pub(super) fn sign(
        &self,
        message: &Message<'_>,
        headers: &mut HeaderMap,
        at: Timestamp,
    ) -> Result<(), header::InvalidHeaderValue> {
        let stamp = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = &stamp[..8];
        let content = hex::encode(Sha256::digest(message.body));
        headers.insert(DATE, HeaderValue::from_str(&stamp)?);
        if let Some(token) = &self.session_token {
            headers.insert(TOKEN, token.clone());
        }
        if self.is_s3() {
            headers.insert(CONTENT, HeaderValue::from_str(&content)?);
        }
        let (signed, canonical) = self.canonical(message, headers, &content);
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
            hex::encode(Sha256::digest(&*canonical))
        );
        let signature = hex::encode(*mac(&*self.key(day), to_sign.as_bytes()));
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            self.access_key_id
        );
        let mut value = HeaderValue::from_str(&value)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
        Ok(())
    }

    /// The key of one day.
    fn key(&self, day: &str) -> Zeroizing<[u8; 32]> {
        let secret = Zeroizing::new([b"AWS4", self.secret.expose().as_bytes()].concat());
        let mut key = mac(&secret, day.as_bytes());
        for part in [&self.region, &self.service, "aws4_request"] {
            key = mac(&*key, part.as_bytes());
        }
        key
    }

    /// The names of the signed fields, and the request in the form that is signed.
    fn canonical(
        &self,
        message: &Message<'_>,
        headers: &HeaderMap,
        content: &str,
    ) -> (String, Zeroizing<Vec<u8>>) {
        let mut fields: Vec<(&str, Zeroizing<Vec<u8>>)> = headers
            .keys()
            .filter(|name| is_signed(name))
            .map(|name| (name.as_str(), joined(headers, name)))
            .collect();
        fields.push(("host", Zeroizing::new(message.host.to_vec())));
        fields.sort_unstable_by_key(|(name, _)| *name);
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let signed = names.join(";");
        let path = self.path(message.path);
        let query = query(message.query.unwrap_or_default());
        let mut text = Zeroizing::new(Vec::with_capacity(
            fields
                .iter()
                .map(|(name, value)| name.len() + value.len() + 2)
                .sum::<usize>()
                + path.len()
                + query.len()
                + signed.len()
                + content.len()
                + 16,
        ));
        for line in [message.method.as_str(), &path, &query] {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        for (name, value) in &fields {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        text.extend_from_slice(format!("\n{signed}\n{content}").as_bytes());
        (signed, text)
    }

    /// S3 takes a path as it is; the others want what is sent encoded once more, and doubled slashes as one.
    fn path(&self, path: &str) -> String {
        if self.is_s3() {
            let plain: Vec<u8> = percent_decode_str(path).collect();
            return percent_encode(&plain, RESERVED_IN_PATH).to_string();
        }
        let mut single = String::with_capacity(path.len());
        for character in path.chars() {
            if character != '/' || !single.ends_with('/') {
                single.push(character);
            }
        }
        utf8_percent_encode(&single, RESERVED_IN_PATH).to_string()
    }

    fn is_s3(&self) -> bool {
        self.service == "s3" || self.service.starts_with("s3-") || self.service == "s3express"
    }
}

/// What is on the way may change these two.
fn is_signed(name: &HeaderName) -> bool {
    *name != header::ACCEPT_ENCODING && *name != header::USER_AGENT
}

/// All values of a field, without needless blanks.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Zeroizing<Vec<u8>> {
    let room = headers
        .get_all(name)
        .iter()
        .map(|value| value.len() + 1)
        .sum();
    let mut joined = Zeroizing::new(Vec::with_capacity(room));
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            joined.push(b',');
        }
        let words = value
            .as_bytes()
            .split(|byte| *byte == b' ' || *byte == b'\t')
            .filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                joined.push(b' ');
            }
            joined.extend_from_slice(word);
        }
    }
    joined
}

/// The parameters by name and value, each encoded anew.
fn query(query: &str) -> String {
    let encoded = |text: &str| {
        let plain: Vec<u8> = percent_decode(text.as_bytes()).collect();
        percent_encode(&plain, RESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let mut text = String::new();
    for (name, value) in &pairs {
        let between = if text.is_empty() { "" } else { "&" };
        let _ = write!(text, "{between}{name}={value}");
    }
    text
}

fn mac(key: &[u8], text: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .expect("invariant: a key of any length does for this algorithm");
    mac.update(text);
    let mut made = mac.finalize().into_bytes();
    let kept = Zeroizing::new(made.into());
    made.as_mut_slice().zeroize();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN_TEXT: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    /// One request of AWS's own suite, and what it says of it.
    struct Vector {
        name: &'static str,
        method: Method,
        path: &'static str,
        query: Option<&'static str>,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
        token: bool,
        signed: &'static str,
        signature: &'static str,
    }

    const VANILLA: Vector = Vector {
        name: "get-vanilla",
        method: Method::GET,
        path: "/",
        query: None,
        headers: &[],
        body: "",
        token: false,
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    };

    fn suite() -> Vec<Vector> {
        vec![
            VANILLA,
            Vector {
                name: "post-vanilla",
                method: Method::POST,
                signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
                ..VANILLA
            },
            Vector {
                name: "get-vanilla-query-order-key-case",
                query: Some("Param2=value2&Param1=value1"),
                signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
                ..VANILLA
            },
            Vector {
                name: "get-unreserved",
                path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
                ..VANILLA
            },
            Vector {
                name: "get-utf8",
                path: "/\u{1234}",
                signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
                ..VANILLA
            },
            Vector {
                name: "get-slash",
                path: "//",
                ..VANILLA
            },
            Vector {
                name: "get-header-value-trim",
                headers: &[("My-Header1", " value1"), ("My-Header2", "\"a   b   c\"")],
                signed: "host;my-header1;my-header2;x-amz-date",
                signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
                ..VANILLA
            },
            Vector {
                name: "get-header-key-duplicate",
                headers: &[
                    ("My-Header1", "value2"),
                    ("My-Header1", "value2"),
                    ("My-Header1", "value1"),
                ],
                signed: "host;my-header1;x-amz-date",
                signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
                ..VANILLA
            },
            Vector {
                name: "post-header-value-case",
                method: Method::POST,
                headers: &[("My-Header1", "VALUE1")],
                signed: "host;my-header1;x-amz-date",
                signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
                ..VANILLA
            },
            Vector {
                name: "post-x-www-form-urlencoded",
                method: Method::POST,
                headers: &[("Content-Type", "application/x-www-form-urlencoded")],
                body: "Param1=value1",
                signed: "content-type;host;x-amz-date",
                signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
                ..VANILLA
            },
            Vector {
                name: "post-sts-header-before",
                method: Method::POST,
                token: true,
                signed: "host;x-amz-date;x-amz-security-token",
                signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
                ..VANILLA
            },
        ]
    }

    fn signer(secret: &str, service: &str) -> Signer {
        Signer {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::of(secret),
            region: "us-east-1".to_owned(),
            service: service.to_owned(),
            session_token: None,
        }
    }

    #[test]
    fn aws_s_own_suite_is_signed_as_it_says() {
        for vector in suite() {
            let mut signer = signer("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "service");
            signer.session_token = vector.token.then(|| HeaderValue::from_static(TOKEN_TEXT));
            let mut headers = HeaderMap::new();
            for (name, value) in vector.headers {
                headers.append(*name, HeaderValue::from_static(value));
            }
            headers.insert("accept-encoding", HeaderValue::from_static("identity"));
            let message = Message {
                method: &vector.method,
                host: b"example.amazonaws.com",
                path: vector.path,
                query: vector.query,
                body: vector.body.as_bytes(),
            };
            let at = "2015-08-30T12:36:00Z".parse().unwrap();
            signer.sign(&message, &mut headers, at).unwrap();
            assert_eq!(headers[DATE], "20150830T123600Z", "{}", vector.name);
            assert_eq!(
                headers[header::AUTHORIZATION],
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, Signature={}",
                    vector.signed, vector.signature
                ),
                "{}",
                vector.name
            );
            assert!(headers[header::AUTHORIZATION].is_sensitive());
        }
    }

    /// From the S3 API reference, "Signature Calculations for the Authorization Header".
    #[test]
    fn s3_is_told_the_digest_of_the_body() {
        let mut signer = signer("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "s3");
        signer.access_key_id = "AKIAIOSFODNN7EXAMPLE".to_owned();
        let mut headers = HeaderMap::new();
        headers.insert("range", HeaderValue::from_static("bytes=0-9"));
        let message = Message {
            method: &Method::GET,
            host: b"examplebucket.s3.amazonaws.com",
            path: "/test.txt",
            query: None,
            body: b"",
        };
        let at = "2013-05-24T00:00:00Z".parse().unwrap();
        signer.sign(&message, &mut headers, at).unwrap();
        let value = headers[header::AUTHORIZATION].to_str().unwrap();
        assert!(
            value.ends_with(
                "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            ),
            "{value}"
        );
    }

    #[test]
    fn a_path_is_encoded_once_more_except_for_s3() {
        let path = "/a%20b/%C3%BC!";
        assert_eq!(signer("x", "sqs").path(path), "/a%2520b/%25C3%25BC%21");
        assert_eq!(signer("x", "s3").path(path), "/a%20b/%C3%BC%21");
        assert_eq!(query("b=%7e&a&&c=1%2B2"), "a=&b=~&c=1%2B2");
    }
}
