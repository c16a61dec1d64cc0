//! Going on with a run that was interrupted, or whose process died.

use std::{panic, thread};

use sandbook_journal::{
    self as journal, Accepted, Digest, EnvironmentFacts, Event, Reader, RunId, RunStarted,
    RunState, RunStatus, RunbookFacts,
};
use sandbook_runbook::{Behavior, Environment, Manifest, PluginName, Runbook, Source};
use sandbook_sandbox::Packed;
use similar::TextDiff;

use crate::credentials::Keys;
use crate::draft::{Draft, Plugins, Prepared};
use crate::engine::{Engine, First, Opened, Options};
use crate::facts;
use crate::failed::Failed;
use crate::past::{Contents, Past};
use crate::project::{Project, parse_runbook};
use crate::refused::Refused;
use crate::run::Begun;
use crate::start_error::StartError;
use crate::story::Story;
use crate::turn::Turn;

/// The runbook that a run was started from, with its text.
type KeptRunbook = (Source, Runbook);

/// A run's environment as it is now.
#[derive(Default)]
struct Now {
    environment: Option<(Environment, Source)>,
    accepted: Option<Accepted>,
    difference: Option<String>,
}

impl Engine {
    /// Goes on with an unfinished run, from the runbook, the components and the inputs that it was started with.
    /// Credentials are obtained anew. The environment has to be as it was, its secrets aside, unless `accept` gives a
    /// person's reason to go on in a changed one. What a step that was cut off has had answered isn't asked again.
    ///
    /// # Errors
    ///
    /// The run is over or a dry run, another run holds its group, its environment has changed, a credential can't be had; another process has
    /// it; or the engine failed.
    pub async fn resume(
        &self,
        run: RunId,
        project: &Project,
        accept: Option<&str>,
        options: Options,
    ) -> Result<Begun, StartError> {
        self.refuse_without_space_for(run)?;
        let lock = self
            .state()
            .lock_run(run)
            .map_err(|error| Failed::State(error.into()))?
            .ok_or(StartError::Held(run))?;
        let failed = |error: journal::ReadError| Failed::State(error.into());
        let (reader, story, kept) = self.read(run)?;
        let (state, head) = (&story.state, story.head);
        self.journal().know(run, head, state);
        let facts = state.facts().expect("a log that can be read has a start");
        refuse_over(run, state.status())?;
        if facts.dry_run {
            return Err(Refused::because(format!("run `{run}` is a dry run"))
                .help("it changes nothing: start another one")
                .into());
        }
        // One that was imported may find its group taken.
        if let Some(group) = &facts.group {
            Turn::new(self, group, Behavior::Reject)?.refuse_held(Some(run))?;
        }
        let contents = Contents {
            reader: &reader,
            run,
        };
        let then = state.environment();
        let now = then.map(|then| self.environment_now(then, project, accept));
        let Now {
            environment,
            accepted,
            difference,
        } = now.transpose()?.unwrap_or_default();
        let mut prepared = self.restore(facts, kept?, &contents, project, environment)?;
        prepared.anchors = project.anchors();
        let seed = facts.seed.map_or([0; 32], |seed| seed.0);
        let past = Past::of(story, &contents)?;
        let mut hidden = prepared.sensitive_texts();
        hidden.extend(past.sensitive_texts());
        let keys = Keys::obtain(
            prepared.plan.environment.as_ref(),
            prepared.plan.credentials_used(),
            hidden,
            &prepared.root,
        )
        .await?;
        let plugins = self.load(&mut prepared, &options)?;
        let resumed = Event::RunResumed {
            operator: options.operator.clone(),
            host: facts::host_name(),
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            environment: accepted,
        };
        let first = self.put_first(run, resumed.into()).await;
        let first = first.map_err(Failed::from)?;
        // People may have said something until then.
        let (before, past) = if first.seq() == Some(head.seq + 1) {
            let before = past.state.clone();
            (before, past.with(&first.stored)?)
        } else {
            let story = Story::read(&reader, run)?;
            (before(&reader, run, &first)?, Past::of(story, &contents)?)
        };
        for text in past.sensitive_texts() {
            keys.redactor.hide_sensitive(&text);
        }
        let opened = Opened {
            run,
            lock,
            prepared,
            keys,
            plugins,
            past,
            before,
            key: reader.key_of(run).map_err(failed)?,
            seed,
        };
        let begun = self.make_run(opened, first, options);
        Ok(Begun {
            difference,
            ..begun
        })
    }

    /// Reads a run's log, and beside that its runbook: of a run of many steps, each takes as long as the other.
    fn read(&self, run: RunId) -> Result<(Reader, Story, Result<KeptRunbook, StartError>), Failed> {
        let reader = self.reader()?;
        let facts = reader.runbook(run);
        let facts = facts.map_err(|error| Failed::State(error.into()))?;
        let (read, kept) = thread::scope(|scope| {
            let read = scope.spawn(move || Story::read(&reader, run).map(|story| (reader, story)));
            let kept = self.kept_runbook(facts);
            (read.join(), kept)
        });
        let (reader, story) = read.unwrap_or_else(|panicked| panic::resume_unwind(panicked))?;
        Ok((reader, story, kept))
    }

