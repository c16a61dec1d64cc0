//! What is known of a request after the network has failed.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, sync::Notify};

use super::{
    service::{Reply, answer, ok},
    *,
};

fn why(outcome: Outcome) -> String {
    match outcome {
        Outcome::NotSent { why } => format!("not sent: {why}"),
        Outcome::Unknown { why } => format!("unknown: {why}"),
        Outcome::Answered { status, body, .. } => format!("{status} {body:?}"),
    }
}

#[tokio::test]
async fn a_refused_connection_means_not_sent() {
    let (service, notes, passage) = bench(Vec::new()).await;
    drop(service);
    tokio::task::yield_now().await;
    let refusal = Gate::new(passage)
        .send(request("POST", "/"), None)
        .await
        .unwrap_err();
    assert!(
        matches!(refusal, Refusal::Guest(HttpError::Unconnected(_))),
        "{refusal:?}"
    );
    let why = why(notes.outcome());
    assert!(
        why.starts_with("not sent: no connection to `127.0.0.1:") && why.contains("refused"),
        "{why}"
    );
}

#[tokio::test]
async fn a_failed_handshake_means_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    });
    let notes = Arc::new(Notes::default());
    let reroute = vec![(
        Origin::parse(ORIGIN).unwrap(),
        Origin::parse(&target).unwrap(),
    )];
    let network = Arc::new(Network::new(NetworkRules {
        private: Vec::new(),
        reroute,
    }));
    Gate::new(passage(network, &notes))
        .send(request("POST", "/"), None)
        .await
        .unwrap_err();
    let why = why(notes.outcome());
    assert!(
        why.starts_with("not sent: no connection to `127.0.0.1:"),
        "{why}"
    );
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_is_not_asked_for_again() {
    for (cut, method) in [("", "POST"), ("HTTP/1.1 2", "POST"), ("", "PUT")] {
        let (service, notes, passage) = bench(vec![Reply::Cut(cut.to_owned()), ok("")]).await;
        let refusal = Gate::new(passage)
            .send(request(method, "/"), None)
            .await
            .unwrap_err();
        assert!(
            matches!(refusal, Refusal::Guest(HttpError::Unreachable(_))),
            "{refusal:?}"
        );
        let outcome = notes.outcome();
        assert!(matches!(outcome, Outcome::Unknown { .. }));
        assert!(why(outcome).starts_with("unknown: no answer from `127.0.0.1:"));
        assert_eq!(service.seen().len(), 1, "{method} {cut:?}");
    }
}

#[tokio::test]
async fn an_answer_whose_body_is_lost_is_an_answer() {
    let reply =
        Reply::Cut("HTTP/1.1 201 Created\r\nx-id: 7\r\ncontent-length: 100\r\n\r\nhalf".to_owned());
    let (_service, notes, passage) = bench(vec![reply]).await;
    let refusal = Gate::new(passage)
        .send(request("POST", "/"), None)
        .await
        .unwrap_err();
    assert!(
        matches!(&refusal, Refusal::Guest(HttpError::Unreachable(why)) if why.contains("broke off")),
        "{refusal:?}"
    );
    let Outcome::Answered {
        status: 201,
        headers,
        body: None,
    } = notes.outcome()
    else {
        panic!()
    };
    assert!(headers.contains(&("x-id".to_owned(), "7".to_owned())));
}

#[tokio::test]
async fn a_repeatable_request_is_given_up_when_its_time_is_over() {
    let word = Arc::new(Notify::new());
    let (_service, notes, passage) = bench(vec![Reply::After(word, String::new())]).await;
    let put = Request {
        timeout: Some(Duration::from_millis(20)),
        ..request("PUT", "/")
    };
    let refusal = Gate::new(passage).send(put, None).await.unwrap_err();
    assert_eq!(
        refusal,
        HttpError::TimedOut("no complete answer within 20ms".to_owned()).into()
    );
    assert!(matches!(notes.outcome(), Outcome::Unknown { .. }));
}

#[tokio::test]
async fn an_unrepeatable_request_outlives_its_attempt() {
    let word = Arc::new(Notify::new());
    let (service, notes, passage) = bench(vec![Reply::After(
        Arc::clone(&word),
        answer(200, "", "done"),
    )])
    .await;
    let gate = Gate::new(passage);
    let attempt = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.send(request("POST", "/"), None).await }
    });
    while service.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    attempt.abort();
    assert!(attempt.await.unwrap_err().is_cancelled());
    assert_eq!(notes.log(), ["begun commit", "POST / HTTP/1.1"]);
    word.notify_one();
    gate.settle().await;
    assert_eq!(why(notes.outcome()), "200 Some(b\"done\")");
}

