//! Asking one registry about one repository, as whoever one is to it.

use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::challenge::{Challenge, challenge};
use crate::credentials::Credentials;
use crate::error::{FetchError, RedirectFault};
use crate::repository::Repository;
use crate::web::{Web, is_here, leads_to, send, shown};

/// What is done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Pull,
    Push,
}

/// A way into a repository. Nothing is proved before it is asked for, and what proves it is sent to its registry alone.
pub(crate) struct Session<'a> {
    pub(crate) web: &'a Web,
    pub(crate) repository: &'a Repository,
    credentials: &'a Credentials,
    right: Right,
    authorization: Option<HeaderValue>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        web: &'a Web,
        credentials: &'a Credentials,
        repository: &'a Repository,
        right: Right,
    ) -> Session<'a> {
        Session {
            web,
            repository,
            credentials,
            right,
            authorization: None,
        }
    }

    /// What lies in the repository at `manifests/…` or `blobs/…`.
    pub(crate) async fn get(
        &mut self,
        below: &str,
        accept: &'static str,
    ) -> Result<Answer, FetchError> {
        let url = self.repository.url(below);
        let answer = self
            .web
            .get(&url, accept, self.authorization.as_ref())
            .await?;
        if answer.status() != StatusCode::UNAUTHORIZED || answer.url().origin() != url.origin() {
            return answer.success().await;
        }
        self.prove(&url, answer.headers().get(WWW_AUTHENTICATE))
            .await?;
        let again = self
            .web
            .get(&url, accept, self.authorization.as_ref())
            .await?;
        self.let_in(again).await
    }

    /// A request at this place of the registry, with what `fill` puts into it. What it leads to isn't followed.
    pub(crate) async fn request(
        &mut self,
        method: Method,
        url: &Url,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, FetchError> {
        let first = self.send(method.clone(), url, &fill).await?;
        let is_ours = url.origin() == self.repository.registry().origin();
        if first.status() != StatusCode::UNAUTHORIZED || !is_ours {
            return Ok(Answer::new(url.clone(), first));
        }
        self.prove(url, first.headers().get(WWW_AUTHENTICATE))
            .await?;
        let again = self.send(method, url, &fill).await?;
        Ok(Answer::new(url.clone(), again))
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, FetchError> {
        let mut request = fill(self.web.request(method, url)?);
        let is_ours = url.origin() == self.repository.registry().origin();
        if let Some(authorization) = self.authorization.as_ref().filter(|_| is_ours) {
            request = request.header(AUTHORIZATION, authorization);
        }
        send(request, url).await
    }

    /// An answer to somebody who has proved who they are.
    pub(crate) async fn let_in(&self, answer: Answer) -> Result<Answer, FetchError> {
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(self.unauthorized(answer.url()));
        }
        answer.success().await
    }

    fn unauthorized(&self, url: &Url) -> FetchError {
        let host = self.repository.host();
        FetchError::Unauthorized {
            url: shown(url),
            known: self.credentials.basic(&host).is_some(),
            host,
        }
    }

    /// Does what the registry asks for, so that the next request may be let in.
    async fn prove(&mut self, url: &Url, field: Option<&HeaderValue>) -> Result<(), FetchError> {
        let odd = |why| FetchError::Challenge {
            url: shown(url),
            why,
        };
        let field = field.and_then(|field| field.to_str().ok());
        let basic = self.credentials.basic(&self.repository.host());
        match field.and_then(challenge) {
            None => Err(odd("it says neither `Basic` nor `Bearer`")),
            Some(Challenge::Basic) => {
                self.authorization = Some(basic.ok_or_else(|| self.unauthorized(url))?);
                Ok(())
            }
            Some(Challenge::Bearer { realm, service }) => {
                let realm = token_service(self.repository.registry(), &realm).map_err(odd)?;
                self.authorization = Some(self.token(realm, service, basic).await?);
                Ok(())
            }
        }
    }

    async fn token(
        &self,
        mut realm: Url,
        service: Option<String>,
        basic: Option<HeaderValue>,
    ) -> Result<HeaderValue, FetchError> {
        let rights = match self.right {
            Right::Pull => "pull",
            Right::Push => "pull,push",
        };
        let scope = format!("repository:{}:{rights}", self.repository.name());
        realm
            .query_pairs_mut()
            .extend_pairs(service.map(|service| ("service", service)));
        realm.query_pairs_mut().append_pair("scope", &scope);
        let mut request = self.web.request(Method::GET, &realm)?;
        if let Some(basic) = basic {
            request = request.header(AUTHORIZATION, basic);
        }
        let answer = Answer::new(realm.clone(), send(request, &realm).await?);
        if matches!(
            answer.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            return Err(self.unauthorized(&realm));
        }
        let body = answer
            .success()
            .await?
            .bytes(self.web.limits.document)
            .await?;
        let body = Zeroizing::new(body);
        let odd = || FetchError::Protocol {
            url: shown(&realm),
            what: "it gives no token",
        };
        let Token {
            token,
            access_token,
        } = serde_json::from_slice(&body).map_err(|_| odd())?;
        let token = token.or(access_token).ok_or_else(odd)?;
        let field = Zeroizing::new(format!("Bearer {}", token.as_str()));
        let mut field = HeaderValue::from_str(&field).map_err(|_| odd())?;
        field.set_sensitive(true);
        Ok(field)
    }
}

