//! What a person sees on a terminal, and is asked there.

use std::fs;

use super::desk;
use crate::support::terminal::Terminal;
use crate::support::{Lab, target};

fn start(lab: &Lab, arguments: &[&str]) -> Terminal {
    Terminal::start(lab.command(arguments), Terminal::USUAL)
}

/// A screen's rows. Those of the live view are as wide as the screen, and the next one follows without a line's end;
/// how many empty ones it leaves behind is a matter of when it was drawn last.
fn unfolded(screen: &str) -> String {
    let width = usize::from(Terminal::USUAL.1);
    let rows = screen.lines().flat_map(|line| {
        let characters: Vec<char> = line.chars().collect();
        let rows = characters.chunks(width).map(String::from_iter);
        rows.collect::<Vec<String>>()
    });
    let rows = rows.map(|row| row.trim_end().to_owned());
    let rows: Vec<String> = rows.filter(|row| !row.is_empty()).collect();
    rows.join("\n")
}

/// A screen without what differs from one time to the next: times, ids, digests.
fn snapshot(name: &str, screen: &str) {
    let mut settings = insta::Settings::clone_current();
    for (pattern, same) in [
        (r"\d\d:\d\d:\d\d", "HH:MM:SS"),
        (r"<?\d+(\.\d+)? (ms|s)\b", "SPAN"),
        // Only where that takes long.
        (r"Obtaining credentials[^\n]*\n", ""),
        (r"\brun [0-9a-z]{12}\b", "run RUN"),
        (r"\b[0-9a-f]{64}\b", "DIGEST"),
        (r"\b[0-9a-f]{12}\b", "DIGEST"),
    ] {
        settings.add_filter(pattern, same);
    }
    settings.bind(|| insta::assert_snapshot!(name, unfolded(screen)));
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

const ODD: &str = r#"
name: odd
description: "Odd \e]0;owned\a\e[2J\u202ewords."
inputs:
  which: { type: string, enum: ["plain", "\e[2Jgone\u202e\u2060"], description: "Which \e]0;owned\a\u2066one\u3164." }
  text: { type: string, default: "\e[31mred\u200b\e[0m\U000E0041" }
steps:
  - id: a
    uses: puppet
    allow: [GET https://hooks.example-shop.com/x]
    with:
      actions:
        - { do: log, level: info, message: "\e]0;owned\a\e[2J\e[1;1H\u202eover" }
        - { do: log, level: error, message: "${{ inputs.text }}" }
        - { do: progress, message: "\e[5Aup\u200b\ufeff", fraction: 0.5 }
        - { do: return, changed: true, summary: "\e[1Adone\u2067", data: {} }
"#;

/// What a runbook, a file's name and a plugin say is shown, and moves, colours, turns and hides nothing.
#[test]
fn hostile_words_are_shown_and_not_obeyed() {
    let (_cloud, lab) = desk();
    lab.write("odd.yaml", ODD);
    let odd = "a\u{1b}]0;owned\u{7}\u{202e}\u{200b}b.yaml";
    fs::copy(lab.path("tell.yaml"), lab.path(odd)).unwrap();
    fs::copy(
        lab.path("environments/drill.yaml"),
        lab.path("environments").join(odd),
    )
    .unwrap();
    let (status, screen) = start(&lab, &["list"]).end();
    assert!(status.success(), "{screen}");
    snapshot("a_list_of_odd_names", &screen);
    let (_, screen) = start(&lab, &["check", odd]).end();
    snapshot("a_check_of_an_odd_name", &screen);

    let mut terminal = start(&lab, &["run", "odd"]);
    terminal.until("In which environment?");
    terminal.types("drill\r");
    terminal.until("Which ");
    terminal.types("other\r");
    terminal.until("must be one of");
    terminal.types(&"\u{7f}".repeat("other".len()));
    terminal.types("plain\r");
    terminal.until("mred");
    terminal.types("\r");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    snapshot("a_run_of_odd_words", &screen);
    // What is shown of a default is not what it is.
    let started = &lab.events_of("run_started")[0];
    let text = "\u{1b}[31mred\u{200b}\u{1b}[0m\u{e0041}";
    assert_eq!(started["inputs"]["text"]["value"], text, "{started}");
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
