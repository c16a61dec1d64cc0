//! How two versions of a plugin differ: what the new one wants beyond the old one, then what else.

use sandbook_executor::{Acceptance, Asked, Change, Subject};
use sandbook_runbook::{KeyName, PluginName};
use serde_json::{Value, json};

use crate::screen::{Ink, Paper, Table, one_line, safe};

/// A version of a plugin.
#[derive(Debug)]
pub(crate) struct Version {
    /// What its author calls the plugin.
    pub(crate) name: PluginName,
    pub(crate) asked: Asked,
}

/// The longest line about an input or an output, in characters: its schema may be as long as its author likes. What is
/// asked for is never cut.
const LONGEST: usize = 400;

/// Two versions, for people.
pub(crate) fn difference(old: &Version, new: &Version, paper: Paper) -> String {
    let mut facts = Table::default();
    let name = |version: &Version| version.name.to_string();
    row(&mut facts, "name", &name(old), &name(new));
    versions(&mut facts, &old.asked, &new.asked);
    facts.render(paper.uncut()) + &changes(&new.asked.changes_since(Some(&old.asked)), paper)
}

/// The same for programs.
pub(crate) fn difference_json(old: &Version, new: &Version) -> Value {
    let changes = new.asked.changes_since(Some(&old.asked));
    let version = |version: &Version| {
        json!({
            "name": version.name.as_str(),
            "version": version.asked.version,
            "digest": version.asked.digest.to_string(),
            "size": version.asked.inside.as_ref().map(|inside| inside.size),
        })
    };
    let changed: Vec<Value> = changes
        .iter()
        .map(|change| {
            json!({
                "subject": change.subject.as_str(), "widens": change.widens,
                "before": change.before, "after": change.after,
            })
        })
        .collect();
    json!({
        "old": version(old),
        "new": version(new),
        "widens": changes.iter().any(|change| change.widens),
        "changes": changed,
    })
}

/// What is about to be accepted: all that a plugin asks for, or how that differs from what was accepted.
pub(crate) fn acceptance(name: &str, acceptance: &Acceptance, paper: Paper) -> String {
    let asked = &acceptance.asked;
    let mut facts = Table::default();
    row(&mut facts, "plugin", name, name);
    if acceptance.calls_itself.as_str() != name {
        let itself = acceptance.calls_itself.as_str();
        row(&mut facts, "calls itself", itself, itself);
    }
    row(&mut facts, "from", &acceptance.source, &acceptance.source);
    if !acceptance.signed_by.is_empty() {
        let signers: Vec<&str> = acceptance.signed_by.iter().map(KeyName::as_str).collect();
        let signers = signers.join(", ");
        row(&mut facts, "signed by", &signers, &signers);
    }
    versions(
        &mut facts,
        acceptance.before.as_ref().unwrap_or(asked),
        asked,
    );
    let table = facts.render(paper.uncut());
    let said = match (&acceptance.before, acceptance.changes()) {
        (None, all) if all.is_empty() => "\nIt asks for nothing.\n".to_owned(),
        (None, all) => {
            let mut text = String::new();
            list(
                &mut text,
                "It asks for:",
                Ink::Warn,
                &all.iter().collect::<Vec<_>>(),
                paper,
            );
            text
        }
        (Some(_), all) => changes(&all, paper),
    };
    table + &said
}

fn versions(facts: &mut Table, old: &Asked, new: &Asked) {
    row(facts, "version", &old.version, &new.version);
    let digest = |asked: &Asked| asked.digest.to_string();
    row(facts, "digest", &digest(old), &digest(new));
    let size = |asked: &Asked| {
        let inside = asked.inside.as_ref()?;
        Some(format!("{} KiB", inside.size.div_ceil(1024)))
    };
    if let (Some(old), Some(new)) = (size(old), size(new)) {
        row(facts, "size", &old, &new);
    }
}

/// A fact, with how it was where it was another one.
fn row(facts: &mut Table, label: &str, old: &str, new: &str) {
    let said = if old == new {
        one_line(new)
    } else {
        format!("{}, was {}", one_line(new), one_line(old))
    };
    facts.row([(Ink::Faint, label.to_owned()), (Ink::Plain, said)]);
}

fn changes(changes: &[Change], paper: Paper) -> String {
    let (wider, others): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.widens);
    let mut text = String::new();
    if wider.is_empty() {
        text.push_str("\nIt asks for nothing more.\n");
    } else {
        list(&mut text, "It asks for more:", Ink::Warn, &wider, paper);
    }
    list(&mut text, "It differs in:", Ink::Plain, &others, paper);
    text
}

fn list(text: &mut String, heading: &str, ink: Ink, changes: &[&Change], paper: Paper) {
    if changes.is_empty() {
        return;
    }
    text.push_str(&format!("\n{}\n", paper.ink(Ink::Strong, heading)));
    for change in changes {
        let mut line = change.to_string();
        if let Subject::Input | Subject::Output = change.subject {
            line = shortened(&line);
        }
        text.push_str(&format!("  {}\n", paper.ink(ink, &safe(&line))));
    }
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut() {
        let line = "ü".repeat(LONGEST + 1);
        assert_eq!(shortened(&line).chars().count(), LONGEST + 1);
        assert!(shortened(&line).ends_with('…'));
        assert_eq!(shortened("short"), "short");
    }
}
