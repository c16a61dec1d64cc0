//! From one crate's words to another's: what the language and the sandbox say, as the journal and the
//! expressions want it.

use std::collections::BTreeSet;
use std::time::Duration;

use sandbook_journal::{
    self as journal, Content, Decided, Recorded, Retention, RunId, StateKey, StepState, StepStatus,
    Values,
};
use sandbook_runbook::{
    Action, Check, DurationFault, Plan, RunFacts, Scope, Step, StepFacts, StepId, Template,
    Touched, parse_duration,
};
use sandbook_sandbox::{self as sandbox, Output};
use serde_json::{Map, Value, json};

use crate::agenda::{Done, Standing};

/// What expressions see of the run from its start on.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) run: RunId,
    pub(crate) user: String,
    /// When the run started, RFC 3339, UTC.
    pub(crate) started_at: String,
    pub(crate) dry_run: bool,
}

impl Opening {
    /// The run while its own steps run.
    pub(crate) fn running(&self) -> RunFacts {
        self.facts("running", None)
    }

    /// The run as `on_failure` and `finally` see it.
    pub(crate) fn so_far(&self, broke: Option<&(StepId, String)>, cancelled: bool) -> RunFacts {
        let status = match (cancelled, broke) {
            (true, _) => "cancelled",
            (false, Some(_)) => "failed",
            (false, None) => "succeeded",
        };
        self.facts(status, broke)
    }

    fn facts(&self, status: &'static str, broke: Option<&(StepId, String)>) -> RunFacts {
        RunFacts {
            id: self.run.to_string(),
            status: status.to_owned(),
            failed_step: broke.map(|(step, _)| step.to_string()),
            error: broke.map(|(_, message)| message.clone()),
            user: self.user.clone(),
            started_at: self.started_at.clone(),
            dry_run: self.dry_run,
        }
    }
}

pub(crate) fn id(step: &StepId) -> journal::StepId {
    journal::StepId::new(step.as_str())
}

/// How a step that is on record stands towards those that need it.
pub(crate) fn standing(step: &StepState) -> Standing {
    // Whatever comes of it, nothing waits for it any more.
    if step.let_go {
        return Standing::Done(Done::Satisfied);
    }
    let how = match step.status {
        StepStatus::Pending => return Standing::Pending,
        StepStatus::Running | StepStatus::Waiting => return Standing::Begun,
        StepStatus::Failed if !step.let_pass => Done::Broke,
        StepStatus::Skipped => match step.skipped {
            Some(journal::SkipReason::Need { .. } | journal::SkipReason::Stopped) => {
                Done::Unsatisfied
            }
            _ => Done::Satisfied,
        },
        StepStatus::Succeeded | StepStatus::Failed | StepStatus::RolledBack => Done::Satisfied,
    };
    Standing::Done(how)
}

