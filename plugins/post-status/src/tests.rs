use sandbook_step::testing::{Answer, Asked, Shown, Stage};

use super::*;

const PAGE: &str = "https://api.statuspage.io/v1/pages/p1";

/// Performs a step; `unresolved` are the incidents that there are, and a written one is answered with its own fields.
fn perform(input: Value, unresolved: Value) -> Shown<Result<Done<Output>, Failure>> {
    let input = serde_json::from_value(input).unwrap();
    Stage::new(move |asked| Ok(answer(asked, &unresolved)))
        .slot("api")
        .perform(|context| run(context, input))
}

fn answer(asked: &Asked, unresolved: &Value) -> Answer {
    let path = asked.url.strip_prefix(PAGE).unwrap();
    match (asked.method.as_str(), path) {
        ("GET", "/incidents/unresolved?per_page=100") => Answer::json(200, unresolved),
        ("GET", "/components/web") => Answer::json(200, &json!({"status": "operational"})),
        ("PATCH", "/components/web") => Answer::json(200, &json!({})),
        ("POST", "/incidents") => {
            let mut incident = asked.json()["incident"].clone();
            incident["id"] = json!("new");
            incident["components"] = json!([]);
            incident["shortlink"] = json!("https://stspg.io/new");
            Answer::json(201, &incident)
        }
        ("PATCH", "/incidents/i1") => {
            let mut incident = unresolved[0].clone();
            incident
                .as_object_mut()
                .unwrap()
                .extend(asked.json()["incident"].as_object().unwrap().clone());
            incident["components"] = json!([]);
            Answer::json(200, &incident)
        }
        _ => Answer::json(404, &json!({"error": "not found"})),
    }
}

fn lines<T>(shown: &Shown<T>) -> Vec<String> {
    shown
        .asked
        .iter()
        .map(|asked| asked.line().replace(PAGE, ""))
        .collect()
}

#[test]
fn an_incident_is_opened_in_one_request_that_carries_the_key() {
    let input = json!({
        "page": "p1", "title": "Shop is down", "status": "identified", "components": {"web": "major_outage"},
    });
    let shown = perform(input, json!([]));
    let done = shown.ended.as_ref().unwrap();
    assert!(done.changed && done.data.opened);
    assert_eq!(done.data.url.as_deref(), Some("https://stspg.io/new"));
    assert_eq!(
        lines(&shown),
        ["GET /incidents/unresolved?per_page=100", "POST /incidents"]
    );
    let sent = &shown.asked[1];
    assert_eq!(
        sent.json()["incident"]["metadata"]["sandbook"]["key"],
        "run1/step"
    );
    assert_eq!((sent.repeatable, sent.slot.as_deref()), (None, Some("api")));
}

#[test]
fn what_an_earlier_attempt_opened_is_not_opened_again() {
    let mine = json!([{
        "id": "i1", "name": "Shop is down", "status": "investigating",
        "metadata": {"sandbook": {"run": "run1", "key": "run1/step"}},
    }]);
    let shown = perform(json!({"page": "p1", "title": "Shop is down"}), mine);
    let done = shown.ended.as_ref().unwrap();
    assert!(
        done.changed && done.data.opened,
        "the step changed something, if in an earlier attempt"
    );
    assert_eq!(lines(&shown), ["GET /incidents/unresolved?per_page=100"]);
}

#[test]
fn the_runs_incident_is_resolved() {
    let open = json!([{
        "id": "i1", "name": "Shop is down", "status": "monitoring",
        "metadata": {"sandbook": {"run": "run1", "key": "run1/announce"}},
    }]);
    let shown = perform(
        json!({"page": "p1", "status": "resolved", "body": "It is back."}),
        open,
    );
    let done = shown.ended.as_ref().unwrap();
    assert_eq!(done.summary, "`Shop is down`: monitoring -> resolved");
    assert_eq!(
        (done.data.before.as_deref(), done.data.opened),
        (Some("monitoring"), false)
    );
    assert_eq!(shown.asked[1].repeatable, Some(true));
}

#[test]
fn resolving_what_is_not_open_changes_nothing() {
    let shown = perform(
        json!({"page": "p1", "title": "Shop is down", "status": "resolved"}),
        json!([]),
    );
    assert!(!shown.ended.as_ref().unwrap().changed);
    assert_eq!(lines(&shown), ["GET /incidents/unresolved?per_page=100"]);
}

#[test]
fn an_update_of_nothing_is_not_found() {
    for input in [
        json!({"page": "p1", "body": "Still at it."}),
        json!({"page": "p1", "incident": "gone"}),
    ] {
        let failure = perform(input, json!([])).ended.unwrap_err();
        assert_eq!(
            (failure.kind, failure.code.as_deref()),
            (Kind::NotFound, Some("IncidentNotFound"))
        );
    }
}

#[test]
fn components_alone_need_no_incident() {
    let shown = perform(
        json!({"page": "p1", "components": {"web": "partial_outage"}}),
        json!([]),
    );
    assert_eq!(shown.ended.as_ref().unwrap().data.components, ["web"]);
    assert_eq!(
        shown.asked[1].body,
        r#"{"component":{"status":"partial_outage"}}"#
    );

    let shown = perform(
        json!({"page": "p1", "components": {"web": "operational"}}),
        json!([]),
    );
    assert!(!shown.ended.as_ref().unwrap().changed);
    assert_eq!(lines(&shown), ["GET /components/web"]);
}

#[test]
fn the_rate_limit_is_honoured() {
    let mut refusals = vec![
        Answer::status(429).header("retry-after", "4"),
        Answer::status(420),
    ];
    let input = serde_json::from_value(json!({"page": "p1", "title": "Shop is down"})).unwrap();
    let shown =
        Stage::new(move |asked| Ok(refusals.pop().unwrap_or_else(|| answer(asked, &json!([])))))
            .slot("api")
            .perform(|context| run(context, input));
    assert!(shown.ended.unwrap().changed);
    assert_eq!(shown.waited.as_secs(), 5);
}

#[test]
fn nothing_to_do_is_said() {
    assert_eq!(
        perform(json!({"page": "p1"}), json!([]))
            .ended
            .unwrap_err()
            .kind,
        Kind::InvalidInput
    );
}
