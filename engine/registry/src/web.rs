//! Asking over HTTP, and whom: https, or http to this machine itself.

use std::sync::{Once, OnceLock};

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderValue, LOCATION};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, redirect, retry};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use url::{Host, Url};

use crate::answer::Answer;
use crate::error::{FetchError, RedirectFault};
use crate::limits::Limits;

/// What is asked with.
#[derive(Debug)]
pub(crate) struct Web {
    pub(crate) limits: Limits,
    tls: OnceLock<Client>,
    plain: OnceLock<Client>,
}

impl Web {
    pub(crate) fn new(limits: Limits) -> Web {
        Web {
            limits,
            tls: OnceLock::new(),
            plain: OnceLock::new(),
        }
    }

    /// Asks for something, and goes where the answers lead. The authorization is for the first place only.
    pub(crate) async fn get(
        &self,
        url: &Url,
        accept: &'static str,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer, FetchError> {
        let mut at = url.clone();
        for _ in 0..=self.limits.redirects {
            let mut request = self.request(Method::GET, &at)?;
            request = request.header(ACCEPT, accept);
            if let Some(authorization) = authorization.filter(|_| at.origin() == url.origin()) {
                request = request.header(AUTHORIZATION, authorization);
            }
            let response = send(request, &at).await?;
            match location(&response) {
                None => return Ok(Answer::new(at, response)),
                Some(location) => {
                    let next =
                        leads_to(url, &at, &location).map_err(|fault| FetchError::Redirect {
                            url: shown(&at),
                            to: at
                                .join(&location)
                                .map_or_else(|_| "?".to_owned(), |to| shown(&to)),
                            fault,
                        })?;
                    at = next;
                }
            }
        }
        Err(FetchError::Redirects {
            url: shown(url),
            limit: self.limits.redirects,
        })
    }

    /// A request to this very place. What it leads to is not followed.
    pub(crate) fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, FetchError> {
        let client = match url.scheme() {
            "https" => made(&self.tls, || self.builder())?,
            _ => made(&self.plain, || {
                // It reads no certificates, and no proxy is told what this machine says to itself.
                let unused = ClientConfig::builder()
                    .with_root_certificates(RootCertStore::empty())
                    .with_no_client_auth();
                self.builder().no_proxy().tls_backend_preconfigured(unused)
            })?,
        };
        let request = client.request(method, url.clone());
        // What comes is digested as it comes.
        Ok(request.header(ACCEPT_ENCODING, "identity"))
    }

    fn builder(&self) -> ClientBuilder {
        static RING: Once = Once::new();
        // Whoever has installed a provider before has chosen it for the whole process.
        RING.call_once(|| drop(ring::default_provider().install_default()));
        Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .http1_only()
            .connect_timeout(self.limits.connect)
            .read_timeout(self.limits.idle)
            .user_agent(concat!("sandbook/", env!("CARGO_PKG_VERSION")))
    }
}

pub(crate) async fn send(request: RequestBuilder, url: &Url) -> Result<Response, FetchError> {
    request
        .send()
        .await
        .map_err(|source| FetchError::Unreachable {
            url: shown(url),
            source: source.without_url(),
        })
}

/// A URL without what may be a key.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // No such URL has a user; where there is one it is not shown.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// Whether it is this machine itself.
pub(crate) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn made(
    place: &OnceLock<Client>,
    builder: impl FnOnce() -> ClientBuilder,
) -> Result<&Client, FetchError> {
    if let Some(client) = place.get() {
        return Ok(client);
    }
    let client = builder().build().map_err(FetchError::Client)?;
    Ok(place.get_or_init(|| client))
}

/// Where an answer says that it leads, when it does.
fn location(response: &Response) -> Option<String> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// Where to ask next. From https it stays https and goes to names only; from this machine it may go on to this machine's
/// same place, or out to https.
pub(crate) fn leads_to(first: &Url, from: &Url, location: &str) -> Result<Url, RedirectFault> {
    let to = from.join(location).map_err(|_| RedirectFault::NotAUrl)?;
    if !to.username().is_empty() || to.password().is_some() {
        return Err(RedirectFault::User);
    }
    if to.origin() == first.origin() {
        return Ok(to);
    }
    match (to.scheme(), to.host()) {
        ("https", Some(Host::Domain(_))) if !is_here(&to) => Ok(to),
        ("https", _) => Err(RedirectFault::Address),
        _ => Err(RedirectFault::Clear),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_leads_to_https_and_to_names_only() {
        let url = |text: &str| Url::parse(text).unwrap();
        let outside = url("https://registry.example.com/v2/x");
        let led = |first: &Url, to: &str| leads_to(first, first, to).map(|to| to.to_string());
        for (to, fault) in [
            ("http://registry.example.com/v2/x", RedirectFault::Clear),
            ("http://127.0.0.1/", RedirectFault::Clear),
            ("ftp://example.com/", RedirectFault::Clear),
            ("file:///etc/passwd", RedirectFault::Clear),
            ("https://127.0.0.1/", RedirectFault::Address),
            ("https://10.0.0.1/", RedirectFault::Address),
            ("https://169.254.169.254/latest", RedirectFault::Address),
            ("https://[::1]/", RedirectFault::Address),
            ("https://0x7f.1/", RedirectFault::Address),
            ("https://localhost/", RedirectFault::Address),
            ("https://a.localhost/", RedirectFault::Address),
            ("https://u:p@example.com/", RedirectFault::User),
            ("https://", RedirectFault::NotAUrl),
        ] {
            assert_eq!(led(&outside, to), Err(fault), "{to}");
        }
        assert_eq!(
            led(&outside, "/v2/y").unwrap(),
            "https://registry.example.com/v2/y"
        );
        assert_eq!(
            led(&outside, "https://store.example.net/y").unwrap(),
            "https://store.example.net/y"
        );

        let here = url("http://127.0.0.1:5000/v2/x");
        assert!(led(&here, "/v2/y").is_ok());
        assert!(led(&here, "https://store.example.net/y").is_ok());
        assert_eq!(
            led(&here, "http://127.0.0.1:6000/"),
            Err(RedirectFault::Clear)
        );
        // An address that the project itself names leads on to itself.
        let address = url("https://10.0.0.1:5000/v2/x");
        assert!(led(&address, "/v2/y").is_ok());
    }

    #[test]
    fn what_is_shown_of_a_url_holds_no_key() {
        let url = Url::parse("https://u:p@h/x?X-Amz-Signature=abc#f").unwrap();
        assert_eq!(shown(&url), "https://h/x");
    }
}
