//! Cases: what a plugin is tried with, what it should ask for over the wire and be answered, and what should come
//! of it.

mod exchange;
mod expect;
mod request;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

pub use self::exchange::{AnswerGiven, Ending, Exchange, NoAnswer};
pub use self::expect::{Expect, Held, Outputs};
pub use self::request::{CaseRequest, Matching, RequestFault};
use self::wire::WireCases;
use crate::fault::{Fault, Report};
use crate::names::Slot;
use crate::path::Path;
use crate::schema::Kind;
use crate::source::Source;
use crate::{shape, yaml};

/// The cases of one plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases {
    /// The packed component, as the file says it: a path that begins at the file's folder.
    pub plugin: Option<String>,
    /// The cases, in their order. Their names differ.
    pub cases: Vec<Case>,
}

/// One run of the plugin, and what should come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is about.
    pub name: String,
    /// What the step is told.
    pub input: Map<String, Value>,
    /// The slots that are bound, each to a secret that is made up.
    pub credentials: BTreeMap<Slot, String>,
    /// The slots whose secret the plugin may see.
    pub reveal: Vec<Slot>,
    /// Allow lines; none where it is granted what its manifest asks for.
    pub allow: Option<Vec<String>>,
    /// Whether what could change something is held back.
    pub dry_run: bool,
    /// How many attempts may fail before the step does; 1 by default.
    pub attempts: u32,
    /// How long an attempt may take; as long as any step's where nothing is said.
    pub timeout: Option<Duration>,
    /// What the plugin sees of its run.
    pub context: CaseContext,
    /// What goes over the wire, in its order.
    pub exchanges: Vec<Exchange>,
    /// What comes of it.
    pub expect: Expect,
}

/// What a plugin sees of its run that differs from one to the next; where nothing is said, it is always the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseContext {
    /// The run's id.
    pub run: Option<String>,
    /// What random numbers and the idempotency key are drawn from.
    pub seed: Option<[u8; 32]>,
    /// When the run begins, in milliseconds since 1970, UTC.
    pub started_at: Option<u64>,
}

impl Cases {
    /// Reads a document of cases.
    ///
    /// # Errors
    ///
    /// All of its faults.
    pub fn parse(source: &Source) -> Result<Cases, Report> {
        let report = |faults| Report {
            source: source.clone(),
            faults,
        };
        let value = yaml::parse(source).map_err(report)?;
        shape::document(Kind::Cases, value, WireCases::convert, |_| Vec::new()).map_err(report)
    }

    /// The line on which a case stands in its document; with a number, the line of that exchange of it. Both count
    /// from 0, as the lists do.
    pub fn line(source: &Source, case: usize, exchange: Option<usize>) -> Option<usize> {
        let place = Path::root().key("cases").index(case);
        let place = match exchange {
            Some(exchange) => place.key("exchanges").index(exchange),
            None => place,
        };
        let report = Report {
            source: source.clone(),
            faults: vec![Fault::error(place, String::new())],
        };
        report.located().first().map(|located| located.line)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Cases {
        let source = Source {
            name: "cases.yaml".to_owned(),
            text: text.to_owned(),
        };
        Cases::parse(&source).unwrap()
    }

    #[test]
    fn what_is_not_said_has_defaults() {
        let cases = parse("cases: [{ name: a, expect: {} }]");
        let case = &cases.cases[0];
        assert_eq!(
            (cases.plugin, case.attempts, case.dry_run),
            (None, 1, false)
        );
        assert_eq!(case.allow, None);
        assert_eq!(case.input, Map::new());
        assert_eq!(case.context, CaseContext::default());
        assert!(matches!(
            &case.expect,
            Expect::Success {
                output: None,
                changed: None,
                summary: None
            }
        ));
    }

    #[test]
    fn what_the_file_says_for_all_holds_where_a_case_says_nothing() {
        let cases = parse(
            "credentials: { api: made-up }\nallow: [GET https://a.example/**]\ncases:\n  - { name: a, expect: {} }\n  - { name: b, credentials: {}, allow: [], expect: {} }",
        );
        let [a, b] = &cases.cases[..] else { panic!() };
        assert_eq!(a.credentials.len(), 1);
        assert_eq!(a.allow.as_ref().unwrap().len(), 1);
        assert!(b.credentials.is_empty());
        assert_eq!(b.allow.as_ref().unwrap().len(), 0);
    }

    #[test]
    fn an_answer_is_a_status_or_the_whole_of_it() {
        let cases = parse(
            "cases:\n  - name: a\n    exchanges:\n      - { request: get https://A.example, answer: 204 }\n      - { request: 'GET https://a.example/x', answer: { headers: { A: b }, body: { c: null } }, took: 2s }\n      - { request: 'DELETE https://a.example/x', crash: true }\n    expect: {}\n".replace("get", "GET").as_str(),
        );
        let [first, second, third] = &cases.cases[0].exchanges[..] else {
            panic!()
        };
        assert_eq!(first.request.request.url, "https://a.example/");
        let Ending::Answer(answer) = &first.ending else {
            panic!()
        };
        assert_eq!((answer.status, &answer.body), (204, &None));
        let Ending::Answer(answer) = &second.ending else {
            panic!()
        };
        assert_eq!(
            (answer.status, &answer.body),
            (200, &Some(json!({ "c": null })))
        );
        assert_eq!(second.took, Duration::from_secs(2));
        assert!(matches!(third.ending, Ending::Silence) && third.crash);
    }

    #[test]
    fn blank_names_passwords_and_odd_header_fields_are_refused_in_their_places() {
        let source = Source {
            name: "cases.yaml".to_owned(),
            text: "cases:\n  - name: ' '\n    exchanges:\n      - { request: 'GET https://:pw@a.example/', answer: 200 }\n      - request: GET https://a.example/\n        answer: { headers: { bad name: x, retry-after: \"1\\n2\" } }\n    expect: {}\n".to_owned(),
        };
        let report = Cases::parse(&source).unwrap_err();
        let mut lines: Vec<usize> = report.located().iter().map(|at| at.line).collect();
        lines.sort_unstable();
        assert_eq!(lines, [2, 4, 6, 6]);
    }

    #[test]
    fn cases_and_exchanges_have_lines() {
        let source = Source {
            name: "cases.yaml".to_owned(),
            text: "cases:\n  - name: a\n    exchanges:\n      - request: GET https://a.example/\n        answer: 200\n    expect: {}\n".to_owned(),
        };
        assert_eq!(Cases::line(&source, 0, None), Some(2));
        assert_eq!(Cases::line(&source, 0, Some(0)), Some(4));
    }
}