#[tokio::test]
async fn a_request_is_in_the_gate_until_its_outcome_is_on_record() {
    let word = Arc::new(Notify::new());
    let reply = Reply::After(Arc::clone(&word), answer(200, "", "done"));
    let (service, notes, passage) = bench(vec![reply]).await;
    let gate = Gate::new(passage);
    assert!(!gate.is_occupied());
    let attempt = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.send(request("PUT", "/"), None).await }
    });
    while service.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(gate.is_occupied());
    word.notify_one();
    gate.settle().await;
    assert_eq!(why(notes.outcome()), "200 Some(b\"done\")");
    assert!(!gate.is_occupied());
    attempt.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_guests_patience_does_not_end_an_unrepeatable_request() {
    let word = Arc::new(Notify::new());
    let (_service, notes, passage) = bench(vec![
        Reply::After(Arc::clone(&word), answer(200, "", "done")),
        ok("next"),
    ])
    .await;
    let gate = Gate::new(passage);
    let post = Request {
        timeout: Some(Duration::from_millis(20)),
        ..request("POST", "/")
    };
    let refusal = gate.send(post, None).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Guest(HttpError::TimedOut(_))));
    word.notify_one();
    // One request of an attempt is in the gate at a time: the next one waits for the first's outcome.
    assert_eq!(
        gate.send(request("GET", "/next"), None).await.unwrap().body,
        "next"
    );
    assert_eq!(
        notes.log()[2..],
        ["ended commit", "GET /next HTTP/1.1", "read ride"]
    );
}

#[tokio::test]
async fn the_hosts_patience_ends_too() {
    let word = Arc::new(Notify::new());
    let (_service, notes, mut passage) = bench(vec![Reply::After(word, String::new())]).await;
    passage.limits.unrepeatable_wait = Duration::from_millis(20);
    Gate::new(passage)
        .send(request("POST", "/"), None)
        .await
        .unwrap_err();
    assert!(matches!(notes.outcome(), Outcome::Unknown { .. }));
}

#[tokio::test]
async fn an_unrepeatable_request_takes_a_connection_of_its_own() {
    let (service, _, passage) = bench(vec![ok(""), ok(""), ok(""), ok("")]).await;
    let gate = Gate::new(passage);
    let connections = || service.connections.lock().unwrap().len();
    gate.send(request("GET", "/"), None).await.unwrap();
    gate.send(request("PUT", "/"), None).await.unwrap();
    assert_eq!(connections(), 1);
    gate.send(request("POST", "/"), None).await.unwrap();
    gate.send(request("POST", "/"), None).await.unwrap();
    assert_eq!(connections(), 3);
}

#[tokio::test]
async fn partitions_share_no_connection() {
    let (service, notes, first) = bench(vec![ok(""), ok(""), ok("")]).await;
    let network = Arc::clone(&first.network);
    let second = Passage {
        partition: "other".to_owned(),
        ..passage(network, &notes)
    };
    let (first, second) = (Gate::new(first), Gate::new(second));
    for gate in [&first, &second, &first] {
        gate.send(request("GET", "/"), None).await.unwrap();
    }
    assert_eq!(service.connections.lock().unwrap().len(), 2);
}

/// A record whose intents take until the word is given.
struct Slow {
    notes: Arc<Notes>,
    word: Arc<Notify>,
}

impl Record for Slow {
    fn answered_before(&self, asked: &Asked) -> Result<Before, Stop> {
        self.notes.answered_before(asked)
    }

    fn write(&self, entry: Entry, durability: Durability) -> Writing<'_> {
        Box::pin(async move {
            let begins = matches!(entry, Entry::Begun(_));
            self.notes.write(entry, durability).await?;
            if begins {
                self.word.notified().await;
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn an_attempt_that_ends_before_the_intent_is_durable_sends_nothing() {
    let (service, notes, mut passage) = bench(vec![ok("")]).await;
    let word = Arc::new(Notify::new());
    passage.record = Arc::new(Slow {
        notes: Arc::clone(&notes),
        word: Arc::clone(&word),
    });
    let gate = Gate::new(passage);
    let attempt = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.send(request("POST", "/"), None).await }
    });
    while notes.log().is_empty() {
        tokio::task::yield_now().await;
    }
    attempt.abort();
    attempt.await.unwrap_err();
    word.notify_one();
    gate.settle().await;
    assert_eq!(notes.log(), ["begun commit", "ended commit"]);
    assert!(matches!(notes.outcome(), Outcome::NotSent { .. }));
    assert_eq!(service.seen(), [""; 0]);
}
