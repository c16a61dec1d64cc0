//! A process that dies at any boundary between journal and effect.

use torture::{Campaign, Course, Disturbance};

use super::torture::{JOBS, holds, seed};

/// Each failpoint of each process once, at one of the times that it is passed; `cargo xtask torture` takes all of
/// them.
#[test]
fn wherever_a_process_dies_the_run_comes_to_the_same_end() {
    let mut random = seed();
    let campaign = Campaign::new(&Course::SMALL);
    let mut trials: Vec<(Course, Disturbance)> = Vec::new();
    for course in Course::SMALL {
        let each = campaign.each_point(course, &mut random);
        trials.extend(each.into_iter().map(|disturbance| (course, disturbance)));
    }
    let tally = campaign.take_all(&trials, JOBS);
    holds(&tally);
    assert!(tally.missed * 10 < tally.aborts, "{tally}");
}