/// The names that a step's condition or action touches and that come from steps whose outputs nobody
/// knows.
pub(crate) fn unknown_touched(step: &Step, unknown: &BTreeSet<StepId>) -> Vec<String> {
    if unknown.is_empty() {
        return Vec::new();
    }
    let mut touched: Vec<Touched> = step
        .condition
        .iter()
        .flat_map(|condition| condition.touches().iter().cloned())
        .collect();
    match &step.action {
        Action::Plugin(using) => touched.extend(using.with.touches()),
        Action::Wait(duration) => touched.extend(duration.touches()),
        Action::Assert(check) => touched.extend(check.condition.touches().iter().cloned()),
        Action::Approval(approval) => touched.extend(approval.message.touches()),
        Action::Manual(manual) => touched.extend(manual.instructions.touches()),
    }
    let mut names: Vec<String> = touched
        .iter()
        .filter(|touched| comes_from(touched, unknown))
        .map(ToString::to_string)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Whether a name comes from one of these steps; `steps` as a whole comes from all.
fn comes_from(touched: &Touched, steps: &BTreeSet<StepId>) -> bool {
    touched.is_all_steps() || touched.step().is_some_and(|step| steps.contains(step))
}

/// The duration that a `wait` comes to.
pub(crate) fn wait(duration: &Template, scope: &Scope) -> Result<Duration, journal::Failure> {
    let value = duration
        .render(scope)
        .map_err(|fault| invalid(format!("its `wait`: {fault}")))?;
    let Value::String(text) = &value else {
        return Err(invalid(format!(
            "its `wait` comes to `{value}`, which is not a duration such as `30s`"
        )));
    };
    let fault = match parse_duration(text) {
        Ok(duration) => return Ok(duration),
        // By itself a unit is a piece of a text that may be sensitive, and redaction finds whole ones.
        Err(DurationFault::UnknownUnit { text, .. }) => DurationFault::NotANumber(text),
        Err(fault) => fault,
    };
    Err(invalid(format!("its `wait`: {fault}")))
}

/// Whether an `assert` holds; the failure has the runbook's own message.
pub(crate) fn assert(check: &Check, scope: &Scope) -> Result<(), journal::Failure> {
    match check.condition.eval_bool(scope) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let message = match check.message.render(scope) {
                Ok(Value::String(text)) => text,
                Ok(other) => other.to_string(),
                Err(fault) => format!("the assertion does not hold, and its message: {fault}"),
            };
            Err(said(journal::FailureKind::Conflict, "assert", message))
        }
        Err(fault) => Err(invalid(format!("its `assert`: {fault}"))),
    }
}

pub(crate) fn invalid(message: String) -> journal::Failure {
    said(journal::FailureKind::InvalidInput, "invalid-input", message)
}

/// Of a step whose attempt was cut off by a crash after it had begun a request that isn't safe to repeat.
pub(crate) fn cut_off_in_doubt() -> journal::Failure {
    let message =
        "the run was cut off while a request of it was under way, and nobody knows what came of it";
    said(journal::FailureKind::Failed, "cut-off", message.to_owned())
}

/// Of a step that nobody has approved in time.
pub(crate) fn not_approved_in_time() -> journal::Failure {
    let message = "nobody has approved it in time".to_owned();
    said(journal::FailureKind::TimedOut, "rejected", message)
}

pub(crate) fn rejected(why: &str) -> journal::Failure {
    let message = format!("it was rejected, {why}");
    said(journal::FailureKind::Failed, "rejected", message)
}

pub(crate) fn aborted(why: &str) -> journal::Failure {
    let message = format!("it was given up, {why}");
    said(journal::FailureKind::Failed, "aborted", message)
}

/// Of a step that waited for a person when another one broke the run.
pub(crate) fn stopped() -> journal::Failure {
    let message = "another step failed, so it is not asked for any more".to_owned();
    said(journal::FailureKind::Failed, "stopped", message)
}

/// Of a step that was under way when its run was cancelled.
pub(crate) fn cancelled() -> journal::Failure {
    let message = "the run was cancelled".to_owned();
    said(journal::FailureKind::Failed, "cancelled", message)
}

/// Who has decided, and why: `by ana: the vendor is on it`.
pub(crate) fn said_by(decided: &Decided) -> String {
    match &decided.reason {
        Some(reason) => format!("by {}: {reason}", decided.by.name),
        None => format!("by {}", decided.by.name),
    }
}

pub(crate) fn bad_output(message: String) -> journal::Failure {
    said(journal::FailureKind::Failed, "bad-output", message)
}

fn said(kind: journal::FailureKind, code: &str, message: String) -> journal::Failure {
    journal::Failure {
        kind,
        code: Some(code.to_owned()),
        message,
        retry_after_ms: None,
        start_over: false,
    }
}

pub(crate) fn nothing_changed() -> Output {
    Output {
        data: Value::Object(Map::new()),
        changed: false,
        summary: String::new(),
    }
}

