//! The hash chain: each event's hash covers the one before it, so that none can be altered, removed, inserted or
//! moved without every later hash giving it away.
//!
//! What is hashed is the event's *line*: its stored JSON with run, number, time and version in front. Nothing is
//! stored twice, so nothing that is stored can disagree with what was hashed. A chain does not notice that its
//! end was cut off, or that all of it was written anew: the signed heads in the ledger do.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::event::Event;

/// A chain's next link is computed or checked here.
#[derive(Debug, Clone)]
pub struct Chain {
    name: Box<str>,
    head: Head,
    line: String,
}

/// How far a chain goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the last link; 0 for an empty chain.
    pub seq: u64,
    /// Its hash; for an empty chain a value that only its name decides.
    pub hash: Digest,
}

/// A stored link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was recorded, in milliseconds since the epoch.
    pub time: u64,
    /// The kind, as the database's index has it.
    pub kind: String,
    /// The version of the body's form.
    pub version: u32,
    /// A JSON object whose first key is `kind`.
    pub body: String,
    /// The hash of the link before it and this one's line.
    pub hash: Digest,
}

/// A link that doesn't follow from the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// One is missing, or there twice.
    #[error("entry {expected} is missing: entry {found} comes in its place")]
    Gap {
        /// The number that should come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// It, or one before it, was altered.
    #[error("entry {seq} was altered: its hash doesn't fit")]
    Altered {
        /// Its number.
        seq: u64,
    },
}

impl Chain {
    /// An empty chain. Its name goes into every line, and into what the first hash builds on.
    #[must_use]
    pub fn new(name: &str) -> Chain {
        let genesis = Digest::of(format!("sandbook journal 1\n{name}\n").as_bytes());
        Chain {
            name: name.into(),
            head: Head {
                seq: 0,
                hash: genesis,
            },
            line: String::new(),
        }
    }

    /// A chain that goes so far already.
    pub(crate) fn at(name: &str, head: Head) -> Chain {
        Chain {
            name: name.into(),
            head,
            line: String::new(),
        }
    }

    /// Goes on behind a link that doesn't follow.
    pub(crate) fn resume_at(&mut self, head: Head) {
        self.head = head;
    }

    /// How far it goes.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Adds a link.
    pub(crate) fn extend(&mut self, time: u64, version: u32, body: &str) -> Head {
        self.head = self.after(self.head.seq + 1, time, version, body);
        self.head
    }

    /// Follows the chain by a stored link.
    ///
    /// # Errors
    ///
    /// When the link doesn't follow; the chain is then as it was.
    pub fn follow(&mut self, row: &Row) -> Result<(), Broken> {
        let expected = self.head.seq + 1;
        if row.seq != expected {
            return Err(Broken::Gap {
                expected,
                found: row.seq,
            });
        }
        let next = self.after(row.seq, row.time, row.version, &row.body);
        if next.hash != row.hash || Event::kind_of(&row.body) != Some(&row.kind) {
            return Err(Broken::Altered { seq: row.seq });
        }
        self.head = next;
        Ok(())
    }

    fn after(&mut self, seq: u64, time: u64, version: u32, body: &str) -> Head {
        self.line.clear();
        write_line(&mut self.line, &self.name, seq, time, version, body);
        let hash = Sha256::new()
            .chain_update(self.head.hash.as_bytes())
            .chain_update(&self.line)
            .finalize();
        Head {
            seq,
            hash: Digest::from_bytes(hash.into()),
        }
    }
}

/// Follows a whole chain from its beginning.
///
/// # Errors
///
/// Names the first link that doesn't follow.
pub fn verify<'a>(name: &str, rows: impl IntoIterator<Item = &'a Row>) -> Result<Head, Broken> {
    let mut chain = Chain::new(name);
    for row in rows {
        chain.follow(row)?;
    }
    Ok(chain.head())
}

/// Appends a link's line: its body with run, number, time and version in front.
pub(crate) fn write_line(
    line: &mut String,
    name: &str,
    seq: u64,
    time: u64,
    version: u32,
    body: &str,
) {
    let fields = body.strip_prefix('{').unwrap_or(body);
    write!(
        line,
        r#"{{"run":"{name}","seq":{seq},"time":{time},"version":{version},{fields}"#
    )
    .expect("invariant: a string takes what is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u64) -> Vec<Row> {
        let mut chain = Chain::new("r");
        (1..=count)
            .map(|seq| {
                let body = format!(r#"{{"kind":"k","n":{seq}}}"#);
                let hash = chain.extend(seq * 10, 1, &body).hash;
                Row {
                    seq,
                    time: seq * 10,
                    kind: "k".to_owned(),
                    version: 1,
                    body,
                    hash,
                }
            })
            .collect()
    }

    #[test]
    fn an_untouched_chain_is_followed_to_its_head() {
        let rows = rows(5);
        assert_eq!(
            verify("r", &rows),
            Ok(Head {
                seq: 5,
                hash: rows[4].hash
            })
        );
        assert_eq!(verify("r", &[]).unwrap().seq, 0);
    }

    #[test]
    fn the_hash_is_that_of_the_previous_hash_and_the_line() {
        let row = rows(1).remove(0);
        let mut bytes = Digest::of(b"sandbook journal 1\nr\n").as_bytes().to_vec();
        bytes.extend_from_slice(br#"{"run":"r","seq":1,"time":10,"version":1,"kind":"k","n":1}"#);
        assert_eq!(row.hash, Digest::of(&bytes));
    }

    #[test]
    fn every_kind_of_tampering_is_noticed() {
        let altered = |alter: fn(&mut Vec<Row>)| {
            let mut rows = rows(5);
            alter(&mut rows);
            verify("r", &rows).unwrap_err()
        };
        assert_eq!(
            altered(|rows| rows[2].body = r#"{"kind":"k","n":7}"#.to_owned()),
            Broken::Altered { seq: 3 }
        );
        assert_eq!(
            altered(|rows| rows[2].time += 1),
            Broken::Altered { seq: 3 }
        );
        assert_eq!(
            altered(|rows| rows[2].version = 2),
            Broken::Altered { seq: 3 }
        );
        assert_eq!(
            altered(|rows| rows[2].kind = "l".to_owned()),
            Broken::Altered { seq: 3 }
        );
        assert_eq!(
            altered(|rows| rows[2].hash = rows[1].hash),
            Broken::Altered { seq: 3 }
        );
        assert_eq!(
            altered(|rows| drop(rows.remove(2))),
            Broken::Gap {
                expected: 3,
                found: 4
            }
        );
        assert_eq!(
            altered(|rows| rows.swap(2, 3)),
            Broken::Gap {
                expected: 3,
                found: 4
            }
        );
        assert_eq!(
            altered(|rows| rows.insert(2, rows[1].clone())),
            Broken::Gap {
                expected: 3,
                found: 2
            }
        );
        assert_eq!(verify("other", &rows(1)), Err(Broken::Altered { seq: 1 }));
    }
}
