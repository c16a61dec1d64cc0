//! The record of runs: events, the hash chain that they form, the state they come to, and the SQLite database
//! and directory in which they lie.
//!
//! [`Journal`] records, [`Reader`] reads, [`RunState`] is what a run's events come to, [`StateDir`] is where all
//! of it lies. The crate knows nothing of components, YAML, HTTP or a runbook's order: only what has happened.

mod anchors;
pub mod audit;
mod chain;
mod chain_number;
mod clock;
mod digest;
mod entry;
mod event;
mod failpoint;
mod groups;
mod import;
mod journal;
mod ledger;
mod log;
mod prune;
mod reader;
mod run_id;
#[cfg(test)]
mod samples;
mod schema;
mod signing;
mod state;
mod state_dir;
mod store;
mod writer;

pub use anchors::Anchors;
pub use chain::{Broken, Chain, Head, Row, verify};
pub use clock::{Clock, SystemClock};
pub use digest::{Digest, KeyedDigest, NotADigest};
pub use entry::{Content, Entry, Retention};
pub use event::{
    Accepted, Asked, Decision, DecodeError, EVENT_VERSION, EnvironmentFacts, Event, Failure,
    FailureKind, FinalStatus, GitFacts, HandIn, Interruption, Kept, LogLevel, Operator, Outcome,
    ROLLBACK, Recorded, RunStarted, RunbookFacts, Sections, Seed, Signal, SkipReason, Standing,
    StepId, Values, Waiting,
};
pub use import::{Added, Behind, ImportError, Imported, import};
pub use journal::{Appended, Appending, Journal, JournalError, Poison};
pub use ledger::LEDGER;
pub use log::{LogFault, Stored};
pub use prune::{Left, PruneError, Pruned, prune};
pub use reader::{ReadError, Reader, RunSummary, UnreadableRun};
pub use run_id::{NoRandomness, NotARunId, RunId};
pub use signing::{NotAKey, PublicKey, SigningKey};
pub use state::{
    Cancelling, Decided, ExpectedAttempt, Finish, Illegal, Question, RequestState, RunState,
    RunStatus, Section, Settled, StepState, StepStatus,
};
pub use state_dir::{RESERVE, RunLock, StateDir, StateDirError, StateKey, Ticket};
pub use store::StoreError;
