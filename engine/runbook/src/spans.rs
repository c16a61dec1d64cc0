//! Where each part of a document's text lies: a second parse that keeps places. It is made only when
//! something is to be shown, and forgives what it doesn't understand.

use std::ops::Range;

use saphyr_parser::{Event, Parser, Span};

use crate::fault::On;
use crate::path::{Path, Segment};

/// The places of a document's parts.
#[derive(Debug)]
pub(crate) struct Spans<'a> {
    text: &'a str,
    root: Option<Node>,
}

#[derive(Debug)]
struct Node {
    span: Range<usize>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A scalar, with its text.
    Text(String),
    /// An alias, or something nested too deep to matter.
    Leaf,
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

#[derive(Debug)]
struct Entry {
    key: Option<String>,
    key_span: Range<usize>,
    value: Node,
}

/// As deep as a document may nest; what lies deeper has no place of its own.
const DEPTH: usize = 80;

impl<'a> Spans<'a> {
    pub(crate) fn of(text: &'a str) -> Spans<'a> {
        let mut reader = Reader {
            text,
            parser: Parser::new_from_str(text),
            bytes: Bytes::of(text),
        };
        let root = reader.document();
        Spans { text, root }
    }

    /// The bytes that a fault at this place is about, on one line and never past the end; what is
    /// nearest where the place isn't there.
    pub(crate) fn find(&self, path: &Path, on: &On) -> Range<usize> {
        let found = self
            .root
            .as_ref()
            .map(|root| descend(root, path.segments()));
        let span = match (found, on) {
            (None, _) => 0..self.text.len(),
            (
                Some(Found {
                    key_span: Some(key),
                    ..
                }),
                On::Key,
            ) => key,
            (Some(Found { node, .. }), On::Key | On::Value) => node.span.clone(),
            (Some(Found { node, .. }), On::Part(part)) => {
                match self.text[node.span.clone()].find(part.as_str()) {
                    Some(at) if !part.is_empty() => {
                        node.span.start + at..node.span.start + at + part.len()
                    }
                    _ => node.span.clone(),
                }
            }
        };
        self.one_line(span)
    }

    /// The bytes of a key that a mapping has a second time.
    pub(crate) fn repeated(&self, path: &Path) -> Option<Range<usize>> {
        let (Segment::Key(key), parents) = path.segments().split_last()? else {
            return None;
        };
        let Kind::Mapping(entries) = &descend(self.root.as_ref()?, parents).node.kind else {
            return None;
        };
        let named = entries
            .iter()
            .filter(|entry| entry.key.as_deref() == Some(key));
        named.map(|entry| entry.key_span.clone()).nth(1)
    }

    /// The bytes of every value that reads so, wherever it stands, in order.
    pub(crate) fn reading(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut open: Vec<&Node> = self.root.iter().collect();
        while let Some(node) = open.pop() {
            match &node.kind {
                Kind::Text(own) if own == text => found.push(node.span.clone()),
                Kind::Text(_) | Kind::Leaf => {}
                Kind::List(items) => open.extend(items),
                Kind::Mapping(entries) => open.extend(entries.iter().map(|entry| &entry.value)),
            }
        }
        found.sort_by_key(|span| span.start);
        found
    }

    /// The bytes of the value at this very place; none where there is none.
    pub(crate) fn node(&self, path: &Path) -> Option<Range<usize>> {
        let found = exactly(self.root.as_ref()?, path.segments())?;
        Some(found.node.span.clone())
    }

    /// The bytes of the key of the entry at this very place.
    pub(crate) fn entry_key(&self, path: &Path) -> Option<Range<usize>> {
        exactly(self.root.as_ref()?, path.segments())?.key_span
    }

    /// The bytes of the entry at this very place, from its key to the last that belongs to it.
    pub(crate) fn entry(&self, path: &Path) -> Option<Range<usize>> {
        let found = exactly(self.root.as_ref()?, path.segments())?;
        Some(found.key_span?.start..self.last(found.node))
    }

    /// The bytes of each entry of the mapping at this very place, in order.
    pub(crate) fn entries(&self, path: &Path) -> Option<Vec<Range<usize>>> {
        match &exactly(self.root.as_ref()?, path.segments())?.node.kind {
            Kind::Mapping(entries) => {
                let each = |entry: &Entry| entry.key_span.start..self.last(&entry.value);
                Some(entries.iter().map(each).collect())
            }
            _ => None,
        }
    }

    /// Where a value ends. The parser has one without brackets end where the next thing begins.
    fn last(&self, node: &Node) -> usize {
        let in_brackets = self.text[node.span.clone()].starts_with(['{', '[']);
        let below = match &node.kind {
            Kind::List(items) => items.last(),
            Kind::Mapping(entries) => entries.last().map(|entry| &entry.value),
            Kind::Text(_) | Kind::Leaf => None,
        };
        match below {
            Some(below) if !in_brackets => self.last(below),
            _ => node.span.end,
        }
    }

    /// The first line of a span that has anything on it.
    fn one_line(&self, span: Range<usize>) -> Range<usize> {
        let text = &self.text[span.clone()];
        let blank = text.len() - text.trim_start().len();
        let start = span.start + if blank == text.len() { 0 } else { blank };
        let line = self.text[start..span.end]
            .lines()
            .next()
            .unwrap_or_default();
        start..start + line.trim_end().len()
    }
}

struct Found<'a> {
    node: &'a Node,
    key_span: Option<Range<usize>>,
}

fn descend<'a>(root: &'a Node, segments: &[Segment]) -> Found<'a> {
    let mut found = Found {
        node: root,
        key_span: None,
    };
    for segment in segments {
        let next = match (&found.node.kind, segment) {
            (Kind::Mapping(entries), Segment::Key(key)) => entries
                .iter()
                .find(|entry| entry.key.as_ref() == Some(key))
                .map(|entry| (&entry.value, Some(entry.key_span.clone()))),
            // A validator's place doesn't tell a key of digits from a position.
            (Kind::Mapping(entries), Segment::Index(index)) => entries
                .iter()
                .find(|entry| {
                    entry
                        .key
                        .as_ref()
                        .is_some_and(|key| *key == index.to_string())
                })
                .map(|entry| (&entry.value, Some(entry.key_span.clone()))),
            (Kind::List(items), Segment::Index(index)) => {
                items.get(*index).map(|item| (item, None))
            }
            _ => None,
        };
        match next {
            Some((node, key_span)) => found = Found { node, key_span },
            None => return found,
        }
    }
    found
}

