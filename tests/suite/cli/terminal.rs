//! What a person sees on a terminal, and is asked there.

use std::fs;

use super::desk;
use crate::support::terminal::Terminal;
use crate::support::{Lab, target};

fn start(lab: &Lab, arguments: &[&str]) -> Terminal {
    Terminal::start(lab.command(arguments), Terminal::USUAL)
}

/// A screen without what differs from one time to the next: times, ids, digests.
fn snapshot(name: &str, screen: &str) {
    let mut settings = insta::Settings::clone_current();
    for (pattern, same) in [
        (r"\d\d:\d\d:\d\d", "HH:MM:SS"),
        (r"\d+(\.\d+)? (ms|s)\b", "SPAN"),
        (r"\brun [0-9a-z]{12}\b", "run RUN"),
        (r"\b[0-9a-f]{64}\b", "DIGEST"),
        (r"\b[0-9a-f]{12}\b", "DIGEST"),
    ] {
        settings.add_filter(pattern, same);
    }
    settings.bind(|| insta::assert_snapshot!(name, screen));
}

#[test]
fn accepting_a_plugin_is_asked() {
    let lab = Lab::new();
    let outside = target().join("test-plugins/noop.wasm");
    let project = fs::read_to_string(lab.path("sandbook.yaml")).unwrap();
    let line = format!("  stranger: {}\n", outside.display());
    lab.write("sandbook.yaml", &(project + &line));
    let accept = ["plugin", "accept", "stranger"];

    let mut terminal = start(&lab, &accept);
    terminal.until("Accept it?");
    terminal.types("n");
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(2), "{screen}");
    assert!(!lab.path("sandbook.lock").exists(), "{screen}");

    let mut terminal = start(&lab, &accept);
    terminal.until("Accept it?");
    let screen = terminal.screen();
    snapshot(
        "asked_to_accept",
        &screen.replace(outside.to_str().unwrap(), "ELSEWHERE"),
    );
    terminal.types("y");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    assert!(lab.path("sandbook.lock").exists(), "{screen}");
}

#[test]
fn a_run_asks_what_it_lacks_and_shows_how_it_goes() {
    let (cloud, lab) = desk();
    let mut terminal = start(&lab, &["run", "tell"]);
    terminal.until("In which environment?");
    terminal.types("nowhere\r");
    terminal.until("there is no environment `nowhere`");
    terminal.types(&"\u{7f}".repeat("nowhere".len()));
    terminal.types("drill\r");
    terminal.until("What to tell.");
    terminal.types("all is well\r");
    terminal.until("How often.");
    terminal.types("\r");
    terminal.until("(y/n)");
    snapshot("asked_before_a_run", &terminal.screen());
    assert_eq!(cloud.requests().len(), 0);
    terminal.types("y");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    snapshot("a_run_on_a_terminal", &screen);
    assert_eq!(cloud.requests().len(), 1);
}
