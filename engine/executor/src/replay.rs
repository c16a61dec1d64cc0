//! A step's changing requests that were answered with success, and what a new attempt does with them.
//!
//! Let R be those requests in their order, up to the last one that isn't repeatable. A new attempt's
//! changing requests are answered from R, in order, as long as they equal it; after R they are live. A
//! different one before R is used up has *diverged*. Between the requests of R there may be some that were in doubt,
//! and of which a person has said that they have not happened: one that equals such a one is live, in its place.

use sandbook_sandbox::gate::{Asked, Response};
use sandbook_sandbox::redact::Redactor;

/// What makes two requests the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Likeness {
    method: String,
    url: String,
    slot: Option<String>,
    body: Option<Vec<u8>>,
}

impl Likeness {
    fn of(asked: &Asked) -> Likeness {
        Likeness {
            method: asked.method.clone(),
            url: asked.url.clone(),
            slot: asked.slot.clone(),
            body: asked.body.as_ref().map(|body| body.to_vec()),
        }
    }

    /// The request in words that tell it from another one.
    fn told_from(&self, other: &Likeness) -> String {
        let request = format!("`{} {}`", self.method, self.url);
        if (&self.method, &self.url) != (&other.method, &other.url) {
            request
        } else if self.slot != other.slot {
            request + " with another credential"
        } else {
            request + " with another body"
        }
    }
}

/// A request that was answered with success.
#[derive(Debug)]
struct Answered {
    /// Its attempt, and its number in that: requests pass the gate one after the other, so this is their order.
    at: (u32, u32),
    likeness: Likeness,
    repeatable: bool,
    /// Nothing where it has not happened.
    response: Option<Response>,
}

/// What is done with a changing request.
#[derive(Debug)]
pub(crate) enum Again {
    /// It goes out.
    Live,
    /// It was answered in an earlier attempt; this is the answer.
    Answered(Response),
    /// It isn't the one that R has in its place; says which that is.
    Diverged(String),
}

/// The record of one step, over all its attempts.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    answered: Vec<Answered>,
    /// How long R is in this attempt, and how far it is used up.
    length: usize,
    next: usize,
    /// Whether a request has changed something, or may have: in this attempt, and in one before it.
    changed: bool,
    changed_before: bool,
}

impl Replay {
    /// A new attempt begins: R is what was answered so far.
    pub(crate) fn rewind(&mut self) {
        self.length = self
            .answered
            .iter()
            .rposition(|answered| !answered.repeatable && answered.response.is_some())
            .map_or(0, |last| last + 1);
        self.answered.truncate(self.length);
        self.next = 0;
        self.changed_before |= std::mem::take(&mut self.changed);
    }

