//! Runs that are killed at random instants, and runs whose answers get lost: from a seed that is printed. The variable
//! `TORTURE_SEED` sets it.

use torture::{Campaign, Course, Disturbance, Random, Sort, Tally};

/// How many runs are taken at a time: they mostly wait for the disk.
pub(super) const JOBS: usize = 4;

/// The seed, printed.
pub(super) fn seed() -> Random {
    let given = std::env::var("TORTURE_SEED").ok();
    let seed = given.map_or_else(Random::any_seed, |seed| seed.parse().unwrap());
    println!("TORTURE_SEED={seed}");
    Random::new(seed, 0)
}

#[track_caller]
pub(super) fn holds(tally: &Tally) {
    println!("{tally}");
    assert!(
        tally.violations.is_empty(),
        "{tally}\n{}",
        tally.violations.join("\n")
    );
}

/// So many runs, an eighth of them of the flagship, which takes longer.
fn two_hundred(sort: Sort) -> Tally {
    let mut random = seed();
    let campaign = Campaign::new(&Course::ALL);
    let trials: Vec<(Course, Disturbance)> = (0..200)
        .map(|number| {
            let course = match number % 8 {
                0 => Course::Flagship,
                _ => *random.pick(&Course::SMALL),
            };
            (course, campaign.draw(course, sort, &mut random))
        })
        .collect();
    campaign.take_all(&trials, JOBS)
}

#[test]
fn whenever_a_process_is_killed_the_run_comes_to_the_same_end() {
    let tally = two_hundred(Sort::Kill);
    holds(&tally);
    assert!(tally.kills > 100, "{tally}");
}

#[test]
fn whatever_answer_is_lost_late_cut_or_an_error_nothing_is_done_twice() {
    let tally = two_hundred(Sort::Fault);
    holds(&tally);
    assert!(tally.faults > 100 && tally.doubts > 10, "{tally}");
}
