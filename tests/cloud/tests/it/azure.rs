use serde_json::json;
use simcloud::{Lasting, Options, Region, world};

use crate::caller::Caller;

fn config(region: Region) -> String {
    format!(
        "https://management.azure.com{}/config/web?api-version=2024-11-01",
        region.web_app_id()
    )
}

fn group(region: Region, action: &str) -> String {
    format!(
        "https://management.azure.com{}{action}?api-version=2023-08-01",
        region.failover_group_id()
    )
}

#[tokio::test]
async fn a_token_is_given_only_for_the_right_words() {
    let caller = Caller::start(Options::healthy()).await;
    let given = caller.token(&[]).await.json();
    assert_eq!(
        (&given["token_type"], &given["expires_in"]),
        (&json!("Bearer"), &json!(3599))
    );
    for (field, value, status, error, code) in [
        (
            "client_secret",
            "wrong",
            401,
            "invalid_client",
            "AADSTS7000215",
        ),
        ("client_secret", "", 401, "invalid_client", "AADSTS7000218"),
        (
            "client_id",
            "nobody",
            400,
            "unauthorized_client",
            "AADSTS700016",
        ),
        (
            "grant_type",
            "password",
            400,
            "unsupported_grant_type",
            "AADSTS70003",
        ),
        ("grant_type", "", 400, "invalid_request", "AADSTS900144"),
        (
            "scope",
            "https://management.azure.com/",
            400,
            "invalid_scope",
            "AADSTS1002012",
        ),
        (
            "scope",
            "https://vault.azure.net/.default",
            400,
            "invalid_resource",
            "AADSTS500011",
        ),
    ] {
        let reply = caller.token(&[(field, value)]).await;
        let body = reply.json();
        assert_eq!(
            (reply.status, body["error"].as_str().unwrap()),
            (status, error),
            "{field}={value}"
        );
        assert!(
            body["error_description"]
                .as_str()
                .unwrap()
                .starts_with(code),
            "{body}"
        );
    }
}

#[tokio::test]
async fn the_resource_manager_wants_a_version_and_a_token_that_holds() {
    let caller = Caller::start(Options::healthy()).await;
    let refused = |reply: crate::caller::Reply| {
        let code = reply.json()["error"]["code"].as_str().unwrap().to_owned();
        (reply.status, code)
    };
    let url = config(Region::West);
    let bare = url.split('?').next().unwrap();
    let token = caller.azure().await;
    for (authorization, url, status, code) in [
        ("", bare, 400, "MissingApiVersionParameter"),
        (
            "Bearer made-up",
            url.as_str(),
            401,
            "InvalidAuthenticationToken",
        ),
        (
            "Basic eDp5",
            url.as_str(),
            401,
            "AuthenticationFailedInvalidHeader",
        ),
        (
            &token,
            &format!("{bare}?api-version=2001-01-01"),
            400,
            "InvalidApiVersionParameter",
        ),
        (
            &token,
            &url.replace(world::SUBSCRIPTION, "other"),
            404,
            "SubscriptionNotFound",
        ),
        (
            &token,
            &url.replace("Groups/example-shop", "Groups/other"),
            404,
            "ResourceGroupNotFound",
        ),
        (
            &token,
            &url.replace("shop-west", "shop-north"),
            404,
            "ResourceNotFound",
        ),
        (
            &token,
            &url.replace("config/web", "config/wob"),
            404,
            "InvalidResourceType",
        ),
    ] {
        let reply = caller.get_as(authorization, url).await;
        assert_eq!(refused(reply), (status, code.to_owned()), "{url}");
    }
    assert_eq!(
        refused(caller.get(&url).await),
        (401, "AuthenticationFailed".to_owned())
    );
    assert_eq!(
        caller.get_as(&token, &url.to_lowercase()).await.status,
        200,
        "paths know no case"
    );
    caller.cloud.expire_tokens();
    assert_eq!(
        refused(caller.get_as(&token, &url).await),
        (401, "ExpiredAuthenticationToken".to_owned())
    );
}

