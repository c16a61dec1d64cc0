//! Calls of small components. What takes a real guest (standard output, panics, HTTP) is tested by
//! the suite.

#[path = "tests/hostile.rs"]
mod hostile;

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use url::Url;

use super::*;
use crate::{
    call::{Level, Lines},
    gate::{
        Asked, Before, Durability, Entry, Gate, HttpLimits, Mode, Passage, Policy, Record, Stop,
        Writing,
    },
    limits::Quota,
    network::{Network, NetworkRules},
    pack::pack,
    packed::Packed,
    redact::Redactor,
    sandbox::{Sandbox, Settings},
    secret,
    time::{LeapingTime, Time},
};

/// A plugin with everything around it that a call needs. No request is permitted unless `permit`.
pub(crate) struct Bench {
    plugin: Plugin,
    limits: Limits,
    permit: bool,
    secret: Option<&'static str>,
    seed: [u8; 32],
    time: Time,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    lines: Mutex<Vec<(Level, String)>>,
    entries: Mutex<Vec<Entry>>,
}

impl Lines for Seen {
    fn log(&self, level: Level, message: String) {
        self.lines.lock().unwrap().push((level, message));
    }

    fn progress(&self, _: String, _: Option<f32>) {}
}

impl Record for Seen {
    fn answered_before(&self, _: &Asked) -> Result<Before, Stop> {
        Err(Stop::Interrupted)
    }

    fn write(&self, entry: Entry, _: Durability) -> Writing<'_> {
        self.entries.lock().unwrap().push(entry);
        Box::pin(async { Ok(()) })
    }
}

struct Permits(bool);

impl Policy for Permits {
    fn permits(&self, _: &str, _: &Url) -> Result<(), String> {
        if self.0 {
            Ok(())
        } else {
            Err("nothing is granted".to_owned())
        }
    }

    fn advice(&self, _: Quota) -> Option<String> {
        Some("as advised".to_owned())
    }
}

impl Bench {
    pub(crate) fn new(plugin: Plugin) -> Self {
        let seen = Arc::default();
        Bench {
            plugin,
            limits: Limits::default(),
            permit: false,
            secret: None,
            seed: [0; 32],
            time: Time::Real,
            seen,
        }
    }

    fn of(code: &str) -> Self {
        Bench::load(&sample::component(code), None)
    }

    fn load(component: &[u8], slots: Option<u32>) -> Self {
        let settings = Settings {
            slots,
            ..Settings::default()
        };
        let sandbox = Sandbox::new(&settings).unwrap();
        let packed = Packed::read(pack(component, b"{}").unwrap()).unwrap();
        Bench::new(sandbox.load(&packed).unwrap())
    }

    pub(crate) fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn call(&self) -> Call {
        let redactor = self
            .secret
            .map(|text| ("key".to_owned(), secret::literal(text).unwrap()));
        let gate = Gate::new(Passage {
            policy: Arc::new(Permits(self.permit)),
            credentials: Default::default(),
            reveal: Default::default(),
            network: Arc::new(Network::new(NetworkRules::default())),
            partition: String::new(),
            record: Arc::clone(&self.seen) as Arc<dyn Record>,
            mode: Mode::Live,
            limits: HttpLimits::default(),
            redactor: Arc::new(Redactor::new(redactor)),
        });
        let context = Context {
            run: "r".to_owned(),
            step: "s".to_owned(),
            attempt: 1,
            idempotency_key: "k".to_owned(),
            started_at: 0,
            deadline: 0,
            dry_run: false,
        };
        let lines = Arc::clone(&self.seen) as Arc<dyn Lines>;
        Call {
            context,
            input: "{}".to_owned(),
            limits: self.limits,
            gate,
            lines,
            seed: self.seed,
            time: self.time.clone(),
        }
    }

    fn run(&self) -> Ended {
        runtime().block_on(self.plugin.call(self.call()))
    }

    pub(crate) fn succeeds(&self) -> Output {
        match self.run() {
            Ended::Succeeded(output) => output,
            other => panic!("{other:?}"),
        }
    }

