//! What is wrong with a record, and where.

use std::fmt;

use crate::run_id::RunId;
use crate::signing::PublicKey;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// A place in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The ledger.
    Ledger {
        /// The entry, where it is one.
        entry: Option<u64>,
    },
    /// A run.
    Run {
        /// The run.
        run: RunId,
        /// The event, where it is one.
        event: Option<u64>,
    },
    /// An anchor.
    Anchor {
        /// Which.
        name: String,
        /// The line, from 1, where it is one.
        line: Option<usize>,
    },
    /// An export.
    Export {
        /// The line, from 1.
        line: usize,
    },
    /// The database.
    Database,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its hash doesn't follow from what is before it and from itself.
    #[error("it was altered, inserted or moved: its hash doesn't fit")]
    Altered,
    /// It isn't there.
    #[error("it is missing{}", up_to(.to))]
    Missing {
        /// The last one that is missing, where there are several.
        to: Option<u64>,
    },
    /// It isn't in a form that is known here.
    #[error("it can't be read: it was altered, or written by a newer sandbook")]
    Unreadable,
    /// It may not follow what is before it.
    #[error("it can't follow what is before it: {why}")]
    Illegal {
        /// Why.
        why: String,
    },
    /// Its signature isn't there, or not by the key that it names.
    #[error("its signature is missing or wrong")]
    WronglySigned,
    /// A key that isn't known has signed.
    #[error(
        "it is signed by `{key}`, which is not the key of this record; if it is yours as well, name it with `--key`"
    )]
    StrangeKey {
        /// The key.
        key: PublicKey,
    },
    /// The ledger says twice that a run began.
    #[error("run `{run}` begins a second time")]
    SecondBeginning {
        /// The run.
        run: RunId,
    },
    /// A run begins otherwise than the ledger has it.
    #[error("the ledger has another beginning of it (entry {entry})")]
    OtherBeginning {
        /// The entry.
        entry: u64,
    },
    /// An event isn't the one of which a signed head was made.
    #[error(
        "the log was written anew: the signed head in entry {entry} of the ledger has another hash of it"
    )]
    OtherHead {
        /// The entry.
        entry: u64,
    },
    /// The end of a run is missing.
    #[error(
        "the end is cut off: its log ends at event {last}, and entry {entry} of the ledger has a signed head of event {head}"
    )]
    CutOff {
        /// The last event that is there.
        last: u64,
        /// The event that was there.
        head: u64,
        /// The entry that says so.
        entry: u64,
    },
    /// A signed head vouches for a run's end and for all behind it, for what people say, and where the run is left; here
    /// none does.
    #[error("no signed head vouches for it, as one does for all of its kind")]
    UnsignedEnd,
    /// A run isn't in the ledger.
    #[error("it is not in the ledger: it was inserted, or the ledger's entry of it was removed")]
    NotInLedger,
    /// A run is in the ledger, and its events aren't there.
    #[error("it is in the ledger (entry {entry}), but its events are gone, and it was not pruned")]
    Removed {
        /// The entry.
        entry: u64,
    },
    /// A run's events are there although they were removed.
    #[error("it was pruned (entry {entry} of the ledger), but has events")]
    NotPruned {
        /// The entry.
        entry: u64,
    },
    /// An anchor has another hash of an entry.
    #[error("the ledger was written anew: the anchor has another hash of its entry {entry}")]
    AnchorDiffers {
        /// The entry.
        entry: u64,
    },
    /// An anchor has an entry that the ledger doesn't.
    #[error(
        "the ledger's end is cut off: the anchor has its entry {entry}, and it ends at entry {last}"
    )]
    AnchorBeyond {
        /// The entry.
        entry: u64,
        /// The last that is there.
        last: u64,
    },
    /// An anchor can't be read.
    #[error("it can't be read: {why}")]
    UnreadableAnchor {
        /// Why.
        why: String,
    },
    /// An anchor has less than it has got.
    #[error(
        "{}, and it has got the head of entry {sent}: its end was cut off; `sandbook audit anchor` sends that again",
        if *.has == 0 { "it has nothing".to_owned() } else { format!("it goes up to entry {has}") }
    )]
    AnchorCut {
        /// The last entry that it has a head of; 0 for none.
        has: u64,
        /// The last entry that it was sent a head of.
        sent: u64,
    },
    /// An export has entries behind its head.
    #[error(
        "its head is that of entry {entry}, and there are entries up to {last}: they were put in"
    )]
    BehindHead {
        /// The entry of its head; 0 for none.
        entry: u64,
        /// The last that is there.
        last: u64,
    },
    /// A chain has no events, and the ledger knows nothing of it.
    #[error(
        "there is nothing of it but its name, also not in the ledger: it was removed, or put in"
    )]
    Empty,
    /// What lies outside a run's chain isn't what its events say.
    #[error("what lies outside its chain is not as it was: {why}")]
    Content {
        /// Which, and what is wrong with it.
        why: String,
    },
    /// A line isn't one of a ledger's heads or of an export.
    #[error("the line can't be read")]
    NotALine,
    /// A line comes where it can't.
    #[error("the line is out of its order")]
    OutOfOrder,
    /// There are events of no run, or a chain that is none.
    #[error("there are events that belong to no run{}", named(.chain))]
    Stray {
        /// The chain's name, where it has one.
        chain: String,
    },
}