#[tokio::test]
async fn access_restrictions_are_replaced_whole() {
    let caller = Caller::start(Options::healthy()).await;
    let (token, url) = (caller.azure().await, config(Region::West));
    let before = caller.get_as(&token, &url).await.json();
    assert_eq!(
        before["properties"]["ipSecurityRestrictions"][0]["name"],
        "office"
    );
    assert_eq!(
        before["properties"]["ipSecurityRestrictions"][1]["name"],
        "Deny all"
    );

    let rules =
        json!([{ "ipAddress": "192.0.2.9", "action": "Allow", "priority": 7, "name": "new" }]);
    let body = json!({ "properties": { "ipSecurityRestrictions": rules } });
    let after = caller.send_as(&token, "PATCH", &url, &body).await;
    assert_eq!(after.status, 200);
    let after = after.json();
    assert_eq!(
        after["properties"]["ipSecurityRestrictions"][0]["ipAddress"],
        "192.0.2.9/32"
    );
    assert_eq!(
        after["properties"]["ipSecurityRestrictions"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        after["properties"]["alwaysOn"], true,
        "a patch leaves the rest"
    );
    caller.send_as(&token, "PATCH", &url, &after).await;
    let changed: Vec<bool> = caller
        .cloud
        .requests()
        .iter()
        .map(|request| request.changed)
        .collect();
    assert_eq!(
        changed,
        [false, false, true, false],
        "what is shown may be sent back and changes nothing"
    );

    let emptied = caller
        .send_as(&token, "PUT", &url, &json!({ "properties": {} }))
        .await
        .json();
    assert_eq!(
        emptied["properties"]["ipSecurityRestrictionsDefaultAction"],
        "Allow"
    );
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_refused() {
    let caller = Caller::start(Options::healthy()).await;
    let (token, url) = (caller.azure().await, config(Region::West));
    let rule = |rule| json!({ "properties": { "ipSecurityRestrictions": [rule] } });
    for (body, code) in [
        (
            rule(json!({ "ipAddress": "300.0.0.0/8", "priority": 1 })),
            "BadRequest",
        ),
        (
            rule(json!({ "ipAddress": "10.0.0.0/8", "priority": -1 })),
            "BadRequest",
        ),
        (
            rule(json!({ "ipAddress": "10.0.0.0/8", "name": "n".repeat(33) })),
            "BadRequest",
        ),
        (
            rule(json!({ "ipAddress": "10.0.0.0/8", "action": "Permit" })),
            "BadRequest",
        ),
        (
            json!({ "properties": { "ipSecurityRestrictionsDefaultAction": "deny" } }),
            "BadRequest",
        ),
        (
            json!({ "properties": { "ipSecurityRestriction": [] } }),
            "BadRequest",
        ),
        (
            json!({ "ipSecurityRestrictions": [] }),
            "InvalidRequestContent",
        ),
        (json!([]), "InvalidRequestContent"),
    ] {
        let reply = caller.send_as(&token, "PATCH", &url, &body).await;
        assert_eq!(
            (reply.status, &reply.json()["error"]["code"]),
            (400, &json!(code)),
            "{body}"
        );
    }
    assert_eq!(caller.cloud.counts().changes, 0);
}

#[tokio::test]
async fn a_failover_is_started_on_the_secondary_and_followed() {
    let caller = Caller::start(Options::healthy()).await;
    let token = caller.azure().await;
    let role = async |region| {
        let group = caller.get_as(&token, &group(region, "")).await.json();
        assert_eq!(
            group["properties"]["partnerServers"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        group["properties"]["replicationRole"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (role(Region::East).await, role(Region::West).await),
        ("Primary".to_owned(), "Secondary".to_owned())
    );

    let on_primary = caller
        .send_as(
            &token,
            "POST",
            &group(Region::East, "/failover"),
            &json!({}),
        )
        .await;
    assert_eq!(on_primary.status, 400);
    assert_eq!(
        on_primary.json()["error"]["code"],
        "FailoverGroupFailoverRequestOnPrimary"
    );

    let started = caller
        .send_as(
            &token,
            "POST",
            &group(Region::West, "/failover"),
            &json!({}),
        )
        .await;
    assert_eq!((started.status, started.header("retry-after")), (202, "0"));
    let (operation, result) = (
        started.header("azure-asyncoperation"),
        started.header("location"),
    );
    let busy = caller
        .send_as(
            &token,
            "POST",
            &group(Region::West, "/failover"),
            &json!({}),
        )
        .await;
    assert_eq!(
        (busy.status, &busy.json()["error"]["code"]),
        (409, &json!("FailoverGroupBusy"))
    );

    assert_eq!(caller.get_as(&token, result).await.status, 202);
    assert_eq!(
        caller.get_as(&token, operation).await.json()["status"],
        "Succeeded"
    );
    let done = caller.get_as(&token, result).await;
    assert_eq!(
        (done.status, &done.json()["properties"]["replicationRole"]),
        (200, &json!("Primary"))
    );
    assert_eq!(
        (role(Region::East).await, role(Region::West).await),
        ("Secondary".to_owned(), "Primary".to_owned())
    );
    assert_eq!(
        caller.cloud.state()["azure"]["failover_group"]["primary"],
        "west"
    );
}

#[tokio::test]
async fn a_failover_may_take_time_and_may_need_force() {
    let options = Options {
        down: vec![Region::East],
        failover: Lasting::For(std::time::Duration::ZERO),
        planned_needs_primary: true,
        ..Options::healthy()
    };
    let caller = Caller::start(options).await;
    let token = caller.azure().await;
    let planned = caller
        .send_as(
            &token,
            "POST",
            &group(Region::West, "/failover"),
            &json!({}),
        )
        .await;
    assert_eq!(
        (planned.status, &planned.json()["error"]["code"]),
        (409, &json!("FailoverGroupPrimaryUnreachable"))
    );
    let forced = group(Region::West, "/forceFailoverAllowDataLoss");
    let forced = caller.send_as(&token, "POST", &forced, &json!({})).await;
    assert_eq!(forced.status, 202);
    let operation = caller
        .get_as(&token, forced.header("azure-asyncoperation"))
        .await;
    assert_eq!(operation.json()["status"], "Succeeded");
}
