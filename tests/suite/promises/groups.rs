//! Groups of concurrency: of the runs of a group there is one at a time, whatever happens to it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::stage::{Stage, until};

/// Holds its group in its first attempt until it is killed. It is refused where another run holds it. What it reads comes
/// when what it changed is on record: whoever waits for that kills nothing in doubt.
const HOLD: &str = r#"name: hold
inputs: { place: { type: string, default: east } }
concurrency: { group: "site ${{ inputs.place }}" }
steps:
  - id: hold
    uses: puppet
    allow: [POST https://echo.simcloud.test/*, GET https://echo.simcloud.test/*]
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/hold", must: true }
        - { do: send, method: GET, url: "https://echo.simcloud.test/held", must: true }
        - { do: in_attempt, attempt: 1, then: { do: sleep, milliseconds: 60000 } }
"#;

/// Waits for its turn.
const NEXT: &str = r#"name: next
inputs:
  place: { type: string, default: east }
  who: { type: string }
concurrency: { group: "site ${{ inputs.place }}", behavior: queue }
steps:
  - id: go
    uses: puppet
    allow: [POST https://echo.simcloud.test/*]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/${{ inputs.who }}", must: true }] }
"#;

const RUN_HOLD: [&str; 5] = ["run", "hold", "--env", "test", "--yes"];

fn stage() -> Stage {
    let stage = Stage::new();
    stage.lab.write("hold.yaml", HOLD);
    stage.lab.write("next.yaml", NEXT);
    stage
}

/// A run that holds `site east`.
fn hold(stage: &Stage) -> Child {
    let child = stage.lab.start(&RUN_HOLD);
    until("the group is held", || !stage.arrived("GET").is_empty());
    child
}

fn end(mut child: Child, signal: Signal) -> Option<i32> {
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap().code()
}

/// The runs on record, the oldest first.
fn runs(stage: &Stage) -> Vec<Value> {
    let mut runs = stage
        .lab
        .sandbook(&["runs", "-o", "json"])
        .ok()
        .json_lines();
    runs.reverse();
    runs
}

fn paths(stage: &Stage) -> Vec<String> {
    let arrived = stage.arrived("POST").into_iter();
    arrived.map(|request| request.path).collect()
}

/// A process that waits for its turn, and what it says meanwhile.
struct Waiter {
    child: Child,
    said: PathBuf,
}

impl Waiter {
    fn new(stage: &Stage, who: &str) -> Waiter {
        let said = stage.lab.path(&format!("{who}.txt"));
        let who = format!("who={who}");
        let child = stage
            .lab
            .command(&["run", "next", "--env", "test", "--yes", "-i", &who])
            .stdout(Stdio::null())
            .stderr(File::create(&said).unwrap())
            .spawn()
            .unwrap();
        Waiter { child, said }
    }

    #[track_caller]
    fn says(&self, text: &str) {
        until(text, || {
            fs::read_to_string(&self.said).unwrap().contains(text)
        });
    }
}

#[test]
fn of_two_at_once_the_second_is_refused() {
    let stage = stage();
    let holder = hold(&stage);
    let run = runs(&stage)[0]["run"].as_str().unwrap().to_owned();
    let said = stage.lab.sandbook(&RUN_HOLD).exits(4);
    let said = said.says(&format!(
        "group `site east` is held by run {run} of `hold` by "
    ));
    let said = said.says("which is running");
    said.says(&format!("sandbook log {run} --follow"))
        .says(&format!("sandbook cancel {run}"));
    assert_eq!(runs(&stage).len(), 1, "what was refused isn't on record");
    end(holder, Signal::KILL);
    assert_eq!(paths(&stage), ["/hold"]);
}

#[test]
fn a_refusal_comes_before_any_secret_is_read() {
    let stage = stage();
    let secretive = HOLD.replace("name: hold", "name: secretive").replace(
        "    uses: puppet\n",
        "    uses: puppet\n    credentials: { api: api }\n",
    );
    stage.lab.write("secretive.yaml", &secretive);
    let real = r#"name: real
credentials: { api: { kind: bearer, secret: { env: NOT_THERE }, origins: [https://echo.simcloud.test] } }
ceiling: ["* https://*.simcloud.test/**"]
"#;
    stage.lab.write("environments/real.yaml", real);
    let run = ["run", "secretive", "--env", "real", "--yes"];
    stage.lab.sandbook(&run).exits(2).says("NOT_THERE");
    let holder = hold(&stage);
    stage.lab.sandbook(&run).exits(4).says("site east");
    end(holder, Signal::KILL);
}

#[test]
fn other_groups_and_dry_runs_go_beside_it() {
    let stage = stage();
    let holder = hold(&stage);
    let run = ["run", "next", "--env", "test", "--yes", "-i", "who=x"];
    stage
        .lab
        .sandbook(&[&run[..], &["-i", "place=west"]].concat())
        .ok();
    assert_eq!(stage.event("run_started")["group"], "site west");
    stage
        .lab
        .sandbook(&[&run[..], &["--dry-run"]].concat())
        .ok();
    assert_eq!(stage.event("run_started")["group"], Value::Null);
    assert_eq!(end(holder, Signal::INT), Some(130));
}

#[test]
fn a_run_that_died_holds_its_group_until_it_has_ended() {
    for (signal, status) in [(Signal::KILL, None), (Signal::TERM, Some(130))] {
        let stage = stage();
        let holder = hold(&stage);
        let run = runs(&stage)[0]["run"].as_str().unwrap().to_owned();
        assert_eq!(end(holder, signal), status);
        let said = stage
            .lab
            .sandbook(&RUN_HOLD)
            .exits(4)
            .says("which is interrupted");
        said.says(&format!("sandbook resume {run}"));
        stage.lab.sandbook(&["resume", &run]).ok();
        stage.lab.sandbook(&["show", &run]).ok().says("site east");
        let next = ["run", "next", "--env", "test", "--yes", "-i", "who=after"];
        let said = stage.lab.sandbook(&next).ok();
        assert!(!said.err.contains("waiting"), "{}", said.err);
        assert_eq!(paths(&stage), ["/hold", "/after"]);
    }
}

#[test]
fn who_waits_comes_in_order_and_the_dead_are_passed_over() {
    let stage = stage();
    let holder = hold(&stage);
    let run = runs(&stage)[0]["run"].as_str().unwrap().to_owned();
    let mut one = Waiter::new(&stage, "one");
    one.says(&format!(
        "waiting for group `site east`: run {run} of `hold` by "
    ));
    one.says("which is running; you are next");
    let two = Waiter::new(&stage, "two");
    two.says("; 1 run before you");
    let three = Waiter::new(&stage, "three");
    three.says("; 2 runs before you");
    let mut four = Waiter::new(&stage, "four");
    four.says("; 3 runs before you");

    end(two.child, Signal::KILL);
    four.says("; 2 runs before you");
    three.says("; 1 run before you");
    assert_eq!(end(three.child, Signal::INT), Some(130));
    four.says("; 1 run before you");
    assert!(
        fs::read_to_string(three.said)
            .unwrap()
            .contains("so nothing was done")
    );

    end(holder, Signal::KILL);
    let resume = format!("which is interrupted; you are next: `sandbook resume {run}`");
    one.says(&resume);
    assert_eq!(paths(&stage), ["/hold"], "nobody goes ahead");
    stage.lab.sandbook(&["resume", &run]).ok();
    assert!(one.child.wait().unwrap().success());
    assert!(four.child.wait().unwrap().success());
    assert_eq!(paths(&stage), ["/hold", "/one", "/four"]);
    assert_eq!(runs(&stage).len(), 3);
    assert_one_at_a_time(&stage);
    let left: Vec<_> = fs::read_dir(stage.lab.path(".sandbook/queue"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(left.len(), 1, "nothing is left but the lock: {left:?}");
}

#[test]
fn many_at_once_go_one_after_the_other() {
    let stage = stage();
    let children: Vec<Child> = ["a", "b", "c", "d", "e"]
        .into_iter()
        .map(|who| {
            let who = format!("who={who}");
            let run = [
                "run", "next", "--env", "test", "--yes", "-o", "json", "-i", &who,
            ];
            stage.lab.start(&run)
        })
        .collect();
    for child in children {
        let said = crate::support::Said::from(child.wait_with_output().unwrap()).ok();
        // Whatever was said of waiting isn't among the events.
        let events = said.json_lines();
        assert_eq!(events.last().unwrap()["status"], "succeeded");
    }
    assert_eq!(stage.arrived("POST").len(), 5);
    assert_one_at_a_time(&stage);
}

#[track_caller]
fn assert_one_at_a_time(stage: &Stage) {
    let runs = runs(stage);
    for pair in runs.windows(2) {
        let (end, start) = (&pair[0]["finished_at"], &pair[1]["started_at"]);
        assert!(
            end.as_u64().unwrap() <= start.as_u64().unwrap(),
            "{runs:#?}"
        );
    }
}

#[test]
fn a_plan_names_the_group() {
    let stage = stage();
    let plan = [
        "plan", "next", "--env", "test", "-i", "who=x", "-i", "place=w",
    ];
    stage
        .lab
        .sandbook(&plan)
        .ok()
        .says("site w  a run waits for its turn");
    let json = stage
        .lab
        .sandbook(&[&plan[..], &["-o", "json"]].concat())
        .ok()
        .json();
    assert_eq!(json["group"]["name"], "site w");
    assert_eq!(json["group"]["behavior"], "queue");
}

#[test]
fn a_run_that_is_taken_over_holds_its_group_here_or_waits_for_it() {
    let stage = stage();
    let elsewhere = || {
        let before = stage.arrived("GET").len();
        let child = stage
            .lab
            .start(&[&RUN_HOLD[..], &["--state", "other"]].concat());
        until("the group is held elsewhere", || {
            stage.arrived("GET").len() > before
        });
        end(child, Signal::KILL);
    };
    let import = || stage.lab.sandbook(&["audit", "import", "other"]).ok();
    elsewhere();
    import().says("taken over");
    let run = runs(&stage)[0]["run"].as_str().unwrap().to_owned();
    let held = format!("group `site east` is held by run {run}");
    stage.lab.sandbook(&RUN_HOLD).exits(4).says(&held);
    // It ends there, and gives the group back here when that comes.
    let there = ["resume", &run, "--state", "other"];
    stage.lab.sandbook(&there).ok();
    import().says("added to those here");
    let next = ["run", "next", "--env", "test", "--yes", "-i", "who=after"];
    stage.lab.sandbook(&next).ok();

    elsewhere();
    let here = stage.arrived("GET").len();
    let holder = stage.lab.start(&RUN_HOLD);
    until("the group is held", || stage.arrived("GET").len() > here);
    let holding = runs(&stage).pop().unwrap()["run"].clone();
    let holding = holding.as_str().unwrap();
    import().says(&format!("run {holding} holds its group `site east`"));
    let late = runs(&stage)
        .iter()
        .map(|run| run["run"].as_str().unwrap().to_owned())
        .find(|id| {
            *id != run
                && id != holding
                && stage
                    .lab
                    .sandbook(&["show", id])
                    .out
                    .contains("interrupted")
        })
        .unwrap();
    let events = || stage.lab.sandbook(&["log", &late, "-o", "json"]).ok().out;
    let before = events();
    let said = stage.lab.sandbook(&["resume", &late]).exits(4);
    said.says(&format!("held by run {holding}"));
    assert_eq!(events(), before, "nothing is on record of what was refused");
    end(holder, Signal::KILL);
}

#[test]
fn a_group_that_nobody_really_holds_is_free() {
    let stage = stage();
    stage.run("steps: [{ id: a, uses: noop }]").ok();
    let journal = stage.lab.path(".sandbook/journal.db");
    let database = rusqlite::Connection::open(journal).unwrap();
    let sql = "INSERT INTO groups VALUES ('site east', 1)";
    database.execute(sql, []).unwrap();
    let next = ["run", "next", "--env", "test", "--yes", "-i", "who=x"];
    stage.lab.sandbook(&next).ok();
}