/// What lies at this very place.
fn exactly<'a>(root: &'a Node, segments: &[Segment]) -> Option<Found<'a>> {
    let mut found = Found {
        node: root,
        key_span: None,
    };
    for segment in segments {
        let (Kind::Mapping(entries), Segment::Key(key)) = (&found.node.kind, segment) else {
            return None;
        };
        let entry = entries
            .iter()
            .find(|entry| entry.key.as_ref() == Some(key))?;
        found = Found {
            node: &entry.value,
            key_span: Some(entry.key_span.clone()),
        };
    }
    Some(found)
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    bytes: Bytes,
}

impl Reader<'_> {
    fn document(&mut self) -> Option<Node> {
        loop {
            let (event, span) = self.parser.next_event()?.ok()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd | Event::DocumentEnd => return None,
                event => return Some(self.node(&event, span, 0)),
            }
        }
    }

    /// The node that begins with this event. A syntax error ends it where it stands.
    fn node(&mut self, event: &Event<'_>, span: Span, depth: usize) -> Node {
        let mut whole = self.bytes.range(span);
        let kind = match event {
            Event::SequenceStart(..) | Event::MappingStart(..) if depth >= DEPTH => {
                whole.end = whole.end.max(self.skip());
                Kind::Leaf
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                while let Some((event, span)) = self.next() {
                    if matches!(event, Event::SequenceEnd) {
                        whole.end = whole.end.max(self.bytes.range(span).end);
                        break;
                    }
                    items.push(self.node(&event, span, depth + 1));
                }
                Kind::List(items)
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                while let Some((event, span)) = self.next() {
                    if matches!(event, Event::MappingEnd) {
                        whole.end = whole.end.max(self.bytes.range(span).end);
                        break;
                    }
                    let key = match &event {
                        Event::Scalar(text, ..) => Some(text.to_string()),
                        _ => None,
                    };
                    let key_span = self.node(&event, span, depth + 1).span;
                    let Some((event, span)) = self.next() else {
                        break;
                    };
                    entries.push(Entry {
                        key,
                        key_span,
                        value: self.node(&event, span, depth + 1),
                    });
                }
                Kind::Mapping(entries)
            }
            Event::Scalar(text, ..) => {
                // The parser counts blanks behind a quote in.
                whole.end = whole.start + self.text[whole.clone()].trim_end().len();
                Kind::Text(text.to_string())
            }
            _ => Kind::Leaf,
        };
        Node { span: whole, kind }
    }

    /// Passes over what has just begun; returns where it ends.
    fn skip(&mut self) -> usize {
        let mut open = 1;
        let mut end = 0;
        while open > 0
            && let Some((event, span)) = self.next()
        {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => open += 1,
                Event::SequenceEnd | Event::MappingEnd => open -= 1,
                _ => {}
            }
            end = self.bytes.range(span).end;
        }
        end
    }

    fn next(&mut self) -> Option<(Event<'static>, Span)> {
        let (event, span) = self.parser.next_event()?.ok()?;
        let event = match event {
            Event::Scalar(text, style, anchor, _) => {
                Event::Scalar(text.into_owned().into(), style, anchor, None)
            }
            Event::SequenceStart(anchor, _) => Event::SequenceStart(anchor, None),
            Event::MappingStart(anchor, _) => Event::MappingStart(anchor, None),
            Event::SequenceEnd => Event::SequenceEnd,
            Event::MappingEnd => Event::MappingEnd,
            Event::Alias(anchor) => Event::Alias(anchor),
            _ => return None,
        };
        Some((event, span))
    }
}

