//! The floor as a process: one step with its commits, or many in sequence.
//!
//! `floor COMPONENT COMPILED DATABASE STEPS EVENTS INPUT`: EVENTS is how many rows a step adds.

use std::path::Path;

use bench::{Commits, Floor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, compiled, database, steps, events, input] = arguments.as_slice() else {
        return Err("usage: floor COMPONENT COMPILED DATABASE STEPS EVENTS INPUT".into());
    };
    let (steps, events): (usize, usize) = (steps.parse()?, events.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut floor = Floor::new(
        Path::new(component),
        Path::new(compiled),
        (steps > 1).then_some(16),
    )?;
    if events > 2 {
        floor = floor.with_client(bench::client()?);
    }
    let mut commits = Commits::open(Path::new(database))?;
    // The run's start and its entry in the ledger, and then the first step's start.
    commits.commit(2)?;
    commits.commit(1)?;
    for _ in 0..steps {
        runtime.block_on(floor.call(input))?;
        // What the step did, its end, and the next one's start.
        commits.commit(events)?;
    }
    Ok(())
}
