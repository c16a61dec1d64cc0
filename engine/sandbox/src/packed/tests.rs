#[path = "tests/mutated.rs"]
mod mutated;

use super::*;
use crate::{pack::pack, plugin::sample};

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn refused(bytes: Vec<u8>) -> String {
    Packed::read(bytes).unwrap_err().to_string()
}

/// A component that exports `step` with a `run` of this type, and imports `imports`.
fn exporting(imports: &str, run: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component {imports}
            (core module $m (func (export "run") (param i32) (result i32) local.get 0))
            (core instance $m (instantiate $m))
            (func $run {run} (canon lift (core func $m "run")))
            (instance $step (export "run" (func $run)))
            (export "step" (instance $step)))"#
    ))
}

#[test]
fn a_packed_component_shows_its_imports_and_its_manifest() {
    let packed = Packed::read(pack(&sample::component(""), b"{}").unwrap()).unwrap();
    assert_eq!(packed.manifest_json(), b"{}");
    assert!(
        packed
            .imports()
            .contains(&"sandbook:step/http@0.1.0".to_owned())
    );
    assert_eq!(packed.digest(), Digest::of(packed.bytes()));
}

#[test]
fn what_is_not_a_component_is_named() {
    assert_eq!(refused(b"hello".to_vec()), "this is not WebAssembly");
    assert_eq!(refused(Vec::new()), "this is not WebAssembly");
    assert!(refused(wat("(module)")).starts_with("this is a core module, not a component"));
    assert_eq!(
        refused(b"\0asm\x0d\0\x01\0garbage".to_vec()),
        "this is not a valid component"
    );
    assert_eq!(refused(b"\0asm".to_vec()), "this is not a valid component");
}

#[test]
fn a_component_of_another_world_is_refused() {
    let no_step = "this is a component of another world: it exports no interface `step` with a function `run`";
    assert_eq!(refused(wat("(component)")), no_step);
    assert_eq!(
        refused(wat(
            r#"(component (instance $i) (export "step" (instance $i)))"#
        )),
        no_step
    );
    assert_eq!(
        refused(exporting("", r#"(param "x" u32) (result u32)"#)),
        "this component's `step.run` is not the contract's: it is `func(x: u32) -> u32`"
    );
}

#[test]
fn unknown_imports_are_named() {
    let more = wat(r#"(component (type $none (instance))
            (import "wasi:http/incoming-handler@0.2.3" (instance (type $none)))
            (import "acme:x/y" (instance (type $none))))"#);
    // The first type of the sample is an instance's too, so that its sections may simply follow.
    assert_eq!(
        refused([&sample::component(""), &more[8..]].concat()),
        "this component imports what a step can't have: `wasi:http/incoming-handler@0.2.3`, `acme:x/y`"
    );
}

#[test]
fn a_client_of_its_own_is_something_that_the_manifest_says() {
    let more = wat(r#"(component (type $none (instance))
            (import "wasi:http/outgoing-handler@0.2.3" (instance (type $none))))"#);
    let component = [&sample::component(""), &more[8..]].concat();
    for unsaid in [
        "{}",
        r#"{"wasi_http": false}"#,
        r#"{"wasi_http": "true"}"#,
        r#"{"wasi_http": false, "wasi_http": true}"#,
        "true",
        "no JSON",
    ] {
        let error = pack(&component, unsaid.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this component imports `wasi:http/outgoing-handler@0.2.3`, and its manifest doesn't say so; write `wasi_http: true` into `plugin.yaml` and pack it anew",
            "{unsaid}"
        );
    }
    let said = pack(&component, br#"{"name": "x", "wasi_http": true}"#).unwrap();
    assert!(Packed::read(said).unwrap().has_wasi_http());
    // Whoever has no such client may say that it has: it comes to nothing.
    let said = pack(&sample::component(""), br#"{"wasi_http": true}"#).unwrap();
    assert!(!Packed::read(said).unwrap().has_wasi_http());
}

#[test]
fn a_component_that_answers_requests_is_no_plugin() {
    let answers = wat(
        r#"(component (instance $i) (export "wasi:http/incoming-handler@0.2.3" (instance $i)))"#,
    );
    assert!(refused(answers).contains("it exports no interface `step`"));
}

#[test]
fn there_is_one_manifest_of_a_bounded_size() {
    let component = sample::component("");
    assert_eq!(
        refused(component.clone()),
        "this component has no manifest; put one in with `sandbook plugin pack`"
    );

    let packed = pack(&component, b"{}").unwrap();
    let section = &packed[component.len()..];
    let twice = [&packed, section].concat();
    assert!(refused(twice).starts_with("this component has 2 manifests"));

    let mut large = component;
    let data = vec![b' '; MAX_MANIFEST_BYTES + 1];
    wasm_encoder::Section::append_to(
        &wasm_encoder::CustomSection {
            name: MANIFEST_SECTION.into(),
            data: data.into(),
        },
        &mut large,
    );
    assert_eq!(
        refused(large),
        "the manifest has 262145 bytes, of at most 262144"
    );
}

#[test]
fn a_component_that_is_too_large_is_not_read() {
    assert_eq!(
        refused(vec![0; MAX_COMPONENT_BYTES + 1]),
        "this component has 67108865 bytes, of at most 67108864"
    );
}
