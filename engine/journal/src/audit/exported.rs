//! Looking at a record that was exported, without its state directory.

use std::io::{self, BufRead};

use super::checker::Checker;
use super::export::{ContentLine, Header, VERSION, parse_entry};
use super::finding::{Fault, Place};
use super::head::SignedHead;
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
    let is_signed = header.is_signed() && header.head.as_ref().is_none_or(SignedHead::is_signed);
    if !is_signed {
        checker.find(first.clone(), Fault::WronglySigned);
    } else if !checker.refuse_strange(first.clone(), header.key)
        && let Some(head) = &header.head
    {
        checker.expect(first.clone(), head, None);
    }
    let mut contents = 0;
    let mut number = 1;
    loop {
        text.clear();
        if file.read_line(&mut text)? == 0 {
            break;
        }
        number += 1;
        let place = Place::Export { line: number };
        let line = text.strip_suffix('\n').unwrap_or(&text);
        match take(&mut checker, line) {
            Ok(Taken::Link) => {}
            Ok(Taken::Content) => contents += 1,
            Err(fault) => checker.find(place, fault),
        }
    }
    // What was put behind it is vouched for by nothing in this file.
    let entry = header.head.map_or(0, |head| head.seq);
    let last = checker.last_entry();
    if last > entry {
        checker.find(first, Fault::BehindHead { entry, last });
    }
    let mut audit = checker.finish(header.runs.as_deref());
    if contents > 0 {
        audit.remarks.push(format!(
            "the contents in it ({contents}) were not looked at: that takes the state directory's own key"
        ));
    }
    Ok(audit)
}

/// What a line was.
enum Taken {
    Link,
    /// Something that lies outside the chains.
    Content,
}

fn take(checker: &mut Checker<'_>, line: &str) -> Result<Taken, Fault> {
    let Some((chain, row)) = parse_entry(line) else {
        // What lies outside the chains can be checked only with the other directory's own key.
        return match serde_json::from_str::<ContentLine>(line) {
            Ok(_) => Ok(Taken::Content),
            Err(_) => Err(Fault::NotALine),
        };
    };
    if chain == LEDGER {
        if checker.has_begun() {
            return Err(Fault::OutOfOrder);
        }
        checker.ledger(&row);
        return Ok(Taken::Link);
    }
    let run: RunId = chain.parse().map_err(|_| Fault::NotALine)?;
    if !checker.is_at(run) {
        if checker.has_seen(run) {
            return Err(Fault::OutOfOrder);
        }
        checker.begin(run);
    }
    checker.event(&row);
    Ok(Taken::Link)
}
