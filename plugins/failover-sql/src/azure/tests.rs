use std::{cell::RefCell, rc::Rc};

use sandbook_step::testing::{Answer, Asked, Shown, Stage};

use super::*;

const GROUP: &str = "https://management.azure.com/subscriptions/s/resourceGroups/rg/providers/Microsoft.Sql/servers/west/failoverGroups/fg";
const OPERATION: &str = "https://management.azure.com/subscriptions/s/operations/1";

/// A group whose primary moves to `west` once its operation was asked about often enough.
struct Service {
    primary_is_west: bool,
    looks_until_over: u32,
}

impl Service {
    fn group(&self) -> Answer {
        let (west, east) = if self.primary_is_west {
            ("Primary", "Secondary")
        } else {
            ("Secondary", "Primary")
        };
        Answer::json(
            200,
            &json!({"properties": {
                "replicationRole": west,
                "partnerServers": [{"id": "/subscriptions/s/servers/east", "replicationRole": east}],
            }}),
        )
    }

    fn operation(&mut self) -> Answer {
        self.looks_until_over = self.looks_until_over.saturating_sub(1);
        self.primary_is_west = self.looks_until_over == 0;
        let status = if self.primary_is_west {
            "Succeeded"
        } else {
            "InProgress"
        };
        Answer::json(200, &json!({"status": status}))
    }
}

fn refusal(status: u16, code: &str) -> Answer {
    Answer::json(status, &json!({"error": {"code": code, "message": "…"}}))
}

fn begun() -> Answer {
    Answer::status(202)
        .header("azure-asyncoperation", OPERATION)
        .header("retry-after", "7")
}

/// Performs a failover to `west`; `start` answers the request to fail over.
fn perform(
    forced: bool,
    mut service: Service,
    mut start: impl FnMut(&mut Service) -> Answer + 'static,
) -> Shown<Result<Done<Output>, Failure>> {
    let target = Target {
        subscription: "s".to_owned(),
        resource_group: "rg".to_owned(),
        server: "west".to_owned(),
        failover_group: "fg".to_owned(),
        allow_data_loss: forced,
    };
    Stage::new(move |asked| {
        let url = asked.url.trim_end_matches("?api-version=2023-08-01");
        Ok(match asked.method.as_str() {
            "POST" => start(&mut service),
            _ if url == GROUP => service.group(),
            _ if url == OPERATION => service.operation(),
            _ => Answer::status(404),
        })
    })
    .slot("azure")
    .perform(|context| fail_over(context, &target))
}

fn east_in_charge() -> Service {
    Service {
        primary_is_west: false,
        looks_until_over: 2,
    }
}

fn posts<T>(shown: &Shown<T>) -> Vec<&Asked> {
    shown
        .asked
        .iter()
        .filter(|asked| asked.method == "POST")
        .collect()
}

#[test]
fn the_secondary_is_asked_and_its_operation_followed() {
    let shown = perform(false, east_in_charge(), |_| begun());
    let done = shown.ended.as_ref().unwrap();
    assert!(done.changed);
    assert_eq!(
        done.data,
        Output {
            primary: "west".to_owned(),
            previous: Some("east".to_owned())
        }
    );
    assert_eq!(
        posts(&shown)[0].url,
        format!("{GROUP}/failover?api-version=2023-08-01")
    );
    assert_eq!(posts(&shown)[0].repeatable, Some(true));
    assert_eq!(shown.waited.as_secs(), 14, "the service's own pace");
}

#[test]
fn a_forced_failover_is_another_request_and_not_repeatable() {
    let shown = perform(true, east_in_charge(), |_| begun());
    assert!(shown.ended.as_ref().unwrap().changed);
    assert!(
        posts(&shown)[0]
            .url
            .contains("/forceFailoverAllowDataLoss?")
    );
    assert_eq!(posts(&shown)[0].repeatable, Some(false));
}

#[test]
fn what_is_right_is_left_alone() {
    let shown = perform(
        false,
        Service {
            primary_is_west: true,
            looks_until_over: 0,
        },
        |_| begun(),
    );
    assert!(!shown.ended.as_ref().unwrap().changed);
    assert_eq!(shown.asked.len(), 1);
}

