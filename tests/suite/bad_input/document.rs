use super::Bench;

#[test]
fn the_good_one_is_good() {
    let bench = Bench::new();
    bench
        .lab
        .sandbook(&["run", "good", "--env", "bench", "-i", "count=2"])
        .ok();
    assert_eq!(bench.cloud.requests().len(), 1);
}

#[test]
fn unreadable_or_empty_yaml() {
    let bench = Bench::new();
    bench.refuses("", &["bad.yaml:1:1", "empty"]);
    bench.refuses("# nothing\n", &["bad.yaml", "empty"]);
    bench.refuses("name: x\nsteps: [", &["bad.yaml:2"]);
    bench.refuses("name: x\n\tsteps: []\n", &["bad.yaml:2"]);
    std::fs::write(bench.lab.path("bad.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    bench.refuses_to(&["run", "bad.yaml", "--env", "bench"], &["bad.yaml"]);
    bench.refuses_to(&["run", "gone.yaml", "--env", "bench"], &["gone.yaml"]);
    bench.refuses_to(&["check", "gone.yaml"], &["gone.yaml"]);
    std::fs::create_dir(bench.lab.path("folder.yaml")).unwrap();
    bench.refuses_to(&["run", "folder.yaml", "--env", "bench"], &["folder.yaml"]);
}

#[test]
fn wrong_types() {
    let bench = Bench::new();
    bench.refuses(
        "name: bad\nsteps:\n  - id: 7\n    uses: noop\n    timeout: soon\n    needs: b\n",
        &[
            "bad.yaml:3:9",
            "expected text",
            "bad.yaml:5:14",
            "500ms",
            "bad.yaml:6:12",
            "[b]",
        ],
    );
    bench.refuses("[]", &["bad.yaml:1"]);
    bench.refuses("name: bad\nsteps: none\n", &["bad.yaml:2:8", "list"]);
    bench.refuses(
        "name: bad\nsteps:\n  - id: a\n    uses: http-request\n    with: { url: 7 }\n",
        &["bad.yaml:5"],
    );
}

#[test]
fn unknown_and_duplicate_keys() {
    let bench = Bench::new();
    bench.refuses(
        "name: bad\nsteps:\n  - id: a\n    use: noop\n    tiemout: 3s\n",
        &[
            "bad.yaml:4:5",
            "did you mean `uses`?",
            "bad.yaml:5:5",
            "did you mean `timeout`?",
        ],
    );
    bench.refuses(
        "name: bad\nname: good\nsteps:\n  - id: a\n    uses: noop\n",
        &["bad.yaml:2:1", "duplicate key `name`"],
    );
    bench.refuses(
        "name: bad\nsteps:\n  - id: a\n    uses: http-request\n    with: { url: x, url: y }\n",
        &["bad.yaml:5", "duplicate key `url`"],
    );
    bench.refuses(
        "name: bad\nsteps:\n  - id: a\n    uses: noop\n    foreach: {}\n",
        &["bad.yaml:5:5", "`foreach`", "not yet supported"],
    );
    bench.refuses(
        "name: bad\nsteps:\n  - { id: a, uses: noop }\n  - { id: a, uses: noop }\n",
        &["bad.yaml:4", "`a`"],
    );
    bench.refuses(
        "name: bad\nsteps:\n  - { id: a, uses: http-request, with: { ulr: x } }\n",
        &["bad.yaml:3", "ulr"],
    );
}

#[test]
fn names_that_name_nothing() {
    let bench = Bench::new();
    bench.refuses(
        "name: bad\nsteps:\n  - id: a\n    uses: http-reqest\n  - id: b\n    needs: [c]\n    uses: noop\n    if: inputs.nothing\n",
        &["`http-reqest`", "did you mean `http-request`?", "`c`", "nothing"],
    );
}

#[test]
fn faulty_environments_and_projects() {
    let bench = Bench::new();
    for (text, word) in [
        ("", "empty"),
        ("name: other\n", "other.yaml"),
        ("name: other\nceiling: [nonsense]\n", "other.yaml:2"),
        ("name: other\nceilng: []\n", "ceiling"),
    ] {
        bench.lab.write("environments/other.yaml", text);
        bench.refuses_to(
            &["run", "good", "--env", "other", "-i", "count=1"],
            &["other.yaml", word],
        );
    }
    bench.lab.write("sandbook.yaml", "plugin: {}\n");
    bench.refuses_to(
        &["run", "good", "--env", "bench", "-i", "count=1"],
        &["sandbook.yaml:1:1", "`plugins`"],
    );
}

/// A runbook that sends a request once its inputs are good.
const ASKING: &str = "\
name: asking
inputs:
  region: { type: string, enum: [east, west], default: east }
  ticket: { type: string, pattern: 'OPS-[0-9]+', max: 8, default: OPS-1 }
  share: { type: number, min: 0, max: 1, default: 0.5 }
  sure: { type: boolean, default: true }
steps:
  - id: send
    uses: http-request
    with: { url: https://echo.simcloud.test/ }
    allow: [GET https://echo.simcloud.test/]
";

#[test]
fn inputs_that_do_not_fit_what_is_asked_for() {
    let bench = Bench::new();
    bench.lab.write("asking.yaml", ASKING);
    for (given, words) in [
        ("region=north", ["`region`", "east"]),
        ("region=", ["`region`", "west"]),
        ("ticket=none", ["`ticket`", "OPS-[0-9]+"]),
        ("ticket=OPS-1234567", ["`ticket`", "8"]),
        ("share=1.5", ["`share`", "1"]),
        ("share=half", ["`share`", "number"]),
        ("sure=perhaps", ["`sure`", "true"]),
    ] {
        bench.refuses_to(&["run", "asking", "--env", "bench", "-i", given], &words);
    }
    let all = ["-i", "region=north", "-i", "ticket=none", "-i", "share=2"];
    let run = [&["run", "asking", "--env", "bench"], &all[..]].concat();
    bench.refuses_to(&run, &["`region`", "`ticket`", "`share`"]);
    for (text, word) in [
        ("region: [\n", "inputs.yaml"),
        ("[east]\n", "inputs.yaml"),
        ("region: east\nregion: west\n", "duplicate"),
        ("regoin: east\n", "`region`"),
        ("share: [1]\n", "`share`"),
    ] {
        bench.lab.write("inputs.yaml", text);
        let run = ["run", "asking", "--env", "bench", "--inputs", "inputs.yaml"];
        bench.refuses_to(&run, &[word]);
    }
    bench
        .lab
        .sandbook(&["run", "asking", "--env", "bench"])
        .ok();
}

#[test]
fn inputs() {
    let bench = Bench::new();
    let run = ["run", "good", "--env", "bench"];
    let given = |inputs: &[&'static str]| [&run[..], inputs].concat();
    bench.refuses_to(
        &given(&[]),
        &["`count` is missing", "-i count=VALUE", "good.yaml:3"],
    );
    bench.refuses_to(&given(&["-i", "count=two"]), &["`count`", "whole number"]);
    bench.refuses_to(&given(&["-i", "count=9"]), &["`count`", "3"]);
    bench.refuses_to(
        &given(&["-i", "count=1", "-i", "cuont=1"]),
        &["`cuont`", "`count`"],
    );
    bench.refuses_to(&given(&["-i", "count"]), &["KEY=VALUE"]);
    bench.refuses_to(&given(&["-i", "count=@gone.json"]), &["gone.json"]);
    bench.lab.write("inputs.yaml", "count: [\n");
    bench.refuses_to(&given(&["--inputs", "inputs.yaml"]), &["inputs.yaml"]);
}
