//! A case from a run: what went over the wire, and what came of it, without secrets.

mod exchanges;
mod hidden;

use std::collections::BTreeMap;

use sandbook_journal::{Event, Stored};
use sandbook_runbook::{Cases, Colour, Source};
use serde_json::{Map, Value, json};

use self::exchanges::{cookies, exchanges, value_of};
use self::hidden::Hidden;
use super::outcome::kind_word;
use super::{Difference, Outcome, Trials};
use crate::alone::{GivenAlone, is_sensitive};
use crate::draft::Prepared;
use crate::engine::Engine;
use crate::failed::Failed;
use crate::tape::Tape;

/// A run that is to become a case.
pub struct Recording {
    tape: Tape,
}

/// What a run became.
#[derive(Debug)]
pub struct Recorded {
    /// The file of cases.
    pub text: String,
    /// In what the plugin goes otherwise when the case is tried; empty when it goes as in the run.
    pub differences: Vec<Difference>,
}

/// Why a run can't become a case.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It did not begin, or is not over.
    #[error("the run did not come to an end")]
    Unfinished,
    /// It was taken up again on the way, by another engine than the one that was listened to.
    #[error(
        "the run was taken up again on the way, and only one that goes through at once becomes a case"
    )]
    TakenUp,
    /// An answer is none that can be written down.
    #[error("the answer to `{0}` is no text")]
    NotText(String),
    /// The status and perhaps some of the body came.
    #[error("the answer to `{0}` did not come whole, which no case can say")]
    Cut(String),
    /// It has a status that no case can have.
    #[error("the answer to `{0}` has the status {1}, which no case can say")]
    Status(String, u16),
    /// Where a request went is hidden.
    #[error("where a request went is hidden: `{0}`")]
    Hidden(String),
    /// What was written can't be read: a bug.
    #[error("what was written is no file of cases; please report it:\n{0}")]
    Unreadable(String),
    /// The engine failed.
    #[error(transparent)]
    Failed(#[from] Failed),
}

impl Recording {
    /// Has a run be noted.
    pub fn of(prepared: &mut Prepared) -> Recording {
        let tape = Tape::default();
        prepared.tape = Some(tape.clone());
        Recording { tape }
    }

    /// The run as a file of one case, which is tried at once: where an output isn't the same then, it is left out.
    ///
    /// # Errors
    ///
    /// The run isn't over, or something of it can't be written down.
    pub fn write(
        &self,
        engine: &Engine,
        plugin: &str,
        given: &GivenAlone,
        trials: &Trials,
    ) -> Result<Recorded, RecordingError> {
        let run = self.tape.run().ok_or(RecordingError::Unfinished)?;
        let reader = engine.reader()?;
        let events = reader
            .events(run, 0)
            .map_err(|error| Failed::State(error.into()))?;
        let is_resumed = |stored: &Stored| matches!(stored.event, Event::RunResumed { .. });
        if events.iter().any(is_resumed) {
            return Err(RecordingError::TakenUp);
        }
        let entries = self.tape.entries();
        let is_sensitive = |name: &str| is_sensitive(trials.manifest(), name);
        let sensitive = given.input.iter().filter(|(name, _)| is_sensitive(name));
        let allow = given.allow.as_deref().unwrap_or_default();
        let hidden = Hidden::new(
            &self.tape,
            sensitive.map(|(_, value)| value),
            &cookies(&entries),
            allow,
        );
        let marks = Marks::of(given, hidden);
        let outcome = marks.outcome(Outcome::of(&events, &reader, run)?);
        let exchanges = exchanges(&entries, &marks)?;
        let mut case = Map::new();
        case.insert(
            "name".to_owned(),
            json!(format!("as recorded in run {run}")),
        );
        let input = given.input.iter().map(|(name, value)| {
            let value = match is_sensitive(name) {
                true => marks.hidden.in_place_of(value),
                false => marks.hidden.value(value),
            };
            (name.clone(), value)
        });
        case.insert("input".to_owned(), Value::Object(input.collect()));
        if !given.reveal.is_empty() {
            case.insert("reveal".to_owned(), json!(given.reveal));
        }
        if let Some(context) = context(&events) {
            if context.is_dry_run {
                case.insert("dry_run".to_owned(), json!(true));
            }
            case.insert("context".to_owned(), context.value);
        }
        if !exchanges.is_empty() {
            case.insert("exchanges".to_owned(), Value::Array(exchanges));
        }
        let mut file = Map::new();
        file.insert("plugin".to_owned(), json!(plugin));
        if !given.credentials.is_empty() {
            file.insert("credentials".to_owned(), json!(marks.made_up));
        }
        if given.allow.is_some() {
            let lines = allow.iter().map(|line| marks.line(line));
            let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
            file.insert("allow".to_owned(), json!(lines));
        }
        let write = |expect: Value| {
            let (mut file, mut case) = (file.clone(), case.clone());
            case.insert("expect".to_owned(), expect);
            file.insert("cases".to_owned(), json!([case]));
            serde_yaml::to_string(&file).expect("invariant: JSON is YAML")
        };
        let text = write(expect(&outcome, &marks)?);
        let (again, differences) = tried(&text, trials)?;
        match (&outcome, &again) {
            (Outcome::Succeeded { .. }, Outcome::Succeeded { .. }) if !differences.is_empty() => {
                let text = write(common(&outcome, &again));
                let differences = tried(&text, trials)?.1;
                Ok(Recorded { text, differences })
            }
            _ => Ok(Recorded { text, differences }),
        }
    }
}

