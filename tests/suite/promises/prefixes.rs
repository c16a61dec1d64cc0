//! A run may be cut off after any of its events: from each prefix of its log it comes to the same end.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sandbook_journal::{
    Asked, Clock, Content, Entry, Event, Journal, Kept, Outcome, Reader, Retention, RunId,
    RunState, RunStatus, StateDir, Stored, Waiting,
};
use simcloud::Logged;
use torture::Random;

use super::stage::Stage;
use super::torture::seed;

const ECHO: &str = "https://echo.simcloud.test";

/// Says the times that are on record.
struct Recorded(AtomicU64);

impl Clock for Recorded {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A finished run's log, with the state directory that it is in.
struct Original {
    run: RunId,
    events: Vec<Stored>,
    end: End,
}

/// What has to be the same from wherever a run goes on.
#[derive(Debug, PartialEq)]
struct End {
    status: RunStatus,
    steps: BTreeMap<String, String>,
    outputs: String,
    /// The requests that would do harm twice.
    posts: Vec<String>,
}

#[test]
fn from_every_prefix_of_its_log_a_run_comes_to_the_same_end() {
    let mut random = seed();
    let jobs: Vec<String> = (0..4).map(|_| plan(&mut random)).collect();
    // They mostly wait for the disk.
    std::thread::scope(|scope| {
        for job in &jobs {
            scope.spawn(|| take_up_everywhere(job));
        }
    });
}

fn take_up_everywhere(job: &str) {
    let stage = Stage::new();
    stage.job(job);
    go_on(&stage, &["run", "job", "--env", "test", "--yes"], 0);
    let original = original(&stage);
    fs::rename(stage.lab.path(".sandbook"), stage.lab.path("full")).unwrap();
    for cut in 1..original.events.len() {
        stage.cloud.reset();
        take_up(&stage, &original, cut);
        let mut end = end(&stage, original.run);
        let cut_off = &original.events[..cut];
        end.posts.extend(posts_on_record(cut_off));
        end.posts
            .extend(said_to_have_happened(&stage, original.run, cut));
        end.posts.sort();
        assert_eq!(end, original.end, "cut after {cut}: {cut_off:#?}\n{job}");
        fs::remove_dir_all(stage.lab.path(".sandbook")).unwrap();
    }
}

/// A few steps that need each other, of all sorts; what breaks, breaks last, so that nothing depends on who is first.
fn plan(random: &mut Random) -> String {
    let count = 3 + random.below(3);
    let mut text = String::from("steps:\n");
    for number in 0..count {
        let needs: Vec<String> = (0..number)
            .filter(|_| random.below(3) == 0)
            .map(|need| format!("s{need}"))
            .collect();
        let (id, needs) = (format!("s{number}"), needs.join(", "));
        let what = match random.below(7) {
            0 => "wait: 5ms".to_owned(),
            1 => "assert: { condition: 'true', message: no }".to_owned(),
            2 => format!("if: 'false', {}", puppet(&[post(&id)])),
            3 => format!(
                "on_failure: continue, {}",
                puppet(&[post(&id), "{ do: fail, kind: conflict }".to_owned()])
            ),
            4 => "approval: { message: go on? }".to_owned(),
            5 => {
                let first = "{ do: fail_unless, attempt: 2, kind: unavailable }".to_owned();
                let retry = "retry: { attempts: 4, delay: 2ms }";
                format!("{retry}, {}", puppet(&[post(&id), first]))
            }
            _ => puppet(&[put(&id), post(&id), put(&format!("{id}/again"))]),
        };
        text += &format!("  - {{ id: {id}, needs: [{needs}], {what} }}\n");
    }
    let condition = random.below(2) == 0;
    text += &format!("  - {{ id: last, assert: {{ condition: '{condition}', message: no }} }}\n");
    let failed = puppet(&[post("failed")]);
    let tell = puppet(&[post("tell")]);
    format!(
        "{text}on_failure: [{{ id: failed, {failed} }}]\nfinally: [{{ id: tell, {tell} }}]\noutputs: {{ told: \"${{{{ steps.tell.outputs.text }}}}\" }}\n"
    )
}

fn puppet(actions: &[String]) -> String {
    let done = "{ do: return, data: { text: done }, changed: true }";
    format!(
        "uses: puppet, allow: [\"* {ECHO}/**\"], with: {{ actions: [{}, {done}] }}",
        actions.join(", ")
    )
}

fn post(path: &str) -> String {
    format!("{{ do: send, method: POST, url: \"{ECHO}/{path}\", body: {path}, must: true }}")
}

fn put(path: &str) -> String {
    post(path).replace("POST", "PUT")
}

/// Runs this, and decides whatever is asked until the run is over. A request in doubt has happened where `cut` is even.
fn go_on(stage: &Stage, first: &[&str], cut: usize) {
    let mut said = stage.lab.sandbook(first);
    for _ in 0..10 {
        let runs = stage.reader().runs(None).unwrap();
        if runs[0].status.is_final() {
            return;
        }
        let state = stage.reader().state(runs[0].id).unwrap();
        let Some((step, question)) = state.questions().next() else {
            said = stage.lab.sandbook(&["resume", "@last"]);
            continue;
        };
        let word = match question.waiting {
            Waiting::Approval { .. } => "approve",
            Waiting::InDoubt { .. } if cut.is_multiple_of(2) => "happened",
            Waiting::InDoubt { .. } => "retry",
            _ => panic!("{question:?}"),
        };
        let decide = [
            "decide",
            "@last",
            step.id.as_str(),
            word,
            "--reason",
            "so it is",
        ];
        said = stage.lab.sandbook(&decide);
    }
    panic!("it is not over: {said:?}");
}

fn original(stage: &Stage) -> Original {
    let reader = stage.reader();
    let run = reader.runs(None).unwrap()[0].id;
    let events = reader.events(run, 0).unwrap();
    let end = end(stage, run);
    assert_eq!(end.posts, posts_on_record(&events));
    Original { run, events, end }
}

/// How a run ended, with the requests that the cloud got since it was begun again.
fn end(stage: &Stage, run: RunId) -> End {
    let reader = stage.reader();
    reader.verify_run(run).unwrap();
    let state: RunState = reader.state(run).unwrap();
    let steps = state.steps().map(|step| {
        let stands = format!("{:?} {:?} {:?}", step.status, step.outputs, step.skipped);
        (step.id.to_string(), stands)
    });
    let path = |request: &Logged| request.path.clone();
    let mut posts: Vec<String> = stage.arrived("POST").iter().map(path).collect();
    posts.sort();
    End {
        status: state.status(),
        steps: steps.collect(),
        outputs: format!("{:?}", state.finish().map(|finish| &finish.outputs)),
        posts,
    }
}

/// Writes a state directory in which the run was cut off there, and goes on with it.
fn take_up(stage: &Stage, original: &Original, cut: usize) {
    copy(&stage.lab.path("full"), &stage.lab.path(".sandbook"));
    let full = StateDir::open(&stage.lab.path("full")).unwrap();
    let reader = Reader::open(&full).unwrap();
    let clock = Arc::new(Recorded(AtomicU64::new(0)));
    let journal = Journal::open(&stage.state_dir(), Arc::clone(&clock) as Arc<_>).unwrap();
    for stored in &original.events[..cut] {
        clock.0.store(stored.time, Ordering::Relaxed);
        let bytes = |kept: &Kept| reader.content(original.run, kept).unwrap().unwrap();
        let contents = kept(&stored.event);
        let contents = contents
            .iter()
            .map(|kept| Content::new(full.key(), bytes(kept), Retention::Run));
        let entry = Entry {
            event: stored.event.clone(),
            contents: contents.collect(),
        };
        let appended = journal.append_blocking(original.run, vec![entry]).unwrap();
        assert_eq!(appended[0].hash, stored.hash, "it is the same log");
    }
    drop(journal);
    go_on(stage, &["resume", "@last"], cut);
}

/// A state directory's files, less its journal and what belongs to live processes.
fn copy(from: &Path, to: &Path) {
    DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.starts_with("journal.db") || ["runs", "reserve", "queue"].contains(&&*text) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(&name));
        } else {
            fs::copy(entry.path(), to.join(&name)).unwrap();
        }
    }
}

