use std::sync::Once;

use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::Value;
use simcloud::{Cloud, Options, world};

/// A cloud and a client that reroutes to it, as the engine does: another address, the original's `Host`.
pub(crate) struct Caller {
    pub(crate) cloud: Cloud,
    client: Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

impl Caller {
    pub(crate) async fn start(options: Options) -> Caller {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            rustls::crypto::ring::default_provider()
                .install_default()
                .unwrap();
        });
        Caller {
            cloud: Cloud::start(options).await.unwrap(),
            client: Client::builder()
                .pool_max_idle_per_host(0)
                .redirect(redirect::Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
        }
    }

    /// A request to the world; `url` is the original one.
    pub(crate) fn request(&self, method: &str, url: &str) -> RequestBuilder {
        let (host, path) = url.split_once("://").unwrap().1.split_once('/').unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client
            .request(method, format!("{}/{path}", self.cloud.origin()))
            .header("host", host)
    }

    pub(crate) async fn get(&self, url: &str) -> Reply {
        reply(self.request("GET", url)).await
    }

    /// With an `Authorization` header.
    pub(crate) async fn get_as(&self, authorization: &str, url: &str) -> Reply {
        reply(
            self.request("GET", url)
                .header("authorization", authorization),
        )
        .await
    }

    /// With an `Authorization` header and a JSON body.
    pub(crate) async fn send_as(
        &self,
        authorization: &str,
        method: &str,
        url: &str,
        body: &Value,
    ) -> Reply {
        reply(json(self.request(method, url), body).header("authorization", authorization)).await
    }

    /// The `Authorization` header of Azure, with a token that was got for it.
    pub(crate) async fn azure(&self) -> String {
        let reply = self.token(&[]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        format!("Bearer {}", reply.json()["access_token"].as_str().unwrap())
    }

    /// Asks for a token, with some fields other than right.
    pub(crate) async fn token(&self, other: &[(&str, &str)]) -> Reply {
        let right = [
            ("grant_type", "client_credentials"),
            ("client_id", world::CLIENT_ID),
            ("client_secret", world::CLIENT_SECRET),
            ("scope", world::SCOPE),
        ];
        let field = |(name, value): (&str, &str)| {
            let other = other.iter().find(|(key, _)| *key == name);
            format!("{name}={}", other.map_or(value, |(_, value)| value))
        };
        let body = right.map(field).join("&");
        let url = format!(
            "https://{}/{}/oauth2/v2.0/token",
            world::LOGIN_HOST,
            world::TENANT
        );
        let request = self.request("POST", &url);
        reply(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body),
        )
        .await
    }
}

pub(crate) fn json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

pub(crate) async fn reply(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
