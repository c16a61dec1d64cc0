//! From what was given to what can be run: runbook, environment, inputs. `run` and `plan` share it.

use std::error::Error as _;
use std::fs::File;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use sandbook_executor::{Draft, Prepared, Project, read_bounded};
use sandbook_runbook::{Input, Runbook, Source};
use serde_json::{Map, Value};

use crate::arguments::Given;
use crate::places::Places;
use crate::problem::{Problem, documents};
use crate::prompt;
use crate::screen::{Paper, complain};

/// The longest file that an input or all of them are read from, in bytes: as long as a request may be.
const LONGEST_FILE: usize = 8 << 20;

/// Prepares a runbook. What is missing is asked for, where somebody can be asked.
pub(crate) fn prepare(
    runbook: &str,
    given: &Given,
    places: &Places,
) -> Result<(Project, Prepared), Problem> {
    let project = places.project_of(runbook)?;
    let somebody = prompt::somebody_is_there();
    let draft = draft(&project, runbook, given.env.as_deref(), somebody)?;
    if !draft.warnings.is_empty() {
        complain(&documents(&draft.warnings, Paper::standard_error()));
    }
    let mut inputs = read_inputs(given, |name, text| parse(&draft.runbook, name, text))?;
    if somebody {
        ask_for_missing(&draft.runbook, &mut inputs)?;
    }
    let prepared = draft.prepare(inputs)?;
    Ok((project, prepared))
}

/// The runbook with its environment: the one that is named, else the default, else the one that is chosen.
fn draft(
    project: &Project,
    runbook: &str,
    environment: Option<&str>,
    somebody: bool,
) -> Result<Draft, Problem> {
    if environment.is_some() {
        return Ok(project.draft(runbook, environment)?);
    }
    let draft = project.draft(runbook, None)?;
    match environment_of(project, &draft, somebody)? {
        None => Ok(draft),
        Some(name) => Ok(project.draft(runbook, Some(&name))?),
    }
}

/// The environment of a runbook for which none is named: the default, else the one that is chosen; none where it
/// needs none.
pub(crate) fn environment_of(
    project: &Project,
    draft: &Draft,
    somebody: bool,
) -> Result<Option<String>, Problem> {
    if !draft.runbook.needs_environment() {
        return Ok(None);
    }
    if let Some(default) = project.default_environment() {
        return Ok(Some(default.to_owned()));
    }
    let names = project.environments()?;
    if somebody && !names.is_empty() {
        return prompt::environment(&names).map(Some);
    }
    let problem = Problem::wrong(format!(
        "`{}` needs an environment, and none is named",
        draft.runbook.name
    ));
    Err(match names.is_empty() {
        true => problem.help(
            "the project has none: write one in its environments folder, and name it with `--env`",
        ),
        false => problem.help(format!("name one with `--env`: {}", names.join(", "))),
    })
}

/// An input, read as the runbook declares it.
fn parse(runbook: &Runbook, name: &str, text: &str) -> Result<Value, String> {
    let mut inputs = runbook.inputs.iter();
    let Some(input) = inputs.find(|input| input.name.as_str() == name) else {
        // One that isn't declared goes on as it is: the plan refuses it, and knows the others.
        return Ok(Value::String(text.to_owned()));
    };
    input.parse_text(text).map_err(|fault| {
        let cause = fault.source().map(|cause| format!(": {cause}"));
        format!("{fault}{}", cause.unwrap_or_default())
    })
}

/// The inputs of `--inputs`, and over them those of `-i`, each read from its text by `parse`.
pub(crate) fn read_inputs(
    given: &Given,
    parse: impl Fn(&str, &str) -> Result<Value, String>,
) -> Result<Map<String, Value>, Problem> {
    let mut inputs = match &given.inputs {
        Some(path) => read_file(path)?,
        None => Map::new(),
    };
    let mut faults = Vec::new();
    let mut help = None;
    for pair in &given.input {
        let Some((name, text)) = pair.split_once('=') else {
            faults.push(format!("`{pair}` is not of the form KEY=VALUE"));
            help = Some(format!(
                "write `-i {pair}=VALUE`, or `-i {pair}=@FILE` to take the value from a file"
            ));
            continue;
        };
        let text = match text.strip_prefix('@') {
            Some(path) => {
                let read =
                    read(path.as_ref()).map_err(|error| unreadable(path.as_ref(), &error))?;
                // The line end that editors put at a file's end is no part of the value.
                read.strip_suffix('\n').map(str::to_owned).unwrap_or(read)
            }
            None => text.to_owned(),
        };
        match parse(name, &text) {
            Ok(value) => drop(inputs.insert(name.to_owned(), value)),
            Err(fault) => faults.push(format!("input `{name}`: {fault}")),
        }
    }
    if faults.is_empty() {
        return Ok(inputs);
    }
    let problem = Problem::wrong(faults.join("\n"));
    Err(match help {
        Some(help) => problem.help(help),
        None => problem,
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::file("read", path, error).help(
        "name a file of text that you can read; a value that itself begins with `@` has to stand in one",
    )
}

fn read_file(path: &Path) -> Result<Map<String, Value>, Problem> {
    let text = read(path).map_err(|error| {
        Problem::file("read", path, &error).help("name a file of YAML or JSON that you can read")
    })?;
    let source = Source {
        name: path.display().to_string(),
        text,
    };
    sandbook_runbook::read_inputs(&source).map_err(Problem::document)
}

/// Reads a text. A pipe is waited for: a shell hands in what a command says by one.
fn read(path: &Path) -> io::Result<String> {
    let bytes = read_bounded(File::open(path)?, LONGEST_FILE)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Asks for inputs as soon as one is missing that the run can't do without; then also for those that have a
/// default, since whoever is asked at all wants to see them.
fn ask_for_missing(runbook: &Runbook, inputs: &mut Map<String, Value>) -> Result<(), Problem> {
    let missing = |input: &&Input| !inputs.contains_key(input.name.as_str());
    let to_ask: Vec<&Input> = runbook.inputs.iter().filter(missing).collect();
    if !to_ask.iter().any(|input| input.required) {
        return Ok(());
    }
    for input in to_ask
        .into_iter()
        .filter(|input| input.required || input.default.is_some())
    {
        inputs.insert(input.name.to_string(), prompt::input(input)?);
    }
    Ok(())
}

/// The runtime for what waits. It is made only where something does.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let made = try_threads(workers + BESIDE).and_then(|()| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build()
    });
    made.map_err(|error| {
        Problem::engine("the threads that steps run on can't be made")
            .caused_by(&error)
            .help("raise how many processes and threads this user may have: `ulimit -u` says it")
    })
}

/// The threads that work beside the runtime's own: the record, the clock of the sandbox, what looks up names.
const BESIDE: usize = 4;

/// Whether so many more threads can be had at once. The runtime panics where one of its own can't be.
fn try_threads(number: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let closed = gate.lock();
        for _ in 0..number {
            thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()))?;
        }
        drop(closed);
        Ok(())
    })
}