/// The contents that an event speaks of.
fn kept(event: &Event) -> Vec<Kept> {
    match event {
        Event::RequestBegun { asked, .. } => asked.body.into_iter().collect(),
        Event::RequestEnded {
            outcome: Outcome::Answered { body, headers, .. },
            ..
        } => body.iter().chain(headers).copied().collect(),
        _ => Vec::new(),
    }
}

/// The requests that would do harm twice and were answered before the cut.
fn posts_on_record(events: &[Stored]) -> Vec<String> {
    let mut begun: BTreeMap<(String, u32, u32), &Asked> = BTreeMap::new();
    let mut posts = Vec::new();
    for stored in events {
        match &stored.event {
            Event::RequestBegun {
                step,
                attempt,
                request,
                asked,
            } => {
                begun.insert((step.to_string(), *attempt, *request), asked);
            }
            Event::RequestEnded {
                step,
                attempt,
                request,
                ..
            } => {
                let asked = begun[&(step.to_string(), *attempt, *request)];
                posts.extend((!asked.repeatable).then(|| path(asked)));
            }
            _ => {}
        }
    }
    posts.sort();
    posts
}

/// Those that were under way at the cut, and of which it was said that they had happened.
fn said_to_have_happened(stage: &Stage, run: RunId, cut: usize) -> Vec<String> {
    if !cut.is_multiple_of(2) {
        return Vec::new();
    }
    let state = stage.reader().state(run).unwrap();
    let requests = state.steps().flat_map(|step| &step.requests);
    let settled = requests.filter(|request| request.settled.is_some());
    settled.map(|request| path(&request.asked)).collect()
}

fn path(asked: &Asked) -> String {
    asked.url.strip_prefix(ECHO).unwrap().to_owned()
}
