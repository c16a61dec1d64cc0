//! `sandbook audit verify`: is the record what was written?

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;

use sandbook_journal::audit::{AnchorText, Audit, NotAnExport, Terms, audit_export};

use crate::arguments::AuditVerify;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render::{audit_json, audit_report};
use crate::screen::{Output, Zone};

pub(crate) fn verify(
    arguments: &AuditVerify,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let mut anchors = Vec::new();
    for path in &arguments.anchor {
        let read = fs::read(path);
        if let Err(error) = &read
            && error.kind() == io::ErrorKind::NotFound
        {
            return Err(Problem::file("read the anchor", path, error));
        }
        anchors.push(anchor(path, read, 0));
    }
    let audit = match &arguments.file {
        Some(file) => exported(file, arguments, anchors)?,
        None => own(arguments, anchors, places)?,
    };
    if arguments.output.is_json() {
        output.line(&audit_json(&audit).to_string());
    } else {
        output.text(&audit_report(&audit, &Zone::local(), output.paper));
    }
    Ok(if audit.findings.is_empty() {
        Exit::Succeeded
    } else {
        Exit::Failed
    })
}

/// The record in the state directory, held against the project's own anchors as well.
fn own(
    arguments: &AuditVerify,
    mut anchors: Vec<AnchorText>,
    places: &Places,
) -> Result<Audit, Problem> {
    let record = places.record()?;
    let state = places.state()?;
    let only = arguments.run.as_deref();
    let only = only.map(|run| record.resolve(run)).transpose()?;
    if let Some(project) = places.project_if_any()? {
        let files = project.anchoring(&state).files(&record)?.into_iter();
        anchors.extend(files.map(|file| anchor(&file.path, file.bytes, file.sent)));
    }
    // One that is known to have got something is found wanting.
    let empty = anchors.iter().filter(|anchor| {
        let is_empty = anchor.text.as_ref().is_ok_and(String::is_empty);
        is_empty && anchor.sent == 0
    });
    let empty = empty.map(|anchor| {
        let name = &anchor.name;
        format!("anchor {name} has nothing: it never got a head, or what it got is gone")
    });
    let empty: Vec<String> = empty.collect();
    let terms = Terms {
        key: state.signing_key()?.public(),
        others: arguments.key.clone(),
        anchors,
        only,
    };
    let mut audit = record.audit(&terms)?;
    audit.findings.extend(record.audit_contents(only)?);
    audit.remarks.extend(empty);
    Ok(audit)
}

fn exported(
    file: &Path,
    arguments: &AuditVerify,
    anchors: Vec<AnchorText>,
) -> Result<Audit, Problem> {
    let unreadable = |error| Problem::file("read the export", file, &error);
    let only = arguments.run.as_deref().map(str::parse).transpose();
    let only = only.map_err(|error| {
        Problem::wrong("of an export, a run is named by its whole id").caused_by(&error)
    })?;
    let Some((&key, others)) = arguments.key.split_first() else {
        return Err(Problem::wrong("an export is checked with a key")
            .help("`sandbook audit key`, where it was made, prints it"));
    };
    let terms = Terms {
        key,
        others: others.to_vec(),
        anchors,
        only,
    };
    let reader = BufReader::new(File::open(file).map_err(unreadable)?);
    let audit = audit_export(reader, &terms).map_err(|error| match error {
        NotAnExport::Read(error) => Problem::file("read the export", file, &error),
        error @ NotAnExport::Header => {
            Problem::wrong(format!("`{}` is not an export", file.display())).caused_by(&error)
        }
    })?;
    let is_about = |run| {
        let mut findings = audit.findings.iter();
        audit.runs.iter().any(|it| it.id == run)
            || findings.any(|finding| finding.place.run() == Some(run))
    };
    match only {
        Some(run) if !is_about(run) => Err(Problem::wrong(format!(
            "run `{run}` is not in `{}`",
            file.display()
        ))),
        _ => Ok(audit),
    }
}

/// What an anchor has. Bytes that are no text make a line that can't be read, and no other.
fn anchor(path: &Path, read: io::Result<Vec<u8>>, sent: u64) -> AnchorText {
    let text = read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    AnchorText {
        name: path.display().to_string(),
        text: text.map_err(|error| error.to_string()),
        sent,
    }
}
