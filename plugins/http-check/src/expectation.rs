use std::collections::BTreeMap;

use sandbook_step::{http::Response, prelude::*};

/// What an answer has to be like.
#[derive(Deserialize)]
pub(crate) struct Expectation {
    /// One of these statuses.
    #[serde(default = "success")]
    status: Vec<u16>,
    /// A text that its body contains.
    contains: Option<String>,
    /// What its JSON holds at these places (JSON Pointer).
    #[serde(default)]
    json: BTreeMap<String, Value>,
}

impl Expectation {
    /// What is not as expected, in a few words; `None` when all is.
    pub(crate) fn unmet(&self, response: &Response) -> Option<String> {
        let status = response.status();
        if !self.status.contains(&status) {
            let wanted: Vec<String> = self.status.iter().map(u16::to_string).collect();
            return Some(format!(
                "the status is {status}, not {}",
                wanted.join(" or ")
            ));
        }
        if let Some(text) = self
            .contains
            .as_ref()
            .filter(|text| !response.text().contains(text.as_str()))
        {
            return Some(format!("the body does not contain `{text}`"));
        }
        if self.json.is_empty() {
            return None;
        }
        let Ok(body) = serde_json::from_slice::<Value>(response.bytes()) else {
            return Some("the body is no JSON".to_owned());
        };
        self.json
            .iter()
            .find_map(|(place, wanted)| match body.pointer(place) {
                Some(found) if found == wanted => None,
                Some(found) => Some(format!("`{place}` is {found}, not {wanted}")),
                None => Some(format!("there is nothing at `{place}`")),
            })
    }
}

fn success() -> Vec<u16> {
    vec![200]
}

#[cfg(test)]
mod tests {
    use sandbook_step::testing::{Answer, Stage};

    use super::*;

    fn unmet(expected: Value, answer: Answer) -> Option<String> {
        let expected: Expectation = serde_json::from_value(expected).unwrap();
        let shown = Stage::new(move |_| Ok(answer.clone()))
            .perform(|_| http::get("https://a.example/").send());
        expected.unmet(&shown.ended.unwrap())
    }

    #[test]
    fn each_part_is_checked_and_named() {
        let body = || Answer::json(200, &json!({"region": "west", "writable": true}));
        for (expected, said) in [
            (json!({}), None),
            (
                json!({"status": [200, 204], "contains": "west", "json": {"/writable": true}}),
                None,
            ),
            (
                json!({"status": [204, 301]}),
                Some("the status is 200, not 204 or 301"),
            ),
            (
                json!({"contains": "east"}),
                Some("the body does not contain `east`"),
            ),
            (
                json!({"json": {"/region": "east"}}),
                Some(r#"`/region` is "west", not "east""#),
            ),
            (
                json!({"json": {"/zone": 1}}),
                Some("there is nothing at `/zone`"),
            ),
        ] {
            assert_eq!(unmet(expected, body()).as_deref(), said);
        }
    }

    #[test]
    fn a_body_that_is_no_json_is_not_as_expected() {
        assert_eq!(
            unmet(json!({"json": {"": 1}}), Answer::text(200, "<html>")).unwrap(),
            "the body is no JSON"
        );
    }
}
