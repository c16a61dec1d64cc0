//! Changing a project's file without touching what isn't meant: comments, order and spacing stay.

use std::ops::Range;

use super::{Project, ProjectPlugin};
use crate::fault::Report;
use crate::names::{KeyName, PluginName};
use crate::path::Path;
use crate::source::Source;
use crate::spans::Spans;

/// Why a text can't be changed so that only this changes.
#[derive(Debug, thiserror::Error)]
pub enum EditFault {
    /// The text has faults already.
    #[error("the project's file has faults")]
    Faulty(Report),
    /// It is written in a way that isn't understood well enough.
    #[error("the project's file is written in a way that can't be changed for you")]
    ByHand {
        /// The lines to add, where something is to be added.
        lines: Option<String>,
    },
}

/// The text with one plugin more, at the end of `plugins`.
///
/// # Errors
///
/// The text has faults, or can't be changed so that nothing else changes.
pub fn with_plugin(
    source: &Source,
    name: &PluginName,
    plugin: &ProjectPlugin,
) -> Result<String, EditFault> {
    let mut wanted = Project::parse(source).map_err(EditFault::Faulty)?;
    let entry = format!("{name}: {}", written(plugin));
    let text = &source.text;
    let spans = Spans::of(text);
    let plugins = Path::root().key("plugins");
    let changed = match (spans.node(&plugins), spans.entries(&plugins)) {
        (None, _) => appended(text, &entry),
        (Some(whole), Some(entries)) if text[whole.clone()].starts_with('{') => {
            in_braces(text, &whole, &entries, &entry)
        }
        (Some(_), Some(entries)) => entries.last().map(|last| {
            let indent = &text[line_start(text, last.start)..last.start];
            let at = line_end(text, last.end);
            let gap = if text[..at].ends_with('\n') { "" } else { "\n" };
            format!("{}{gap}{indent}{entry}\n{}", &text[..at], &text[at..])
        }),
        (Some(_), None) => None,
    };
    wanted.plugins.insert(name.clone(), plugin.clone());
    let lines = format!("plugins:\n  {entry}");
    proven(source, changed, &wanted, Some(lines))
}

/// The text without a plugin.
///
/// # Errors
///
/// The text has faults, or can't be changed so that nothing else changes.
pub fn without_plugin(source: &Source, name: &PluginName) -> Result<String, EditFault> {
    let mut wanted = Project::parse(source).map_err(EditFault::Faulty)?;
    wanted.plugins.remove(name);
    let text = &source.text;
    let spans = Spans::of(text);
    let plugins = Path::root().key("plugins");
    let whole = spans.node(&plugins);
    let entries = spans.entries(&plugins).unwrap_or_default();
    let place = spans.entry(&plugins.key(name.as_str()));
    let changed = match (whole, place) {
        (Some(whole), Some(place)) if text[whole.clone()].starts_with('{') => {
            Some(out_of_braces(text, &entries, &place))
        }
        (Some(_), Some(place)) => {
            let from = line_start(text, place.start);
            let rest = format!("{}{}", &text[..from], &text[line_end(text, place.end)..]);
            // A mapping without entries would read as nothing at all.
            match (entries.len(), spans.entry_key(&plugins)) {
                (1, Some(key)) => rest[key.end..]
                    .find(':')
                    .map(|colon| key.end + colon + 1)
                    .map(|at| format!("{} {{}}{}", &rest[..at], &rest[at..])),
                (1, None) => None,
                _ => Some(rest),
            }
        }
        _ => None,
    };
    proven(source, changed, &wanted, None)
}

/// The changed text, if it says what is wanted and nothing else.
fn proven(
    source: &Source,
    changed: Option<String>,
    wanted: &Project,
    lines: Option<String>,
) -> Result<String, EditFault> {
    let is_right = |text: &String| {
        let source = Source {
            name: source.name.clone(),
            text: text.clone(),
        };
        Project::parse(&source).is_ok_and(|project| project == *wanted)
    };
    changed.filter(is_right).ok_or(EditFault::ByHand { lines })
}

fn written(plugin: &ProjectPlugin) -> String {
    let source = plugin.source.to_string();
    match &plugin.signed_by {
        None => scalar(&source),
        Some(keys) => {
            let keys: Vec<&str> = keys.iter().map(KeyName::as_str).collect();
            format!(
                "{{ from: {}, signed_by: [{}] }}",
                quoted(&source),
                keys.join(", ")
            )
        }
    }
}

/// A text as YAML, without quotes where it means the same without.
fn scalar(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@+-%?=&~".contains(&byte);
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let is_plain =
        begins && text.bytes().all(plain) && text.contains(['/', '.']) && !text.ends_with(':');
    if is_plain {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// What JSON quotes, YAML reads.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn appended(text: &str, entry: &str) -> Option<String> {
    let gap = match text {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    Some(format!("{text}{gap}plugins:\n  {entry}\n"))
}

fn in_braces(
    text: &str,
    whole: &Range<usize>,
    entries: &[Range<usize>],
    entry: &str,
) -> Option<String> {
    match entries.last() {
        Some(last) => Some(format!(
            "{}, {entry}{}",
            &text[..last.end],
            &text[last.end..]
        )),
        None => {
            let close = whole.start + text[whole.clone()].find('}')?;
            Some(format!(
                "{}{{ {entry} }}{}",
                &text[..whole.start],
                &text[close + 1..]
            ))
        }
    }
}

fn out_of_braces(text: &str, entries: &[Range<usize>], place: &Range<usize>) -> String {
    let at = entries.iter().position(|entry| entry == place).unwrap_or(0);
    let (from, to) = match (
        at.checked_sub(1).map(|before| &entries[before]),
        entries.get(at + 1),
    ) {
        (Some(before), _) => (before.end, place.end),
        (None, Some(after)) => (place.start, after.start),
        (None, None) => (place.start, place.end),
    };
    format!("{}{}", &text[..from], &text[to..])
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |line| line + 1)
}

/// Past the end of the line that this lies in, or at it where a line ends there already.
fn line_end(text: &str, at: usize) -> usize {
    if text[..at].ends_with('\n') {
        return at;
    }
    text[at..]
        .find('\n')
        .map_or(text.len(), |line| at + line + 1)
}

#[cfg(test)]
#[path = "edit/tests.rs"]
mod tests;
