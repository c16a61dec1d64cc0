//! Asks a URL until it answers as expected, or the time is up.

mod expectation;

use std::{collections::BTreeMap, time::Duration};

use sandbook_step::prelude::*;

use expectation::Expectation;

/// What is kept of the attempt's time for saying what was seen.
const MARGIN: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Input {
    url: String,
    #[serde(default)]
    method: Method,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(flatten)]
    expected: Expectation,
    #[serde(default = "a_minute")]
    within: Span,
    #[serde(default = "two_seconds")]
    interval: Span,
    #[serde(default = "ten_seconds")]
    timeout: Span,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    #[default]
    Get,
    Head,
}

#[derive(Serialize, Debug)]
struct Output {
    /// The status of the answer that was as expected.
    status: u16,
    /// How often was asked.
    asked: u32,
    /// How long it took, in milliseconds.
    took: u64,
}

fn run(context: &Context, input: Input) -> Result<Done<Output>, Failure> {
    let start = context.remaining();
    let mut asked = 0;
    loop {
        asked += 1;
        let seen = match ask(&input) {
            Ok(response) => match input.expected.unmet(&response) {
                None => {
                    let took = start.saturating_sub(context.remaining()).as_millis() as u64;
                    let output = Output {
                        status: response.status(),
                        asked,
                        took,
                    };
                    return Ok(Done::unchanged(output).summary(summary(&input.url, asked)));
                }
                Some(unmet) => unmet,
            },
            Err(error) if error.is_passing() => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        let passed = start.saturating_sub(context.remaining());
        // In a dry run nothing was done that could make the answer right.
        let out_of_time = context.dry_run
            || passed + input.interval.0 > input.within.0
            || context.remaining() < input.interval.0 + MARGIN;
        if out_of_time {
            return Err(
                Failure::timed_out(given_up(&input.url, asked, passed, &seen))
                    .with_code("NotAsExpected"),
            );
        }
        progress::say(&seen);
        log::debug!("{seen}");
        timer::sleep(input.interval.0);
    }
}

fn ask(input: &Input) -> Result<http::Response, http::Error> {
    let method = match input.method {
        Method::Get => "GET",
        Method::Head => "HEAD",
    };
    let mut request = http::request(method, &input.url)
        .timeout(input.timeout.0)
        .credential_if_bound("auth");
    for (name, value) in &input.headers {
        request = request.header(name, value);
    }
    request.send()
}

fn summary(url: &str, asked: u32) -> String {
    match asked {
        1 => format!("{url} answers as expected"),
        _ => format!("{url} answers as expected, after {asked} times asking"),
    }
}

/// How often it was asked in what time, and what was seen in the end.
fn given_up(url: &str, asked: u32, passed: Duration, seen: &str) -> String {
    let seconds = passed.as_secs();
    match (asked, seconds) {
        (1, _) => format!("{url} did not answer as expected: {seen}"),
        (_, 0) => format!(
            "{url} did not answer as expected, asked {asked} times within a second; at last: {seen}"
        ),
        _ => format!(
            "{url} did not answer as expected, asked {asked} times within {seconds} s; at last: {seen}"
        ),
    }
}

fn a_minute() -> Span {
    Span::seconds(60)
}

fn two_seconds() -> Span {
    Span::seconds(2)
}

fn ten_seconds() -> Span {
    Span::seconds(10)
}

sandbook_step::step!(run);

#[cfg(test)]
mod tests {
    use sandbook_step::testing::{Answer, Stage};

    use super::*;

    fn input(more: Value) -> Input {
        let mut input = json!({"url": "https://a.example/health"});
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(input).unwrap()
    }

    #[test]
    fn it_asks_until_the_answer_is_right() {
        let mut answers = vec![
            Ok(Answer::json(200, &json!({"status": "ok"}))),
            Ok(Answer::json(200, &json!({"status": "starting"}))),
            Ok(Answer::status(503)),
            Err(http::Error::Unreachable("connection refused".to_owned())),
        ];
        let shown = Stage::new(move |_| answers.pop().unwrap())
            .perform(|context| run(context, input(json!({"json": {"/status": "ok"}}))));
        let done = shown.ended.unwrap();
        assert_eq!(
            (done.data.asked, done.data.took, done.changed),
            (4, 6_000, false)
        );
    }

    #[test]
    fn when_the_time_is_up_it_says_what_it_saw_last() {
        let shown = Stage::new(|_| Ok(Answer::status(503)))
            .perform(|context| run(context, input(json!({"within": "10s", "interval": "3s"}))));
        let failure = shown.ended.unwrap_err();
        assert_eq!((failure.kind, shown.asked.len()), (Kind::TimedOut, 4));
        assert_eq!(
            failure.message,
            "https://a.example/health did not answer as expected, asked 4 times within 9 s; at last: the status is \
             503, not 200"
        );
    }

    #[test]
    fn it_gives_up_before_the_attempt_is_ended() {
        let shown = Stage::new(|_| Ok(Answer::status(503)))
            .context(|context| context.deadline = context.started_at + 5_000)
            .perform(|context| run(context, input(json!({"within": "1h"}))));
        assert_eq!(
            shown.ended.unwrap_err().code.as_deref(),
            Some("NotAsExpected")
        );
        assert_eq!(shown.waited, Duration::from_secs(4));
    }

    #[test]
    fn in_a_dry_run_it_asks_once() {
        let shown = Stage::new(|_| Ok(Answer::status(503)))
            .context(|context| context.dry_run = true)
            .perform(|context| run(context, input(json!({}))));
        let failure = shown.ended.unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("NotAsExpected"));
        assert_eq!(
            failure.message,
            "https://a.example/health did not answer as expected: the status is 503, not 200"
        );
        assert_eq!(shown.asked.len(), 1);
    }

    #[test]
    fn what_is_not_granted_is_not_asked_again() {
        let shown = Stage::new(|_| Err(http::Error::Denied("no grant".to_owned())))
            .perform(|context| run(context, input(json!({}))));
        assert_eq!(shown.ended.unwrap_err().kind, Kind::Unauthorized);
        assert_eq!(shown.asked.len(), 1);
    }
}
