//! What is said to whoever waits for a group that another run holds.

use sandbook_executor::{Holder, Queued};
use sandbook_journal::RunStatus;

use super::words;
use crate::screen::{one_line, safe};

/// What a run waits for, in one line.
pub(crate) fn queued(queued: &Queued) -> String {
    let group = safe(&queued.group);
    let holder = match &queued.holder {
        Some(holder) => one_line(&holder.to_string()),
        None => "nobody holds it just now".to_owned(),
    };
    let before = match queued.before {
        0 => "you are next".to_owned(),
        before => format!("{} before you", words::count(before, "run")),
    };
    // A run that goes on comes to its end by itself.
    let next = queued.holder.as_ref();
    let next = next.filter(|holder| holder.status != RunStatus::Running);
    let next = next.map(|holder| format!(": {}", next_step(holder)));
    format!(
        "waiting for group `{group}`: {holder}; {before}{}",
        next.unwrap_or_default()
    )
}

/// What can be done about a run that holds a group.
pub(crate) fn next_step(holder: &Holder) -> String {
    let run = holder.run;
    match holder.status {
        RunStatus::Waiting => format!(
            "`sandbook show {run}` says what it waits for, `sandbook decide {run}` answers it, and \
             `sandbook cancel {run}` ends it"
        ),
        RunStatus::Interrupted => {
            format!("`sandbook resume {run}` goes on with it, and `sandbook cancel {run}` ends it")
        }
        _ => format!(
            "wait until it is through (`sandbook log {run} --follow` shows how it goes on), or end it with \
             `sandbook cancel {run}`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use sandbook_journal::Operator;

    use super::*;

    fn waiting(status: Option<RunStatus>, before: usize) -> String {
        let holder = status.map(|status| Holder {
            run: "0123456789ab".parse().unwrap(),
            runbook: "restore-site".to_owned(),
            operator: Operator {
                uid: 7,
                name: "ana\x1b".to_owned(),
            },
            status,
        });
        queued(&Queued {
            group: "site".to_owned(),
            holder,
            before,
        })
    }

    #[test]
    fn who_waits_learns_behind_whom_and_what_to_do() {
        assert_eq!(
            waiting(Some(RunStatus::Running), 2),
            "waiting for group `site`: run 0123456789ab of `restore-site` by ana\\u{1b}, which is running; 2 runs before you"
        );
        let said = waiting(Some(RunStatus::Interrupted), 0);
        assert!(
            said.contains("is interrupted; you are next: `sandbook resume 0123456789ab`"),
            "{said}"
        );
        let said = waiting(Some(RunStatus::Waiting), 0);
        assert!(said.contains("`sandbook decide 0123456789ab`"), "{said}");
        assert_eq!(
            waiting(None, 1),
            "waiting for group `site`: nobody holds it just now; 1 run before you"
        );
    }
}
