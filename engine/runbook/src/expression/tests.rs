use serde_json::{Value as Json, json};

use super::*;
use crate::names::{Name, StepId};
use crate::scope::StepFacts;

fn scope() -> Scope {
    let Json::Object(inputs) =
        json!({ "n": 3, "big": u64::MAX, "name": "web", "list": [3, 1, 2], "none": null })
    else {
        unreachable!()
    };
    let mut scope = Scope::new(
        &inputs,
        &json!({ "o": { "a-b": 1 }, "xs": [{ "k": "p" }, { "k": "q" }] }),
    );
    let outputs = json!({ "url": "https://h" });
    scope.set_step(
        &step("done"),
        StepFacts {
            status: "succeeded",
            changed: true,
            outputs,
            error: None,
        },
    );
    scope.set_step(&step("skipped"), StepFacts::skipped());
    scope
}

fn step(id: &str) -> StepId {
    StepId::new(id).unwrap()
}

fn eval(source: &str) -> Result<Json, String> {
    let expression = Expression::parse(source).map_err(|fault| fault.to_string())?;
    expression.eval(&scope()).map_err(|fault| fault.to_string())
}

#[test]
fn values_keep_their_types() {
    for (source, value) in [
        ("inputs.n", json!(3)),
        ("inputs.n + 1", json!(4)),
        ("inputs.n / 2", json!(1.5)),
        ("inputs.big", json!(u64::MAX)),
        ("inputs.none", json!(null)),
        ("inputs.n > 2 and 'e' in inputs.name", json!(true)),
        ("'a' if inputs.n == 3 else 'b'", json!("a")),
        ("inputs.list | sort | join('-')", json!("1-2-3")),
        ("vars.o['a-b']", json!(1)),
        ("vars.xs | map(attribute='k') | list", json!(["p", "q"])),
        (
            "vars.xs | selectattr('k', 'eq', 'q') | first",
            json!({ "k": "q" }),
        ),
        ("vars.xs | tojson", json!("[{\"k\":\"p\"},{\"k\":\"q\"}]")),
        ("'<a & b>' | tojson", json!("\"<a & b>\"")),
        ("{'a': [1, 2.0, true]}", json!({ "a": [1, 2.0, true] })),
        ("steps.done.outputs.url", json!("https://h")),
        (
            "steps.done.changed and steps['done'].status == 'succeeded'",
            json!(true),
        ),
        ("steps | length", json!(2)),
        ("steps.skipped.outputs.url | default('none')", json!("none")),
        ("steps.skipped.error", json!(null)),
        ("'42' | int", json!(42)),
        ("'<b>' | upper ~ '&'", json!("<B>&")),
    ] {
        assert_eq!(eval(source).as_ref(), Ok(&value), "{source}");
    }
}

#[test]
fn what_is_undefined_is_named() {
    for (source, said) in [
        ("inputs.nope", "`inputs.nope` is undefined"),
        ("inputs.nope.deeper", "`inputs.nope.deeper` is undefined"),
        ("nope", "`nope` is undefined"),
        ("steps.nope.status", "`steps.nope.status` is undefined"),
        ("[inputs.n, inputs.nope]", "`inputs.nope` is undefined"),
        ("{'a': inputs.nope}", "`inputs.nope` is undefined"),
        (
            "inputs.nope ~ vars.nope",
            "`inputs.nope`, `vars.nope` are undefined",
        ),
        ("inputs.list[7]", "it is undefined"),
        ("run.status", "`run.status` is undefined"),
        ("not inputs.nope", "`inputs.nope` is undefined"),
    ] {
        let fault = eval(source).unwrap_err();
        assert!(fault.ends_with(said), "{source}: {fault}");
    }
}

#[test]
fn a_condition_is_true_or_false() {
    let condition = |source: &str| Expression::parse(source).unwrap().eval_bool(&scope());
    assert_eq!(condition("inputs.n == 3"), Ok(true));
    assert_eq!(condition("  ${{ inputs.n == 4 }} "), Ok(false));
    let fault = condition("inputs.name").unwrap_err().to_string();
    assert_eq!(
        fault,
        "`inputs.name`: it is text, and must be true or false"
    );
}

#[test]
fn what_is_no_expression_is_refused_at_its_place() {
    for (text, at, said) in [
        ("", 0..0, "empty"),
        ("${{  }}", 3..5, "empty"),
        ("${{ a }} b", 0..10, "text beside"),
        ("${{ a", 0..5, "not closed"),
        (" ü ${{ }", 4..9, "not closed"),
        (" ${{ inputs. }}", 5..12, "not an expression"),
        ("a b", 0..3, "not an expression"),
        ("  ${{ a | uper }}", 10..14, "did you mean `upper`?"),
        ("range(10)", 0..5, "there are no functions"),
        ("{% if a %}", 0..10, "not an expression"),
    ] {
        let fault = Expression::parse(text).unwrap_err();
        assert_eq!(fault.at, at, "{text}: {fault}");
        assert!(fault.to_string().contains(said), "{text}: {fault}");
    }
    Expression::parse(&format!("'{}'", "a".repeat(5000))).unwrap_err();
    Expression::parse(&"(".repeat(2000)).unwrap_err();
}

