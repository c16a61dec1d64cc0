//! Sensitive values: what of them is hidden, and where the engine's own words are looked through for it.

use sandbook_journal as journal;
use sandbook_sandbox::Output;
use sandbook_sandbox::redact::Redactor;
use serde_json::Value;

/// The texts in a sensitive value, however deep: what nothing is to show of it.
///
/// Numbers, `true`, `false` and `none` are not among them, nor are keys: they could not be told from
/// ordinary ones, and a body in which they were replaced would be no JSON any more. Blanks around a text
/// are left out, since much of what handles it drops them.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.trim().to_owned()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(object) => object.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The texts of those outputs that are recorded as sensitive, as far as they are hidden from other steps.
pub(crate) fn recorded_texts(recorded: &journal::Values, values: &Value) -> Vec<String> {
    let sensitive = recorded
        .iter()
        .filter(|(_, recorded)| matches!(recorded, journal::Recorded::Sensitive(_)));
    let values = sensitive.filter_map(|(name, _)| values.get(name));
    let texts = values.flat_map(texts);
    texts.filter(|text| is_long_enough(text)).collect()
}

fn is_long_enough(text: &str) -> bool {
    text.len() >= SHORTEST_OUTPUT
}

/// The shortest text of an output that is hidden in what other steps get and say, in bytes. What is shorter is often
/// ordinary, such as `true` or `null`, and a plugin could have that replaced in every answer that others wait for.
const SHORTEST_OUTPUT: usize = 8;

/// Whether the sensitive outputs of a step can be hidden.
pub(crate) fn check_room(
    redactor: &Redactor,
    output: &Output,
    is_sensitive: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let outputs = output.data.as_object().into_iter().flatten();
    let sensitive = outputs.filter(|(name, _)| is_sensitive(name));
    let texts: Vec<String> = sensitive.flat_map(|(_, value)| texts(value)).collect();
    let room = redactor.room_for(texts.iter().map(String::as_str));
    room.map_err(|why| format!("its sensitive outputs can't be hidden: {why}"))
}

/// A redactor that hides these texts.
pub(crate) fn redactor(texts: impl IntoIterator<Item = String>) -> Redactor {
    let redactor = Redactor::default();
    for text in texts {
        redactor.hide_sensitive(&text);
    }
    redactor
}

/// Hides the sensitive outputs of a step from now on, and, the short ones too, in what else it puts out.
pub(crate) fn hide_outputs(
    redactor: &Redactor,
    output: &mut Output,
    is_sensitive: impl Fn(&str) -> bool,
) {
    let Value::Object(outputs) = &mut output.data else {
        return;
    };
    let (sensitive, others): (Vec<_>, Vec<_>) = outputs
        .iter_mut()
        .partition(|(name, _)| is_sensitive(name.as_str()));
    if sensitive.is_empty() {
        return;
    }
    let texts: Vec<String> = sensitive
        .iter()
        .flat_map(|(_, value)| texts(value))
        .collect();
    for text in texts.iter().filter(|text| is_long_enough(text)) {
        redactor.hide_sensitive(text);
    }
    let own = self::redactor(texts);
    for (_, value) in others {
        redact(&own, value);
    }
    redact_text(&own, &mut output.summary);
}

/// A failure without what is hidden.
pub(crate) fn redact_failure(
    redactor: &Redactor,
    mut failure: journal::Failure,
) -> journal::Failure {
    redact_text(redactor, &mut failure.message);
    failure
}

/// Values without what is hidden. Those that lie outside the chain stay as they are.
pub(crate) fn redact_values(redactor: &Redactor, values: &mut journal::Values) {
    for value in values.values_mut() {
        if let journal::Recorded::Value(value) = value {
            redact(redactor, value);
        }
    }
}

/// A text without what is hidden.
pub(crate) fn redact_text(redactor: &Redactor, text: &mut String) {
    if let std::borrow::Cow::Owned(redacted) = redactor.redact_text(text) {
        *text = redacted;
    }
}

/// A value without what is hidden: its texts, however deep.
fn redact(redactor: &Redactor, value: &mut Value) {
    match value {
        Value::String(text) => redact_text(redactor, text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(redactor, item)),
        Value::Object(object) => object.values_mut().for_each(|item| redact(redactor, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use sandbook_sandbox::redact::MOST_SENSITIVE;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_of_a_value_is_hidden_and_nothing_else() {
        let value = json!({
            "user": "admin", "ports": [5432, " spaced\n"], "tls": true, "none": null,
            "deep": [{ "password": "hush-hush" }]
        });
        let mut found = texts(&value);
        found.sort();
        assert_eq!(found, ["admin", "hush-hush", "spaced"]);
        for plain in [json!(null), json!(true), json!(123_456)] {
            assert!(texts(&plain).is_empty(), "{plain}");
        }
    }

    #[test]
    fn a_sensitive_output_is_hidden_in_what_else_the_step_puts_out() {
        let redactor = Redactor::default();
        let mut output = Output {
            data: json!({ "token": "hush-hush", "seen": [{ "line": "got hush-hush" }] }),
            changed: true,
            summary: "has hush-hush".to_owned(),
        };
        hide_outputs(&redactor, &mut output, |name| name == "token");
        assert_eq!(
            output.data,
            json!({ "token": "hush-hush", "seen": [{ "line": "got [sensitive]" }] })
        );
        assert_eq!(output.summary, "has [sensitive]");
        assert_eq!(redactor.redact_text("a hush-hush"), "a [sensitive]");
    }

    /// What a plugin calls sensitive is replaced in the answers that other steps get: an ordinary word would spoil them.
    #[test]
    fn a_short_output_is_hidden_in_its_own_step_and_nowhere_else() {
        let redactor = Redactor::default();
        let mut output = Output {
            data: json!({ "token": ["true", "null", "4711", "hush-hush"], "pin": "it is 4711" }),
            changed: true,
            summary: "got 4711".to_owned(),
        };
        hide_outputs(&redactor, &mut output, |name| name == "token");
        assert_eq!(output.data["pin"], "it is [sensitive]");
        assert_eq!(output.summary, "got [sensitive]");
        assert_eq!(
            redactor.redact_text(r#"{"is":true,"not":null,"a":"hush-hush"}"#),
            r#"{"is":true,"not":null,"a":"[sensitive]"}"#
        );
    }

    #[test]
    fn more_sensitive_texts_than_can_be_hidden_are_refused() {
        let redactor = Redactor::default();
        let output = |number: usize| Output {
            data: json!({ "many": vec!["hush-hush"; number], "plain": vec!["x"; 5_000] }),
            changed: false,
            summary: String::new(),
        };
        let is_sensitive = |name: &str| name == "many";
        check_room(&redactor, &output(MOST_SENSITIVE), is_sensitive).unwrap();
        let fault = check_room(&redactor, &output(MOST_SENSITIVE + 1), is_sensitive).unwrap_err();
        assert!(fault.contains("no more than 2000"), "{fault}");
        redactor.hide_sensitive("another");
        check_room(&redactor, &output(MOST_SENSITIVE), is_sensitive).unwrap_err();
        check_room(&redactor, &output(0), is_sensitive).unwrap();
    }
}