/// From the parser's counting in characters to bytes.
#[derive(Debug)]
struct Bytes {
    /// Where each character begins; empty where all are one byte long.
    starts: Vec<usize>,
    length: usize,
}

impl Bytes {
    fn of(text: &str) -> Bytes {
        let starts = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        Bytes {
            starts,
            length: text.len(),
        }
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.at(span.start.index());
        start..self.at(span.end.index()).max(start)
    }

    fn at(&self, index: usize) -> usize {
        if self.starts.is_empty() {
            index.min(self.length)
        } else {
            self.starts.get(index).copied().unwrap_or(self.length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "naïve: ü\nsteps:\n  - id: a\n    with: { url: \"http://x\" , n: 1 }\n  - id: b   # why\n    id: c\n";

    fn found(path: &Path, on: &On) -> &'static str {
        &TEXT[Spans::of(TEXT).find(path, on)]
    }

    #[test]
    fn every_part_has_its_place() {
        let step = Path::root().key("steps").index(0);
        assert_eq!(found(&Path::root().key("naïve"), &On::Value), "ü");
        assert_eq!(found(&step, &On::Key), "id: a");
        assert_eq!(found(&step.key("with"), &On::Key), "with");
        assert_eq!(
            found(&step.key("with").key("url"), &On::Value),
            "\"http://x\""
        );
        assert_eq!(
            found(&step.key("with").key("url"), &On::Part("http".to_owned())),
            "http"
        );
        assert_eq!(
            found(&step.key("with"), &On::Value),
            "{ url: \"http://x\" , n: 1 }"
        );
        assert_eq!(
            found(&Path::root().key("steps").index(1).key("id"), &On::Value),
            "b"
        );
    }

    #[test]
    fn what_is_not_there_is_shown_at_what_is_nearest() {
        assert_eq!(
            found(
                &Path::root().key("steps").index(0).key("with").key("x"),
                &On::Key
            ),
            "with"
        );
        assert_eq!(found(&Path::root(), &On::Key), "naïve: ü");
    }

    #[test]
    fn a_repeated_key_is_found() {
        let spans = Spans::of(TEXT);
        let again = spans
            .repeated(&Path::root().key("steps").index(1).key("id"))
            .unwrap();
        assert_eq!(again.start, TEXT.rfind("id").unwrap());
        assert_eq!(
            spans.repeated(&Path::root().key("steps").index(0).key("id")),
            None
        );
    }

    #[test]
    fn a_deep_document_does_not_exhaust_the_stack() {
        let text = "[".repeat(100_000);
        assert!(
            !Spans::of(&text)
                .find(&Path::root().index(0), &On::Value)
                .is_empty()
        );
    }
}
