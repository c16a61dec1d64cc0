//! The runbooks that are measured.

use std::fmt::Write as _;

/// How the steps of a runbook follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Each waits for those before it.
    Sequence,
    /// None waits for any.
    Parallel,
}

/// A runbook of so many steps that do nothing.
pub(crate) fn idle(steps: usize, order: Order) -> String {
    let needs = match order {
        Order::Sequence => "",
        Order::Parallel => "    needs: []\n",
    };
    of_steps(steps, &format!("    uses: noop\n{needs}"))
}

/// A runbook of so many steps that get this URL, one after the other.
pub(crate) fn asking(steps: usize, url: &str) -> String {
    of_steps(
        steps,
        &format!(
            "    uses: http-request\n    with: {}\n    allow: [\"GET {url}\"]\n",
            input(url)
        ),
    )
}

/// What a step is told that gets this URL: JSON, which is YAML too.
pub(crate) fn input(url: &str) -> String {
    format!("{{\"method\":\"GET\",\"url\":\"{url}\"}}")
}

fn of_steps(count: usize, step: &str) -> String {
    let mut text = "name: measured\nsteps:\n".to_owned();
    for number in 1..=count {
        write!(text, "  - id: s{number}\n{step}").expect("a text can always be written to");
    }
    text
}
