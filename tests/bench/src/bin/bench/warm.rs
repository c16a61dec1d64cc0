//! The second run of a runbook compiles nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Unit};
use crate::pairs::Pairs;
use crate::process::seconds;
use crate::runbook::{Order, idle};
use crate::workshop::Workshop;

/// What can be seen of a cache: each file's size and when it was written.
type Sight = BTreeMap<PathBuf, (u64, SystemTime)>;

pub(crate) fn warm(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let errors = workshop.errors();
    let mut compiles_nothing = true;
    let mut pairs = Vec::new();
    for number in 0..7 {
        let project = workshop.project(&format!("warm-{number}"))?;
        project.write("one", &idle(1, Order::Sequence))?;
        let first = seconds(project.run("one"), &errors)?;
        let before = sight(&project.cache())?;
        let second = seconds(project.run("one"), &errors)?;
        compiles_nothing &= !before.is_empty() && before == sight(&project.cache())?;
        pairs.push((first, second));
    }
    Ok(vec![
        Finding::Ratio(Comparison {
            what: "how many times faster the second run of a runbook is: one step, whole process"
                .to_owned(),
            sides: ["sandbook run, first", "sandbook run, second"],
            unit: Unit::Seconds,
            pairs: Pairs::new(pairs),
            bound: Bound::None,
        }),
        Finding::Fact {
            what: "the second run leaves the cache as the first has filled it".to_owned(),
            holds: compiles_nothing,
        },
    ])
}

fn sight(cache: &Path) -> Outcome<Sight> {
    let mut sight = Sight::new();
    for entry in std::fs::read_dir(cache)? {
        let entry = entry?;
        let facts = entry.metadata()?;
        sight.insert(entry.path(), (facts.len(), facts.modified()?));
    }
    Ok(sight)
}
