//! `sandbook audit export`: the record as JSON lines.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sandbook_journal::audit::Exporting;
use sandbook_journal::{Clock as _, Reader, SigningKey, SystemClock};

use crate::arguments::AuditExport;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::{Output, complain};

/// How much is gathered before it is written.
const PIECE: usize = 64 * 1024;

pub(crate) fn export(
    arguments: &AuditExport,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let record = places.record()?;
    let key = places.state()?.signing_key()?;
    let runs = arguments.runs.iter().map(|run| record.resolve(run));
    let mut runs = runs.collect::<Result<Vec<_>, _>>()?;
    runs.sort();
    runs.dedup();
    let what = Exporting {
        runs: Some(runs.as_slice()).filter(|runs| !runs.is_empty()),
        with_contents: arguments.with_contents,
        now: SystemClock.now(),
    };
    match &arguments.output_file {
        Some(path) => to_file(&record, &key, &what, path)?,
        None => {
            let mut piece = String::new();
            record.export(&key, &what, |line| {
                piece.push_str(line);
                piece.push('\n');
                if piece.len() >= PIECE {
                    output.text(&piece);
                    piece.clear();
                }
            })?;
            output.text(&piece);
        }
    }
    Ok(Exit::Succeeded)
}

/// Writes a file that wasn't there, and that is its owner's alone.
fn to_file(
    record: &Reader,
    key: &SigningKey,
    what: &Exporting<'_>,
    path: &Path,
) -> Result<(), Problem> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file =
        BufWriter::new(made.map_err(|error| Problem::file("make the file", path, &error))?);
    let mut written = Ok(());
    record.export(key, what, |line| {
        if written.is_ok() {
            written = writeln!(file, "{line}");
        }
    })?;
    written
        .and_then(|()| file.flush())
        .and_then(|()| file.get_ref().sync_all())
        .map_err(|error| Problem::file("write", path, &error))?;
    complain(&format!(
        "Written to `{}`. It is checked with the public key `{}`.",
        path.display(),
        key.public()
    ));
    Ok(())
}
