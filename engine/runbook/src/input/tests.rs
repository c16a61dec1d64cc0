use super::*;

fn input(kind: InputKind) -> Input {
    Input {
        name: Name::new("x").unwrap(),
        kind,
        required: true,
        default: None,
        one_of: Vec::new(),
        pattern: None,
        min: None,
        max: None,
        description: None,
        sensitive: false,
    }
}

#[test]
fn text_is_read_by_the_declared_kind() {
    for (kind, text, value) in [
        (InputKind::String, " 3 ", json!(" 3 ")),
        (InputKind::Integer, "-3", json!(-3)),
        (InputKind::Integer, "18446744073709551615", json!(u64::MAX)),
        (InputKind::Number, "3", json!(3)),
        (InputKind::Number, "1.5", json!(1.5)),
        (InputKind::Boolean, "true", json!(true)),
        (InputKind::List, "[1, \"a\"]", json!([1, "a"])),
        (InputKind::Object, "{\"a\": null}", json!({ "a": null })),
    ] {
        assert_eq!(input(kind).parse_text(text).unwrap(), value, "{text}");
    }
}

#[test]
fn text_that_can_not_be_read_says_how_it_is_written() {
    for (kind, text, said) in [
        (
            InputKind::Integer,
            "1.5",
            "it must be a whole number, such as `3`",
        ),
        (
            InputKind::Integer,
            "",
            "it must be a whole number, such as `3`",
        ),
        (
            InputKind::Number,
            "NaN",
            "it must be a number, such as `1.5`",
        ),
        (
            InputKind::Boolean,
            "yes",
            "it must be true or false, written `true` or `false`",
        ),
        (
            InputKind::List,
            "a,b",
            "it must be a list, written as JSON, such as `[\"a\", \"b\"]`",
        ),
        (
            InputKind::Object,
            "[]",
            "it must be an object, and is a list",
        ),
    ] {
        assert_eq!(input(kind).parse_text(text).unwrap_err().to_string(), said);
    }
}

#[test]
fn a_value_is_held_against_the_rules() {
    let choices = Input {
        one_of: vec![json!("east"), json!("west")],
        ..input(InputKind::String)
    };
    choices.validate(&json!("east")).unwrap();
    assert_eq!(
        choices.validate(&json!("est")).unwrap_err().to_string(),
        "it must be one of east, west; did you mean `east`?"
    );
    let pattern = Input {
        pattern: Some("^[a-z]+$".to_owned()),
        ..input(InputKind::String)
    };
    pattern.validate(&json!("abc")).unwrap();
    assert_eq!(
        pattern.validate(&json!("a1")).unwrap_err().to_string(),
        "it must match the pattern `^[a-z]+$`"
    );
    let bounds = |kind| Input {
        min: Some(2.0),
        max: Some(3.0),
        ..input(kind)
    };
    for (kind, good, small, large, said) in [
        (
            InputKind::Integer,
            json!(2),
            json!(1),
            json!(4),
            "it must be at least 2",
        ),
        (
            InputKind::Number,
            json!(2.5),
            json!(1.9),
            json!(3.1),
            "it must be at least 2",
        ),
        (
            InputKind::String,
            json!("äöü"),
            json!("a"),
            json!("abcd"),
            "it must have at least 2 characters",
        ),
        (
            InputKind::List,
            json!([1, 2]),
            json!([1]),
            json!([1, 2, 3, 4]),
            "it must have at least 2 items",
        ),
    ] {
        bounds(kind).validate(&good).unwrap();
        assert_eq!(bounds(kind).validate(&small).unwrap_err().to_string(), said);
        bounds(kind).validate(&large).unwrap_err();
    }
    let one = Input {
        min: Some(1.0),
        max: Some(1.0),
        ..input(InputKind::String)
    };
    for (value, said) in [
        ("", "it must have at least 1 character"),
        ("ab", "it must have at most 1 character"),
    ] {
        let fault = one.validate(&json!(value)).unwrap_err();
        assert_eq!(fault.to_string(), said);
    }
    assert_eq!(
        input(InputKind::Integer)
            .validate(&json!(1.5))
            .unwrap_err()
            .to_string(),
        "it must be a whole number, and is a number with a fraction"
    );
}

#[test]
fn rules_that_do_not_fit_each_other_are_found() {
    for (input, key) in [
        (
            Input {
                pattern: Some("a".to_owned()),
                ..input(InputKind::List)
            },
            "pattern",
        ),
        (
            Input {
                pattern: Some("(".to_owned()),
                ..input(InputKind::String)
            },
            "pattern",
        ),
        (
            Input {
                max: Some(1.0),
                ..input(InputKind::Boolean)
            },
            "max",
        ),
        (
            Input {
                min: Some(2.0),
                max: Some(1.0),
                ..input(InputKind::Integer)
            },
            "min",
        ),
        (
            Input {
                one_of: vec![json!(1)],
                ..input(InputKind::String)
            },
            "enum",
        ),
        (
            Input {
                default: Some(json!("a")),
                min: Some(2.0),
                ..input(InputKind::String)
            },
            "default",
        ),
    ] {
        let keys: Vec<_> = input
            .rule_faults()
            .iter()
            .map(InputRuleFault::key)
            .collect();
        assert_eq!(keys, [key]);
    }
    assert!(input(InputKind::String).rule_faults().is_empty());
}

#[test]
fn sensitive_values_are_not_shown() {
    let secret = Input {
        sensitive: true,
        ..input(InputKind::String)
    };
    let mut inputs = Inputs::default();
    inputs.insert(&secret, json!("hunter2"));
    inputs.insert(
        &Input {
            name: Name::new("y").unwrap(),
            ..input(InputKind::Integer)
        },
        json!(1),
    );
    assert_eq!(
        Value::Object(inputs.redacted()),
        json!({ "x": "[sensitive]", "y": 1 })
    );
    assert!(!format!("{inputs:?}").contains("hunter2"));
    assert_eq!(inputs.get("x"), Some(&json!("hunter2")));
    let choices = Input {
        one_of: vec![json!("a")],
        ..secret
    };
    assert!(
        !choices
            .validate(&json!("hunter2"))
            .unwrap_err()
            .to_string()
            .contains("hunter2")
    );
}
