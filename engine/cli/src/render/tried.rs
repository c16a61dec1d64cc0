//! What came of cases: a line each, and for one that went otherwise than expected, in what.

use sandbook_executor::{Difference, Tried};
use sandbook_runbook::{Case, Cases, Manifest, Source};

use crate::screen::{Ink, Paper, one_line, safe, span};

/// A case that was tried.
pub(crate) struct TriedCase<'a> {
    /// The file that it is in.
    pub(crate) source: &'a Source,
    /// Its place there, from 0.
    pub(crate) index: usize,
    pub(crate) case: &'a Case,
    pub(crate) tried: &'a Tried,
}

/// How many lines of a plugin's are shown of a case that failed: the first ones, which often say what went wrong, and the
/// last ones.
const FIRST: usize = 8;
const LAST: usize = 12;

/// The cases of one file.
pub(crate) fn tried(manifest: &Manifest, cases: &[TriedCase<'_>], paper: Paper) -> String {
    let file = cases.first().map_or("", |shown| shown.source.name.as_str());
    let mut text = format!(
        "{}  {} {}\n",
        paper.ink(Ink::Strong, &safe(file)),
        paper.ink(Ink::Name, manifest.name.as_str()),
        one_line(&manifest.version)
    );
    for shown in cases {
        text.push_str(&case(shown, paper));
    }
    text
}

/// The last line.
pub(crate) fn sum(passed: usize, failed: usize, paper: Paper) -> String {
    let all = match passed + failed {
        1 => "1 case".to_owned(),
        all => format!("{all} cases"),
    };
    if failed == 0 {
        return format!("{all}: {}\n", paper.ink(Ink::Good, "all went as expected"));
    }
    let failed = paper.ink(Ink::Bad, &format!("{failed} did not go as expected"));
    format!("{all}: {failed}\n")
}

fn case(shown: &TriedCase<'_>, paper: Paper) -> String {
    let tried = shown.tried;
    let (ink, word) = match tried.passed() {
        true => (Ink::Good, "ok    "),
        false => (Ink::Bad, "FAILED"),
    };
    let mut text = format!(
        "  {}  {}  {}\n",
        paper.ink(ink, word),
        one_line(&shown.case.name),
        paper.ink(Ink::Faint, &span(tried.took))
    );
    if tried.passed() {
        return text;
    }
    for difference in &tried.differences {
        text.push_str(&told(difference, shown, paper));
    }
    if !tried.said.is_empty() {
        text.push_str("    what it said:\n");
    }
    let left_out = tried.said.len().saturating_sub(FIRST + LAST);
    for (index, line) in tried.said.iter().enumerate() {
        if left_out > 0 && index == FIRST {
            text.push_str(&format!("      … {left_out} lines left out\n"));
        }
        if index < FIRST || index >= FIRST + left_out {
            text.push_str(&format!("      {}\n", safe(line)));
        }
    }
    text
}

fn told(difference: &Difference, shown: &TriedCase<'_>, paper: Paper) -> String {
    let line = Cases::line(shown.source, shown.index, difference.exchange);
    let place = format!("{}:{}", shown.source.name, line.unwrap_or(1));
    let place = paper.ink(Ink::Faint, &safe(&place));
    let what = match difference.exchange {
        Some(exchange) => format!("exchange {}: {}", exchange + 1, difference.message),
        None => difference.message.clone(),
    };
    let mut lines = what.lines();
    let first = lines.next().unwrap_or_default();
    let mut text = format!("    {place}: {}\n", safe(first));
    for line in lines {
        text.push_str(&format!("      {}\n", safe(line)));
    }
    for line in difference.diff.iter().flat_map(|diff| diff.lines()) {
        let ink = match line.as_bytes().first() {
            Some(b'-') => Ink::Good,
            Some(b'+') => Ink::Bad,
            _ => Ink::Plain,
        };
        match safe(line.trim_end()) {
            nothing if nothing.is_empty() => text.push('\n'),
            line => text.push_str(&format!("      {}\n", paper.ink(ink, &line))),
        }
    }
    text
}