    /// Whether it does as [`sample::component`] says.
    pub(crate) fn is_well(&self) -> bool {
        matches!(self.run(), Ended::Succeeded(output) if output.summary == "all well")
    }

    fn breaks(&self) -> Breakage {
        match self.run() {
            Ended::Broke(breakage) => breakage,
            other => panic!("{other:?}"),
        }
    }

    fn reaches(&self) -> Limit {
        match self.breaks() {
            Breakage::Limit { limit, .. } => limit,
            other => panic!("{other:?}"),
        }
    }

    fn lines(&self) -> Vec<String> {
        self.seen
            .lines
            .lock()
            .unwrap()
            .iter()
            .map(|(level, message)| format!("{level}: {message}"))
            .collect()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

const LOG: &str = "(call $log (i32.const 1) (i32.const 4096) (i32.const 22))";
const FOREVER: &str = "(loop (br 0))";

#[test]
fn a_plugin_succeeds() {
    let output = Bench::of("").succeeds();
    assert_eq!(
        output,
        Output {
            data: serde_json::json!({"n": 1}),
            changed: true,
            summary: "all well".to_owned()
        }
    );
}

#[test]
fn a_component_that_wants_a_function_of_tomorrow_is_not_loaded() {
    let sandbox = Sandbox::new(&Settings::default()).unwrap();
    let packed = Packed::read(pack(&sample::newer(), b"{}").unwrap()).unwrap();
    assert!(matches!(
        sandbox.load(&packed),
        Err(crate::LoadError::Link(_))
    ));
}

#[test]
fn a_call_finds_nothing_of_the_one_before() {
    let code = "(if (i32.load (i32.const 8192)) (then unreachable)) (i32.store (i32.const 8192) (i32.const 1))";
    for slots in [None, Some(1)] {
        let bench = Bench::load(&sample::component(code), slots);
        for _ in 0..3 {
            bench.succeeds();
        }
    }
}

#[test]
fn an_endless_loop_ends_at_its_processor_time() {
    let limits = Limits {
        cpu: Duration::from_millis(50),
        ..Limits::default()
    };
    let breakage = Bench::of(FOREVER).limits(limits).breaks();
    assert_eq!(
        breakage.to_string(),
        "the plugin reached its limit of 50ms for processor time"
    );
}

#[test]
fn an_endless_loop_ends_at_its_time() {
    let limits = Limits {
        wall: Duration::from_millis(50),
        ..Limits::default()
    };
    let breakage = Bench::of(FOREVER).limits(limits).breaks();
    assert_eq!(
        breakage.to_string(),
        "the plugin reached its limit of 50ms for time"
    );
}

#[test]
fn by_a_time_that_leaps_waits_take_none_and_the_attempts_time_is_up_as_ever() {
    let before = Instant::now();
    let waiting = |milliseconds: u64| {
        let mut bench = Bench::of(&format!("(call $sleep (i64.const {milliseconds}))"));
        bench.time = Time::Leaping(LeapingTime::from(Duration::ZERO));
        bench
    };
    let bench = waiting(299_999);
    bench.succeeds();
    assert_eq!(bench.time.now(), Duration::from_millis(299_999));
    assert_eq!(waiting(300_000).reaches(), Limit::Wall);
    assert!(before.elapsed() < Duration::from_secs(60));
}

/// What takes the machine long is bounded by its processor time alone.
#[test]
fn by_a_time_that_leaps_a_slow_machine_ends_no_attempt() {
    let code = "(local.set $a (i32.const 200000000))
        (loop (br_if 0 (local.tee $a (i32.sub (local.get $a) (i32.const 1)))))";
    let mut bench = Bench::of(code).limits(Limits {
        wall: Duration::from_millis(1),
        ..Limits::default()
    });
    bench.time = Time::Leaping(LeapingTime::from(Duration::ZERO));
    bench.succeeds();
}

#[test]
fn a_wait_in_the_host_ends_at_the_attempts_time() {
    let limits = Limits {
        wall: Duration::from_millis(50),
        ..Limits::default()
    };
    let before = Instant::now();
    assert_eq!(
        Bench::of("(call $sleep (i64.const 3600000))")
            .limits(limits)
            .reaches(),
        Limit::Wall
    );
    assert!(before.elapsed() < Duration::from_secs(10));
}

#[test]
fn waiting_is_not_counted_as_processor_time() {
    let code = "(local.set $a (i32.const 6))
        (loop (call $sleep (i64.const 15)) (br_if 0 (local.tee $a (i32.sub (local.get $a) (i32.const 1)))))";
    let limits = Limits {
        cpu: Duration::from_millis(30),
        ..Limits::default()
    };
    Bench::of(code).limits(limits).succeeds();
}

/// Less than a tick of work, then a wait of no time, again and again.
#[test]
fn a_guest_that_works_between_waits_is_charged_for_its_work() {
    let code = "(loop $forever
        (local.set $a (i32.const 1000000))
        (loop (br_if 0 (local.tee $a (i32.sub (local.get $a) (i32.const 1)))))
        (call $sleep (i64.const 0))
        (br $forever))";
    let limits = Limits {
        cpu: Duration::from_millis(100),
        ..Limits::default()
    };
    assert_eq!(Bench::of(code).limits(limits).reaches(), Limit::Cpu);
}

#[test]
fn a_secret_on_the_edge_of_what_is_looked_at_is_hidden_whole() {
    // Its label is so much shorter that the edge is in what is shown.
    let secret = "a secret of ninety bytes, which is some four times and more as long as what is shown of it";
    let mut bench = Bench::of("");
    bench.secret = Some(secret);
    let call = bench.call();
    let speech = Speech::new(Arc::clone(&call.gate), call.lines, &call.limits);
    let line = speech.line(secret.repeat(1_000).as_bytes(), MESSAGE_BYTES);
    let begun = (4 * MESSAGE_BYTES).div_ceil(secret.len());
    assert_ne!(begun * secret.len(), 4 * MESSAGE_BYTES);
    assert_eq!(line, "[secret key]".repeat(begun) + "…");
}

#[test]
fn memory_beyond_the_limit_names_it() {
    let limits = Limits {
        memory_bytes: 1 << 20,
        ..Limits::default()
    };
    let breakage = Bench::of("(drop (memory.grow (i32.const 16)))")
        .limits(limits)
        .breaks();
    assert_eq!(
        breakage.to_string(),
        "the plugin reached its limit of 1 MiB for memory"
    );
    Bench::of("(drop (memory.grow (i32.const 15)))")
        .limits(limits)
        .succeeds();
}

#[test]
fn memory_beyond_the_limit_from_the_start_names_it() {
    let limits = Limits {
        memory_bytes: 1000,
        ..Limits::default()
    };
    assert_eq!(Bench::of("").limits(limits).reaches(), Limit::Memory);
}

#[test]
fn too_many_instances_name_the_limit() {
    let limits = Limits {
        instances: 1,
        ..Limits::default()
    };
    assert_eq!(Bench::of("").limits(limits).reaches(), Limit::Instances);
}

#[test]
fn too_much_in_one_host_call_names_the_limit() {
    let limits = Limits {
        hostcall_bytes: 10,
        ..Limits::default()
    };
    assert_eq!(Bench::of(LOG).limits(limits).reaches(), Limit::HostCall);
}

#[test]
fn endless_recursion_names_the_stack() {
    let breakage = Bench::of("(call $recurse)").breaks();
    assert_eq!(
        breakage.to_string(),
        "the plugin reached its limit of 1 MiB for stack"
    );
}

#[test]
fn a_crash_says_what_and_logs_where() {
    let bench = Bench::of("unreachable");
    assert_eq!(
        bench.breaks().to_string(),
        "the plugin crashed: wasm trap: wasm `unreachable` instruction executed"
    );
    assert!(
        bench.lines()[0].starts_with("debug: "),
        "{:?}",
        bench.lines()
    );
}

#[test]
fn an_answer_that_is_no_text_breaks_the_contract() {
    let no_text = "(i32.store (i32.const 3072) (i32.const 0xfffefdfc))";
    let breakage = Bench::of(no_text).breaks();
    assert!(matches!(breakage, Breakage::Contract(_)), "{breakage:?}");
}

#[test]
fn an_answer_that_is_no_object_breaks_the_contract() {
    for data in ["", "[1]", "{\"a\":}", "{} {}"] {
        let breakage = Bench::load(&sample::answering("", data, ""), None).breaks();
        assert!(matches!(breakage, Breakage::Contract(_)), "{breakage:?}");
    }
}

#[test]
fn an_answer_that_is_too_large_names_the_limit() {
    let limits = Limits {
        output_bytes: 6,
        ..Limits::default()
    };
    assert_eq!(Bench::of("").limits(limits).reaches(), Limit::Output);
}

#[test]
fn what_is_said_is_one_line_without_control_characters() {
    let bench = Bench::of(LOG);
    bench.succeeds();
    assert_eq!(bench.lines(), ["info: hello from the guest\\u{1b}"]);
}

#[test]
fn logging_ends_at_its_limit_and_the_step_goes_on() {
    let bench = Bench::of(&LOG.repeat(4)).limits(Limits {
        log_lines: 2,
        ..Limits::default()
    });
    bench.succeeds();
    let lines = bench.lines();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[2],
        "warn: the limit of 2 log lines was reached, and what follows is dropped; as advised"
    );
}

