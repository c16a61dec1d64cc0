//! The services of a case: a wire that expects requests in their order, and answers each as the case says.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbook_runbook::{AnswerGiven, Ending, Exchange, NoAnswer, Slot};
use sandbook_sandbox::LeapingTime;
use sandbook_sandbox::network::{Came, Exchanging, Sent, Wire};
use serde_json::Value;
use tokio::sync::watch;

use super::difference::{Difference, asked, difference};

/// The wire of one case.
pub(super) struct Script {
    exchanges: Vec<Exchange>,
    secrets: BTreeMap<Slot, String>,
    time: LeapingTime,
    state: Mutex<State>,
    halt: watch::Sender<Option<Halt>>,
}

/// Why a life of the engine ends before its run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// The engine dies here.
    Death,
    /// What was asked for isn't what is expected.
    Difference,
}

#[derive(Default)]
struct State {
    /// How many exchanges there were.
    done: usize,
    /// The engine dies once the outcome is on record.
    is_dying: bool,
    difference: Option<Difference>,
}

impl Script {
    pub(super) fn new(
        exchanges: &[Exchange],
        secrets: &BTreeMap<Slot, String>,
        time: LeapingTime,
    ) -> Script {
        Script {
            exchanges: exchanges.to_vec(),
            secrets: secrets.clone(),
            time,
            state: Mutex::default(),
            halt: watch::Sender::new(None),
        }
    }

    /// Waits until a life of the engine is to end; the next one may begin.
    pub(super) async fn halted(&self) -> Halt {
        let mut halt = self.halt.subscribe();
        let why = halt.wait_for(Option::is_some).await.map(|why| *why);
        self.halt.send_replace(None);
        why.ok().flatten().unwrap_or(Halt::Difference)
    }

    /// In what the requests differ from those that are expected: one that did, or those that never came.
    pub(super) fn differences(&self) -> Vec<Difference> {
        let state = self.state();
        if let Some(difference) = &state.difference {
            return vec![difference.clone()];
        }
        let missing = self.exchanges.iter().enumerate().skip(state.done);
        missing
            .map(|(index, exchange)| Difference {
                message: format!("it never asked for `{}`", exchange.request.request),
                exchange: Some(index),
                diff: None,
            })
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The exchange that a request is, or in what it differs.
    fn take(&self, sent: &Sent) -> Option<Exchange> {
        let mut state = self.state();
        let index = state.done;
        let Some(exchange) = self.exchanges.get(index) else {
            let unexpected = asked(sent, &self.secrets);
            state.difference = Some(Difference {
                message: format!("it asked for more: `{} {}`", sent.method, sent.url),
                exchange: None,
                diff: Some(
                    unexpected
                        .lines()
                        .map(|line| format!("+ {line}\n"))
                        .collect(),
                ),
            });
            return None;
        };
        if let Some(diff) = difference(&exchange.request, sent, &self.secrets) {
            state.difference = Some(Difference {
                message: format!(
                    "it asked for something else than `{}`",
                    exchange.request.request
                ),
                exchange: Some(index),
                diff: Some(diff),
            });
            return None;
        }
        state.done += 1;
        state.is_dying = exchange.crash;
        Some(exchange.clone())
    }

    /// Ends this life of the engine. Whoever waits for this is not there any more then.
    async fn end<T>(&self, why: Halt) -> T {
        self.state().is_dying = false;
        self.halt.send_replace(Some(why));
        std::future::pending().await
    }
}

impl Wire for Script {
    fn exchange(&self, sent: Sent) -> Exchanging<'_> {
        Box::pin(async move {
            let Some(exchange) = self.take(&sent) else {
                return self.end(Halt::Difference).await;
            };
            let late = matches!(exchange.ending, Ending::Error(NoAnswer::TimedOut));
            let waits = sent.patience.unwrap_or(sent.timeout).min(sent.timeout);
            let took = if late && exchange.took.is_zero() {
                waits
            } else {
                exchange.took
            };
            self.time.pass(took.min(waits));
            let came = match exchange.ending {
                Ending::Silence => return self.end(Halt::Death).await,
                Ending::Error(NoAnswer::Unreachable) => {
                    Came::NotSent("no connection: the case says so".to_owned())
                }
                Ending::Error(NoAnswer::TimedOut) => {
                    Came::Late("no complete answer in time: the case says so".to_owned())
                }
                _ if took > sent.timeout => {
                    let timeout = sent.timeout;
                    Came::Late(format!("no complete answer within {timeout:?}"))
                }
                Ending::Error(NoAnswer::Lost) => {
                    Came::Broke("the connection broke: the case says so".to_owned())
                }
                Ending::Answer(answer) => came(answer, sent.method == "HEAD"),
            };
            if took > waits {
                Came::TooLate(Box::new(came))
            } else {
                came
            }
        })
    }

    fn recorded(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let is_dying = self.state().is_dying;
            if is_dying {
                self.end::<()>(Halt::Death).await;
            }
        })
    }
}

fn came(answer: AnswerGiven, is_head: bool) -> Came {
    let AnswerGiven {
        status,
        mut headers,
        body,
    } = answer;
    let says_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
    let body = match body {
        _ if is_head => Vec::new(),
        None => Vec::new(),
        Some(Value::String(text)) => text.into_bytes(),
        Some(value) => {
            if !headers.iter().any(says_type) {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            value.to_string().into_bytes()
        }
    };
    Came::Answer {
        status,
        headers,
        body: body.into(),
    }
}
