//! `sandbook plugin doctor`: is all there that a language's plugins are built with?

mod tool;

use clap::ValueEnum as _;
use serde_json::{Value, json};

use self::tool::{Found, Tool};
use crate::arguments::{Language, PluginDoctor};
use crate::exit::Exit;
use crate::screen::{Ink, Output, Paper, Table, safe};

/// A tool, and what was found of it.
type Looked = (Tool, Option<Found>);

pub(super) fn doctor(arguments: &PluginDoctor, output: &mut Output) -> Exit {
    let languages = match &arguments.lang {
        Some(language) => std::slice::from_ref(language),
        None => Language::value_variants(),
    };
    let mut all_there = true;
    for language in languages {
        let looked: Vec<Looked> = tool::tools(*language)
            .into_iter()
            .map(|tool| {
                let found = tool.find();
                (tool, found)
            })
            .collect();
        all_there &= looked.iter().all(is_fine);
        if arguments.output.is_json() {
            output.line(&line(*language, &looked).to_string());
        } else {
            output.text(&report(*language, &looked, output.paper));
        }
    }
    if arguments.lang.is_some() && !all_there {
        Exit::Wrong
    } else {
        Exit::Succeeded
    }
}

fn is_fine((tool, found): &Looked) -> bool {
    found
        .as_ref()
        .is_some_and(|found| tool.needs.are_met(&found.version))
}

fn line(language: Language, looked: &[Looked]) -> Value {
    let tools: Vec<Value> = looked
        .iter()
        .map(|looked| {
            let (tool, found) = looked;
            json!({
                "name": tool.name, "needs": tool.needs.to_string(), "ok": is_fine(looked),
                "found": found.as_ref().map(|found| &found.version),
                "path": found.as_ref().map(|found| &found.path),
                "get": tool.get,
            })
        })
        .collect();
    json!({ "language": language.argument(), "ready": looked.iter().all(is_fine), "tools": tools })
}

fn report(language: Language, looked: &[Looked], paper: Paper) -> String {
    // Commands are there to be copied whole.
    let paper = paper.uncut();
    let missing: Vec<&Looked> = looked.iter().filter(|looked| !is_fine(looked)).collect();
    let state = match missing.len() {
        0 => paper.ink(Ink::Good, "ready"),
        count => paper.ink(Ink::Bad, &format!("{count} missing")),
    };
    let heading = paper.ink(Ink::Strong, &language.to_string());
    let mut table = Table::indented(2);
    for looked in looked {
        let (tool, found) = looked;
        let (mark, ink) = if is_fine(looked) {
            ("✓", Ink::Good)
        } else {
            ("✗", Ink::Bad)
        };
        let version = found
            .as_ref()
            .map_or("none", |found| found.version.as_str());
        table.row([
            (ink, mark.to_owned()),
            (Ink::Name, tool.name.to_owned()),
            (Ink::Plain, safe(version).to_string()),
            (Ink::Faint, format!("needs {}", tool.needs)),
        ]);
    }
    let mut text = format!("{heading}  {state}\n{}", table.render(paper));
    let mut told: Vec<&str> = Vec::new();
    for (tool, _) in missing {
        // One command may get several tools.
        if !told.contains(&tool.get.as_str()) {
            text.push_str(&format!("  get {}: {}\n", tool.name, tool.get));
            told.push(&tool.get);
        }
    }
    text
}