pub(crate) fn failure(failure: sandbox::Failure) -> journal::Failure {
    journal::Failure {
        kind: match failure.kind {
            sandbox::FailureKind::InvalidInput => journal::FailureKind::InvalidInput,
            sandbox::FailureKind::Unauthorized => journal::FailureKind::Unauthorized,
            sandbox::FailureKind::NotFound => journal::FailureKind::NotFound,
            sandbox::FailureKind::Conflict => journal::FailureKind::Conflict,
            sandbox::FailureKind::RateLimited => journal::FailureKind::RateLimited,
            sandbox::FailureKind::Unavailable => journal::FailureKind::Unavailable,
            sandbox::FailureKind::TimedOut => journal::FailureKind::TimedOut,
            sandbox::FailureKind::Failed => journal::FailureKind::Failed,
        },
        code: failure.code,
        message: failure.message,
        retry_after_ms: failure.retry_after.map(millis),
        start_over: failure.start_over,
    }
}

/// A step that succeeded, as expressions see it.
pub(crate) fn succeeded(changed: bool, outputs: Value) -> StepFacts {
    StepFacts {
        status: "succeeded",
        changed,
        outputs,
        error: None,
    }
}

/// A step that failed, as expressions see it.
pub(crate) fn failed(failure: &journal::Failure) -> StepFacts {
    let error = json!({ "kind": failure.kind, "code": failure.code, "message": failure.message });
    StepFacts::failed(Some(error))
}

/// Values as the log has them: sensitive ones lie outside the chain.
pub(crate) fn recorded<'a>(
    values: impl IntoIterator<Item = (&'a String, &'a Value)>,
    is_sensitive: impl Fn(&str) -> bool,
    key: &StateKey,
) -> (Values, Vec<Content>) {
    let mut contents = Vec::new();
    let values = values
        .into_iter()
        .map(|(name, value)| {
            if !is_sensitive(name) {
                return (name.clone(), Recorded::Value(value.clone()));
            }
            let content = Content::new(key, value.to_string(), Retention::RunEnd);
            let kept = content.kept();
            contents.push(content);
            (name.clone(), Recorded::Sensitive(kept))
        })
        .collect();
    (values, contents)
}

/// What the runbook puts out. In a dry run, an output that touches what is unknown is left out.
pub(crate) fn run_outputs(
    plan: &Plan,
    scope: &Scope,
    unknown: &BTreeSet<StepId>,
    key: &StateKey,
) -> Result<(Values, Vec<Content>), String> {
    let mut evaluated = Map::new();
    let mut sensitive = BTreeSet::new();
    for (name, template) in &plan.runbook.outputs {
        let touched = template.touches();
        if !unknown.is_empty() && touched.iter().any(|touched| comes_from(touched, unknown)) {
            continue;
        }
        let value = template
            .render(scope)
            .map_err(|fault| format!("output `{name}`: {fault}"))?;
        if touched.iter().any(|touched| plan.is_sensitive(touched)) {
            sensitive.insert(name.to_string());
        }
        evaluated.insert(name.to_string(), value);
    }
    Ok(recorded(&evaluated, |name| sensitive.contains(name), key))
}

/// How long an answer asks to be left alone: `Retry-After`, RFC 9110, section 10.2.3.
pub(crate) fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    let (_, value) = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(jiff::Timestamp::now())).unwrap_or_default())
}

/// A time of the journal's, RFC 3339, UTC.
pub(crate) fn rfc3339(millis: u64) -> String {
    let at = i64::try_from(millis)
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    at.unwrap_or(jiff::Timestamp::MAX).to_string()
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A draw from 0 to 1.
pub(crate) fn jitter() -> f64 {
    // Without random numbers retries are not spread, which is all that is lost.
    getrandom::u32().map_or(0.5, |draw| f64::from(draw) / f64::from(u32::MAX))
}

/// The name of this host, as the record has it.
pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}
