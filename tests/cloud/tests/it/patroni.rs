use serde_json::{Value, json};
use simcloud::{Options, Region};

use crate::caller::{Caller, json as with_json, reply};

fn node(region: Region, path: &str) -> String {
    format!("http://{}{path}", region.patroni_host())
}

async fn switch(caller: &Caller, body: &Value) -> (u16, String) {
    let reply = reply(with_json(
        caller.request("POST", &node(Region::West, "/switchover")),
        body,
    ))
    .await;
    (reply.status, reply.text)
}

#[tokio::test]
async fn the_leader_is_switched_by_its_name() {
    let caller = Caller::start(Options::healthy()).await;
    assert_eq!(
        caller.get(&node(Region::East, "/primary")).await.status,
        200
    );
    assert_eq!(
        caller.get(&node(Region::West, "/primary")).await.status,
        503
    );
    let move_west = json!({ "leader": "pg-east", "candidate": "pg-west" });
    assert_eq!(
        switch(&caller, &move_west).await,
        (200, "Successfully switched over to \"pg-west\"".to_owned())
    );
    assert_eq!(
        switch(&caller, &move_west).await.0,
        412,
        "the name is a compare-and-swap"
    );
    assert_eq!(
        caller.get(&node(Region::West, "/primary")).await.status,
        200
    );
    let cluster = caller.get(&node(Region::East, "/cluster")).await.json();
    assert_eq!(
        (
            &cluster["members"][1]["role"],
            &cluster["members"][1]["timeline"]
        ),
        (&json!("leader"), &json!(2))
    );
    assert_eq!(
        caller.get(&node(Region::East, "/history")).await.json()[0][4],
        "pg-west"
    );
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let caller = Caller::start(Options::healthy()).await;
    for (body, status) in [
        (json!({}), 400),
        (json!({ "leader": "pg-east", "candidate": "pg-east" }), 400),
        (json!({ "leader": "pg-east", "candidat": "pg-west" }), 400),
        (json!({ "leader": "pg-west", "candidate": "pg-east" }), 412),
        (json!({ "leader": "pg-east", "candidate": "pg-north" }), 412),
    ] {
        assert_eq!(switch(&caller, &body).await.0, status, "{body}");
    }
}

#[tokio::test]
async fn a_node_that_is_down_does_not_answer_and_the_other_takes_over() {
    let caller = Caller::start(Options::healthy()).await;
    caller.cloud.region_down(Region::East);
    assert!(
        caller
            .request("GET", &node(Region::East, "/primary"))
            .send()
            .await
            .is_err()
    );
    assert_eq!(
        caller.get(&node(Region::West, "/primary")).await.status,
        200
    );
    let move_back = json!({ "leader": "pg-west", "candidate": "pg-east" });
    assert_eq!(switch(&caller, &move_back).await.0, 412);
}
