//! Stored events of any text: decoded or refused, folded or illegal, and never taken for a link of a chain.

use sandbook_journal::{Chain, Digest, EVENT_VERSION, Event, Row, RunState};

/// Each line is the body of an event.
pub(crate) fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut state = RunState::default();
    let mut chain = Chain::new("any");
    for (line, seq) in text.lines().zip(1..) {
        unlinked(&mut chain, line, seq);
        let Ok(event) = Event::decode(EVENT_VERSION, line) else {
            continue;
        };
        let written = serde_json::to_string(&event).expect("invariant: an event can be written");
        let again = Event::decode(EVENT_VERSION, &written);
        assert_eq!(again.ok().as_ref(), Some(&event), "{written}");
        let before = state.clone();
        if state.apply(&event, seq).is_err() {
            assert!(
                state == before,
                "an illegal event changed the state: {line}"
            );
        }
        assert!(!state.status().is_final() || state.finish().is_some());
    }
}

/// A row whose hash isn't the chain's is not followed, whatever its body says.
fn unlinked(chain: &mut Chain, body: &str, time: u64) {
    let before = chain.head();
    let row = Row {
        seq: 1,
        time,
        kind: "noted".to_owned(),
        version: EVENT_VERSION,
        body: body.to_owned(),
        hash: Digest::of(body.as_bytes()),
    };
    assert!(chain.follow(&row).is_err());
    assert_eq!(chain.head(), before);
}
