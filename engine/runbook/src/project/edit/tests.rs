//! What is changed, and what isn't.

use super::*;

fn source(text: &str) -> Source {
    Source {
        name: "sandbook.yaml".to_owned(),
        text: text.to_owned(),
    }
}

fn plugin(from: &str, signed_by: Option<&[&str]>) -> ProjectPlugin {
    ProjectPlugin {
        source: from.parse().unwrap(),
        signed_by: signed_by
            .map(|keys| keys.iter().map(|key| KeyName::new(*key).unwrap()).collect()),
    }
}

fn name(name: &str) -> PluginName {
    PluginName::new(name).unwrap()
}

#[track_caller]
fn add(text: &str) -> String {
    let plugin = plugin("oci://h:5000/ops/purge:1.4.0", None);
    with_plugin(&source(text), &name("purge"), &plugin).unwrap()
}

const LINE: &str = "purge: oci://h:5000/ops/purge:1.4.0";

#[test]
fn a_plugin_is_added_and_all_else_stays() {
    for (text, changed) in [
        ("state: .s\n", "state: .s\n\nplugins:\n  LINE\n"),
        (
            "plugins: &p\n  a: a\n...",
            "plugins: &p\n  a: a\n  LINE\n...",
        ),
        (
            "# mine\nstate: .s",
            "# mine\nstate: .s\n\nplugins:\n  LINE\n",
        ),
        (
            "# mine\nplugins:\n    # one\n    a: a.wasm # the first\n    b:   'b.wasm'   # the last\n\n# where\nstate: .s\n",
            "# mine\nplugins:\n    # one\n    a: a.wasm # the first\n    b:   'b.wasm'   # the last\n    LINE\n\n# where\nstate: .s\n",
        ),
        (
            "plugins:\n  a:\n    from: a.wasm\n    signed_by:\n    - ops\nkeys:\n  ops: { cosign: k.pub }\n",
            "plugins:\n  a:\n    from: a.wasm\n    signed_by:\n    - ops\n  LINE\nkeys:\n  ops: { cosign: k.pub }\n",
        ),
        (
            "plugins:\n  a: { from: a.wasm,\n       signed_by: [] }\nstate: .s\n",
            "plugins:\n  a: { from: a.wasm,\n       signed_by: [] }\n  LINE\nstate: .s\n",
        ),
        ("plugins:\n  a: a.wasm", "plugins:\n  a: a.wasm\n  LINE\n"),
        ("plugins: {}\nstate: .s\n", "plugins: { LINE }\nstate: .s\n"),
        (
            "plugins: { a: a.wasm } # x\n",
            "plugins: { a: a.wasm, LINE } # x\n",
        ),
        ("plugins:\n  ü: x\n", ""),
    ] {
        if changed.is_empty() {
            let refused = with_plugin(&source(text), &name("purge"), &plugin("a", None));
            assert!(matches!(refused, Err(EditFault::Faulty(_))));
            continue;
        }
        assert_eq!(add(text), changed.replace("LINE", LINE));
    }
}

#[test]
fn who_must_have_signed_it_is_written_too() {
    let text = "keys: { ops: { cosign: k.pub } }\n";
    let signed = plugin("https://h/x.wasm", Some(&["ops"]));
    let changed = with_plugin(&source(text), &name("x"), &signed).unwrap();
    assert_eq!(
        changed,
        format!("{text}\nplugins:\n  x: {{ from: \"https://h/x.wasm\", signed_by: [ops] }}\n")
    );
    // A path that would read as something else without quotes.
    let odd = plugin("my plugins/#1.wasm", None);
    let changed = with_plugin(&source("state: .s"), &name("x"), &odd).unwrap();
    assert!(changed.contains("x: \"my plugins/#1.wasm\""), "{changed}");
}

#[test]
fn a_plugin_is_removed_and_all_else_stays() {
    let remove = |text: &str| without_plugin(&source(text), &name("b")).unwrap();
    for (text, changed) in [
        (
            "plugins:\n  # one\n  a: a\n  b: b # two\n  c: c\n",
            "plugins:\n  # one\n  a: a\n  c: c\n",
        ),
        (
            "plugins:\n  a: a\n  b:\n    from: b\n    signed_by: []\n# where\nstate: .s\n",
            "plugins:\n  a: a\n# where\nstate: .s\n",
        ),
        (
            "plugins: # all\n  b: b\nstate: .s\n",
            "plugins: {} # all\nstate: .s\n",
        ),
        (
            "plugins: { a: a, b: b, c: c }\n",
            "plugins: { a: a, c: c }\n",
        ),
        ("plugins: { b: b, c: c }\n", "plugins: { c: c }\n"),
        ("plugins: { a: a, b: b }\n", "plugins: { a: a }\n"),
        ("plugins: { b: b }\n", "plugins: {  }\n"),
    ] {
        assert_eq!(remove(text), changed);
    }
}

#[test]
fn what_is_not_understood_is_left_to_the_person() {
    let add = |text: &str| with_plugin(&source(text), &name("b"), &plugin("b.wasm", None));
    for text in ["{ state: .s }\n", "state: .s\n...\n"] {
        match add(text) {
            Err(EditFault::ByHand { lines: Some(lines) }) => {
                assert_eq!(lines, "plugins:\n  b: b.wasm");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}
