use sandbook_step::prelude::*;

/// The object in an incident's `metadata` that is ours.
pub(crate) const OURS: &str = "sandbook";

/// An incident, as the service shows it.
#[derive(Deserialize, Clone)]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) shortlink: Option<String>,
    pub(crate) impact_override: Option<String>,
    #[serde(default)]
    pub(crate) components: Vec<Component>,
    /// The newest first.
    #[serde(default)]
    pub(crate) incident_updates: Vec<Update>,
    #[serde(default)]
    metadata: Value,
}

/// A component that an incident concerns.
#[derive(Deserialize, Clone)]
pub(crate) struct Component {
    pub(crate) id: String,
    pub(crate) status: String,
}

/// What was said of an incident.
#[derive(Deserialize, Clone)]
pub(crate) struct Update {
    pub(crate) body: Option<String>,
}

impl Incident {
    /// Whether this very step opened it, in an earlier attempt.
    pub(crate) fn is_opened_by(&self, context: &Context) -> bool {
        self.ours("key") == Some(&context.idempotency_key)
    }

    fn is_of_run(&self, context: &Context) -> bool {
        self.ours("run") == Some(&context.run)
    }

    fn ours(&self, name: &str) -> Option<&str> {
        self.metadata.get(OURS)?.get(name)?.as_str()
    }
}

/// The unresolved incident that is meant when no id is given: the one that this step opened; else, by its title where
/// there is one, so that what a person opened by hand is taken up; else the one that this run opened.
pub(crate) fn choose(
    unresolved: Vec<Incident>,
    context: &Context,
    title: Option<&str>,
) -> Option<Incident> {
    let place = unresolved
        .iter()
        .position(|incident| incident.is_opened_by(context))
        .or_else(|| {
            unresolved.iter().position(|incident| match title {
                Some(title) => incident.name == title,
                None => incident.is_of_run(context),
            })
        });
    place.and_then(|place| unresolved.into_iter().nth(place))
}

#[cfg(test)]
mod tests {
    use sandbook_step::testing::context;

    use super::*;

    fn incident(id: &str, name: &str, metadata: Value) -> Incident {
        let whole =
            json!({"id": id, "name": name, "status": "investigating", "metadata": metadata});
        serde_json::from_value(whole).unwrap()
    }

    fn chosen(title: Option<&str>) -> Option<String> {
        let unresolved = vec![
            incident("by-hand", "Shop is down", Value::Null),
            incident(
                "other-run",
                "Checkout is slow",
                json!({OURS: {"run": "run0", "key": "run0/step"}}),
            ),
            incident(
                "this-run",
                "Search is down",
                json!({OURS: {"run": "run1", "key": "run1/announce"}}),
            ),
        ];
        choose(unresolved, &context(), title).map(|incident| incident.id)
    }

    #[test]
    fn a_title_finds_an_incident_whoever_opened_it() {
        assert_eq!(chosen(Some("Shop is down")).as_deref(), Some("by-hand"));
        assert_eq!(
            chosen(Some("Checkout is slow")).as_deref(),
            Some("other-run")
        );
        assert_eq!(chosen(Some("Nothing is down")), None);
    }

    #[test]
    fn without_a_title_the_runs_own_is_meant() {
        assert_eq!(chosen(None).as_deref(), Some("this-run"));
    }

    #[test]
    fn what_this_step_opened_comes_first() {
        let own = incident(
            "own",
            "renamed since",
            json!({OURS: {"run": "run1", "key": "run1/step"}}),
        );
        let named = incident("named", "Shop is down", Value::Null);
        let found = choose(vec![named, own], &context(), Some("Shop is down")).unwrap();
        assert_eq!(found.id, "own");
        assert!(found.is_opened_by(&context()));
    }
}
