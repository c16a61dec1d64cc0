//! Where traffic goes.

use std::{collections::VecDeque, io, net::IpAddr};

use super::{service::ok, *};
use crate::network::{IpRange, LookingUp, Names};

/// Names that have the addresses that they are given, and no other.
struct Given(Vec<IpAddr>);

impl Names for Given {
    fn look_up(&self, _: String) -> LookingUp {
        let found = self.0.clone();
        Box::pin(async move {
            if found.is_empty() {
                Err(io::Error::other("no such name"))
            } else {
                Ok(found)
            }
        })
    }
}

/// A name that has another answer at each look-up, and none in the end.
struct Rebinding(Mutex<VecDeque<Vec<IpAddr>>>);

impl Names for Rebinding {
    fn look_up(&self, _: String) -> LookingUp {
        let found = self.0.lock().unwrap().pop_front();
        Box::pin(async move { found.ok_or_else(|| io::Error::other("looked up once too often")) })
    }
}

pub(super) fn network(private: &[&str], found: &[&str]) -> Arc<Network> {
    named(private, Arc::new(Given(addresses(found))))
}

fn named(private: &[&str], names: Arc<dyn Names>) -> Arc<Network> {
    let private = private
        .iter()
        .map(|range| IpRange::parse(range).unwrap())
        .collect();
    let rules = NetworkRules {
        private,
        reroute: Vec::new(),
    };
    Arc::new(Network::with_names(rules, names))
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_rerouted_origin_gets_the_originals_host_field() {
    let (service, _, passage) = bench(vec![ok("")]).await;
    Gate::new(passage)
        .send(request("GET", "/a%20b?x"), None)
        .await
        .unwrap();
    let seen = &service.seen()[0];
    assert!(seen.starts_with("GET /a%20b?x HTTP/1.1\r\n"), "{seen}");
    assert_eq!(seen.matches("host: ").count(), 1);
    assert!(seen.contains("\r\nhost: api.example.com\r\n"), "{seen}");
}

#[tokio::test]
async fn where_traffic_is_rerouted_nothing_else_is_reached() {
    let (service, notes, passage) = bench(Vec::new()).await;
    let target = service.origin();
    let gate = Gate::new(passage);
    for url in [
        target.as_str(),
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://other.example/",
        "http://8.8.8.8/",
    ] {
        let refusal = gate.send(plain("POST", url), None).await.unwrap_err();
        assert!(
            matches!(&refusal, Refusal::Guest(HttpError::Denied(why)) if why.contains("rerouted")),
            "{url} {refusal:?}"
        );
    }
    assert_eq!(notes.log(), ["denied ride"; 5]);
}

#[tokio::test]
async fn a_literal_address_is_denied_before_anything_is_begun() {
    let notes = Arc::new(Notes::default());
    let gate = Gate::new(passage(network(&[], &[]), &notes));
    for host in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:7f00:1]",
        "[fe80::1]",
        "0.0.0.0",
    ] {
        let refusal = gate
            .send(plain("POST", &format!("http://{host}:1/")), None)
            .await
            .unwrap_err();
        assert!(
            matches!(&refusal, Refusal::Guest(HttpError::Denied(why)) if why.contains("network.private")),
            "{host} {refusal:?}"
        );
    }
    assert_eq!(notes.log(), ["denied ride"; 7]);
}

#[tokio::test]
async fn a_name_with_one_inward_address_is_refused_whole() {
    let (service, notes, _) = bench(Vec::new()).await;
    for found in [
        &["127.0.0.1"][..],
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
    ] {
        let url = service.origin().replace("127.0.0.1", "rebound.example");
        let gate = Gate::new(passage(network(&[], found), &notes));
        let refusal = gate.send(plain("POST", &url), None).await.unwrap_err();
        assert!(
            matches!(&refusal, Refusal::Guest(HttpError::Denied(why)) if why.contains("`rebound.example`")),
            "{refusal:?}"
        );
        assert!(matches!(notes.outcome(), Outcome::NotSent { .. }));
    }
    assert_eq!(service.connections.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_listed_range_is_reached_by_name_and_by_address() {
    let (service, notes, _) = bench(vec![ok(""), ok("")]).await;
    let gate = Gate::new(passage(network(&["127.0.0.0/8"], &["127.0.0.1"]), &notes));
    gate.send(plain("GET", &service.origin()), None)
        .await
        .unwrap();
    let named = service.origin().replace("127.0.0.1", "inside.example");
    gate.send(plain("GET", &named), None).await.unwrap();
    assert!(service.seen()[1].contains("\r\nhost: inside.example:"));
}

#[tokio::test]
async fn a_name_that_is_not_known_means_not_sent() {
    let notes = Arc::new(Notes::default());
    let gate = Gate::new(passage(network(&[], &[]), &notes));
    let refusal = gate
        .send(plain("POST", "http://nowhere.example/"), None)
        .await
        .unwrap_err();
    assert!(
        matches!(&refusal, Refusal::Guest(HttpError::Unresolved(why)) if why.contains("no such name")),
        "{refusal:?}"
    );
    assert!(matches!(notes.outcome(), Outcome::NotSent { .. }));
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_connection_and_each_answer_is_checked() {
    let (service, notes, _) = bench(vec![ok(""), ok("")]).await;
    let answers = [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["127.0.0.1", "10.0.0.1"],
        &["127.0.0.2"],
        &["127.0.0.1"],
    ];
    let rebinding = Rebinding(Mutex::new(answers.map(addresses).into()));
    let names = Arc::new(rebinding);
    let gate = Gate::new(passage(
        named(&["127.0.0.1"], Arc::<Rebinding>::clone(&names)),
        &notes,
    ));
    let url = service.origin().replace("127.0.0.1", "rebound.example");
    // What isn't repeatable takes a connection of its own, so each asks for the name.
    let mut reached = Vec::new();
    for _ in answers {
        let sent = gate.send(plain("POST", &url), None).await;
        if let Err(refusal) = &sent {
            let denied = matches!(refusal, Refusal::Guest(HttpError::Denied(_)));
            assert!(denied, "{refusal:?}");
        }
        reached.push(sent.is_ok());
    }
    assert_eq!(reached, [true, false, false, false, true]);
    assert_eq!(service.connections.lock().unwrap().len(), 2);
    assert!(names.0.lock().unwrap().is_empty());
}