#[test]
fn secrets_are_redacted_from_what_is_said() {
    let component = sample::answering(
        LOG,
        "{\"a\":[\"the guest\"],\"the guest\":1}",
        "for the guest",
    );
    let mut bench = Bench::load(&component, None);
    bench.secret = Some("the guest");
    let output = bench.succeeds();
    assert_eq!(bench.lines(), ["info: hello from [secret key]\\u{1b}"]);
    assert_eq!(output.summary, "for [secret key]");
    assert_eq!(
        output.data,
        serde_json::json!({"a": ["[secret key]"], "[secret key]": 1})
    );
}

#[test]
fn random_numbers_come_from_the_seed() {
    // A number's bytes as letters.
    let code = "(local.set $b (call $random))
        (i64.store (i32.const 8192) (i64.add (i64.and (local.get $b) (i64.const 0x0f0f0f0f0f0f0f0f))
            (i64.const 0x6161616161616161)))
        (call $log (i32.const 0) (i32.const 8192) (i32.const 8))";
    let mut bench = Bench::of(code);
    bench.succeeds();
    bench.succeeds();
    bench.seed = [1; 32];
    bench.succeeds();
    let lines = bench.lines();
    assert_eq!(lines[0], lines[1]);
    assert_ne!(lines[1], lines[2]);
}

