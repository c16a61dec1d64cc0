//! The main job: the shop's region is down, and a runbook brings it back from the other one.

use serde_json::Value;
use simcloud::{Cloud, Options, Region, world};

use crate::support::Lab;

const RESTORE: [&str; 4] = ["run", "restore-site", "-i", "failed_region=east"];

fn stage(options: Options) -> (Cloud, Lab) {
    let cloud = Cloud::start_thread(options).unwrap();
    let lab = Lab::flagship(&cloud.address().to_string());
    (cloud, lab)
}

/// The steps of the last run that changed something.
fn changed(lab: &Lab) -> Vec<String> {
    let name = |event: &Value| event["step"].as_str().unwrap().to_owned();
    let mut steps: Vec<String> = lab
        .events_of("step_succeeded")
        .iter()
        .filter(|event| event["changed"] == true)
        .map(name)
        .collect();
    steps.sort();
    steps
}

#[test]
fn the_site_is_served_from_the_other_region_and_everybody_is_told() {
    let (cloud, lab) = stage(Options::default());
    assert_eq!(cloud.state()["site"]["up"], false);

    lab.sandbook(&RESTORE)
        .ok()
        .says("REHEARSAL")
        .says("the writer moved from `shop-sql-east` to `shop-sql-west`");

    let world = cloud.state();
    assert_eq!(world["site"]["up"], true, "{world}");
    assert_eq!(world["site"]["region"], "west", "{world}");
    assert_eq!(world["site"]["writable"], true, "{world}");
    let group = &world["azure"]["failover_group"];
    assert_eq!(group["primary"], "west", "{group}");
    assert_eq!(group["failovers"], 1, "{group}");
    let incidents = world["statuspage"]["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0]["status"], "resolved");
    assert!(
        world["statuspage"]["components"]
            .as_array()
            .unwrap()
            .iter()
            .all(|component| component["status"] == "operational")
    );
    assert_eq!(
        cloud.counts().by_origin[&format!("POST {}", world::HOOKS_HOST)],
        1
    );
}

#[test]
fn every_effect_is_on_record_before_its_outcome() {
    let (cloud, lab) = stage(Options::default());
    lab.sandbook(&RESTORE).ok();

    let events = lab.events();
    let sent: Vec<&Value> = events
        .iter()
        .filter(|event| event["kind"] == "request_begun")
        .collect();
    let arrived: Vec<_> = cloud
        .requests()
        .into_iter()
        .filter(|request| request.method != "GET" && request.host != world::LOGIN_HOST)
        .collect();
    assert_eq!(sent.len(), arrived.len());
    for begun in sent {
        let ended = events
            .iter()
            .find(|event| {
                event["kind"] == "request_ended"
                    && event["step"] == begun["step"]
                    && event["request"] == begun["request"]
            })
            .unwrap_or_else(|| panic!("no outcome of {begun}"));
        assert!(ended["seq"].as_u64() > begun["seq"].as_u64());
    }
    let last = events.last().unwrap();
    assert_eq!(last["kind"], "run_finished");
    assert_eq!(last["status"], "succeeded");
    assert_eq!(last["outputs"]["region"]["value"], "west");
}

#[test]
fn a_second_run_changes_nothing_that_is_right_already() {
    let (cloud, lab) = stage(Options::default());
    lab.sandbook(&RESTORE).ok();
    assert_eq!(
        changed(&lab),
        ["announce", "failover", "resolve", "tell", "update_ip"]
    );
    let before = cloud.state();

    lab.sandbook(&RESTORE)
        .ok()
        .says("`shop-sql-west` already has the writer")
        .says("everything is as it should be");
    // The incident was over: this is another one.
    assert_eq!(changed(&lab), ["announce", "resolve", "tell"]);
    let after = cloud.state();
    assert_eq!(before["azure"], after["azure"]);
    assert_eq!(before["cloudflare"], after["cloudflare"]);
}

#[test]
fn a_dry_run_lists_what_it_would_send_and_sends_none_of_it() {
    let (cloud, lab) = stage(Options::default());
    let mut arguments = RESTORE.to_vec();
    arguments.push("--dry-run");

    let said = lab
        .sandbook(&arguments)
        .ok()
        .says("Dry run: nothing was changed. It would have sent:");

    assert_eq!(cloud.counts().changes, 0);
    assert!(
        cloud
            .requests()
            .iter()
            .all(|request| request.method == "GET" || request.host == world::LOGIN_HOST)
    );
    let held = lab.events_of("request_held");
    assert_eq!(held.len(), 4, "{held:?}");
    for event in held {
        said.clone().says(&format!(
            "{} {}",
            event["asked"]["method"].as_str().unwrap(),
            event["asked"]["url"].as_str().unwrap()
        ));
    }
}

#[test]
fn when_the_other_region_is_down_too_customers_are_told_and_the_run_fails() {
    let (cloud, lab) = stage(Options {
        down: vec![Region::East, Region::West],
        ..Options::default()
    });
    let runbook = std::fs::read_to_string(lab.path("restore-site.yaml")).unwrap();
    lab.write(
        "restore-site.yaml",
        &runbook
            .replace("within: 2m", "within: 1s")
            .replace("delay: 5s", "delay: 10ms"),
    );

    lab.sandbook(&RESTORE).exits(1);

    let world = cloud.state();
    assert_eq!(world["statuspage"]["incidents"][0]["status"], "identified");
    let last = lab.events().pop().unwrap();
    assert_eq!(last["status"], "failed");
    assert!(
        !lab.events_of("step_succeeded")
            .iter()
            .any(|event| event["step"] == "resolve")
    );
    assert_eq!(
        lab.events_of("step_succeeded")
            .last()
            .map(|event| event["step"].clone()),
        Some("tell".into()),
        "`finally` runs last, in any case"
    );
}

#[test]
fn each_part_is_a_runbook_of_its_own() {
    let (cloud, lab) = stage(Options::healthy());

    lab.sandbook(&["run", "failover-sql", "-i", "region=west"])
        .ok();
    assert_eq!(cloud.state()["azure"]["failover_group"]["primary"], "west");

    lab.sandbook(&["run", "update-ip", "-i", "region=west"])
        .ok();
    assert_eq!(cloud.state()["site"]["region"], "west");

    lab.sandbook(&[
        "run",
        "update-ip",
        "-i",
        "region=west",
        "-i",
        "through=dns_record",
    ])
    .ok();
    assert_eq!(
        cloud.state()["cloudflare"]["dns_record"]["content"],
        Region::West.origin_host()
    );

    let post = |status: &str| {
        let status = format!("status={status}");
        lab.sandbook(&[
            "run",
            "post-status",
            "-i",
            "title=A drill",
            "-i",
            "body=All is well.",
            "-i",
            &status,
        ])
        .ok();
    };
    post("investigating");
    post("monitoring");
    post("resolved");
    let incidents = &cloud.state()["statuspage"]["incidents"];
    assert_eq!(incidents.as_array().unwrap().len(), 1);
    assert_eq!(incidents[0]["status"], "resolved");
}

#[test]
fn the_printed_ceiling_can_be_pasted() {
    let (_cloud, lab) = stage(Options::default());
    let demo = std::fs::read_to_string(lab.path("environments/demo.yaml")).unwrap();
    let (before, rest) = demo.split_once("\nceiling:\n").unwrap();
    let (_, network) = rest.split_once("\nnetwork:\n").unwrap();
    let printed = lab
        .sandbook(&["plan", "restore-site", "--ceiling"])
        .ok()
        .out;
    assert!(printed.contains("/servers/*/failoverGroups/"), "{printed}");
    let pasted = format!("{before}\n{printed}network:\n{network}");
    lab.write(
        "environments/pasted.yaml",
        &pasted.replace("name: demo", "name: pasted"),
    );
    lab.sandbook(&["check", "restore-site", "--env", "pasted"])
        .ok()
        .says("no faults");
    // With the input known, every grant lies within it, or the plan would be refused.
    for region in ["failed_region=east", "failed_region=west"] {
        lab.sandbook(&["plan", "restore-site", "--env", "pasted", "-i", region])
            .ok();
    }
}

#[test]
fn once_the_region_is_back_the_database_is_moved_back() {
    let (cloud, lab) = stage(Options::default());
    lab.sandbook(&RESTORE).ok();
    cloud.region_up(Region::East);
    lab.sandbook(&["undo", "@last", "--yes", "--reason", "east is back"])
        .ok()
        .says("What `")
        .says("failover.rollback");
    let group = &cloud.state()["azure"]["failover_group"];
    assert_eq!(group["primary"], "east", "{group}");
    assert_eq!(group["failovers"], 2, "{group}");
    lab.sandbook(&["audit", "verify"]).ok();
    lab.sandbook(&["show", "@last", "--markdown"])
        .ok()
        .says("# restore-site cancelled")
        .says("east is back");
}