impl Fault {
    /// The sort of fault in one word, for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Fault::Altered => "altered",
            Fault::Missing { .. } => "missing",
            Fault::Unreadable => "unreadable",
            Fault::Illegal { .. } => "illegal",
            Fault::WronglySigned => "wrongly_signed",
            Fault::StrangeKey { .. } => "strange_key",
            Fault::SecondBeginning { .. } => "second_beginning",
            Fault::OtherBeginning { .. } => "other_beginning",
            Fault::OtherHead { .. } => "other_head",
            Fault::CutOff { .. } => "cut_off",
            Fault::UnsignedEnd => "unsigned_end",
            Fault::NotInLedger => "not_in_ledger",
            Fault::Removed { .. } => "removed",
            Fault::NotPruned { .. } => "not_pruned",
            Fault::AnchorDiffers { .. } => "anchor_differs",
            Fault::AnchorBeyond { .. } => "anchor_beyond",
            Fault::UnreadableAnchor { .. } => "unreadable_anchor",
            Fault::AnchorCut { .. } => "anchor_cut",
            Fault::BehindHead { .. } => "behind_head",
            Fault::Empty => "empty",
            Fault::Content { .. } => "content",
            Fault::NotALine => "not_a_line",
            Fault::OutOfOrder => "out_of_order",
            Fault::Stray { .. } => "stray",
        }
    }
}

impl Place {
    /// The run that it is in.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        match self {
            Place::Run { run, .. } => Some(*run),
            _ => None,
        }
    }

    /// The number of the event, of the ledger's entry, or of the line.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self {
            Place::Run { event: number, .. } | Place::Ledger { entry: number } => *number,
            Place::Anchor { line, .. } => line.and_then(|line| u64::try_from(line).ok()),
            Place::Export { line } => u64::try_from(*line).ok(),
            Place::Database => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Ledger { entry: None } => f.write_str("ledger"),
            Place::Ledger { entry: Some(entry) } => write!(f, "ledger, entry {entry}"),
            Place::Run { run, event: None } => write!(f, "run {run}"),
            Place::Run {
                run,
                event: Some(event),
            } => write!(f, "run {run}, event {event}"),
            Place::Anchor { name, line: None } => write!(f, "anchor {name}"),
            Place::Anchor {
                name,
                line: Some(line),
            } => write!(f, "anchor {name}, line {line}"),
            Place::Export { line } => write!(f, "export, line {line}"),
            Place::Database => f.write_str("database"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

fn up_to(to: &Option<u64>) -> String {
    to.map(|to| format!(", and so are those up to {to}"))
        .unwrap_or_default()
}

fn named(chain: &str) -> String {
    if chain.is_empty() {
        String::new()
    } else {
        format!(": `{chain}` is no run")
    }
}
