use std::collections::BTreeMap;

use sandbook_step::{http::Response, prelude::*};

/// What the answer's JSON holds at each place (JSON Pointer), by the names that the runbook gave them.
pub(crate) fn pick(
    places: &BTreeMap<String, String>,
    response: &Response,
) -> Result<BTreeMap<String, Value>, Failure> {
    if places.is_empty() {
        return Ok(BTreeMap::new());
    }
    let body: Value = response.json()?;
    places
        .iter()
        .map(|(name, place)| match body.pointer(place) {
            Some(value) => Ok((name.clone(), value.clone())),
            None => Err(Failure::failed(format!(
                "the answer has nothing at `{place}`, to be picked as `{name}`"
            ))
            .with_code("NothingToPick")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use sandbook_step::testing::{Answer, Stage};

    use super::*;

    fn picked(place: &str) -> Result<BTreeMap<String, Value>, Failure> {
        let answer = Answer::json(200, &json!({"a": [{"b": "c"}], "n": null}));
        let shown = Stage::new(move |_| Ok(answer.clone()))
            .perform(|_| http::get("https://a.example/").send());
        pick(
            &BTreeMap::from([("it".to_owned(), place.to_owned())]),
            &shown.ended.unwrap(),
        )
    }

    #[test]
    fn values_keep_their_type() {
        assert_eq!(picked("/a/0/b").unwrap()["it"], "c");
        assert_eq!(picked("/n").unwrap()["it"], Value::Null);
        assert_eq!(picked("").unwrap()["it"]["a"][0]["b"], "c");
    }

    #[test]
    fn a_place_with_nothing_is_a_failure_that_names_it() {
        let failure = picked("/a/1").unwrap_err();
        assert_eq!(
            failure.message,
            "the answer has nothing at `/a/1`, to be picked as `it`"
        );
    }
}
