use serde_json::json;
use simcloud::{Options, RateLimit, world};

use crate::caller::Caller;

const KEY: &str = "OAuth demo-statuspage-key";

fn url(path: &str) -> String {
    format!("https://api.statuspage.io/v1/pages/{}/{path}", world::PAGE)
}

#[tokio::test]
async fn an_incident_is_opened_updated_and_resolved() {
    let caller = Caller::start(Options::healthy()).await;
    let body = json!({ "incident": {
        "name": "The shop is down", "status": "investigating", "body": "We are on it.",
        "components": { world::COMPONENT_WEBSITE: "major_outage" }, "component_ids": [world::COMPONENT_WEBSITE],
        "metadata": { "sandbook": { "key": "k1" } },
    } });
    let opened = caller.send_as(KEY, "POST", &url("incidents"), &body).await;
    assert_eq!(opened.status, 201);
    let opened = opened.json();
    assert_eq!(
        (&opened["impact"], &opened["metadata"]["sandbook"]["key"]),
        (&json!("critical"), &json!("k1"))
    );
    let unresolved = caller
        .get_as(KEY, &url("incidents/unresolved"))
        .await
        .json();
    assert_eq!(unresolved[0]["id"], opened["id"]);

    let incident = url(&format!("incidents/{}", opened["id"].as_str().unwrap()));
    let body = json!({ "incident": { "status": "resolved", "body": "It is up.", "components": { world::COMPONENT_WEBSITE: "operational" } } });
    let resolved = caller.send_as(KEY, "PATCH", &incident, &body).await.json();
    assert_eq!(resolved["incident_updates"].as_array().unwrap().len(), 2);
    assert_eq!(
        resolved["incident_updates"][0]["affected_components"][0]["old_status"],
        "major_outage"
    );
    assert_eq!(resolved["metadata"]["sandbook"]["key"], "k1");
    assert!(resolved["resolved_at"].is_string());
    assert_eq!(
        caller
            .get_as(KEY, &url("incidents/unresolved"))
            .await
            .json(),
        json!([])
    );
    assert_eq!(caller.get_as(KEY, &incident).await.json(), resolved);
}

#[tokio::test]
async fn a_component_is_set() {
    let caller = Caller::start(Options::healthy()).await;
    let component = url(&format!("components/{}", world::COMPONENT_CHECKOUT));
    let body = json!({ "component": { "status": "partial_outage" } });
    assert_eq!(
        caller.send_as(KEY, "PATCH", &component, &body).await.json()["status"],
        "partial_outage"
    );
    assert_eq!(
        caller.get_as(KEY, &component).await.json()["status"],
        "partial_outage"
    );
    assert_eq!(
        caller.get_as(KEY, &url("components")).await.json()[0]["name"],
        "Website"
    );
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let options = Options {
        rate_limit: None,
        ..Options::healthy()
    };
    let caller = Caller::start(options).await;
    assert_eq!(caller.get(&url("incidents")).await.status, 401);
    assert_eq!(
        caller
            .get_as("Bearer demo-statuspage-key", &url("incidents"))
            .await
            .json(),
        json!({ "error": "Could not authenticate" })
    );
    for path in ["incidents/none", "components/none", "elsewhere"] {
        assert_eq!(caller.get_as(KEY, &url(path)).await.status, 404);
    }
    for (incident, fault) in [
        (json!({}), "Name can't be blank"),
        (
            json!({ "name": "x".repeat(256) }),
            "Name is too long (maximum is 255 characters)",
        ),
        (
            json!({ "name": "n", "body": "x".repeat(25_001) }),
            "Body is too long (maximum is 25000 characters)",
        ),
        (
            json!({ "name": "n", "status": "broken" }),
            "Status is not included in the list",
        ),
        (
            json!({ "name": "n", "impact_override": "huge" }),
            "Impact override is not included in the list",
        ),
        (
            json!({ "name": "n", "component_ids": ["none"] }),
            "Component ids are invalid",
        ),
        (
            json!({ "name": "n", "components": { world::COMPONENT_WEBSITE: "down" } }),
            "Component status is not included in the list",
        ),
        (
            json!({ "name": "n", "metadata": { "key": "k" } }),
            "Metadata values must be objects",
        ),
    ] {
        let reply = caller
            .send_as(
                KEY,
                "POST",
                &url("incidents"),
                &json!({ "incident": incident }),
            )
            .await;
        assert_eq!(
            (reply.status, reply.json()),
            (422, json!({ "error": [fault] }))
        );
    }
    let slip = json!({ "incident": { "name": "n", "statuss": "resolved" } });
    assert_eq!(
        caller
            .send_as(KEY, "POST", &url("incidents"), &slip)
            .await
            .status,
        422
    );
    assert_eq!(
        caller
            .send_as(KEY, "POST", &url("incidents"), &json!({ "name": "n" }))
            .await
            .status,
        400
    );
    assert_eq!(caller.cloud.counts().changes, 0);
}

#[tokio::test]
async fn the_real_limit_is_one_request_a_second() {
    let options = Options {
        rate_limit: Some(RateLimit {
            per_second: 0.0,
            status: 429,
            ..RateLimit::REAL
        }),
        ..Options::healthy()
    };
    let caller = Caller::start(options).await;
    assert_eq!(caller.get_as(KEY, &url("components")).await.status, 200);
    assert_eq!(caller.get_as(KEY, &url("components")).await.status, 429);
}
