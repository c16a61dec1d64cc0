//! What expressions see: `inputs`, `vars`, `steps`, `run`, and names of a step's own.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde_json::{Map, Value as Json, json};

use crate::expression::{Touched, from_json};
use crate::names::{Name, StepId};

/// The values that expressions are evaluated over.
///
/// A clone is cheap and sees what the original saw when it was made. While there is none, setting a step costs
/// the same whether it is the first or the thousandth; an evaluation looks at those steps only that it names.
#[derive(Clone)]
pub struct Scope(Arc<Names>);

#[derive(Clone)]
struct Names {
    inputs: Value,
    vars: Value,
    run: Value,
    steps: Arc<Steps>,
    /// Names of a step's own, such as the one of `foreach`.
    own: BTreeMap<Name, Value>,
}

/// What expressions see of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// The run's id.
    pub id: String,
    /// How it stands: `running`, and in `on_failure` and `finally` also `failed` or `succeeded`.
    pub status: String,
    /// The step that broke it.
    pub failed_step: Option<String>,
    /// What that step said.
    pub error: Option<String>,
    /// Who started it.
    pub user: String,
    /// When it started, RFC 3339, UTC.
    pub started_at: String,
    /// Whether it only reads.
    pub dry_run: bool,
}

/// What expressions see of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepFacts {
    /// Its status: `pending`, `running`, `waiting`, `succeeded`, `failed`, `skipped` or `rolled_back`.
    pub status: &'static str,
    /// Whether it changed something.
    pub changed: bool,
    /// Its outputs, an object; empty unless it succeeded.
    pub outputs: Json,
    /// Why it failed.
    pub error: Option<Json>,
}

/// All steps. A copy shares where they are, which doesn't change after the first one.
#[derive(Clone, Default)]
struct Steps {
    places: Arc<HashMap<StepId, usize>>,
    known: Vec<Arc<Known>>,
}

/// What is known of a step. Few steps are named by an expression.
struct Known {
    facts: StepFacts,
    /// The same, as MiniJinja wants it, from when an expression first named the step.
    value: OnceLock<Value>,
}

impl Scope {
    /// A scope before any run: it has no steps, and `run` has nothing in it.
    pub fn new(inputs: &Map<String, Json>, vars: &Json) -> Scope {
        Scope(Arc::new(Names {
            inputs: Value::from_pairs(
                inputs
                    .iter()
                    .map(|(name, value)| (name.as_str(), from_json(value))),
            ),
            vars: from_json(vars),
            run: from_json(&json!({})),
            steps: Arc::default(),
            own: BTreeMap::new(),
        }))
    }

    /// Says how the run stands.
    pub fn set_run(&mut self, facts: &RunFacts) {
        let RunFacts {
            id,
            status,
            failed_step,
            error,
            user,
            started_at,
            dry_run,
        } = facts;
        let facts = json!({
            "id": id, "status": status, "failed_step": failed_step, "error": error,
            "user": user, "started_at": started_at, "dry_run": dry_run,
        });
        Arc::make_mut(&mut self.0).run = from_json(&facts);
    }

    /// Says how a step stands.
    pub fn set_step(&mut self, step: &StepId, facts: StepFacts) {
        self.set_steps([step], facts);
    }

    /// Says that these steps stand alike, such as pending.
    pub fn set_steps<'a>(&mut self, steps: impl IntoIterator<Item = &'a StepId>, facts: StepFacts) {
        let known = Arc::new(Known {
            facts,
            value: OnceLock::new(),
        });
        let all = Arc::make_mut(&mut Arc::make_mut(&mut self.0).steps);
        for step in steps {
            all.set(step, &known);
        }
    }

    /// The same scope with one more name, such as the one of `foreach`.
    #[must_use]
    pub fn with_name(&self, name: &Name, value: &Json) -> Scope {
        let mut scope = self.clone();
        Arc::make_mut(&mut scope.0)
            .own
            .insert(name.clone(), from_json(value));
        scope
    }

    /// Whether a name is there.
    pub(crate) fn has(&self, touched: &Touched) -> bool {
        let found = touched
            .names()
            .iter()
            .try_fold(self.value(), |value, name| value.get_attr(name).ok());
        found.is_some_and(|value| !value.is_undefined())
    }

    /// All names, as MiniJinja wants them.
    pub(crate) fn value(&self) -> Value {
        Value::from_dyn_object(self.0.clone())
    }
}

impl StepFacts {
    /// A step that hasn't ended.
    pub fn pending() -> StepFacts {
        StepFacts {
            status: "pending",
            changed: false,
            outputs: json!({}),
            error: None,
        }
    }

    /// A step that waits for a person.
    pub fn waiting() -> StepFacts {
        StepFacts {
            status: "waiting",
            ..StepFacts::pending()
        }
    }

    /// A step that was done and undone.
    pub fn rolled_back() -> StepFacts {
        StepFacts {
            status: "rolled_back",
            ..StepFacts::pending()
        }
    }

    /// A step that was skipped.
    pub fn skipped() -> StepFacts {
        StepFacts {
            status: "skipped",
            ..StepFacts::pending()
        }
    }

    /// A step that failed.
    pub fn failed(error: Option<Json>) -> StepFacts {
        StepFacts {
            status: "failed",
            error,
            ..StepFacts::pending()
        }
    }
}

/// A step's facts, as MiniJinja wants them.
fn step_value(facts: &StepFacts) -> Value {
    let StepFacts {
        status,
        changed,
        outputs,
        error,
    } = facts;
    Value::from_pairs([
        ("status", Value::from(*status)),
        ("changed", Value::from(*changed)),
        ("outputs", from_json(outputs)),
        ("error", error.as_ref().map_or(Value::from(()), from_json)),
    ])
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "inputs" => Some(self.inputs.clone()),
            "vars" => Some(self.vars.clone()),
            "run" => Some(self.run.clone()),
            "steps" => Some(Value::from_dyn_object(self.steps.clone())),
            own => self.own.get(own).cloned(),
        }
    }
}

impl Steps {
    fn set(&mut self, step: &StepId, known: &Arc<Known>) {
        if let Some(&place) = self.places.get(step) {
            self.known[place] = Arc::clone(known);
        } else {
            Arc::make_mut(&mut self.places).insert(step.clone(), self.known.len());
            self.known.push(Arc::clone(known));
        }
    }
}

impl Object for Steps {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let known = &self.known[*self.places.get(key.as_str()?)?];
        let value = known.value.get_or_init(|| step_value(&known.facts));
        Some(value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut ids: Vec<&str> = self.places.keys().map(StepId::as_str).collect();
        ids.sort_unstable();
        Enumerator::Values(ids.into_iter().map(Value::from).collect())
    }
}

// The values may be secret, and the steps many: none is shown.
impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("steps", &self.0.steps.known.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Steps").field(&self.known.len()).finish()
    }
}