    /// Hides in R what is hidden by now. A new attempt's requests are compared without it, so that one that was
    /// recorded before another step has put it out would be taken for a different one.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        for Answered { likeness, .. } in &mut self.answered {
            let recorded = likeness;
            recorded.url = redactor.redact_text(&recorded.url).into_owned();
            if let Some(body) = &mut recorded.body {
                *body = redactor.redact(body).into_owned();
            }
        }
    }

    /// What was answered is known to have had no effect.
    pub(crate) fn clear(&mut self) {
        *self = Replay::default();
    }

    /// A person wants all of it asked for anew. What it has changed stays changed.
    pub(crate) fn forget(&mut self) {
        let changed_before = self.changed_before | self.changed;
        *self = Replay {
            changed_before,
            ..Replay::default()
        };
    }

    /// Asks R for its answer to a changing request.
    pub(crate) fn ask(&mut self, asked: &Asked) -> Again {
        if self.next >= self.length {
            return Again::Live;
        }
        let likeness = Likeness::of(asked);
        let mut rest = self.answered[self.next..self.length].iter();
        // What has not happened may be left out.
        let Some(place) = rest.position(|it| it.response.is_some() || it.likeness == likeness)
        else {
            return Again::Live;
        };
        let recorded = &self.answered[self.next + place];
        if recorded.likeness != likeness {
            return Again::Diverged(recorded.likeness.told_from(&likeness));
        }
        self.next += place + 1;
        match &recorded.response {
            Some(response) => Again::Answered(response.clone()),
            None => Again::Live,
        }
    }

    /// Notes a changing request of this attempt that was answered with success, or of which a person has said so:
    /// then it takes its place among those that were sent after it.
    pub(crate) fn answered(&mut self, attempt: u32, asked: &Asked, response: Response) {
        self.changed = true;
        let likeness = Likeness::of(asked);
        // One that had not happened before has its place already.
        let same = |it: &&mut Answered| it.response.is_none() && it.likeness == likeness;
        match self.answered.iter_mut().find(same) {
            Some(before) => before.response = Some(response),
            None => self.insert(attempt, asked, Some(response)),
        }
    }

    /// Notes a request of this attempt of which a person has said that it has not happened.
    pub(crate) fn not_happened(&mut self, attempt: u32, asked: &Asked) {
        let likeness = Likeness::of(asked);
        let same = |it: &Answered| it.response.is_none() && it.likeness == likeness;
        if !self.answered.iter().any(same) {
            self.insert(attempt, asked, None);
        }
    }

    fn insert(&mut self, attempt: u32, asked: &Asked, response: Option<Response>) {
        let answered = Answered {
            at: (attempt, asked.number),
            likeness: Likeness::of(asked),
            repeatable: asked.repeatable,
            response,
        };
        let place = self
            .answered
            .partition_point(|other| other.at <= answered.at);
        self.answered.insert(place, answered);
    }

    /// Notes a changing request of which nobody knows what came of it.
    pub(crate) fn unanswered(&mut self) {
        self.changed = true;
    }

    /// Whether an earlier attempt may have changed something. What this one finds as it should be may be so
    /// because of that.
    pub(crate) fn changed_before(&self) -> bool {
        self.changed_before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str, repeatable: bool) -> Asked {
        Asked {
            number: 1,
            method: "POST".to_owned(),
            url: url.to_owned(),
            slot: None,
            credential: None,
            body: Some(b"{}".to_vec().into()),
            repeatable,
            changing: true,
        }
    }

    fn answer(status: u16) -> Response {
        Response {
            status,
            headers: Vec::new(),
            body: Vec::new().into(),
        }
    }

    fn recorded(requests: &[(&str, bool)]) -> Replay {
        let mut replay = Replay::default();
        for (status, (url, repeatable)) in (200..).zip(requests) {
            replay.answered(1, &asked(url, *repeatable), answer(status));
        }
        replay.rewind();
        replay
    }

    #[test]
    fn a_new_attempt_is_answered_in_order_and_live_from_there() {
        let mut replay = recorded(&[("a", true), ("b", false)]);
        for (url, status) in [("a", 200), ("b", 201)] {
            let again = replay.ask(&asked(url, false));
            assert!(matches!(again, Again::Answered(response) if response.status == status));
        }
        assert!(matches!(replay.ask(&asked("c", false)), Again::Live));
    }

    #[test]
    fn what_is_safe_to_repeat_after_the_last_that_is_not_goes_out_again() {
        let mut replay = recorded(&[("a", false), ("b", true)]);
        assert!(matches!(replay.ask(&asked("a", false)), Again::Answered(_)));
        assert!(matches!(replay.ask(&asked("b", true)), Again::Live));
    }

    #[test]
    fn another_request_before_the_record_is_used_up_has_diverged() {
        let mut replay = recorded(&[("a", false)]);
        assert!(
            matches!(replay.ask(&asked("b", false)), Again::Diverged(which) if which == "`POST a`")
        );
        let mut other = asked("a", false);
        other.body = None;
        assert!(
            matches!(replay.ask(&other), Again::Diverged(which) if which == "`POST a` with another body")
        );
        other.slot = Some("api".to_owned());
        assert!(
            matches!(replay.ask(&other), Again::Diverged(which) if which == "`POST a` with another credential")
        );
    }

    #[test]
    fn what_an_earlier_attempt_may_have_changed_is_remembered() {
        let mut replay = Replay::default();
        replay.rewind();
        replay.answered(1, &asked("a", true), answer(200));
        assert!(!replay.changed_before());
        replay.rewind();
        assert!(replay.changed_before());
        replay.clear();
        replay.unanswered();
        replay.rewind();
        replay.rewind();
        assert!(replay.changed_before());
    }

    #[test]
    fn what_a_person_says_has_happened_takes_its_place() {
        let mut replay = Replay::default();
        let numbered = |url, number| Asked {
            number,
            ..asked(url, false)
        };
        replay.answered(1, &numbered("a", 1), answer(200));
        replay.answered(1, &numbered("c", 3), answer(200));
        replay.answered(1, &numbered("b", 2), answer(200));
        replay.rewind();
        for url in ["a", "b", "c"] {
            assert!(matches!(replay.ask(&asked(url, false)), Again::Answered(_)));
        }
    }

    #[test]
    fn what_has_not_happened_goes_out_in_its_place_once() {
        let numbered = |url, number| Asked {
            number,
            ..asked(url, false)
        };
        let before = || {
            let mut replay = Replay::default();
            replay.answered(1, &numbered("a", 1), answer(200));
            replay.answered(1, &numbered("c", 3), answer(200));
            replay.not_happened(1, &numbered("b", 2));
            replay.rewind();
            replay
        };
        let mut replay = before();
        for (url, live) in [("a", false), ("b", true), ("c", false)] {
            let again = replay.ask(&asked(url, false));
            assert_eq!(matches!(again, Again::Live), live, "{url}: {again:?}");
        }
        replay.answered(2, &numbered("b", 2), answer(201));
        replay.rewind();
        for url in ["a", "b", "c"] {
            assert!(matches!(replay.ask(&asked(url, false)), Again::Answered(_)));
        }
        let mut leaves_out = before();
        for url in ["a", "c"] {
            let again = leaves_out.ask(&asked(url, false));
            assert!(matches!(again, Again::Answered(_)), "{again:?}");
        }
        let mut differs = before();
        differs.ask(&asked("a", false));
        assert!(
            matches!(differs.ask(&asked("d", false)), Again::Diverged(which) if which == "`POST c`")
        );
    }

    #[test]
    fn starting_over_forgets_the_record() {
        let mut replay = recorded(&[("a", false)]);
        replay.clear();
        replay.rewind();
        assert!(matches!(replay.ask(&asked("a", false)), Again::Live));
    }

    #[test]
    fn what_is_asked_for_anew_was_changed_all_the_same() {
        let mut replay = recorded(&[("a", false)]);
        replay.forget();
        replay.rewind();
        assert!(matches!(replay.ask(&asked("a", false)), Again::Live));
        assert!(replay.changed_before());
    }

    #[test]
    fn what_is_hidden_only_now_makes_no_other_request() {
        let mut replay = recorded(&[("https://a.example/hush-hush", false)]);
        let redactor = Redactor::default();
        redactor.hide_sensitive("hush-hush");
        replay.rewind();
        replay.redact(&redactor);
        let again = replay.ask(&asked("https://a.example/[sensitive]", false));
        assert!(matches!(again, Again::Answered(_)), "{again:?}");
    }
}