#[derive(Deserialize)]
struct Token {
    token: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
}

/// Where a registry has its tokens given out, if that may know who one is: what may be led to, and what is the same
/// machine as the registry.
fn token_service(registry: &Url, realm: &str) -> Result<Url, &'static str> {
    let url = Url::parse(realm).map_err(|_| "its token service has no URL")?;
    let is_same_machine = url.scheme() == registry.scheme()
        && (url.host() == registry.host() || is_here(registry) && is_here(&url));
    match leads_to(registry, registry, realm) {
        Ok(url) => Ok(url),
        Err(RedirectFault::User) => Err("the URL of its token service holds a user"),
        Err(_) if is_same_machine => Ok(url),
        Err(RedirectFault::Address) => Err("its token service has no name, or is this machine"),
        Err(RedirectFault::Clear | RedirectFault::NotAUrl) => {
            Err("its token service would get the credentials in clear")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_got_from_names_or_from_the_registrys_own_machine() {
        let fault = |registry: &str, realm: &str| {
            token_service(&Url::parse(registry).unwrap(), realm).err()
        };
        let (clear, address) = ("in clear", "no name");
        let outside = "https://r.example.com/";
        for (registry, realm, says) in [
            (outside, "https://auth.example.com/token", None),
            (outside, "https://r.example.com:5001/token", None),
            (outside, "http://auth.example.com/token", Some(clear)),
            (outside, "http://r.example.com/token", Some(clear)),
            (outside, "http://127.0.0.1/token", Some(clear)),
            (outside, "https://127.0.0.1/token", Some(address)),
            (outside, "https://10.0.0.1/token", Some(address)),
            (outside, "https://169.254.169.254/token", Some(address)),
            (outside, "https://localhost/token", Some(address)),
            (
                outside,
                "https://u:p@auth.example.com/token",
                Some("a user"),
            ),
            (outside, "token", Some("no URL")),
            ("https://10.0.0.1:5000/", "https://10.0.0.1:5001/", None),
            ("https://10.0.0.1/", "https://10.0.0.2/", Some(address)),
            ("http://127.0.0.1:5000/", "http://localhost:5001/", None),
            ("http://127.0.0.1:5000/", "https://auth.example.com/", None),
            (
                "http://127.0.0.1/",
                "http://u@127.0.0.1:81/",
                Some("a user"),
            ),
            ("http://127.0.0.1/", "http://example.com/", Some(clear)),
        ] {
            let fault = fault(registry, realm);
            let is_right = match (fault, says) {
                (None, None) => true,
                (Some(fault), Some(says)) => fault.contains(says),
                _ => false,
            };
            assert!(is_right, "{registry} {realm}: {fault:?}");
        }
    }
}
