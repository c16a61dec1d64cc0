//! What a look at the record came to.

use sandbook_journal::audit::{Audit, AuditedRun, Finding, Vouched, Voucher};
use serde_json::{Value, json};

use super::words::count;
use crate::screen::{Ink, Paper, Table, Zone, one_line};

/// For people: what there is, what vouches for which range of it, and what is wrong.
pub(crate) fn audit_report(audit: &Audit, zone: &Zone, paper: Paper) -> String {
    let events: u64 = audit.runs.iter().map(|run| run.events).sum();
    let pruned = match audit.pruned {
        0 => String::new(),
        pruned => format!(" ({pruned} more pruned)"),
    };
    let mut text = format!(
        "The ledger has {}; {}{pruned} with {} looked at.\n",
        number(audit.entries, "entry", "entries"),
        count(audit.runs.len(), "run"),
        number(events, "event", "events"),
    );
    text.push_str(&ranges(audit, zone).render(paper.uncut()));
    text.push_str(&unsigned(&audit.runs).render(paper.uncut()));
    for remark in &audit.remarks {
        text.push_str(&format!("{}\n", one_line(remark)));
    }
    text.push('\n');
    if audit.findings.is_empty() {
        text.push_str(&paper.ink(Ink::Good, "Nothing is wrong."));
    } else {
        let faults = count(audit.findings.len(), "fault");
        text.push_str(&paper.ink(Ink::Bad, &format!("{faults}:")));
        for finding in &audit.findings {
            let place = paper.ink(Ink::Name, &one_line(&finding.place.to_string()));
            let fault = one_line(&finding.fault.to_string());
            text.push_str(&format!("\n  {place}: {fault}"));
        }
    }
    text.push('\n');
    text
}

/// Which entries of the ledger, and so the runs whose heads are in them, something vouches for.
fn ranges(audit: &Audit, zone: &Zone) -> Table {
    let mut table = Table::indented(2);
    let mut row = |from: u64, to: u64, what: String| {
        let range = if from == to {
            format!("entry {to}")
        } else {
            format!("entries {from} to {to}")
        };
        table.row([(Ink::Plain, range), (Ink::Plain, what)]);
    };
    for vouched in &audit.vouched {
        let what = match &vouched.by {
            Voucher::Anchor { name, time } => format!(
                "anchored at {} ({}): also against the operator himself",
                one_line(name),
                zone.stamp(*time)
            ),
            Voucher::Signature { key } => {
                format!("signed by {key}: against everybody without the key")
            }
        };
        row(1, vouched.to, what);
    }
    let vouched = audit.vouched.iter().map(|vouched| vouched.to).max();
    let vouched = vouched.unwrap_or(0);
    if vouched < audit.entries {
        let what = "chained only: against accidents";
        row(vouched + 1, audit.entries, what.to_owned());
    }
    table
}

/// Events behind a run's last signed head, and runs that have none.
fn unsigned(runs: &[AuditedRun]) -> Table {
    let mut table = Table::indented(2);
    for run in runs {
        let signed = run.head.map_or(1, |(event, _)| event);
        if signed < run.events {
            let what = match (signed + 1, run.events) {
                (from, to) if from == to => format!("event {to} is chained only"),
                (from, to) => format!("events {from} to {to} are chained only"),
            };
            let what = format!("{what}: it isn't over, and a cut end can't be told");
            table.row([(Ink::Name, format!("run {}", run.id)), (Ink::Plain, what)]);
        }
    }
    table
}

/// `1 entry`, `2 entries`.
fn number(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// The same for programs.
pub(crate) fn audit_json(audit: &Audit) -> Value {
    let runs = audit.runs.iter().map(|run| {
        let head = run
            .head
            .map(|(event, entry)| json!({ "event": event, "entry": entry }));
        json!({ "run": run.id, "events": run.events, "head": head })
    });
    json!({
        "sound": audit.findings.is_empty(),
        "entries": audit.entries,
        "pruned": audit.pruned,
        "runs": runs.collect::<Vec<_>>(),
        "vouched": audit.vouched.iter().map(vouched_json).collect::<Vec<_>>(),
        "findings": audit.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "remarks": audit.remarks,
    })
}

fn vouched_json(vouched: &Vouched) -> Value {
    match &vouched.by {
        Voucher::Anchor { name, time } => {
            json!({ "by": "anchor", "anchor": name, "time": time, "to": vouched.to })
        }
        Voucher::Signature { key } => json!({ "by": "signature", "key": key, "to": vouched.to }),
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "place": finding.place.to_string(),
        "run": finding.place.run(),
        "number": finding.place.number(),
        "fault": finding.fault.word(),
        "message": finding.fault.to_string(),
    })
}