#[test]
fn a_refusal_because_it_is_primary_by_now_is_success() {
    let shown = perform(false, east_in_charge(), |service| {
        service.primary_is_west = true;
        refusal(400, "FailoverGroupFailoverRequestOnPrimary")
    });
    assert!(shown.ended.unwrap().changed);
}

#[test]
fn a_refusal_that_is_not_so_is_a_conflict() {
    let shown = perform(false, east_in_charge(), |_| {
        refusal(400, "FailoverGroupNotSecondary")
    });
    let failure = shown.ended.unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_deref()),
        (Kind::Conflict, Some("FailoverGroupNotSecondary"))
    );
}

#[test]
fn a_busy_group_is_waited_for() {
    let mut refusals = 2;
    let shown = perform(false, east_in_charge(), move |_| {
        refusals -= 1;
        if refusals >= 0 {
            refusal(409, "FailoverGroupBusy").header("retry-after", "3")
        } else {
            begun()
        }
    });
    assert!(shown.ended.as_ref().unwrap().changed);
    assert_eq!(posts(&shown).len(), 3);
}

#[test]
fn another_conflict_is_passed_on() {
    let shown = perform(false, east_in_charge(), |_| {
        refusal(409, "FailoverGroupPrimaryUnreachable")
    });
    assert_eq!(
        shown.ended.unwrap_err().code.as_deref(),
        Some("FailoverGroupPrimaryUnreachable")
    );
}

#[test]
fn location_is_followed_where_there_is_nothing_better() {
    let service = Service {
        primary_is_west: false,
        looks_until_over: 1,
    };
    let shown = perform(false, service, |_| {
        Answer::status(202).header("location", OPERATION)
    });
    assert!(shown.ended.as_ref().unwrap().changed);
    assert_eq!(shown.asked[2].url, OPERATION);
}

#[test]
fn an_operation_that_never_ends_is_timed_out_with_what_to_do() {
    let shown = perform(
        false,
        Service {
            primary_is_west: false,
            looks_until_over: u32::MAX,
        },
        |_| begun(),
    );
    let failure = shown.ended.unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_deref()),
        (Kind::TimedOut, Some("StillUnderWay"))
    );
}

#[test]
fn an_operation_that_failed_is_asked_for_anew() {
    let asked = Rc::new(RefCell::new(0));
    let target = serde_json::from_value(json!({
        "subscription": "s", "resource_group": "rg", "server": "west", "failover_group": "fg",
    }))
    .unwrap();
    let count = Rc::clone(&asked);
    let shown = Stage::new(move |asked| {
        *count.borrow_mut() += 1;
        Ok(match (asked.method.as_str(), asked.url == OPERATION) {
            ("POST", _) => begun(),
            (_, true) => Answer::json(
                200,
                &json!({"status": "Failed", "error": {"code": "X", "message": "no room"}}),
            ),
            _ => east_in_charge().group(),
        })
    })
    .slot("azure")
    .perform(|context| fail_over(context, &target));
    let failure = shown.ended.unwrap_err();
    assert!(failure.start_over);
    assert_eq!(failure.message, "the failover ended as Failed: no room");
}

#[test]
fn where_the_operation_is_not_granted_the_group_is_looked_at() {
    let looks = RefCell::new(0);
    let target = serde_json::from_value(json!({
        "subscription": "s", "resource_group": "rg", "server": "west", "failover_group": "fg",
    }))
    .unwrap();
    let shown = Stage::new(
        move |asked| match (asked.method.as_str(), asked.url == OPERATION) {
            ("POST", _) => Ok(begun()),
            (_, true) => Err(http::Error::Denied("no grant".to_owned())),
            _ => {
                *looks.borrow_mut() += 1;
                Ok(Service {
                    primary_is_west: *looks.borrow() > 2,
                    looks_until_over: 0,
                }
                .group())
            }
        },
    )
    .slot("azure")
    .perform(|context| fail_over(context, &target));
    assert!(shown.ended.unwrap().changed);
}
