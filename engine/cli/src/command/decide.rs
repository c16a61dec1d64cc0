//! `sandbook decide`: what a person says about a step that waits; the run goes on with it.

use std::fs::File;
use std::io;
use std::path::Path;

use sandbook_executor::{About, Answer, Choice, read_bounded};
use serde_json::{Map, Value};

use super::carry_out::carry_out;
use super::given::runtime;
use crate::arguments::{Decide, Word};
use crate::exit::Exit;
use crate::operator::{is_delegated, operator};
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::{Output, complain};

/// The longest answer or outputs that are taken, in bytes: as long as an answer may be that a step gets itself.
const LONGEST: usize = 64 << 20;

pub(crate) fn decide(
    arguments: &Decide,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let (step, word) = said(&arguments.said)?;
    let choice = choice(word, arguments)?;
    let run = places.record()?.resolve(&arguments.run)?;
    let project = places.project()?;
    let engine = places.engine(&project, arguments.jobs)?;
    let reason = arguments.reason.clone();
    let about = About {
        step,
        attempt: arguments.attempt,
        question: None,
    };
    let decided = runtime()?.block_on(engine.decide(run, about, choice, reason, operator()))?;
    if !arguments.output.is_json() {
        complain(&format!(
            "On record: `{}` for step `{decided}`.",
            word.as_str()
        ));
    }
    carry_out(&engine, &project, run, arguments.output, output)
}

/// The step, where one is named, and the decision.
fn said(words: &[String]) -> Result<(Option<&str>, Word), Problem> {
    let (word, step) = match words {
        [word] => (word, None),
        [step, word, ..] => (word, Some(step.as_str())),
        [] => return Err(Problem::wrong("what was decided is missing")),
    };
    match <Word as clap::ValueEnum>::from_str(word, false) {
        Ok(word) => Ok((step, word)),
        Err(_) => Err(Problem::wrong(format!("`{word}` is not a decision"))
            .help(format!("there are {}", Word::all()))),
    }
}

fn choice(word: Word, arguments: &Decide) -> Result<Choice, Problem> {
    let fits = |given: bool, option: &str, wanted: Word| {
        if given && word != wanted {
            let message = format!("`{option}` goes only with `{}`", wanted.as_str());
            return Err(Problem::wrong(message));
        }
        Ok(())
    };
    fits(arguments.answer.is_some(), "--answer", Word::Happened)?;
    fits(arguments.outputs.is_some(), "--outputs", Word::Done)?;
    fits(arguments.fresh, "--fresh", Word::Retry)?;
    Ok(match word {
        Word::Approve => Choice::Approve,
        Word::Reject => Choice::Reject,
        Word::Retry => Choice::Retry {
            fresh: arguments.fresh,
        },
        Word::Skip => Choice::Skip,
        Word::Abort => Choice::Abort,
        Word::Happened => {
            Choice::Happened(arguments.answer.as_deref().map(read_answer).transpose()?)
        }
        Word::Done => Choice::Done(outputs(arguments.outputs.as_deref())?),
    })
}

fn outputs(text: Option<&str>) -> Result<Map<String, Value>, Problem> {
    let handed_in = match text {
        None => return Ok(Map::new()),
        Some("-") => read_bounded(io::stdin().lock(), LONGEST)
            .map_err(|error| Problem::file("read the outputs", Path::new("-"), &error))?,
        Some(text) => text.as_bytes().to_owned(),
    };
    serde_json::from_slice(&handed_in).map_err(|error| {
        Problem::wrong("`--outputs` is not a JSON object")
            .caused_by(&error)
            .help(r#"write it as '{"ticket": "4711"}'"#)
    })
}

/// An answer from a file, or from the standard input for `-`: a whole one as `curl -i` shows it, or its body alone. Who
/// enters another account has no file read with its rights, whichever way he names it.
pub(super) fn read_answer(path: &Path) -> Result<Answer, Problem> {
    refuse_path(path, is_delegated()?)?;
    let read = if path == Path::new("-") {
        read_bounded(io::stdin().lock(), LONGEST)
    } else {
        // A pipe is waited for: a shell hands in what `curl -i` says by one.
        File::open(path).and_then(|file| read_bounded(file, LONGEST))
    };
    let bytes = read.map_err(|error| Problem::file("read the answer", path, &error))?;
    let answer = if bytes.starts_with(b"HTTP/") {
        whole(&bytes)
    } else {
        Some(body_alone(bytes))
    };
    let answer = answer.ok_or_else(|| {
        Problem::wrong(format!("`{}` is not an HTTP answer", path.display()))
            .help("it begins like one: give what `curl -i` shows, or the body alone")
    })?;
    if !(200..300).contains(&answer.status) {
        let message = format!("the answer's status {} is no success", answer.status);
        return Err(Problem::wrong(message)
            .help("a request that was refused has not happened: say `retry`, `done` or `abort`"));
    }
    Ok(answer)
}

fn refuse_path(path: &Path, delegated: bool) -> Result<(), Problem> {
    if delegated && path != Path::new("-") {
        return Err(Problem::wrong("no path is accepted from you")
            .help("hand the answer in: `--answer - < FILE`"));
    }
    Ok(())
}

fn body_alone(body: Vec<u8>) -> Answer {
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    let json = ("content-type".to_owned(), "application/json".to_owned());
    Answer {
        status: 200,
        headers: if is_json { vec![json] } else { Vec::new() },
        body,
    }
}

fn whole(bytes: &[u8]) -> Option<Answer> {
    let (head, body) = split(bytes, b"\r\n\r\n").or_else(|| split(bytes, b"\n\n"))?;
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.split_whitespace().nth(1)?.parse().ok()?;
    // An interim response, and the answer behind it.
    if (100..200).contains(&status) {
        return whole(body);
    }
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    });
    Some(Answer {
        status,
        headers: headers.collect::<Option<_>>()?,
        body: body.to_vec(),
    })
}

fn split<'a>(bytes: &'a [u8], gap: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(gap.len()).position(|window| window == gap)?;
    Some((&bytes[..at], &bytes[at + gap.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_answer_is_taken_apart() {
        let answer =
            whole(b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\n\r\nhello\r\n\r\n")
                .unwrap();
        assert_eq!(answer.status, 201);
        assert_eq!(
            answer.headers,
            [("content-type".to_owned(), "text/plain".to_owned())]
        );
        assert_eq!(answer.body, b"hello\r\n\r\n");
        let behind = whole(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nyes").unwrap();
        assert_eq!((behind.status, &*behind.body), (200, &b"yes"[..]));
        assert!(whole(b"HTTP/1.1 nonsense\r\n\r\n").is_none());
        assert!(whole(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n").is_none());
    }

    #[test]
    fn a_path_is_read_only_for_who_is_the_account_himself() {
        let (path, input) = (Path::new("/etc/hosts"), Path::new("-"));
        assert!(refuse_path(path, true).is_err());
        assert!(refuse_path(input, true).is_ok());
        assert!(refuse_path(path, false).is_ok());
    }

    #[test]
    fn a_body_alone_says_that_it_is_json_if_it_is() {
        assert_eq!(body_alone(b"{\"id\":1}".to_vec()).headers.len(), 1);
        assert_eq!(body_alone(b"hello".to_vec()).headers.len(), 0);
    }

    #[test]
    fn the_step_may_be_left_out() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(matches!(said(&words("approve")), Ok((None, Word::Approve))));
        assert!(matches!(
            said(&words("confirm reject")),
            Ok((Some("confirm"), Word::Reject))
        ));
        assert!(said(&words("maybe")).is_err());
    }
}
