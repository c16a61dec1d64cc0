//! `http`: through the gate.

use std::time::Duration;

use wasmtime::component::Resource;

use super::{Credential, Host};
use crate::{
    bindings::sandbook::step::http::{self, Header},
    gate::{HttpError, Refusal, Request, Response},
};

impl http::Host for Host {
    async fn send(
        &mut self,
        request: http::Request,
        credential: Option<Resource<Credential>>,
    ) -> wasmtime::Result<Result<http::Response, http::Error>> {
        let slot = match &credential {
            Some(credential) => Some(self.table.get(credential)?.slot()),
            None => None,
        };
        // What was handed over before goes before it.
        let before = match &self.outbox {
            Some(outbox) => outbox.emptied().await,
            None => Ok(()),
        };
        let answer = match before {
            Ok(()) => self.gate.send(request.into(), slot).await,
            Err(unfinished) => {
                let why = HttpError::Denied(format!(
                    "the body of a request that was handed over by `wasi:http` before it isn't finished ({unfinished}): finish it or drop it first"
                ));
                let (method, url) = (&request.method, &request.url);
                Err(self.gate.turn_away(method, url, &why).await)
            }
        };
        self.in_time()?;
        match answer {
            Ok(response) => Ok(Ok(response.into())),
            Err(Refusal::Guest(error)) => Ok(Err(error.into())),
            Err(Refusal::Stop(stop)) => Err(stop.into()),
        }
    }
}

impl From<http::Request> for Request {
    fn from(request: http::Request) -> Self {
        Request {
            method: request.method,
            url: request.url,
            headers: request
                .headers
                .into_iter()
                .map(|header| (header.name, header.value))
                .collect(),
            body: request.body.map(Into::into),
            repeatable: request.repeatable,
            timeout: request.timeout.map(Duration::from_millis),
        }
    }
}

impl From<Response> for http::Response {
    fn from(response: Response) -> Self {
        http::Response {
            status: response.status,
            headers: response
                .headers
                .into_iter()
                .map(|(name, value)| Header { name, value })
                .collect(),
            body: response.body.into(),
        }
    }
}

impl From<HttpError> for http::Error {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(why) => http::Error::Denied(why),
            HttpError::HeldBack => http::Error::HeldBack,
            HttpError::Unresolved(why)
            | HttpError::Unconnected(why)
            | HttpError::Unreachable(why) => http::Error::Unreachable(why),
            HttpError::TimedOut(why) => http::Error::TimedOut(why),
            HttpError::TooMany(why)
            | HttpError::FieldsTooLarge(why)
            | HttpError::TooLarge(why)
            | HttpError::AnswerTooLarge(why) => http::Error::TooLarge(why),
            HttpError::Malformed(why) => http::Error::Malformed(why),
        }
    }
}
