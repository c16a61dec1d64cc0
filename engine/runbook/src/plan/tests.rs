use serde_json::json;

use super::*;
use crate::source::Source;
use crate::step::{Action, Needs, OnDoubt, OnFailure};

const PLUGIN: &str = "
name: plug
version: 1.0.0
description: Does and undoes.
contract: sandbook:step@0.1.0
inputs: { type: object }
outputs: { type: object, properties: { id: { type: string }, token: { type: string, sensitive: true } } }
allow: [POST https://a.example.com/jobs]
slots: { api: A key., other: { description: Another., optional: true } }
";

const ENVIRONMENT: &str = "
name: demo
credentials:
  do: { kind: bearer, secret: { env: DO }, origins: [https://a.example.com] }
  undo: { kind: bearer, secret: { env: UNDO }, origins: [https://a.example.com] }
  unused: { kind: bearer, secret: { env: UNUSED }, origins: [https://a.example.com] }
ceiling: ['POST,DELETE https://a.example.com/jobs/**', POST https://a.example.com/jobs]
";

fn source(text: &str) -> Source {
    Source {
        name: "test.yaml".to_owned(),
        text: text.to_owned(),
    }
}

fn planned(runbook: &str) -> Plan {
    let (runbook, _) = Runbook::parse(&source(runbook)).unwrap();
    let manifest = Manifest::parse(&source(PLUGIN)).unwrap();
    let environment = Environment::parse(&source(ENVIRONMENT)).unwrap();
    let manifests = [(manifest.name.clone(), manifest)].into();
    let (runbook, _) = CheckedRunbook::new(runbook, manifests, [], Some(environment)).unwrap();
    Plan::new(runbook, Map::new()).unwrap()
}

#[test]
fn a_rollback_is_planned_like_a_step() {
    let plan = planned(
        "
name: x
inputs: { job: { type: string, default: j1 } }
steps:
  - id: first
    uses: plug
    credentials: { api: do }
    allow: [POST https://a.example.com/jobs]
    timeout: 2m
    rollback:
      uses: plug
      with: { id: '${{ steps.first.outputs.id }}' }
      credentials: { api: undo }
      allow: ['DELETE https://a.example.com/jobs/${{ inputs.job }}']
      reveal: [api]
      retry: { attempts: 3 }
  - id: second
    wait: 1s
finally:
  - id: last
    uses: plug
    credentials: { api: do }
    rollback: { uses: plug, credentials: { api: do }, timeout: 1m }
",
    );
    let ids: Vec<&str> = plan
        .rollbacks()
        .map(|planned| planned.step.id.as_str())
        .collect();
    assert_eq!(ids, ["first", "last"]);
    assert_eq!(plan.all_steps().count(), 3);
    assert_eq!(plan.runbook.uses().count(), 4);
    let credentials: Vec<&str> = plan
        .credentials_used()
        .into_iter()
        .map(CredentialName::as_str)
        .collect();
    assert_eq!(credentials, ["do", "undo"]);

    let rollback = plan.rollbacks().next().unwrap();
    let grants = rollback.permission.step.iter().map(ToString::to_string);
    assert!(grants.eq(["DELETE https://a.example.com/jobs/j1"]));
    assert!(rollback.permission.ceiling.is_some());
    assert_eq!(rollback.credentials[0].credential.as_str(), "undo");
    assert_eq!(rollback.credentials[0].origins.len(), 1);
    assert_eq!(rollback.reveal.len(), 1);
    assert!(rollback.sensitive_outputs.iter().eq(["token"]));
    let facts = rollback.plugin.as_ref().unwrap();
    assert_eq!(
        (facts.version.as_str(), facts.not_granted.len()),
        ("1.0.0", 1)
    );

    let step = &rollback.step;
    assert!(matches!(&step.action, Action::Plugin(_)));
    assert_eq!(step.needs, Needs::These(Vec::new()));
    assert!(step.name.is_none() && step.condition.is_none() && step.rollback.is_none());
    assert_eq!(
        (step.on_failure, step.on_doubt),
        (OnFailure::Pause, OnDoubt::Wait)
    );
    assert_eq!((step.retry.attempts, step.timeout.as_secs()), (3, 300));
}

#[test]
fn what_a_person_puts_out_may_be_sensitive() {
    let plan = planned(
        "
name: x
steps:
  - id: call
    manual: { instructions: Ring, outputs: { ticket: string, pin: { type: string, sensitive: true } } }
  - id: agree
    approval: { message: 'Go on with ${{ steps.call.outputs.ticket }}?' }
",
    );
    let call = &plan.steps[0];
    assert!(call.sensitive_outputs.iter().eq(["pin"]));
    assert!(call.permission.step.is_empty() && call.plugin.is_none() && call.rollback.is_none());
    let Action::Approval(approval) = &plan.steps[1].step.action else {
        panic!("{:?}", plan.steps[1].step.action)
    };
    assert!(
        approval
            .message
            .touches()
            .iter()
            .all(|touched| !plan.is_sensitive(touched))
    );
    let mut scope = plan.scope();
    let facts = StepFacts {
        status: "succeeded",
        changed: true,
        outputs: json!({ "ticket": "T1" }),
        error: None,
    };
    scope.set_step(&call.step.id, facts);
    assert_eq!(
        approval.message.render(&scope).unwrap(),
        json!("Go on with T1?")
    );
}
