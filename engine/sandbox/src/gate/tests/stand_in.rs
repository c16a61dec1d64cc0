//! A wire in the place of the network.

use std::pin::Pin;

use super::*;
use crate::network::{Came, Exchanging, Sent, Wire};

/// Answers with one thing, and keeps what it was asked, in the log of the record.
struct StandIn {
    log: Log,
    came: Came,
}

impl Wire for StandIn {
    fn exchange(&self, sent: Sent) -> Exchanging<'_> {
        let Sent {
            method,
            url,
            headers,
            body,
            ..
        } = sent;
        let body = body.unwrap_or_default();
        let told = format!("{method} {url} {headers:?} {}", body.escape_ascii());
        self.log.lock().unwrap().push(told);
        let came = self.came.clone();
        Box::pin(async move { came })
    }

    fn recorded(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.log.lock().unwrap().push("recorded".to_owned());
        Box::pin(async {})
    }
}

#[tokio::test]
async fn whoever_has_lost_patience_is_told_so_and_what_came_is_on_record() {
    let request = Request {
        timeout: Some(Duration::from_secs(3600)),
        ..request("POST", "/x")
    };
    let (told, notes) = ask(request, Came::TooLate(Box::new(answer(201, "made")))).await;
    assert!(matches!(
        told,
        Err(Refusal::Guest(HttpError::TimedOut(why))) if why.contains("3600s")
    ));
    let outcome = notes.outcome();
    assert!(
        matches!(outcome, Outcome::Answered { status: 201, .. }),
        "{outcome:?}"
    );
}

async fn ask(request: Request, came: Came) -> (Result<Response, Refusal>, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    let stand_in = StandIn {
        log: Arc::clone(&notes.log),
        came,
    };
    let network = Arc::new(Network::of_wire(Arc::new(stand_in)));
    let gate = Gate::new(passage(network, &notes));
    (gate.send(request, None).await, notes)
}

fn answer(status: u16, body: &'static str) -> Came {
    Came::Answer {
        status,
        headers: vec![("X-Kind".to_owned(), "stand-in".to_owned())],
        body: Bytes::from_static(body.as_bytes()),
    }
}

#[tokio::test]
async fn it_is_asked_what_would_be_sent_between_intent_and_outcome() {
    let request = with_field(with_body(request("POST", "/x"), "hello"), "X-A", "b");
    let (answered, notes) = ask(request, answer(201, "made")).await;
    let answered = answered.unwrap();
    assert_eq!((answered.status, &*answered.body), (201, &b"made"[..]));
    assert_eq!(
        answered.headers,
        [("x-kind".to_owned(), "stand-in".to_owned())]
    );
    assert_eq!(
        notes.log(),
        [
            "begun commit",
            r#"POST https://api.example.com/x [("x-a", "b")] hello"#,
            "ended commit",
            "recorded",
        ]
    );
}

#[tokio::test]
async fn whatever_is_not_granted_does_not_come_to_it() {
    let (refused, notes) = ask(request("GET", "/forbidden"), answer(200, "")).await;
    assert!(matches!(refused, Err(Refusal::Guest(HttpError::Denied(_)))));
    assert_eq!(notes.log(), ["denied ride"]);
}

#[tokio::test]
async fn it_says_what_is_known_of_a_request_that_goes_unanswered() {
    let why = || "so it goes".to_owned();
    for (came, unknown) in [
        (Came::NotSent(why()), false),
        (Came::Broke(why()), true),
        (Came::Late(why()), true),
    ] {
        let (_, notes) = ask(request("DELETE", "/x"), came).await;
        let is_unknown = matches!(notes.outcome(), Outcome::Unknown { .. });
        assert_eq!(is_unknown, unknown);
    }
}

#[tokio::test]
async fn its_answers_are_bounded_as_any() {
    let notes = Arc::new(Notes::default());
    let stand_in = StandIn {
        log: Arc::clone(&notes.log),
        came: answer(200, "too long"),
    };
    let network = Arc::new(Network::of_wire(Arc::new(stand_in)));
    let mut passage = passage(network, &notes);
    passage.limits.response_bytes = 3;
    let refused = Gate::new(passage).send(request("GET", "/x"), None).await;
    assert!(matches!(
        refused,
        Err(Refusal::Guest(HttpError::AnswerTooLarge(_)))
    ));
}