#[test]
fn work_and_size_are_bounded() {
    let long = format!("'{}'", "a".repeat(500));
    let lines = format!(
        "{long} | replace('a', 'aaaaaaaaaaaaaaaaaaaa') | replace('a', 'aaaaaaaaaaaaaaaaaaaa')"
    );
    assert_eq!(eval(&format!("({lines}) | length")), Ok(json!(200_000)));
    let more = format!(
        "{lines} | replace('a', 'aaaaaaaaaaaaaaaaaaaa') | replace('a', 'aaaaaaaaaaaaaaaaaaaa')"
    );
    let fault = eval(&more).unwrap_err();
    assert!(
        fault.contains("too much work") || fault.contains("8388608 bytes"),
        "{fault}"
    );
    assert!(eval("10 ** 10 ** 10").is_err());
}

#[test]
fn a_product_is_one_of_numbers() {
    for (source, value) in [
        ("inputs.n * 2", json!(6)),
        ("2*inputs.n*2 + 1", json!(13)),
        ("-2 * -inputs.n", json!(6)),
        ("1.5 * 2", json!(3.0)),
        ("2 ** 3 * 2 ** 2", json!(32)),
        ("2 * 2 ** 3", json!(16)),
        (
            "(1 + 2) * inputs.list[0] * (inputs.list | length)",
            json!(27),
        ),
        ("7 // 2 * 2 % 4", json!(2)),
        ("inputs.big * 1", json!(u64::MAX)),
        ("'2 * 3' ~ 2 * 3", json!("2 * 36")),
        ("inputs.list | map('abs') | list | first * 2", json!(6)),
    ] {
        assert_eq!(eval(source).as_ref(), Ok(&value), "{source}");
    }
    for source in [
        "'a' * 3",
        "3 * 'a'",
        "[0] * 3",
        "3 * [0]",
        "inputs.list * 2",
    ] {
        let fault = eval(source).unwrap_err();
        assert!(
            fault.ends_with("`*` multiplies numbers, and nothing else"),
            "{fault}"
        );
    }
}

#[test]
fn our_reading_of_names_misses_none_of_the_compilers() {
    for source in [
        "inputs.a + vars['b'].c",
        "x if y else z | default(w)",
        "a is divisibleby b",
        "{'k': v}",
        "[a, b.c][d]",
        "a.b.c | map(attribute=e) | join(f)",
        "not a in b",
        "a[b:c]",
    ] {
        let expression = Expression::parse(source).unwrap();
        for name in expression.0.compiled.undeclared_variables(false) {
            assert!(
                expression
                    .touches()
                    .iter()
                    .any(|touched| touched.root() == name),
                "{source}: {name}"
            );
        }
    }
}

#[test]
fn an_own_name_can_be_added() {
    let scope = scope().with_name(&Name::new("site").unwrap(), &json!({ "name": "east" }));
    assert_eq!(
        Expression::parse("site.name").unwrap().eval(&scope),
        Ok(json!("east"))
    );
}

#[test]
fn a_clone_keeps_what_it_saw() {
    let mut scope = scope();
    let before = scope.clone();
    scope.set_step(&step("later"), StepFacts::pending());
    let status = Expression::parse("steps.later.status").unwrap();
    assert_eq!(status.eval(&scope), Ok(json!("pending")));
    status.eval(&before).unwrap_err();
}

#[test]
fn a_step_that_is_missed_is_found() {
    let missed = |source: &str, stand| {
        Expression::parse(source)
            .unwrap()
            .is_undefined_when(&step("a"), stand)
    };
    for source in [
        "steps.a.outputs.url",
        "'x' ~ steps.a.outputs.url",
        "steps.a.outputs.url == inputs.url",
        "steps.a.outputs.list | length",
        "steps.a.outputs.url if inputs.x else steps.a.outputs.other",
    ] {
        for stand in [Stand::NotRun, Stand::Skipped, Stand::Failed] {
            assert!(missed(source, stand), "{source}");
        }
        assert!(!missed(source, Stand::Succeeded), "{source}");
    }
    for stand in [Stand::NotRun, Stand::Skipped, Stand::Succeeded] {
        assert!(missed("steps.a.error.message", stand));
    }
    assert!(!missed("steps.a.error.message", Stand::Failed));
    for source in [
        "steps.b.outputs.url",
        "steps.a.status == 'failed'",
        "steps.a.outputs.url | default('none')",
        "steps.a.outputs.url if steps.a.status == 'succeeded' else 'none'",
        "steps.a.outputs.url if inputs.with_a else 'none'",
        "steps.a.outputs",
        "steps.a.changed",
        "steps.a.error",
        "steps.a.error.message if steps.a.status == 'failed' else 'none'",
        "inputs.n + vars.m",
        "inputs.list | first | upper",
        "'x' ~ inputs.url ~ steps.a.changed",
        "inputs.x == vars.y or [inputs.x, vars.y] | sort | string == inputs | tojson",
        "steps.a.outputs.url is defined and steps.a.outputs.url == 'x'",
    ] {
        for stand in [
            Stand::NotRun,
            Stand::Skipped,
            Stand::Failed,
            Stand::Succeeded,
        ] {
            assert!(!missed(source, stand), "{source}");
        }
    }
}
