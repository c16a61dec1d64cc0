//! What is said of cases that don't go as expected.

use insta::assert_snapshot;

use crate::support::Lab;
use crate::support::plain::plain;

/// Each case goes wrong in its own way, but for the last ones.
const CASES: &str = r#"
credentials: { api: made-up-key, other: made-up-other }
allow: ["* https://a.example/**"]
cases:
  - name: another body and a missing credential
    input:
      actions:
        - { do: log, message: about to send }
        - { do: send, method: POST, url: "https://a.example/x", headers: { x-team: dev }, body: { a: { b: 1, c: [1, 2] }, d: 4 } }
    exchanges:
      - request: POST https://a.example/x
        credential: api
        headers: { X-Team: ops }
        body: { a: { b: 1, c: [1, 3] }, d: 4 }
        answer: 200
    expect: {}
  - name: another credential
    input: { actions: [{ do: send, url: "https://a.example/x", slot: other }] }
    exchanges: [{ request: GET https://a.example/x, credential: api, answer: 200 }]
    expect: {}
  - name: a part that isn't there
    input: { actions: [{ do: send, method: PUT, url: "https://a.example/x", body: { a: 1, b: 2 } }] }
    exchanges: [{ request: PUT https://a.example/x, body_includes: { b: 3 }, answer: 200 }]
    expect: {}
  - name: one request more
    input: { actions: [{ do: send, url: "https://a.example/x" }, { do: send, method: DELETE, url: "https://a.example/y", slot: api, body: gone }] }
    exchanges: [{ request: GET https://a.example/x, answer: 200 }]
    expect: {}
  - name: one request less
    input: { actions: [] }
    exchanges: [{ request: GET https://a.example/x, answer: 200 }]
    expect: {}
  - name: other outputs
    input: { actions: [{ do: return, data: { text: b }, changed: true, summary: did it }] }
    expect: { output: { text: a }, changed: false, summary: did it }
  - name: a failure in place of a success
    input: { actions: [{ do: print, error: true, text: "not \e[1mtoday" }, { do: fail, kind: conflict, code: Taken, message: it is taken }] }
    expect: { changed: true }
  - name: a failure of another kind
    input: { actions: [{ do: fail, kind: conflict, code: Taken, message: it is taken }] }
    expect: { failure: { kind: not-found, code: Taken, message: nobody } }
  - name: a success in place of a failure
    input: { actions: [] }
    expect: { failure: { kind: failed } }
  - name: what isn't granted
    allow: []
    input: { actions: [{ do: send, url: "https://a.example/x", must: true }] }
    exchanges: [{ request: GET https://a.example/x, answer: 200 }]
    expect: {}
  - name: nothing held back
    dry_run: true
    input: { actions: [{ do: send, method: POST, url: "https://a.example/x", body: a }] }
    expect: { held_back: [{ request: POST https://a.example/x, body: b }, POST https://a.example/y] }
  - name: a secret that is told
    reveal: [api]
    input: { actions: [{ do: spill, slot: api, to: log }] }
    expect: {}
  - name: a slot that the plugin doesn't have
    credentials: { unknown: made-up-key }
    expect: {}
  - name: a crash that leaves no doubt
    input: { actions: [{ do: send, method: POST, url: "https://a.example/x" }] }
    exchanges: [{ request: POST https://a.example/x, crash: true }]
    expect: { diverged: true }
  - name: an exit
    input: { actions: [{ do: exit, status: 3 }] }
    expect: {}
  - name: as expected, an attempt that asks for something else
    input:
      actions:
        - { do: in_attempt, attempt: 1, then: { do: send, method: POST, url: "https://a.example/x" } }
        - { do: in_attempt, attempt: 2, then: { do: send, method: POST, url: "https://a.example/y" } }
    exchanges: [{ request: POST https://a.example/x, answer: 200, crash: true }]
    expect: { diverged: true }
  - name: as expected, an answer that tells the secret
    input: { actions: [{ do: send, url: "https://a.example/x", slot: api }] }
    exchanges: [{ request: GET https://a.example/x, credential: api, answer: { body: made-up-key } }]
    expect: { output_includes: { results: [{ status: 200, body: "[secret api]" }] } }
  - name: as expected, attempts an hour apart
    attempts: 3
    input: { actions: [{ do: sleep, milliseconds: 3600000 }, { do: fail_unless, attempt: 3, kind: unavailable, retry_after_milliseconds: 3600000 }] }
    timeout: 2h
    expect: {}
  - name: as expected, an hour by the language's own clock
    input: { actions: [{ do: doze, milliseconds: 3600000 }, { do: now }] }
    timeout: 2h
    expect: { output: { results: [1767229200000] } }
  - name: as expected, a step that returns too late
    input: { actions: [{ do: doze, milliseconds: 3600000 }] }
    timeout: 30m
    expect: { failure: { kind: timed-out, code: timeout } }
  - name: as expected, an answer after the request's time-out
    input: { actions: [{ do: send, url: "https://a.example/x", timeout_milliseconds: 2000 }, { do: now }] }
    exchanges: [{ request: GET https://a.example/x, answer: 200, took: 10s }]
    expect: { output_includes: { results: [{ error: timed-out }, 1767225602000] } }
  - name: as expected, an answer that is on record after the plugin's patience
    attempts: 2
    input:
      actions:
        - { do: send, method: POST, url: "https://a.example/x", timeout_milliseconds: 2000 }
        - { do: fail_unless, attempt: 2 }
    exchanges: [{ request: POST https://a.example/x, answer: 201, took: 10s }]
    expect: { output_includes: { results: [{ status: 201 }] } }
  - name: as expected, the same each time
    input: { actions: [{ do: context }, { do: now }] }
    expect:
      output_includes:
        results:
          - { run: testtesttest, step: puppet, attempt: 1, idempotency_key: b5eafe5d32d9e2db9189fc673c3136fc, started_at: 1767225600000, dry_run: false }
          - 1767225600000
"#;

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("puppet.cases.yaml", CASES);
    lab
}

const TEST: [&str; 5] = ["plugin", "test", "puppet.cases.yaml", "--plugin", "puppet"];

#[test]
fn each_case_says_in_what_it_differs() {
    let lab = lab();
    let said = lab.sandbook(&TEST).exits(1);
    assert_snapshot!(plain(&(said.out + &said.err), &lab));
}

#[test]
fn for_programs_each_case_is_a_line() {
    let lab = lab();
    let said = lab.sandbook(&[&TEST[..], &["--output", "json", "--case", "another"]].concat());
    let lines = said.exits(1).json_lines();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["case"], "another body and a missing credential");
    assert_eq!(
        (&lines[0]["line"], &lines[0]["passed"]),
        (&5.into(), &false.into())
    );
    let difference = &lines[0]["differences"][0];
    assert_eq!(
        (&difference["exchange"], &difference["line"]),
        (&1.into(), &11.into())
    );
    assert!(
        difference["diff"]
            .as_str()
            .unwrap()
            .contains("- credential: api\n")
    );
    assert_eq!(lines[0]["said"][0], "info: about to send");
    assert_eq!(lines[3]["failed"], 3);
}
