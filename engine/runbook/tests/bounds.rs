//! Documents and expressions that were written to break their reader: each is refused, with its place, or comes to
//! something small. What they take is bounded by the memory of this process, which each test looks at.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sandbook_runbook::{
    Colour, Environment, Expression, FILTERS, Manifest, Report, Runbook, Scope, Source, TESTS,
    Template, read_inputs,
};
use serde_json::{Map, Value, json};

/// The most that this process may ever have held, in KiB. What is tried here would need tens of gigabytes.
const MOST_KIB: usize = 1 << 20;

fn source(text: impl Into<String>) -> Source {
    Source {
        name: "hostile.yaml".to_owned(),
        text: text.into(),
    }
}

/// What is said of a runbook, an environment, inputs and a manifest of this text.
fn said(text: &str) -> Vec<String> {
    let source = source(text);
    let shown = |report: Report| {
        assert!(!report.located().is_empty());
        report.render(Colour::Never)
    };
    let all = [
        Runbook::parse(&source).err(),
        Environment::parse(&source).err(),
        Manifest::parse(&source).err(),
        read_inputs(&source).err(),
    ];
    all.into_iter().flatten().map(shown).collect()
}

#[track_caller]
fn bounded() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim().trim_end_matches(" kB");
    let peak: usize = peak.parse().unwrap();
    assert!(peak < MOST_KIB, "{peak} KiB");
}

/// All four readers refuse it, for this reason and at a place in the document.
#[track_caller]
fn refused(text: &str, why: &str) {
    let all = said(text);
    assert_eq!(all.len(), 4, "{all:?}");
    for one in all {
        assert!(one.contains(why), "{why}: {one}");
        assert!(one.contains("--> hostile.yaml:"), "{one}");
        assert!(one.len() < 1 << 20, "{} bytes are said", one.len());
    }
    bounded();
}

#[test]
fn aliases_do_not_multiply_values() {
    let mut bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}", level - 1);
        let ten = [before.as_str(); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{ten}]\n"));
    }
    refused(&bomb, "values, aliases filled in");
}

#[test]
fn aliases_do_not_multiply_texts() {
    let long = "x".repeat(400_000);
    let many = vec!["*a"; 99_000].join(",");
    let bomb = format!("a: &a {long}\nb: [{many}]\n");
    refused(&bomb, "texts come to more than 8388608 bytes");
    // A key may be an alias too.
    let keys = "  ? *a\n  : 1\n".repeat(40_000);
    let bomb = format!("a: &a {}\nb:\n{keys}", "x".repeat(1000));
    refused(&bomb, "texts come to more than 8388608 bytes");
}

#[test]
fn aliases_do_not_multiply_keys() {
    let list = vec!["1"; 50_000].join(",");
    let keys = "  ? *a\n  : 1\n".repeat(50_000);
    refused(
        &format!("a: &a [{list}]\nb:\n{keys}"),
        "values, aliases filled in",
    );
}

#[test]
fn depth_is_bounded() {
    let deep = "nested";
    refused(&"[".repeat(1_000_000), deep);
    refused(&"{a: ".repeat(200_000), deep);
    refused(&"- ".repeat(100_000), deep);
    refused(&"? ".repeat(100_000), deep);
    let indented: String = (0..1200)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    refused(&indented, deep);
    let closed = format!("a: {}1{}\n", "[".repeat(70), "]".repeat(70));
    refused(&closed, "values are nested more than 64 deep");
}

#[test]
fn size_is_bounded() {
    refused(&"x".repeat(2 << 20), "the document is 2097152 bytes long");
    refused(
        &format!("a: \"{}", "\\u0041".repeat(100_000)),
        "never closed",
    );
}

#[test]
fn a_hundred_thousand_faults_are_told_in_few_words() {
    let tags = "- !x 1\n".repeat(40_000);
    refused(&tags, "39800 more faults are not shown");
    let twice = "a: 1\n".repeat(45_000);
    refused(&twice, "44799 more faults are not shown");
}

fn eval(text: &str) -> Result<Value, String> {
    let expression = Expression::parse(text).map_err(|fault| fault.to_string())?;
    let inputs = json!({ "list": [1, 2, 3], "text": "abc" });
    let scope = Scope::new(
        inputs.as_object().unwrap(),
        &json!({ "big": "x".repeat(100_000) }),
    );
    expression.eval(&scope).map_err(|fault| fault.to_string())
}

