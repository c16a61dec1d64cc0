//! The person who is asked: looks at the simulated cloud, and decides by what is there.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use sandbook_journal::{Question, RunState, StepState, Waiting};
use serde_json::Value;
use simcloud::world;

use crate::course::Course;
use crate::ledger::{done, key_of, recorded};
use crate::stage::Stage;

/// How long after a process died the last of what it has sent may still be under way on loopback.
const UNDER_WAY: Duration = Duration::from_millis(50);

/// What a person says to the first question of a run, as arguments; an error where no question like it may come up.
pub(crate) fn answer(stage: &Stage, state: &RunState) -> Result<Vec<String>, String> {
    let (step, question) = state.questions().next().ok_or("it waits for nobody")?;
    let decide = |words: &[&str]| {
        let mut all = vec!["decide", "@last", step.id.as_str()];
        all.extend(words);
        all.into_iter().map(str::to_owned).collect()
    };
    Ok(match &question.waiting {
        Waiting::Approval { .. } if stage.course == Course::Cancelled => {
            let words = [
                "cancel",
                "@last",
                "--rollback",
                "--yes",
                "--reason",
                "enough",
            ];
            words.map(str::to_owned).into()
        }
        Waiting::Approval { .. } => decide(&["approve"]),
        Waiting::Paused => decide(&["retry", "--reason", "once more"]),
        Waiting::InDoubt { request } if happened(stage, state, step, *request) => {
            let mut words = vec!["happened", "--reason", "it is there"];
            if put_answer(stage) {
                words.extend(["--answer", "answer"]);
            }
            decide(&words)
        }
        Waiting::InDoubt { .. } => decide(&["retry", "--reason", "it is not there"]),
        Waiting::Manual { .. } | Waiting::Diverged { .. } => {
            return Err(format!("step `{}`: {question:?}", step.id));
        }
    })
}

/// Whether the question is about a doubt.
pub(crate) fn is_doubt(question: &Question) -> bool {
    matches!(question.waiting, Waiting::InDoubt { .. })
}

/// Whether the cloud has done more of these than the record knows of.
fn happened(stage: &Stage, state: &RunState, step: &StepState, number: u32) -> bool {
    std::thread::sleep(UNDER_WAY);
    let mut latest = step.latest_requests().iter();
    let Some(request) = latest.find(|request| request.number == number) else {
        return false;
    };
    let key = key_of(request);
    let known = recorded(std::slice::from_ref(state));
    let known = known.get(&key).map_or(0, |known| known.done);
    done(&stage.cloud.requests())
        .get(&key)
        .copied()
        .unwrap_or(0)
        > known
}

/// Writes the file `answer` with what the status page says of its incident; only that is ever in doubt there.
fn put_answer(stage: &Stage) -> bool {
    if stage.course != Course::Flagship {
        return false;
    }
    let mut stream = TcpStream::connect(stage.cloud.address()).unwrap();
    write!(
        stream,
        "GET /v1/pages/{}/incidents HTTP/1.1\r\nHost: {}\r\nAuthorization: OAuth demo-statuspage-key\r\nConnection: close\r\n\r\n",
        world::PAGE,
        world::STATUSPAGE_HOST,
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let incidents: Value = serde_json::from_str(body).unwrap();
    fs::write(stage.path("answer"), incidents[0].to_string()).unwrap();
    true
}
