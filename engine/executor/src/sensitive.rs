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

/// The texts of those values that are recorded as sensitive.
pub(crate) fn recorded_texts(recorded: &journal::Values, values: &Value) -> Vec<String> {
    let sensitive = recorded
        .iter()
        .filter(|(_, recorded)| matches!(recorded, journal::Recorded::Sensitive(_)));
    let values = sensitive.filter_map(|(name, _)| values.get(name));
    values.flat_map(texts).collect()
}

/// How many sensitive texts a run may come to hold by what plugins put out: each is looked for in all that the run
/// says from then on.
const MOST_TEXTS: usize = 2_000;

/// Whether the sensitive outputs of a step are few enough to be hidden.
pub(crate) fn check_number(
    redactor: &Redactor,
    output: &Output,
    is_sensitive: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let outputs = output.data.as_object().into_iter().flatten();
    let sensitive = outputs.filter(|(name, _)| is_sensitive(name));
    let number: usize = sensitive.map(|(_, value)| texts(value).len()).sum();
    if number > 0 && number + redactor.sensitive() > MOST_TEXTS {
        return Err(format!(
            "its sensitive outputs hold {number} texts, and a run can hide no more than {MOST_TEXTS}"
        ));
    }
    Ok(())
}

/// A redactor that hides these texts.
pub(crate) fn redactor(texts: impl IntoIterator<Item = String>) -> Redactor {
    let redactor = Redactor::default();
    for text in texts {
        redactor.hide_sensitive(&text);
    }
    redactor
}

/// Hides the sensitive outputs of a step from now on, and in what else it puts out.
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
    let texts = sensitive.iter().flat_map(|(_, value)| texts(value));
    for text in texts {
        redactor.hide_sensitive(&text);
    }
    if sensitive.is_empty() {
        return;
    }
    for (_, value) in others {
        redact(redactor, value);
    }
    redact_text(redactor, &mut output.summary);
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
    #[test]
    fn more_sensitive_texts_than_can_be_hidden_are_refused() {
        let redactor = Redactor::default();
        let output = |number: usize| Output {
            data: json!({ "many": vec!["hush-hush"; number], "plain": vec!["x"; 5_000] }),
            changed: false,
            summary: String::new(),
        };
        let is_sensitive = |name: &str| name == "many";
        check_number(&redactor, &output(MOST_TEXTS), is_sensitive).unwrap();
        let fault = check_number(&redactor, &output(MOST_TEXTS + 1), is_sensitive).unwrap_err();
        assert!(fault.contains("no more than 2000"), "{fault}");
        redactor.hide_sensitive("another");
        check_number(&redactor, &output(MOST_TEXTS), is_sensitive).unwrap_err();
        check_number(&redactor, &output(0), is_sensitive).unwrap();
    }
}
