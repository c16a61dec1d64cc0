//! The language of runbooks: text -> value -> [`Runbook`] -> [`Plan`].
//!
//! Pure: nothing here reads a file, the time or the network. A document is read in four moves, and each
//! says all that it finds wrong, as [`Fault`]s with a [`Path`] into the document: YAML to a value; the
//! value's shape against [`schema`]; the value's parts into types that can't be wrong; and how these fit
//! together, by [`check`]. Lines, columns and excerpts are looked up only when a [`Report`] is shown.

mod cases;
mod check;
mod checked;
mod cidr;
mod data_schema;
mod duration;
mod environment;
mod excerpt;
mod expression;
mod fault;
mod grant;
mod harmful;
mod input;
mod leaf;
mod limits;
mod manifest;
mod misfit;
mod names;
mod origin;
mod path;
mod place;
mod plan;
mod plugin_source;
mod project;
mod retry;
mod runbook;
mod schema;
mod scope;
mod shape;
mod size;
mod source;
mod spans;
mod step;
mod suggest;
mod template;
mod yaml;

pub use cases::{
    AnswerGiven, Case, CaseContext, CaseRequest, Cases, Ending, Exchange, Expect, Held, Matching,
    NoAnswer, Outputs, RequestFault,
};
pub use check::check;
pub use checked::CheckedRunbook;
pub use cidr::{Cidr, CidrFault};
pub use data_schema::{DataSchema, SchemaFault};
pub use duration::{DurationFault, LONGEST_DURATION, format_duration, parse_duration};
pub use environment::{
    Credential, Environment, HelperSource, NetworkRules, Scheme, SecretSource, VaultLogin,
    VaultSource,
};
pub use excerpt::{Colour, Located};
pub use expression::{
    ExprFault, ExprProblem, Expression, FILTERS, ParseFault, ParseProblem, Stand, TESTS, Touched,
};
pub use fault::{Fault, On, Report, Severity};
pub use grant::{
    AllowFault, AllowLine, Ask, AskFault, Denial, Grant, GrantFault, Permission, ResolveFault,
};
pub use harmful::{is_harmful, on_one_line};
pub use input::{Input, InputFault, InputKind, InputRuleFault, Inputs, read_inputs};
pub use limits::{Bounds, Limit, Limits};
pub use manifest::{CONTRACT, Manifest};
pub use names::{
    Alphabet, CredentialName, EnvironmentName, KeyName, LONGEST_NAME, Name, NameFault, NameRule,
    PluginName, RunbookName, Slot, StepId,
};
pub use origin::{Origin, OriginFault};
pub use path::{Path, Segment};
pub use plan::{Bound, Plan, Planned, PluginFacts};
pub use plugin_source::{ImageReference, ImageVersion, PluginSource, SourceFault};
pub use project::{
    Anchor, Destination, EditFault, Project, ProjectPlugin, PublicKey, SecretsPlaces, with_plugin,
    without_plugin,
};
pub use retry::{Backoff, Retry};
pub use runbook::{Behavior, Concurrency, Runbook, Section};
pub use schema::{Kind, schema};
pub use scope::{RunFacts, Scope, StepFacts};
pub use size::{SizeFault, format_size, parse_size};
pub use source::Source;
pub use step::{Action, Approval, Check, Manual, Needs, OnDoubt, OnFailure, Step, Use};
pub use suggest::closest;
pub use template::{RenderFault, Template, TemplateFault, TemplateProblem};
pub use yaml::{LARGEST_DOCUMENT, read_document};
