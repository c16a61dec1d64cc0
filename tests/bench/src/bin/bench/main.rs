//! Measures the engine against bare floors and against what people use today, and prints ratios.
//!
//! `bench [NAME…]`: all benches, or those that are named. Every figure is a ratio of two things that were done in
//! turns in this run, since figures of different runs or machines can't be compared. The exit status is 1 where
//! a bound isn't met.

mod ansible;
mod finding;
mod http;
mod languages;
mod look;
mod pairs;
mod process;
mod resume;
mod runbook;
mod server;
mod silent;
mod startup;
mod step;
mod steps;
mod warm;
mod workshop;

use std::error::Error;
use std::process::ExitCode;

use self::finding::Finding;
use self::workshop::Workshop;

/// What a bench ends with. Whoever reads the error is the person who called it.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A bench's name, and what measures it.
type Bench = (&'static str, fn(&Workshop) -> Outcome<Vec<Finding>>);

const BENCHES: [Bench; 12] = [
    ("step", step::step),
    ("sequence", steps::sequence),
    ("parallel", steps::parallel),
    ("flat", steps::flat),
    ("memory", steps::memory),
    ("process", startup::process),
    ("http", http::http),
    ("warm", warm::warm),
    ("look", look::look),
    ("languages", languages::languages),
    ("resume", resume::resume),
    ("ansible", ansible::ansible),
];

fn main() -> ExitCode {
    match measure(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(2)
        }
    }
}

/// Measures what is named and prints it. Returns whether all bounds hold.
fn measure(names: &[String]) -> Outcome<bool> {
    let chosen = choose(names)?;
    let workshop = Workshop::open()?;
    println!("{}\n", workshop.machine());
    let (mut bounds, mut missed) = (0, 0);
    for (name, bench) in chosen {
        let findings =
            bench(&workshop).map_err(|error| format!("`{name}` could not be measured: {error}"))?;
        for finding in findings {
            println!("{name}: {finding}\n");
            bounds += usize::from(finding.holds().is_some());
            missed += usize::from(finding.holds() == Some(false));
        }
    }
    println!("{} of {bounds} bounds hold", bounds - missed);
    Ok(missed == 0)
}

fn choose(names: &[String]) -> Outcome<Vec<Bench>> {
    if names.is_empty() {
        return Ok(BENCHES.to_vec());
    }
    let find = |name: &String| BENCHES.into_iter().find(|(known, _)| known == name);
    let known = || BENCHES.map(|(name, _)| name).join(", ");
    names
        .iter()
        .map(|name| {
            find(name)
                .ok_or_else(|| format!("there is no bench `{name}`; there are {}", known()).into())
        })
        .collect()
}
