//! A disk that is nearly full, that can't be written, or that fails in the middle: nothing is sent that isn't on
//! record, what is known is said, and the run goes on once the disk is well.

use std::collections::BTreeMap;
use std::process::Command;

use super::full_disk::{JOB, arrived, intended, keep_components, status};
use super::namespace::Namespace;
use super::stage::{Stage, until};
use crate::support::Said;

/// The second step is not to start when there is no room any more once the first one is at it.
const TWO_STEPS: &str = r#"name: job
steps:
  - id: first
    uses: puppet
    allow: ["POST https://slow.simcloud.test/*", "POST https://echo.simcloud.test/*"]
    with:
      actions:
        - { do: send, method: POST, url: "https://slow.simcloud.test/4000", must: true }
        - { do: send, method: POST, url: "https://echo.simcloud.test/first", must: true }
  - id: second
    uses: puppet
    allow: [POST https://echo.simcloud.test/*]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/second", must: true }] }
"#;

/// Fills a small disk while the first step is at it, and makes room again.
const FILL: &str = r#"
cp -a "$STATE" kept
mount -t tmpfs -o size=100m,mode=0700 tmpfs "$STATE"
cp -a kept/. "$STATE"
said() { code=0; "$@" || code=$?; echo "exit $code"; }
said "$SANDBOOK" run job --env test --yes &
until [ -e filling ]; do sleep 0.1; done
test -e "$STATE/reserve" && echo 'there is a reserve'
head -c 45000000 /dev/zero > "$STATE/ballast"
wait
test -e "$STATE/reserve" || echo 'it was given back'
"$SANDBOOK" log @last -o json
said "$SANDBOOK" resume @last
said "$SANDBOOK" run job --env test --yes
rm "$STATE/ballast"
said "$SANDBOOK" resume @last
test -e "$STATE/reserve" && echo 'it was made again'
"#;

#[test]
fn a_disk_that_is_nearly_full_lets_what_runs_end_and_nothing_start() {
    let Some(namespace) = Namespace::new("a disk that is nearly full") else {
        return;
    };
    let stage = Stage::new();
    stage.lab.write("job.yaml", TWO_STEPS);
    let script = namespace.start(&stage.lab, FILL);
    until("the first step is at it", || {
        !stage.cloud.requests().is_empty()
    });
    stage.lab.write("filling", "");
    let said = Said::from(script.wait_with_output().unwrap()).ok();
    let exits: Vec<&str> = said
        .out
        .lines()
        .filter(|line| line.starts_with("exit "))
        .collect();
    assert_eq!(exits, ["exit 5", "exit 5", "exit 5", "exit 0"], "{said:?}");
    let paths: Vec<String> = stage
        .arrived("POST")
        .into_iter()
        .map(|sent| sent.path)
        .collect();
    assert_eq!(paths, ["/4000", "/first", "/second"]);
    let said = said.says("there is a reserve").says("it was given back");
    let said = said.says(r#""kind":"run_interrupted","cause":"no-space""#);
    let said = said.says("it was made again");
    let state = stage.lab.path(".sandbook");
    let no_space = format!(
        "error: the disk of the state directory `{}` has ",
        state.display()
    );
    assert_eq!(said.err.matches(&no_space).count(), 3, "{}", said.err);
    // A run that is on record can't be recorded elsewhere from its midst; a new one can.
    for (advice, times) in [("` goes on with it", 2), ("record the run elsewhere", 1)] {
        assert_eq!(said.err.matches(advice).count(), times, "{}", said.err);
    }
    said.says("MiB left, and nothing is started with less than 64 MiB")
        .says("`--state DIR` (a tmpfs will do)")
        .says("` goes on with it");
}

#[test]
fn a_state_directory_that_is_read_only_is_named_and_nothing_is_sent() {
    let Some(namespace) = Namespace::new("a state directory that is read only") else {
        return;
    };
    let stage = Stage::new();
    stage.run(JOB).ok();
    let before = stage.cloud.requests().len();
    let script = r#"
mount --bind "$STATE" "$STATE"
mount -o remount,bind,ro "$STATE"
code=0; "$SANDBOOK" run job --env test --yes || code=$?
"$SANDBOOK" show @last
exit $code
"#;
    let script = namespace.start(&stage.lab, script);
    let said = Said::from(script.wait_with_output().unwrap()).exits(5);
    let state = stage.lab.path(".sandbook");
    let said = said.says(&format!("can't write `{}`", state.display()));
    said.says("help: name a folder that you can write to, with `--state` or $SANDBOOK_HOME")
        .says("run ");
    assert_eq!(stage.cloud.requests().len(), before);
}

/// How a disk fails: which calls, with which error, and when, each of the engine's threads counting its own.
struct Fault {
    calls: &'static str,
    error: &'static str,
    /// From there on every time, and not that once.
    stays: bool,
}

/// Runs the job on a disk that fails at the nth call.
fn run_with_fault(stage: &Stage, fault: &Fault, nth: usize) -> Said {
    let Fault {
        calls,
        error,
        stays,
    } = fault;
    let stays = if *stays { "+" } else { "" };
    stage.job(JOB);
    let sandbook = stage.lab.command(&["run", "job", "--env", "test", "--yes"]);
    let output = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-o", "/dev/null"])
        .args(["-e", &format!("trace={calls}")])
        .args([
            "-e",
            &format!("inject={calls}:error={error}:when={nth}{stays}"),
        ])
        .arg(sandbook.get_program())
        .args(sandbook.get_args())
        .current_dir(stage.lab.path(""))
        .env_clear()
        .env("HOME", stage.lab.path(""))
        // Few threads, each of which comes to many calls, on whatever machine.
        .env("TOKIO_WORKER_THREADS", "1")
        .output();
    Said::from(output.unwrap())
}

fn can_trace() -> bool {
    let traced = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-o", "/dev/null", "true"])
        .output();
    traced.is_ok_and(|traced| traced.status.success())
}

/// How often each POST arrived: what isn't safe to repeat.
fn posts(stage: &Stage) -> BTreeMap<String, usize> {
    let mut posts = BTreeMap::new();
    for request in stage.arrived("POST") {
        *posts.entry(request.path).or_default() += 1;
    }
    posts
}

/// Runs the job with the fault ever later, and goes on with it on a disk that is well.
fn at_every_call(fault: &Fault, nths: impl Iterator<Item = usize>) {
    let Fault { calls, error, .. } = fault;
    if !can_trace() {
        let left_out =
            format!("LEFT OUT: {error} of `{calls}`, since there is no strace here that may trace");
        assert!(std::env::var_os("SUITE_DISK").is_none(), "{left_out}");
        eprintln!("{left_out}");
        return;
    }
    let mut moments = 0;
    for nth in nths {
        let stage = Stage::new();
        keep_components(&stage);
        let said = run_with_fault(&stage, fault, nth);
        let about = format!("{error} at call {nth}: {said:?}");
        if said.status == Some(0) {
            break;
        }
        assert!(nth < 500, "the run never gets through");
        moments += 1;
        assert_eq!(said.status, Some(5), "{about}");
        assert!(
            said.err.contains("error: ") && !said.out.contains("succeeded in"),
            "{about}"
        );
        let (arrived, intended) = (arrived(&stage), intended(&stage));
        assert!(
            arrived.is_subset(&intended),
            "{about}\n{arrived:?} arrived, of {intended:?} it is known"
        );
        match status(&stage).as_deref() {
            None => assert!(arrived.is_empty(), "{about}"),
            // What could not be made durable may be on record all the same: also the run's end.
            Some("succeeded") => assert_eq!(posts(&stage).len(), 3, "{about}"),
            Some(status) => {
                assert_eq!(status, "interrupted", "{about}");
                let resumed = stage.lab.sandbook(&["resume", "@last"]);
                let posts = posts(&stage);
                assert!(
                    posts.values().all(|times| *times == 1),
                    "{about}\n{posts:?}"
                );
                match resumed.status {
                    Some(0) => assert_eq!(posts.len(), 3, "{about}"),
                    // A person is to say what became of the request that was under way.
                    Some(1 | 3) => drop(resumed.says("POST https://echo.simcloud.test/")),
                    _ => panic!("{about}\n{resumed:?}"),
                }
            }
        }
    }
    eprintln!("{error} of `{calls}`: {moments} moments");
    assert!(moments > 3, "{error}: only {moments} moments were tried");
}

#[test]
fn a_disk_that_fails_once_to_make_something_durable_stops_the_run() {
    // What comes after it would succeed.
    let fault = Fault {
        calls: "fdatasync,fsync",
        error: "EIO",
        stays: false,
    };
    at_every_call(&fault, 1..);
}

#[test]
fn a_disk_that_takes_no_more_stops_the_run() {
    let fault = Fault {
        calls: "pwrite64",
        error: "ENOSPC",
        stays: true,
    };
    at_every_call(&fault, (1..).step_by(3));
}
