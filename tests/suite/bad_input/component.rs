use super::Bench;
use crate::support::target;

const ONE_STEP: &str = "name: bad\nsteps:\n  - id: a\n    uses: bad\n";

impl Bench {
    /// Has `bad.wasm`, which holds this, refused as a plugin.
    #[track_caller]
    fn refuses_component(&self, bytes: &[u8], words: &[&str]) {
        std::fs::write(self.lab.path("bad.wasm"), bytes).unwrap();
        self.refuses(ONE_STEP, &[&["bad.wasm"], words].concat());
        self.refuses_to(&["check", "bad.yaml"], &[&["bad.wasm"], words].concat());
    }

    fn name_plugin(&self) {
        self.lab.write(
            "sandbook.yaml",
            "state: .sandbook\nplugins: { bad: bad.wasm }\n",
        );
    }
}

fn guest(name: &str) -> Vec<u8> {
    std::fs::read(target().join("guests/wasm32-wasip2/release").join(name)).unwrap()
}

#[test]
fn what_is_no_plugin() {
    let bench = Bench::new();
    bench.name_plugin();
    bench.refuses(
        ONE_STEP,
        &["bad.wasm", "can't be read", "sandbook plugin pack"],
    );
    bench.refuses_component(b"", &["is not a plugin"]);
    bench.refuses_component(b"garbage", &["this is not WebAssembly"]);
    let core = wat::parse_str("(module (func (export \"run\")))").unwrap();
    bench.refuses_component(&core, &["a core module", "wasm32-wasip2"]);
    let empty = wat::parse_str("(component)").unwrap();
    bench.refuses_component(&empty, &["another world", "`step`"]);
    bench.refuses_component(&guest("other_world.wasm"), &["another world", "`step`"]);
    bench.refuses_component(
        &guest("noop.wasm"),
        &["no manifest", "sandbook plugin pack"],
    );
    let whole = std::fs::read(target().join("test-plugins/noop.wasm")).unwrap();
    bench.refuses_component(&whole[..whole.len() / 2], &["is not a plugin"]);
}

fn pack(bench: &Bench, manifest: &str) -> crate::support::Said {
    bench.lab.write("plugin.yaml", manifest);
    let puppet = target().join("guests/wasm32-wasip2/release/puppet.wasm");
    bench.lab.sandbook(&[
        "plugin",
        "pack",
        puppet.to_str().unwrap(),
        "--manifest",
        "plugin.yaml",
        "--to",
        "bad.wasm",
    ])
}

#[test]
fn a_faulty_manifest_is_not_packed() {
    let bench = Bench::new();
    for (manifest, word) in [
        ("", "empty"),
        ("name: bad\n", "plugin.yaml"),
        (
            "name: bad\nversion: 0.1.0\ndescription: x\ncontract: sandbook:step@0.1.0\ninputs: { type: nonsense }\noutputs: {}\n",
            "inputs",
        ),
        (
            "name: bad\nversion: 0.1.0\ndescription: x\ncontract: sandbook:step@9.0.0\ninputs: {}\noutputs: {}\n",
            "contract",
        ),
    ] {
        pack(&bench, manifest)
            .exits(2)
            .says("plugin.yaml")
            .says(word);
    }
    assert!(!bench.lab.path("bad.wasm").exists());
}

/// The component with this custom section at its end, by whatever tool it was put there.
fn with_section(component: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let leb = |mut number: usize| {
        let mut bytes = Vec::new();
        while number > 0x7f {
            bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let contents = [&leb(name.len())[..], name.as_bytes(), data].concat();
    [component, &[0], &leb(contents.len()), &contents].concat()
}

#[test]
fn what_is_no_manifest_is_refused_however_it_got_there() {
    const WHOLE: &str = r#"{"name":"bad","version":"0.1.0","description":"x","contract":"sandbook:step@0.1.0","inputs":{"type":"object"},"outputs":{"type":"object"}}"#;
    let bench = Bench::new();
    bench.name_plugin();
    let noop = guest("noop.wasm");
    let packed = |manifest: &str| with_section(&noop, "sandbook:manifest", manifest.as_bytes());
    for (manifest, word) in [
        ("", "manifest"),
        ("no JSON", "manifest"),
        ("[]", "manifest"),
        ("{}", "name"),
        (
            &WHOLE.replace(
                r#""inputs":{"type":"object"}"#,
                r#""inputs":{"type":"nonsense"}"#,
            ),
            "inputs",
        ),
        (
            &WHOLE.replace(r#""outputs":{"type":"object"}"#, r#""outputs":7"#),
            "outputs",
        ),
        (&WHOLE.replace("step@0.1.0", "step@9.0.0"), "contract"),
        (&WHOLE.replace(r#""inputs""#, r#""inptus""#), "inptus"),
    ] {
        bench.refuses_component(&packed(manifest), &[word]);
    }
    let twice = with_section(&packed(WHOLE), "sandbook:manifest", WHOLE.as_bytes());
    bench.refuses_component(&twice, &["manifests"]);
    // With a true one the same component is a plugin.
    std::fs::write(bench.lab.path("bad.wasm"), packed(WHOLE)).unwrap();
    bench.lab.write("bad.yaml", ONE_STEP);
    bench.lab.sandbook(&["run", "bad.yaml"]).ok();
}

#[test]
fn a_manifest_that_lies_about_its_outputs_is_found_out() {
    let bench = Bench::new();
    pack(
        &bench,
        "name: bad\nversion: 0.1.0\ndescription: x\ncontract: sandbook:step@0.1.0\nwasi_http: true\ninputs: { type: object }\noutputs: { type: object, required: [promised] }\n",
    )
    .ok();
    bench.name_plugin();
    bench.lab.write("bad.yaml", ONE_STEP);
    bench
        .lab
        .sandbook(&["run", "bad.yaml"])
        .exits(1)
        .says("promised");
    assert!(bench.cloud.requests().is_empty());
}

#[test]
fn a_manifest_that_lies_about_its_inputs_is_found_out() {
    let bench = Bench::new();
    pack(
        &bench,
        "name: bad\nversion: 0.1.0\ndescription: x\ncontract: sandbook:step@0.1.0\nwasi_http: true\ninputs: { type: object, properties: { actions: { type: string } } }\noutputs: { type: object }\n",
    )
    .ok();
    bench.name_plugin();
    bench.lab.write(
        "bad.yaml",
        &format!("{ONE_STEP}    with: {{ actions: not a list }}\n"),
    );
    bench.lab.sandbook(&["run", "bad.yaml"]).exits(1);
    let failure = bench.lab.events_of("step_failed").pop().unwrap();
    assert_eq!(failure["failure"]["kind"], "invalid_input", "{failure}");
}
