use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::refuse;
use crate::answer::Answer;
use crate::request::Request;
use crate::stamp::{after, rfc3339, uuid};
use crate::world::{CLIENT_ID, CLIENT_SECRET, SCOPE, TENANT};

/// The tokens that were handed out.
#[derive(Debug)]
pub(crate) struct Tokens {
    issued: Vec<Issued>,
    lifetime: Duration,
}

#[derive(Debug)]
struct Issued {
    token: String,
    expires: Timestamp,
}

impl Tokens {
    pub(crate) fn new(lifetime: Duration) -> Tokens {
        Tokens {
            issued: Vec::new(),
            lifetime,
        }
    }

    /// Answers what is sent to the token endpoint's host.
    pub(crate) fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        match (request.method.as_str(), request.segments().as_slice()) {
            ("POST", [tenant, "oauth2", "v2.0", "token"]) => match check(tenant, request) {
                Ok(()) => self.issue(now),
                Err(fault) => fault.answer(now),
            },
            (_, [_, "oauth2", "v2.0", "token"]) => Fault::of(
                400,
                "invalid_request",
                900_561,
                "The endpoint only accepts POST requests.",
            )
            .answer(now),
            _ => Answer::empty(404),
        }
    }

    /// Lets the request pass if it bears a token that holds.
    pub(super) fn check(&self, request: &Request, now: Timestamp) -> Result<(), Answer> {
        let unauthorized = |code, message: String| {
            let challenge = format!(
                "Bearer authorization_uri=\"https://login.microsoftonline.com/{TENANT}\", error=\"invalid_token\""
            );
            refuse(401, code, message).with_header("www-authenticate", &challenge)
        };
        if request.header("authorization").is_none() {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            return Err(unauthorized("AuthenticationFailed", message.to_owned()));
        }
        let Some(token) = request.authorization("bearer") else {
            let message =
                "The authentication scheme of the request is not supported: 'Bearer' is expected.";
            return Err(unauthorized(
                "AuthenticationFailedInvalidHeader",
                message.to_owned(),
            ));
        };
        match self.issued.iter().find(|issued| issued.token == token) {
            None => Err(unauthorized(
                "InvalidAuthenticationToken",
                "The access token is invalid.".to_owned(),
            )),
            Some(issued) if issued.expires <= now => Err(unauthorized(
                "ExpiredAuthenticationToken",
                format!(
                    "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                    rfc3339(issued.expires),
                    rfc3339(now)
                ),
            )),
            Some(_) => Ok(()),
        }
    }

    /// Ends every token that is out.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        for issued in &mut self.issued {
            issued.expires = issued.expires.min(now);
        }
    }

    fn issue(&mut self, now: Timestamp) -> Answer {
        let token = format!("demo-azure-token-{:06}", self.issued.len() + 1);
        self.issued.push(Issued {
            token: token.clone(),
            expires: after(now, self.lifetime),
        });
        let seconds = self.lifetime.as_secs();
        Answer::json(
            200,
            &json!({ "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token }),
        )
        .with_header("cache-control", "no-store, no-cache")
    }
}

fn check(tenant: &str, request: &Request) -> Result<(), Fault> {
    let field = |name: &str| {
        request
            .field(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                let message =
                    format!("The request body must contain the following parameter: '{name}'.");
                Fault::of(400, "invalid_request", 900_144, message)
            })
    };
    if tenant != TENANT {
        let message = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        );
        return Err(Fault::of(400, "invalid_request", 90_002, message));
    }
    let grant = field("grant_type")?;
    if grant != "client_credentials" {
        let message = format!("The app requested an unsupported grant type '{grant}'.");
        return Err(Fault::of(400, "unsupported_grant_type", 70_003, message));
    }
    let client = field("client_id")?;
    if client != CLIENT_ID {
        let message = format!(
            "Application with identifier '{client}' was not found in the directory 'Example Shop'."
        );
        return Err(Fault::of(400, "unauthorized_client", 700_016, message));
    }
    let scope = field("scope")?;
    if !scope.ends_with("/.default") {
        let message = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err(Fault::of(400, "invalid_scope", 1_002_012, message));
    }
    if scope != SCOPE {
        let message = format!(
            "The resource principal named {scope} was not found in the tenant named Example Shop."
        );
        return Err(Fault::of(400, "invalid_resource", 500_011, message));
    }
    let secret = field("client_secret").map_err(|_| {
        let message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        Fault::of(401, "invalid_client", 7_000_218, message)
    })?;
    if secret != CLIENT_SECRET {
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{CLIENT_ID}'."
        );
        return Err(Fault::of(401, "invalid_client", 7_000_215, message));
    }
    Ok(())
}

/// A refusal of the token endpoint.
struct Fault {
    status: u16,
    error: &'static str,
    code: u32,
    message: String,
}

impl Fault {
    fn of(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Fault {
        Fault {
            status,
            error,
            code,
            message: message.into(),
        }
    }

    fn answer(self, now: Timestamp) -> Answer {
        let time = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let seed = now.as_microsecond().unsigned_abs();
        let (trace, correlation) = (uuid(seed), uuid(seed + 1));
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
            self.code, self.message
        );
        Answer::json(
            self.status,
            &json!({
                "error": self.error,
                "error_description": description,
                "error_codes": [self.code],
                "timestamp": time,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
            }),
        )
    }
}
