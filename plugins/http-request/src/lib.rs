//! Any single request, without writing a plugin for it.

mod pick;

use std::collections::BTreeMap;

use sandbook_step::prelude::*;

#[derive(Deserialize)]
struct Input {
    url: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    /// Unsaid, any 2xx.
    expect: Option<Vec<u16>>,
    #[serde(default)]
    pick: BTreeMap<String, String>,
    repeatable: Option<bool>,
    timeout: Option<Span>,
}

#[derive(Serialize, Debug)]
struct Output {
    status: u16,
    values: BTreeMap<String, Value>,
}

fn run(context: &Context, input: Input) -> Result<Done<Output>, Failure> {
    let request = request(&input)?.patient(context);
    let reading = request.is_reading();
    let response = request.send()?;
    let expected = match &input.expect {
        Some(statuses) => statuses.contains(&response.status()),
        None => response.is_success(),
    };
    if !expected {
        return Err(response.failure());
    }
    let values = pick::pick(&input.pick, &response)?;
    let summary = format!(
        "{} {} answered {}",
        input.method,
        input.url,
        response.status()
    );
    Ok(Done::when(
        !reading,
        Output {
            status: response.status(),
            values,
        },
    )
    .summary(summary))
}

fn request(input: &Input) -> Result<http::Request, Failure> {
    let mut request = http::request(&input.method, &input.url).credential_if_bound("auth");
    for (name, value) in &input.query {
        request = request.query(name, value);
    }
    for (name, value) in &input.headers {
        request = request.header(name, value);
    }
    request = match (&input.json, &input.text) {
        (Some(_), Some(_)) => {
            return Err(
                Failure::invalid_input("a body is `json` or `text`, not both")
                    .with_code("TwoBodies"),
            );
        }
        (Some(json), None) => request.body_json(json),
        (None, Some(text)) => request.body(text.as_str()),
        (None, None) => request,
    };
    if let Some(repeatable) = input.repeatable {
        request = request.repeatable(repeatable);
    }
    if let Some(timeout) = input.timeout {
        request = request.timeout(timeout.0);
    }
    Ok(request)
}

fn get() -> String {
    "GET".to_owned()
}

sandbook_step::step!(run);

#[cfg(test)]
mod tests {
    use sandbook_step::testing::{Answer, Shown, Stage};

    use super::*;

    fn perform(input: Value, answer: Answer) -> Shown<Result<Done<Output>, Failure>> {
        let input = serde_json::from_value(input).unwrap();
        Stage::new(move |_| Ok(answer.clone()))
            .slot("auth")
            .perform(|context| run(context, input))
    }

    #[test]
    fn a_request_is_sent_and_values_are_picked() {
        let input = json!({
            "method": "POST", "url": "https://a.example/tickets", "query": {"dry": "no"}, "headers": {"x-team": "ops"},
            "json": {"title": "down"}, "pick": {"id": "/ticket/id"}, "repeatable": true,
        });
        let shown = perform(input, Answer::json(201, &json!({"ticket": {"id": 7}})));
        let done = shown.ended.unwrap();
        assert_eq!(
            (done.data.status, &done.data.values["id"], done.changed),
            (201, &json!(7), true)
        );
        let asked = &shown.asked[0];
        assert_eq!(asked.line(), "POST https://a.example/tickets?dry=no");
        assert_eq!(
            (asked.body.as_str(), asked.slot.as_deref(), asked.repeatable),
            (r#"{"title":"down"}"#, Some("auth"), Some(true))
        );
    }

    #[test]
    fn reading_changes_nothing() {
        assert!(
            !perform(json!({"url": "https://a.example/"}), Answer::status(200))
                .ended
                .unwrap()
                .changed
        );
    }

    #[test]
    fn only_what_is_expected_is_success() {
        let url = "https://a.example/";
        assert!(
            perform(json!({"url": url, "expect": [404]}), Answer::status(404))
                .ended
                .is_ok()
        );
        let failure = perform(json!({"url": url, "expect": [204]}), Answer::status(404))
            .ended
            .unwrap_err();
        assert_eq!(failure.kind, Kind::NotFound);
    }

    #[test]
    fn two_bodies_are_refused_before_anything_is_sent() {
        let shown = perform(
            json!({"url": "https://a.example/", "json": {}, "text": ""}),
            Answer::status(200),
        );
        assert_eq!(
            (shown.ended.unwrap_err().kind, shown.asked.len()),
            (Kind::InvalidInput, 0)
        );
    }
}
