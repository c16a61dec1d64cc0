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
        &["`http-reqest`", "`plugins` in `sandbook.yaml`", "`c`", "nothing"],
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
