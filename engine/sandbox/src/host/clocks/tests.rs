//! Time that leaps, beside requests by `wasi:http` that a wire answers.

use std::pin::Pin;

use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::Host as _;
use wasmtime_wasi::p2::bindings::io::poll::{Host as _, HostPollable as _};

use super::super::wasi_http::client;
use super::*;
use crate::gate::{Asked, Before, Durability, Entry, HttpLimits, Mode, Passage, Policy, Record};
use crate::gate::{Request, Stop, Writing};
use crate::limits::{Limit, Limits};
use crate::network::{Came, Exchanging, Network, Sent, Wire};

const SECOND: u64 = 1_000_000_000;

struct Anything;

impl Policy for Anything {
    fn permits(&self, _: &str, _: &url::Url) -> Result<(), String> {
        Ok(())
    }
}

impl Record for Anything {
    fn answered_before(&self, _: &Asked) -> Result<Before, Stop> {
        Ok(Before::No)
    }

    fn write(&self, _: Entry, _: Durability) -> Writing<'_> {
        Box::pin(async {
            // As one that has others to write for.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }
}

/// Answers everything, after a second by the attempt's time.
struct Echo(LeapingTime);

impl Wire for Echo {
    fn exchange(&self, _: Sent) -> Exchanging<'_> {
        Box::pin(async {
            tokio::task::yield_now().await;
            self.0.pass(Duration::from_secs(1));
            Came::Answer {
                status: 200,
                headers: Vec::new(),
                body: Default::default(),
            }
        })
    }

    fn recorded(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::task::yield_now())
    }
}

fn host() -> (Host, LeapingTime) {
    let time = LeapingTime::from(Duration::ZERO);
    let gate = Gate::new(Passage {
        policy: Arc::new(Anything),
        credentials: Default::default(),
        reveal: Default::default(),
        network: Arc::new(Network::of_wire(Arc::new(Echo(time.clone())))),
        partition: String::new(),
        record: Arc::new(Anything),
        mode: Mode::Live,
        limits: HttpLimits::default(),
        redactor: Arc::default(),
    });
    let host = client::host(&gate, Limits::default(), Time::Leaping(time.clone()));
    (host, time)
}

fn request(method: &str) -> Request {
    Request {
        method: method.to_owned(),
        url: "https://a.example/x".to_owned(),
        ..Request::default()
    }
}

fn again(pollable: &Resource<DynPollable>) -> Resource<DynPollable> {
    Resource::new_borrow(pollable.rep())
}

#[tokio::test]
async fn time_passes_to_the_first_of_what_is_waited_for() {
    let (mut host, time) = host();
    let late = host.subscribe_duration(3600 * SECOND).unwrap();
    let early = host.subscribe_duration(SECOND).unwrap();
    let both = vec![again(&late), again(&early)];
    assert_eq!(host.table.poll(both).await.unwrap(), [1]);
    assert_eq!(time.passed(), Duration::from_secs(1));
    host.table.block(late).await.unwrap();
    assert_eq!(time.passed(), Duration::from_secs(3600));
}

#[tokio::test]
async fn what_is_not_waited_for_is_ready_at_once() {
    let (mut host, time) = host();
    time.pass(Duration::from_secs(2));
    let passed = host.subscribe_instant(FIRST + SECOND).unwrap();
    let now = host.subscribe_duration(0).unwrap();
    let later = host.subscribe_duration(1).unwrap();
    for (pollable, is_ready) in [(passed, true), (now, true), (later, false)] {
        assert_eq!(host.table.ready(pollable).await.unwrap(), is_ready);
    }
    assert_eq!(time.passed(), Duration::from_secs(2));
}

/// Polls two answers and a timer of ten seconds, the timer first; what is ready, each time, and when.
async fn polled(methods: [&str; 2]) -> Vec<(Vec<u32>, u64)> {
    let (mut host, time) = host();
    let carrier = host.open_outbox();
    let timer = host.subscribe_duration(10 * SECOND).unwrap();
    let mut pollables = vec![timer];
    for method in methods {
        let future = client::hand_over(&mut host, request(method), None).unwrap();
        pollables.push(subscribe(&mut host.table, future).unwrap());
    }
    let polling = async {
        let mut ready = Vec::new();
        for answered in 0..3 {
            // Those that were ready are dropped from the list.
            let list = [0].into_iter().chain(answered + 1..3);
            let list: Vec<_> = list.map(|index| again(&pollables[index])).collect();
            ready.push((
                host.table.poll(list).await.unwrap(),
                time.passed().as_secs(),
            ));
        }
        ready
    };
    tokio::select! {
        biased;
        Err(stop) = carrier.carry() => panic!("{stop:?}"),
        ready = polling => ready,
    }
}

#[tokio::test]
async fn answers_come_before_time_leaps() {
    for methods in [["GET", "GET"], ["POST", "POST"], ["PUT", "POST"]] {
        let ready = polled(methods).await;
        let expected = [(vec![1], 1), (vec![1], 2), (vec![0], 10)];
        assert_eq!(ready, expected, "{methods:?}");
    }
}

#[tokio::test]
async fn a_timer_is_ready_while_others_wait_for_their_turn() {
    let (mut host, time) = host();
    let carrier = host.open_outbox();
    let timer = host.subscribe_duration(3 * SECOND).unwrap();
    for _ in 0..9 {
        client::hand_over(&mut host, request("POST"), None).unwrap();
    }
    tokio::select! {
        biased;
        Err(stop) = carrier.carry() => panic!("{stop:?}"),
        done = host.table.block(timer) => done.unwrap(),
    }
    assert_eq!(time.passed(), Duration::from_secs(3));
}

#[tokio::test]
async fn a_body_that_is_not_finished_holds_no_time_up() {
    let (mut host, time) = host();
    let carrier = host.open_outbox();
    let timer = host.subscribe_duration(3 * SECOND).unwrap();
    let _body = client::begin(&mut host, &request("POST")).unwrap();
    tokio::select! {
        biased;
        Err(stop) = carrier.carry() => panic!("{stop:?}"),
        done = host.table.block(timer) => done.unwrap(),
    }
    assert_eq!(time.passed(), Duration::from_secs(3));
}

#[test]
fn whoever_looks_at_the_clock_or_waits_sees_that_time_is_up() {
    let (mut host, time) = host();
    time.pass(Limits::default().wall);
    let breaches = [
        monotonic_clock::Host::now(&mut host).map(drop),
        host.subscribe_duration(1).map(drop),
        host.subscribe_instant(1).map(drop),
    ];
    for breach in breaches {
        let breach: crate::limits::Breach = breach.unwrap_err().downcast().unwrap();
        assert_eq!(breach.limit, Limit::Wall);
    }
}