#[test]
fn a_request_that_is_not_granted_is_answered_to_the_guest_and_recorded() {
    let bench = Bench::of(
        "(call $delete) (if (i32.eqz (i32.load8_u (i32.const 8000))) (then unreachable))",
    );
    bench.succeeds();
    let entries = bench.seen.entries.lock().unwrap();
    assert!(
        matches!(entries.as_slice(), [Entry::Denied { .. }]),
        "{entries:?}"
    );
}

#[test]
fn a_stop_ends_the_attempt_and_the_guest_is_told_nothing() {
    let mut bench = Bench::of(&format!("(call $delete) {LOG}"));
    bench.permit = true;
    assert_eq!(bench.run(), Ended::Stopped(Stop::Interrupted));
    assert!(bench.lines().iter().all(|line| !line.contains("hello")));
}

#[test]
fn more_calls_than_slots_wait_for_each_other() {
    let bench = Bench::load(&sample::component("(call $sleep (i64.const 1))"), Some(2));
    runtime().block_on(async {
        let calls: Vec<_> = (0..10)
            .map(|_| Box::pin(bench.plugin.call(bench.call())))
            .collect();
        for ended in futures(calls).await {
            assert!(matches!(ended, Ended::Succeeded(_)), "{ended:?}");
        }
    });
}

/// Drives all of them at once.
async fn futures<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut done = Vec::new();
    std::future::poll_fn(move |context| {
        futures.retain_mut(|future| match std::pin::Pin::new(future).poll(context) {
            std::task::Poll::Ready(output) => {
                done.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if futures.is_empty() {
            std::task::Poll::Ready(std::mem::take(&mut done))
        } else {
            std::task::Poll::Pending
        }
    })
    .await
}
