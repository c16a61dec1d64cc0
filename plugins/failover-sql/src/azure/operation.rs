use std::time::Duration;

use sandbook_step::{http::Response, prelude::*};

use super::AWAITED;
use crate::pace::{self, pause};

/// A failover that was begun: where to ask how it goes.
pub(super) struct Operation {
    url: String,
    said: Said,
    wait: Duration,
}

/// How the service tells the end.
#[derive(Clone, Copy)]
enum Said {
    /// By `status` in the body (`Azure-AsyncOperation`).
    InBody,
    /// By any status but 202 (`Location`).
    ByStatus,
}

#[derive(Deserialize)]
struct Body {
    status: String,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: Option<String>,
    message: Option<String>,
}

impl Operation {
    /// The operation that a 202 tells of; `None` when it doesn't say where to ask.
    pub(super) fn of(response: &Response) -> Option<Self> {
        let (url, said) = match response.header("azure-asyncoperation") {
            Some(url) => (url, Said::InBody),
            None => (response.header("location")?, Said::ByStatus),
        };
        let wait = response.retry_after().unwrap_or(pace::UNSAID);
        Some(Operation {
            url: url.to_owned(),
            said,
            wait,
        })
    }

    /// Waits until the operation has come to an end.
    ///
    /// Where the step is not granted to ask, or the operation isn't known any more, that is left to whoever looks at
    /// the group.
    pub(super) fn follow(&self, context: &Context) -> Result<(), Failure> {
        let mut wait = self.wait;
        loop {
            pause(context, wait, AWAITED)?;
            let response = match http::get(&self.url).credential("azure")?.send() {
                Ok(response) => response,
                Err(http::Error::Denied(why)) => {
                    log::warn!(
                        "the operation can't be followed, the group is looked at instead: {why}"
                    );
                    return Ok(());
                }
                Err(error) if error.is_passing() => {
                    log::info!("{error}: asking again");
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            wait = response.retry_after().unwrap_or(self.wait);
            if self.is_over(&response)? {
                return Ok(());
            }
        }
    }

    fn is_over(&self, response: &Response) -> Result<bool, Failure> {
        match (self.said, response.status()) {
            (_, 404) => Ok(true),
            (_, 202) => Ok(false),
            (Said::InBody, 200) => {
                let body: Body = response.json()?;
                match body.status.as_str() {
                    "Succeeded" => Ok(true),
                    "Failed" | "Canceled" | "Cancelled" => Err(body.failure()),
                    _ => Ok(false),
                }
            }
            (Said::ByStatus, 200 | 201 | 204) => Ok(true),
            _ if response.failure().is_passing() => Ok(false),
            _ => Err(response.failure()),
        }
    }
}

impl Body {
    /// An operation that failed had no effect: it has to be asked for anew.
    fn failure(self) -> Failure {
        let (code, message) = match self.error {
            Some(fault) => (fault.code, fault.message),
            None => (None, None),
        };
        let message = message.unwrap_or_else(|| "the service does not say why".to_owned());
        Failure::failed(format!("the failover ended as {}: {message}", self.status))
            .with_code(code.unwrap_or_else(|| "FailoverFailed".to_owned()))
            .starting_over()
    }
}
