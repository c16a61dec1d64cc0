//! Manifests that are made to keep whoever reads them busy, or to fell them.

use serde_json::{Map, Value, json};

use crate::support::{Lab, Said, target};

/// Packs a component with this schema of its inputs, if that can be.
fn pack(lab: &Lab, inputs: &Value) -> Said {
    let manifest = json!({
        "name": "bad", "version": "1", "description": "x", "contract": "sandbook:step@0.1.0",
        "inputs": inputs, "outputs": { "type": "object" },
    });
    pack_with(lab, &manifest.to_string())
}

/// Packs a component with this manifest, if that can be.
fn pack_with(lab: &Lab, manifest: &str) -> Said {
    lab.write("plugin.yaml", manifest);
    let noop = target().join("guests/wasm32-wasip2/release/noop.wasm");
    let noop = noop.to_str().unwrap();
    lab.sandbook(&[
        "plugin",
        "pack",
        noop,
        "--manifest",
        "plugin.yaml",
        "--to",
        "bad.wasm",
    ])
}

#[test]
fn a_schema_that_never_ends_is_refused() {
    let lab = Lab::new();
    pack(&lab, &json!({ "type": "object", "$ref": "#" }))
        .exits(2)
        .says("refers to itself");
    let mutual = json!({ "type": "object", "allOf": [{ "$ref": "#/$defs/a" }],
        "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } });
    pack(&lab, &mutual).exits(2).says("refers to itself");
}

#[test]
fn a_schema_that_doubles_with_every_line_is_refused() {
    let lab = Lab::new();
    let mut definitions: Map<String, Value> = (0..30)
        .map(|n| {
            let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
            (format!("d{n}"), json!({ "allOf": [next, next] }))
        })
        .collect();
    definitions.insert("d30".to_owned(), json!({ "type": "object" }));
    let bomb = json!({ "type": "object", "$ref": "#/$defs/d0", "$defs": definitions });
    pack(&lab, &bomb)
        .exits(2)
        .says("parts once its references are followed");
}

/// A component whose outputs are whatever it is told, under a manifest that says they are quite different.
#[test]
fn outputs_that_fit_their_schema_nowhere_fail_the_step() {
    let lab = Lab::new();
    let all_of = vec![json!({ "type": "string" }); 2_000];
    let manifest = json!({
        "name": "liar", "version": "1", "description": "x", "contract": "sandbook:step@0.1.0", "wasi_http": true,
        "inputs": { "type": "object" },
        "outputs": { "type": "object", "properties": { "xs": { "items": { "allOf": all_of } } } },
    });
    lab.write("plugin.yaml", &manifest.to_string());
    let puppet = target().join("guests/wasm32-wasip2/release/puppet.wasm");
    let puppet = puppet.to_str().unwrap();
    let pack = [
        "plugin",
        "pack",
        puppet,
        "--manifest",
        "plugin.yaml",
        "--to",
        "liar.wasm",
    ];
    lab.sandbook(&pack).ok();
    lab.write(
        "sandbook.yaml",
        "state: .sandbook\nplugins: { liar: liar.wasm }\n",
    );
    lab.write(
        "job.yaml",
        r#"name: job
inputs: { xs: { type: list } }
steps: [{ id: a, uses: liar, with: { actions: [{ do: return, data: { xs: "${{ inputs.xs }}" } }] } }]
finally: [{ id: b, wait: 1ms }]
"#,
    );
    for (items, says) in [
        (30, "expected text, found a whole number"),
        (10_000, "expected text, found a whole number"),
        (400_000, "too large to be held against its schema"),
    ] {
        lab.write("xs.json", &format!("[{}0]", "0,".repeat(items - 1)));
        lab.sandbook(&["run", "job", "-i", "xs=@xs.json"])
            .exits(1)
            .says(says);
        let failed = lab.events_of("step_failed");
        assert!(failed[0].to_string().len() < 4_000, "{items}");
        assert_eq!(lab.events_of("step_succeeded")[0]["step"], "b");
    }
}

#[test]
fn a_regular_expression_takes_time_by_its_text_and_no_more() {
    let lab = Lab::new();
    let pattern = |pattern: &str| json!({ "type": "object", "properties": { "text": { "type": "string", "pattern": pattern } } });
    // One that backtracks for ages where patterns do.
    pack(&lab, &pattern("^(a+)+$")).ok();
    lab.write(
        "sandbook.yaml",
        "state: .sandbook\nplugins: { bad: bad.wasm }\n",
    );
    let text = format!("{}b", "a".repeat(50_000));
    let runbook = format!("name: job\nsteps: [{{ id: a, uses: bad, with: {{ text: {text} }} }}]\n");
    lab.write("job.yaml", &runbook);
    lab.sandbook(&["check", "job"])
        .exits(2)
        .says("does not match");
    // One that would be gigabytes once it is compiled, and one that looks back.
    pack(&lab, &pattern("((a{1000}){1000}){1000}")).exits(2);
    pack(&lab, &pattern("(?<=a)b")).exits(2);
}

#[test]
fn a_manifest_that_is_too_large_is_refused() {
    let lab = Lab::new();
    let description = "x".repeat(3 << 20);
    pack(
        &lab,
        &json!({ "type": "object", "description": description }),
    )
    .exits(2)
    .says("at most");
    let nested = (0..100_000).fold(String::new(), |text, _| text + "[");
    pack_with(&lab, &format!("name: {nested}")).exits(2);
}
