//! A runbook: text in, checked values out.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fault::{Fault, Report};
use crate::input::{Input, WireInput};
use crate::leaf::Reader;
use crate::names::{Name, RunbookName};
use crate::path::Path;
use crate::schema::Kind;
use crate::source::Source;
use crate::step::{Check, Step, Use, WireCheck, WireStep};
use crate::template::Template;
use crate::{check, shape, yaml};

mod concurrency;

use concurrency::WireConcurrency;

pub use concurrency::{Behavior, Concurrency};

/// A runbook. Its parts are right in themselves; that they fit together is what
/// [`check`](crate::check()) says.
#[derive(Debug, Clone)]
pub struct Runbook {
    /// Its name.
    pub name: RunbookName,
    /// What it is for.
    pub description: Option<String>,
    /// What has to be known before a run, in the order of the document.
    pub inputs: Vec<Input>,
    /// What must hold before anything runs.
    pub checks: Vec<Check>,
    /// Which runs there is to be only one of at a time; any number of all by default.
    pub concurrency: Option<Concurrency>,
    /// The steps.
    pub steps: Vec<Arc<Step>>,
    /// Steps to run when the run has failed.
    pub on_failure: Vec<Arc<Step>>,
    /// Steps to run in any case, after all others.
    pub finally: Vec<Arc<Step>>,
    /// What a run puts out.
    pub outputs: Vec<(Name, Template)>,
}

/// One of a runbook's lists of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// `steps`.
    Steps,
    /// `on_failure`.
    OnFailure,
    /// `finally`.
    Finally,
}

/// A step with its section and its place in the document.
pub(crate) type Placed<'a> = (Section, Path, &'a Step);

impl Section {
    /// The sections in the order in which they run.
    pub const ALL: [Section; 3] = [Section::Steps, Section::OnFailure, Section::Finally];

    /// The section's key in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Section::Steps => "steps",
            Section::OnFailure => "on_failure",
            Section::Finally => "finally",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wire {
    name: Option<String>,
    description: Option<String>,
    inputs: Map<String, Value>,
    checks: Vec<WireCheck>,
    concurrency: Option<WireConcurrency>,
    steps: Vec<WireStep>,
    on_failure: Vec<WireStep>,
    finally: Vec<WireStep>,
    outputs: Map<String, Value>,
}

impl Runbook {
    /// Reads a runbook, with what is odd about it.
    ///
    /// # Errors
    ///
    /// All faults of the document that can be known from it alone.
    pub fn parse(source: &Source) -> Result<(Runbook, Vec<Fault>), Report> {
        Runbook::parse_with(source, |_| None)
    }

    /// As [`parse`](Runbook::parse), for who knows more than the document. Where the document has faults, `more`
    /// is asked about the runbook that it is without them, and may answer by [`check`](crate::check()), so that
    /// all faults are told at once.
    ///
    /// # Errors
    ///
    /// All faults of the document, and those that `more` knows.
    pub fn parse_with(
        source: &Source,
        more: impl FnOnce(&Runbook) -> Option<Vec<Fault>>,
    ) -> Result<(Runbook, Vec<Fault>), Report> {
        let report = |faults| Report {
            source: source.clone(),
            faults,
        };
        let value = yaml::parse(source).map_err(report)?;
        let together = |runbook: &Runbook| more(runbook).unwrap_or_else(|| check::within(runbook));
        let runbook =
            shape::document(Kind::Runbook, value, Wire::convert, together).map_err(report)?;
        Ok((runbook, Vec::new()))
    }

    /// The steps of a section.
    pub fn section(&self, section: Section) -> &[Arc<Step>] {
        match section {
            Section::Steps => &self.steps,
            Section::OnFailure => &self.on_failure,
            Section::Finally => &self.finally,
        }
    }

    /// All steps, each with its section and its place in the document.
    pub(crate) fn placed_steps(&self) -> impl Iterator<Item = Placed<'_>> {
        Section::ALL.into_iter().flat_map(move |section| {
            let list = Path::root().key(section.as_str());
            self.section(section)
                .iter()
                .enumerate()
                .map(move |(index, step)| (section, list.index(index), &**step))
        })
    }

    /// All uses of plugins: those of the steps, section by section, each with that of its `rollback`.
    pub fn uses(&self) -> impl Iterator<Item = &Use> {
        Section::ALL
            .into_iter()
            .flat_map(|section| self.section(section))
            .flat_map(|step| step.uses())
    }

    /// Whether it can only run in an environment: it uses a variable, a credential or a request.
    pub fn needs_environment(&self) -> bool {
        check::use_of_environment(self).is_some()
    }
}

impl Wire {
    /// The runbook, unless a part of it could not be read.
    fn convert(self, reader: &mut Reader) -> Option<Runbook> {
        let root = Path::root();
        let has_steps = !self.steps.is_empty();
        let name = self
            .name
            .and_then(|name| reader.parsed::<RunbookName>(&name, &root.key("name")));
        let inputs = self.inputs.into_iter().map(|(name, value)| {
            let place = root.key("inputs").key(&name);
            serde_json::from_value::<WireInput>(value)
                .ok()?
                .convert(&name, &place, reader)
        });
        let inputs: Option<Vec<Input>> = all(inputs);
        let checks = self.checks.into_iter().enumerate();
        let checks =
            all(checks
                .map(|(index, check)| check.convert(&root.key("checks").index(index), reader)));
        let concurrency = match self.concurrency {
            None => Some(None),
            Some(concurrency) => reader.or_told(
                |reader| {
                    concurrency
                        .convert(&root.key("concurrency"), reader)
                        .map(Some)
                },
                || None,
            ),
        };
        let mut steps = |section: Section, steps: Vec<WireStep>| {
            let list = root.key(section.as_str());
            all(steps
                .into_iter()
                .enumerate()
                .map(|(index, step)| Some(Arc::new(step.convert(&list.index(index), reader)?))))
        };
        let main = steps(Section::Steps, self.steps);
        let on_failure = steps(Section::OnFailure, self.on_failure);
        let finally = steps(Section::Finally, self.finally);
        let outputs = all(self.outputs.into_iter().map(|(name, value)| {
            let place = root.key("outputs").key(&name);
            let template = reader.template(&value, &place);
            let name = Name::new(name)
                .map_err(|fault| reader.fault(Fault::error(place, fault.to_string()).on_key()));
            Some((name.ok()?, template?))
        }));
        Some(Runbook {
            name: name?,
            description: self.description,
            inputs: inputs?,
            checks: checks?,
            concurrency: concurrency?,
            steps: main.filter(|_| has_steps)?,
            on_failure: on_failure?,
            finally: finally?,
            outputs: outputs?,
        })
    }
}

/// All of them, each read whether or not one before it could be.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    items.collect::<Vec<_>>().into_iter().collect()
}