#[test]
fn an_expression_that_wants_too_much_says_so() {
    // Lists that hold a list a thousand times, which holds one a thousand times: of little cost, and past all bounds.
    let defaults = (0..4).fold("0".to_owned(), |inner, _| {
        format!("(vars.many | map(attribute='q', default={inner}) | list)")
    });
    let fills = (0..4).fold("[1]".to_owned(), |inner, _| {
        format!("([1] | slice(1000, fill_with={inner}))")
    });
    let wraps = (0..4).fold("1".to_owned(), |inner, _| {
        format!("(vars.many | map('default', {inner}, true) | list)")
    });
    let texts = "vars.big | replace('x', vars.big)";
    for made in [
        &defaults,
        &fills,
        &wraps,
        texts,
        "[vars.big] * 100000",
        "vars.big * 100000",
    ] {
        eval(made).expect_err(made);
        for filter in FILTERS {
            let _ = eval(&format!("{made} | {filter}"));
            let _ = eval(&format!("vars.many | {filter}({made})"));
            let _ = eval(&format!("[{made}, {made}] | map('{filter}') | list"));
        }
        for test in TESTS {
            let _ = eval(&format!("({made}) is {test}"));
            let _ = eval(&format!("({made}) is {test}({made})"));
        }
        for operator in ["~", "==", "<", "in", "+", "and", "//", "-"] {
            let _ = eval(&format!("({made}) {operator} ({made})"));
        }
        bounded();
    }
    for text in [
        "10 ** 10 ** 10",
        "(vars.big | list) | join(vars.big)",
        "vars.big | replace('', vars.big)",
        "vars.many | slice(1000000000) | list",
        "1.5 | round(1000000000)",
        "vars.big | split('x') | map('replace', '', vars.big) | list",
        "vars.many | groupby('q', default=vars.big) | string",
    ] {
        // What is small after all is as good.
        if let Ok(value) = eval(text) {
            assert!(value.to_string().len() < 9 << 20, "{text}");
        }
        bounded();
    }
}

#[test]
fn an_expression_that_nests_too_deep_is_none() {
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{'a':", "1", "}"),
        ("not ", "true", ""),
        ("-", "1", ""),
        ("", "1", " + 1"),
        ("", "a", ".b"),
        ("", "a", "[0]"),
        ("", "a", "|string"),
        ("", "1", " if 1"),
        ("1 if 1 else ", "1", ""),
        ("", "1", " is true"),
        ("", "1", " ~ 1"),
        ("", "1", " ** 1"),
        ("", "1", " and 1"),
    ] {
        let most = 4090 / (open.len() + close.len());
        for times in [100, 200, most] {
            let text = format!("{}{middle}{}", open.repeat(times), close.repeat(times));
            // Refused or not: nobody's stack ends.
            let _ = eval(&text);
        }
    }
    eval(&"(".repeat(4000)).unwrap_err();
    assert!(
        eval(&format!("'{}'", "a".repeat(5000)))
            .unwrap_err()
            .contains("longer than 4096")
    );
}

#[test]
fn expressions_do_not_add_up() {
    let scope = Scope::new(&Map::new(), &json!({ "big": "x".repeat(1_000_000) }));
    let many = json!({ "a": "${{ vars.big }}", "b": vec!["${{ vars.big }}"; 100] });
    let fault = Template::parse(&many).unwrap().render(&scope).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "`b[7]`: `vars.big`: with it, the whole is larger than 8388608 bytes"
    );
    let text = json!("${{ vars.big }}".repeat(900));
    Template::parse(&text).unwrap().render(&scope).unwrap_err();
    let faults = Template::parse(&json!(vec!["${{ 1 }}"; 1002])).unwrap_err();
    assert_eq!(faults.len(), 2);
    assert_eq!(faults[0].path.to_string(), "[1000]");
    assert!(faults[0].to_string().contains("more than 1000 expressions"));
    bounded();
}

#[test]
fn a_packed_manifest_is_bounded() {
    let told = |bytes: &[u8]| {
        Manifest::from_json(bytes)
            .unwrap_err()
            .render(Colour::Never)
    };
    assert!(told(&vec![b' '; 300 << 10]).contains("at most 262144 are read"));
    assert!(told("[".repeat(200_000).as_bytes()).contains("recursion limit"));
    let nested = format!("{}{}", r#"{"a":"#.repeat(10_000), "1");
    assert!(told(nested.as_bytes()).contains("recursion limit"));
    let properties: Map<String, Value> = (0..90)
        .map(|n| (format!("p{n}"), json!({ "pattern": "(a*)*b{1,9}" })))
        .collect();
    let manifest = json!({
        "name": "x", "version": "1", "description": "x", "contract": "sandbook:step@0.1.0",
        "inputs": { "type": "object", "properties": properties }, "outputs": { "type": "object" },
    });
    // Regular expressions take linear time, whatever they say.
    let manifest = Manifest::from_json(manifest.to_string().as_bytes()).unwrap();
    let schema = manifest.input_schema().unwrap();
    assert!(!schema.takes(&json!({ "p0": "a".repeat(100_000) })));
    for pattern in ["(x{1000}){1000}{1000}", "(?=a)b", "\\u{110000}", "("] {
        let manifest = json!({
            "name": "x", "version": "1", "description": "x", "contract": "sandbook:step@0.1.0",
            "inputs": { "type": "object", "properties": { "a": { "pattern": pattern } } },
            "outputs": { "type": "object" },
        });
        let said = told(manifest.to_string().as_bytes());
        assert!(said.contains("--> manifest:"), "{said}");
    }
    bounded();
}