    fn kept_runbook(&self, facts: RunbookFacts) -> Result<KeptRunbook, StartError> {
        let source = Source {
            name: facts.file,
            text: self.kept_text(&facts.digest)?,
        };
        let (runbook, _) = parse_runbook(&source)?;
        Ok((source, runbook))
    }

    /// The plan of a run as it was, from what is kept of it.
    fn restore(
        &self,
        facts: &RunStarted,
        (source, runbook): KeptRunbook,
        contents: &Contents<'_>,
        project: &Project,
        environment: Option<(Environment, Source)>,
    ) -> Result<Prepared, StartError> {
        let mut plugins = Plugins::new();
        for (name, digest) in &facts.plugins {
            let (name, plugin) = self.kept_plugin(name, digest)?;
            plugins.insert(name, plugin);
        }
        let draft = Draft::kept(project.root(), source, runbook, environment, plugins)?;
        Ok(draft.prepare(contents.values(&facts.inputs)?)?)
    }

    /// A run's environment as the project has it now. Where it isn't what it was, a person has to have said why.
    fn environment_now(
        &self,
        then: &EnvironmentFacts,
        project: &Project,
        accept: Option<&str>,
    ) -> Result<Now, StartError> {
        let (environment, source) = project.environment(&then.name)?;
        let text = environment.text_without_secrets(&source);
        let digest = Digest::of(text.as_bytes());
        if digest == then.digest {
            return Ok(Now {
                environment: Some((environment, source)),
                ..Now::default()
            });
        }
        let rehearsal = environment.is_rehearsal();
        if rehearsal != then.rehearsal {
            let what = if rehearsal {
                "reroutes now"
            } else {
                "reroutes no more"
            };
            let refused = Refused::because(format!("environment `{}` {what}", then.name));
            return Err(refused
                .help("a rehearsal stays one, and a real run too: start a new run")
                .into());
        }
        let difference = difference(&self.kept_text(&then.digest)?, &text);
        let Some(reason) = accept else {
            let refused = Refused::because(format!(
                "environment `{}` is not what it was:\n{difference}",
                then.name
            ));
            return Err(refused
                .help(format!(
                    "put `{}` back as it was, or go on in it with `--accept-environment --reason TEXT`",
                    source.name
                ))
                .into());
        };
        self.state()
            .put_blob(text.as_bytes())
            .map_err(|error| Failed::State(error.into()))?;
        let accepted = Accepted {
            facts: EnvironmentFacts {
                name: then.name.clone(),
                digest,
                rehearsal,
            },
            reason: reason.to_owned(),
        };
        Ok(Now {
            environment: Some((environment, source)),
            accepted: Some(accepted),
            difference: Some(difference),
        })
    }

    fn kept(&self, digest: &Digest) -> Result<Vec<u8>, Failed> {
        let kept = self.state().blob(digest);
        kept.map_err(|error| Failed::State(error.into()))
    }

    pub(crate) fn kept_text(&self, digest: &Digest) -> Result<String, Failed> {
        String::from_utf8(self.kept(digest)?).map_err(|error| Failed::State(error.into()))
    }

    pub(crate) fn kept_plugin(
        &self,
        name: &str,
        digest: &Digest,
    ) -> Result<(PluginName, (Packed, Manifest)), StartError> {
        let name = PluginName::new(name).map_err(|error| Failed::State(error.into()))?;
        let packed =
            Packed::read(self.kept(digest)?).map_err(|error| Failed::State(error.into()))?;
        let manifest = Manifest::from_json(packed.manifest_json())
            .map_err(|report| Refused::Invalid(vec![report]))?;
        Ok((name, (packed, manifest)))
    }
}

/// What a run's log came to before it was taken up.
fn before(reader: &Reader, run: RunId, first: &First) -> Result<RunState, Failed> {
    let mut before = RunState::default();
    let read = reader.walk(run, |state, stored| {
        if Some(stored.seq + 1) == first.seq() {
            before = state.clone();
        }
    });
    read.map_err(|error| Failed::State(error.into()))?;
    Ok(before)
}

fn refuse_over(run: RunId, status: RunStatus) -> Result<(), Refused> {
    let how = match status {
        RunStatus::Succeeded => "has succeeded",
        RunStatus::Failed => "has failed",
        RunStatus::Cancelled => "was cancelled",
        RunStatus::Running | RunStatus::Interrupted | RunStatus::Waiting => return Ok(()),
    };
    let refused = Refused::because(format!(
        "run `{run}` {how}, so there is nothing to go on with"
    ));
    Err(refused.help(format!("`sandbook show {run}` shows what it did")))
}

/// What changed in an environment, line by line, with the lines around it.
fn difference(then: &str, now: &str) -> String {
    let diff = TextDiff::from_lines(then, now);
    let mut shown = diff.unified_diff();
    shown.context_radius(2).header("then", "now").to_string()
}