/// What a file of one case comes to.
fn tried(text: &str, trials: &Trials) -> Result<(Outcome, Vec<Difference>), RecordingError> {
    let source = Source {
        name: "recorded".to_owned(),
        text: text.to_owned(),
    };
    let cases = Cases::parse(&source)
        .map_err(|report| RecordingError::Unreadable(report.render(Colour::Never)))?;
    let case = &cases.cases[0];
    Ok(trials.outcome(case)?)
}

/// The secrets of a run, by the names that the record has for them, and what is made up in their place; and what is
/// sensitive.
struct Marks<'a> {
    made_up: BTreeMap<String, String>,
    /// Mark to made-up secret.
    in_place_of: Vec<(String, String)>,
    hidden: Hidden<'a>,
}

impl Marks<'_> {
    fn of<'a>(given: &GivenAlone, hidden: Hidden<'a>) -> Marks<'a> {
        let made_up = |slot: &str| format!("made-up-secret-of-{slot}");
        let bound = given.credentials.iter();
        Marks {
            made_up: bound
                .clone()
                .map(|(slot, _)| (slot.to_string(), made_up(slot.as_str())))
                .collect(),
            in_place_of: bound
                .map(|(slot, name)| (format!("[secret {name}]"), made_up(slot.as_str())))
                .collect(),
            hidden,
        }
    }

    /// A text that came.
    fn shown(&self, text: &str) -> String {
        self.hidden.text(text)
    }

    /// A body that came.
    fn answer_body(&self, text: &str) -> Value {
        self.hidden.value(&value_of(&self.shown(text)))
    }

    /// A request as a plugin would make it that sees the made-up secrets.
    fn line(&self, line: &str) -> Result<String, RecordingError> {
        let shown = self.hidden.line(line);
        let shown = shown.ok_or_else(|| RecordingError::Hidden(self.shown(line)))?;
        Ok(self.unmasked(&shown))
    }

    /// A body as a plugin would send it that sees the made-up secrets.
    fn body(&self, text: &str) -> Value {
        self.hidden
            .value(&value_of(&self.unmasked(&self.shown(text))))
    }

    fn unmasked(&self, text: &str) -> String {
        let replace =
            |text: String, (mark, made_up): &(String, String)| text.replace(mark, made_up);
        self.in_place_of.iter().fold(text.to_owned(), replace)
    }

    /// What came of it, without what is sensitive.
    fn outcome(&self, mut outcome: Outcome) -> Outcome {
        match &mut outcome {
            Outcome::Succeeded {
                output, summary, ..
            } => {
                *output = self.hidden.object(output);
                *summary = self.shown(summary);
            }
            Outcome::Failed(failure) => failure.message = self.shown(&failure.message),
            _ => {}
        }
        outcome
    }
}

struct Context {
    value: Value,
    is_dry_run: bool,
}

/// What the plugin saw of its run.
fn context(events: &[Stored]) -> Option<Context> {
    let first = events.first()?;
    let Event::RunStarted(started) = &first.event else {
        return None;
    };
    let began = events
        .iter()
        .find(|stored| matches!(stored.event, Event::StepStarted { .. }));
    let seed = started
        .seed
        .and_then(|seed| serde_json::to_value(seed).ok());
    Some(Context {
        value: json!({
            "run": first.run.to_string(),
            "seed": seed,
            "started_at": began.map_or(first.time, |began| began.time),
        }),
        is_dry_run: started.dry_run,
    })
}

fn expect(outcome: &Outcome, marks: &Marks<'_>) -> Result<Value, RecordingError> {
    Ok(match outcome {
        Outcome::Succeeded {
            output,
            changed,
            summary,
        } => json!({ "output": output, "changed": changed, "summary": summary }),
        Outcome::Failed(failure) => {
            let mut told = json!({ "kind": kind_word(failure.kind), "message": failure.message });
            if let Some(code) = &failure.code {
                told["code"] = json!(code);
            }
            json!({ "failure": told })
        }
        Outcome::HeldBack(held) => {
            let held = held.iter().map(|held| {
                let request = marks.line(&held.request)?;
                Ok(match held.body.as_slice() {
                    [] => json!(request),
                    body => {
                        let body = marks.body(&String::from_utf8_lossy(body));
                        json!({ "request": request, "body": body })
                    }
                })
            });
            let held: Vec<Value> = held.collect::<Result<_, RecordingError>>()?;
            json!({ "held_back": held })
        }
        Outcome::InDoubt(request) => json!({ "in_doubt": marks.line(request)? }),
        Outcome::Diverged { .. } => json!({ "diverged": true }),
        Outcome::Unfinished => return Err(RecordingError::Unfinished),
    })
}

/// What two successes have in common.
fn common(first: &Outcome, second: &Outcome) -> Value {
    let (
        Outcome::Succeeded {
            output,
            changed,
            summary,
        },
        Outcome::Succeeded {
            output: other_output,
            changed: other_changed,
            summary: other_summary,
        },
    ) = (first, second)
    else {
        return json!({});
    };
    let mut expect = Map::new();
    let same: Map<String, Value> = output
        .iter()
        .filter(|(name, value)| other_output.get(*name) == Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    expect.insert("output_includes".to_owned(), Value::Object(same));
    if changed == other_changed {
        expect.insert("changed".to_owned(), json!(changed));
    }
    if summary == other_summary {
        expect.insert("summary".to_owned(), json!(summary));
    }
    Value::Object(expect)
}
