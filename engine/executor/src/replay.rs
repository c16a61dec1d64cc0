//! A step's changing requests that were answered with success, and what a new attempt does with them.
//!
//! Let R be those requests in their order, up to the last one that isn't repeatable. A new attempt's
//! changing requests are answered from R, in order, as long as they equal it; after R they are live. A
//! different one before R is used up has *diverged*.

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
    answered: Vec<(Likeness, bool, Response)>,
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
            .rposition(|(_, repeatable, _)| !repeatable)
            .map_or(0, |last| last + 1);
        self.answered.truncate(self.length);
        self.next = 0;
        self.changed_before |= std::mem::take(&mut self.changed);
    }

    /// Hides in R what is hidden by now. A new attempt's requests are compared without it, so that one that was
    /// recorded before another step has put it out would be taken for a different one.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        for (recorded, ..) in &mut self.answered {
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

    /// Asks R for its answer to a changing request.
    pub(crate) fn ask(&mut self, asked: &Asked) -> Again {
        if self.next >= self.length {
            return Again::Live;
        }
        let (recorded, _, response) = &self.answered[self.next];
        let asked = Likeness::of(asked);
        if *recorded != asked {
            return Again::Diverged(recorded.told_from(&asked));
        }
        self.next += 1;
        Again::Answered(response.clone())
    }

    /// Notes a changing request that was answered with success.
    pub(crate) fn answered(&mut self, asked: &Asked, response: Response) {
        self.answered
            .push((Likeness::of(asked), asked.repeatable, response));
        self.changed = true;
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
            replay.answered(&asked(url, *repeatable), answer(status));
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
        replay.answered(&asked("a", true), answer(200));
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
    fn starting_over_forgets_the_record() {
        let mut replay = recorded(&[("a", false)]);
        replay.clear();
        replay.rewind();
        assert!(matches!(replay.ask(&asked("a", false)), Again::Live));
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
