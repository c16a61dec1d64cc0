//! Runs a plan: state + plan -> next actions, and the loop that does them.
//!
//! What is pure lies apart: `agenda` says what may start, `verdict` what becomes of an ended attempt,
//! `replay` what a new attempt is answered from. All input of a project is read in `project`.

mod agenda;
mod alone;
mod anchoring;
mod asked;
mod attempt;
mod bounded;
mod component;
mod conductor;
mod credentials;
mod decide;
mod draft;
mod engine;
mod facts;
mod failed;
mod failpoint;
mod git;
mod limits;
mod lock;
mod order;
mod past;
mod plugins;
mod project;
mod recorder;
mod refused;
mod replace;
mod replay;
mod resume;
mod run;
mod secrets;
mod sensitive;
mod space;
mod stage;
mod start_error;
mod story;
mod tape;
mod trial;
mod turn;
mod verdict;

pub use alone::{GivenAlone, PluginAlone};
pub use anchoring::{AnchorFile, Anchored, Anchoring};
pub use asked::{Asked, Change, Inside, SlotAsked, Subject};
pub use bounded::read_bounded;
pub use decide::{About, Answer, Choice};
pub use draft::{Draft, Prepared};
pub use engine::{Compiling, Engine, Options, Waits};
pub use failed::Failed;
pub use lock::LOCK_FILE;
pub use plugins::{
    Acceptance, Fetching, Network, PluginStanding, Provenance, Publication, Removal, Standing,
    Verification, publish_plugin,
};
pub use project::{Checked, Listed, PROJECT_FILE, Project, is_path, read_plugin};
pub use recorder::Progress;
pub use refused::{Reason, Refused};
pub use replace::{create, replace};
pub use run::{Begun, Finished, Run};
pub use secrets::{Secrets, SecretsError, Stored};
pub use space::NoSpace;
pub use start_error::{NoSpaceFor, StartError};
pub use trial::{Difference, Recorded, Recording, RecordingError, Trials, Tried};
pub use turn::{Held, Holder, Queued};
