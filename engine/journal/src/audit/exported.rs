//! Looking at a record that was exported, without its state directory.

use std::io::{self, BufRead};

use super::checker::Checker;
use super::export::{ContentLine, Header, VERSION, parse_entry};
use super::finding::{Fault, Place};
use super::{Audit, Terms};
use crate::ledger::LEDGER;
use crate::run_id::RunId;

/// A file that isn't an export.
#[derive(Debug, thiserror::Error)]
pub enum NotAnExport {
    /// It can't be read.
    #[error("it can't be read")]
    Read(#[from] io::Error),
    /// It doesn't begin as an export does.
    #[error("its first line is not the header of an export of this version")]
    Header,
}

/// Looks at an exported record. Only the key in `terms` is believed, never the one in the file.
///
/// # Errors
///
/// When it can't be read, or doesn't begin as an export does.
pub fn audit_export(mut file: impl BufRead, terms: &Terms) -> Result<Audit, NotAnExport> {
    let mut text = String::new();
    file.read_line(&mut text)?;
    let header: Header = serde_json::from_str(&text).map_err(|_| NotAnExport::Header)?;
    if header.version != VERSION {
        return Err(NotAnExport::Header);
    }
    let mut checker = Checker::new(terms);
    let first = Place::Export { line: 1 };
    match &header.head {
        Some(head) if head.is_signed() => checker.expect(first.clone(), head, None),
        Some(_) => checker.find(first.clone(), Fault::WronglySigned),
        None => {}
    }
    let mut number = 1;
    loop {
        text.clear();
        if file.read_line(&mut text)? == 0 {
            break;
        }
        number += 1;
        let place = Place::Export { line: number };
        let line = text.strip_suffix('\n').unwrap_or(&text);
        if let Err(fault) = take(&mut checker, line) {
            checker.find(place, fault);
        }
    }
    // Only an empty ledger has no head.
    if header.head.is_none() && checker.has_ledger() {
        checker.find(first, Fault::WronglySigned);
    }
    Ok(checker.finish(header.runs.as_deref()))
}

fn take(checker: &mut Checker<'_>, line: &str) -> Result<(), Fault> {
    let Some((chain, row)) = parse_entry(line) else {
        // What lies outside the chains can be checked only with the other directory's own key.
        return match serde_json::from_str::<ContentLine>(line) {
            Ok(_) => Ok(()),
            Err(_) => Err(Fault::NotALine),
        };
    };
    if chain == LEDGER {
        if checker.has_begun() {
            return Err(Fault::OutOfOrder);
        }
        checker.ledger(&row);
        return Ok(());
    }
    let run: RunId = chain.parse().map_err(|_| Fault::NotALine)?;
    if !checker.is_at(run) {
        if checker.has_seen(run) {
            return Err(Fault::OutOfOrder);
        }
        checker.begin(run);
    }
    checker.event(&row);
    Ok(())
}
