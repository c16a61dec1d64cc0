//! What is sensitive of a run, and what a recording has in its place.

use sandbook_sandbox::redact::Redactor;
use serde_json::{Map, Number, Value, json};
use url::Url;

use crate::sensitive;
use crate::tape::Tape;

/// What stands in the place of a text.
const TEXT: &str = "[sensitive]";

/// The shortest number that is looked for in texts, in characters: a shorter one can't be told from ordinary ones. As a
/// whole value in JSON it is found all the same.
const SHORTEST_NUMBER: usize = 4;

/// What is hidden in a recording.
pub(super) struct Hidden<'a> {
    /// What the run hid at its end.
    run: Option<&'a Redactor>,
    /// The sensitive texts themselves, also those that are too short to be hidden from other steps.
    texts: Redactor,
    /// What is replaced where it is a whole value in JSON: texts that are too short to be looked for.
    short: Vec<String>,
    /// Numbers, and those that are made up.
    numbers: Vec<(String, Number)>,
    /// What is made up in the place of an input that is an address.
    address: Option<String>,
}

impl<'a> Hidden<'a> {
    /// What hides these inputs, the sensitive outputs of the run, and the cookies that it was given. Of an address the
    /// origin is kept where a grant names it anyway.
    pub(super) fn new<'v>(
        tape: &'a Tape,
        inputs: impl Iterator<Item = &'v Value>,
        cookies: &[String],
        allow: &[String],
    ) -> Hidden<'a> {
        let mut hidden = Hidden {
            run: tape.redactor(),
            texts: Redactor::default(),
            short: Vec::new(),
            numbers: Vec::new(),
            address: None,
        };
        for input in inputs {
            if let Some(url) = address(input) {
                hidden.address = Some(made_up_address(&url, allow));
            }
            hidden.add(input);
        }
        tape.sensitive().iter().for_each(|value| hidden.add(value));
        let cookies = cookies.iter().filter(|cookie| is_cookie_hidden(cookie));
        cookies.for_each(|cookie| hidden.texts.hide_sensitive(cookie));
        hidden
    }

    fn add(&mut self, value: &Value) {
        for text in sensitive::texts(value) {
            match text.len() {
                0 | 1 => {}
                2 | 3 => self.short.push(text),
                _ => self.texts.hide_sensitive(&text),
            }
        }
        for number in numbers(value) {
            let text = number.to_string();
            if !self.numbers.iter().any(|(known, _)| *known == text) {
                let made_up = made_up_number(number, self.numbers.len());
                self.numbers.push((text, made_up));
            }
        }
    }

    /// What an input is in the case: something else of its type.
    pub(super) fn in_place_of(&self, value: &Value) -> Value {
        match value {
            Value::Null => Value::Null,
            Value::Bool(_) => json!(false),
            Value::Number(number) => {
                let text = number.to_string();
                let known = self.numbers.iter().find(|(known, _)| *known == text);
                known.map_or(json!(0), |(_, made_up)| json!(made_up))
            }
            Value::String(_) => match (&self.address, address(value)) {
                (Some(made_up), Some(_)) => json!(made_up),
                _ => json!(TEXT),
            },
            Value::Array(items) => items.iter().map(|item| self.in_place_of(item)).collect(),
            Value::Object(object) => {
                let made_up = object
                    .iter()
                    .map(|(key, value)| (key.clone(), self.in_place_of(value)));
                Value::Object(made_up.collect())
            }
        }
    }

    /// A text without what is sensitive.
    pub(super) fn text(&self, text: &str) -> String {
        let text = match self.run {
            Some(run) => run.redact_text(text).into_owned(),
            None => text.to_owned(),
        };
        let mut text = self.texts.redact_text(&text).into_owned();
        for (number, made_up) in &self.numbers {
            if number.len() >= SHORTEST_NUMBER {
                text = without_number(&text, number, &made_up.to_string());
            }
        }
        text
    }

    /// `METHOD URL` without what is sensitive; none where not even its origin is left.
    pub(super) fn line(&self, line: &str) -> Option<String> {
        let line = self.text(line);
        let Some((method, rest)) = line.split_once(' ') else {
            return Some(line);
        };
        match rest.strip_prefix(TEXT) {
            None => Some(line),
            Some(rest) => {
                let address = self.address.as_ref()?;
                Some(format!("{method} {address}{rest}"))
            }
        }
    }

    /// A value without what is sensitive, however deep.
    pub(super) fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if self.short.contains(text) => json!(TEXT),
            Value::String(text) => json!(self.text(text)),
            Value::Number(number) => {
                let text = number.to_string();
                let known = self.numbers.iter().find(|(known, _)| *known == text);
                match known.filter(|(known, _)| known.len() > 1) {
                    Some((_, made_up)) => json!(made_up),
                    None => value.clone(),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(object) => Value::Object(self.object(object)),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// A mapping without what is sensitive in its values and keys.
    pub(super) fn object(&self, object: &Map<String, Value>) -> Map<String, Value> {
        let shown = object
            .iter()
            .map(|(key, value)| (self.text(key), self.value(value)));
        shown.collect()
    }
}

/// A cookie as it was set, with a value that is made up; and the one that it had.
pub(super) fn cookie(set: &str) -> (String, String) {
    let (pair, rest) = set.find(';').map_or((set, ""), |at| set.split_at(at));
    match pair.split_once('=') {
        Some((name, value)) => (
            format!("{name}={TEXT}{rest}"),
            value.trim().trim_matches('"').to_owned(),
        ),
        None => (format!("{TEXT}{rest}"), pair.trim().to_owned()),
    }
}

/// Whether a cookie's value is looked for elsewhere: what is short, such as `true`, is ordinary there.
fn is_cookie_hidden(value: &str) -> bool {
    value.len() >= 8
}

fn address(value: &Value) -> Option<Url> {
    let url = Url::parse(value.as_str()?.trim()).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn made_up_address(url: &Url, allow: &[String]) -> String {
    let origin = url.origin().ascii_serialization();
    match allow.iter().any(|line| line.contains(&origin)) {
        true => format!("{origin}/sensitive"),
        false => "https://sensitive.invalid".to_owned(),
    }
}

fn numbers(value: &Value) -> Vec<&Number> {
    match value {
        Value::Number(number) => vec![number],
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Object(object) => object.values().flat_map(numbers).collect(),
        Value::Null | Value::Bool(_) | Value::String(_) => Vec::new(),
    }
}

/// Another number with as many digits, as far as there are some.
fn made_up_number(number: &Number, index: usize) -> Number {
    let text = number.to_string();
    let digits = text.bytes().take_while(|byte| *byte != b'.');
    let digits = digits.filter(u8::is_ascii_digit).count();
    let exponent = u32::try_from(digits.saturating_sub(1).min(17)).unwrap_or(0);
    let base = 10_u64.pow(exponent) + index as u64;
    let made_up = |number: u64| match (text.starts_with('-'), text.contains('.')) {
        (true, true) => Number::from_f64(-(number as f64) - 0.5),
        (false, true) => Number::from_f64(number as f64 + 0.5),
        (true, false) => Some(Number::from(-number.cast_signed())),
        (false, false) => Some(Number::from(number)),
    };
    [base, base + 1]
        .into_iter()
        .filter_map(made_up)
        .find(|made_up| made_up != number)
        .unwrap_or_else(|| Number::from(0))
}

/// A text with another number in the place of one, but not in the midst of a longer one.
fn without_number(text: &str, number: &str, made_up: &str) -> String {
    let belongs = |character: char| character.is_ascii_digit() || character == '.';
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(number) {
        let (before, found) = rest.split_at(at);
        let after = &found[number.len()..];
        result.push_str(before);
        let stands_alone = !result.ends_with(belongs)
            && !after.starts_with(|next: char| next.is_ascii_digit())
            && !after
                .strip_prefix('.')
                .is_some_and(|more| more.starts_with(|next: char| next.is_ascii_digit()));
        result.push_str(if stands_alone { made_up } else { number });
        rest = after;
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden<'a>(tape: &'a Tape, inputs: &[Value]) -> Hidden<'a> {
        let allow = ["POST https://hooks.example/**".to_owned()];
        Hidden::new(tape, inputs.iter(), &[], &allow)
    }

    #[test]
    fn an_input_becomes_something_else_of_its_type() {
        let tape = Tape::default();
        let inputs = [json!({ "pin": 4711, "on": true, "key": "abc", "rate": 12.5, "no": null })];
        let hidden = hidden(&tape, &inputs);
        assert_eq!(
            hidden.in_place_of(&inputs[0]),
            json!({ "pin": 1000, "on": false, "key": TEXT, "rate": 11.5, "no": null })
        );
        let same = [json!(1000)];
        let hidden = self::hidden(&tape, &same);
        assert_eq!(hidden.in_place_of(&same[0]), json!(1001));
    }

    #[test]
    fn what_is_sensitive_is_found_in_texts_and_values() {
        let tape = Tape::default();
        tape.keep_sensitive(&json!("hush"));
        let hidden = hidden(&tape, &[json!(4711), json!("abc"), json!(77)]);
        assert_eq!(
            hidden.text("/4711/14711/4711.5/hush?pin=4711."),
            "/1000/14711/4711.5/[sensitive]?pin=1000."
        );
        assert_eq!(
            hidden.value(&json!({ "hush": [4711, 77, "abc", "abcd", 7], "of": "abc!" })),
            json!({ "[sensitive]": [1000, 11, TEXT, "abcd", 7], "of": "abc!" })
        );
    }

    #[test]
    fn an_address_stays_one() {
        let tape = Tape::default();
        let input = json!("https://hooks.example/the-secret-path");
        let here = hidden(&tape, std::slice::from_ref(&input));
        let made_up = "https://hooks.example/sensitive";
        assert_eq!(here.in_place_of(&input), made_up);
        assert_eq!(
            here.line("POST https://hooks.example/the-secret-path/x")
                .unwrap(),
            format!("POST {made_up}/x")
        );
        // What the record hid already, of something that is no input.
        assert_eq!(hidden(&tape, &[]).line("POST [sensitive]"), None);
    }

    #[test]
    fn a_cookie_keeps_its_name() {
        let of = |set: &str| cookie(set);
        assert_eq!(
            of("sid=abc=d; Path=/"),
            ("sid=[sensitive]; Path=/".to_owned(), "abc=d".to_owned())
        );
        assert_eq!(of("sid"), (TEXT.to_owned(), "sid".to_owned()));
    }
}
