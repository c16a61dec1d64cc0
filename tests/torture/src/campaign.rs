//! Many trials: what is disturbed where, and what became of all of them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use simcloud::{Effect, Fault};

use crate::course::Course;
use crate::disturbance::{Blow, Disturbance};
use crate::driver::{Driver, Invocation, Report};
use crate::invariant::violations;
use crate::random::Random;
use crate::stage::Compiled;
use crate::tally::Tally;

/// Courses that were taken undisturbed, to be disturbed.
#[derive(Debug)]
pub struct Campaign {
    references: BTreeMap<Course, Reference>,
}

/// A sort of disturbance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// One process dies at a failpoint.
    Abort,
    /// One process dies by `SIGKILL`.
    Kill,
    /// One answer of the cloud is lost, late, cut or an error.
    Fault,
    /// Several of these.
    Several,
}

/// How a course goes when nothing disturbs it.
#[derive(Debug)]
struct Reference {
    report: Report,
    compiled: Compiled,
    /// How many requests arrive at the cloud.
    requests: usize,
}

impl Campaign {
    /// Takes these courses undisturbed.
    ///
    /// # Panics
    ///
    /// When one of them can't be taken even so.
    #[must_use]
    pub fn new(courses: &[Course]) -> Campaign {
        let references = courses
            .iter()
            .map(|&course| (course, Reference::of(course)));
        Campaign {
            references: references.collect(),
        }
    }

    /// Each failpoint, each time that the undisturbed course passes it.
    #[must_use]
    pub fn matrix(&self, course: Course) -> Vec<Disturbance> {
        let processes = self.references[&course].report.processes.iter();
        let points = processes.enumerate().flat_map(|(process, it)| {
            points(it).into_iter().flat_map(move |(point, hits)| {
                (1..=hits).map(move |hit| {
                    let point = point.clone();
                    Disturbance::blow(process, Blow::Abort { point, hit })
                })
            })
        });
        points.collect()
    }

    /// Each failpoint of each process once, at one of the times that it is passed.
    #[must_use]
    pub fn each_point(&self, course: Course, random: &mut Random) -> Vec<Disturbance> {
        let processes = self.references[&course].report.processes.iter();
        let points = processes.enumerate().flat_map(|(process, it)| {
            let points = points(it).into_iter();
            points.map(move |(point, hits)| (process, point, hits))
        });
        let drawn = points.map(|(process, point, hits)| {
            let hit = 1 + random.below(hits);
            Disturbance::blow(process, Blow::Abort { point, hit })
        });
        drawn.collect()
    }

    /// A disturbance of this sort.
    #[must_use]
    pub fn draw(&self, course: Course, sort: Sort, random: &mut Random) -> Disturbance {
        let processes = &self.references[&course].report.processes;
        match sort {
            Sort::Abort => random.pick(&self.matrix(course)).clone(),
            Sort::Kill => {
                let process = random.below(processes.len());
                Disturbance::blow(process, kill(processes[process].took, random))
            }
            Sort::Fault => Disturbance {
                blows: Vec::new(),
                faults: vec![self.fault(course, random)],
            },
            Sort::Several => {
                let mut several = Disturbance::default();
                let first = *random.pick(&[Sort::Kill, Sort::Abort]);
                // Of the flagship's failpoints none is known.
                let first = match course {
                    Course::Flagship => Sort::Kill,
                    _ => first,
                };
                several.blows = self.draw(course, first, random).blows;
                let after = several.blows[0].0;
                for process in after + 1..after + 1 + random.below(3) {
                    let took = processes[after].took;
                    several.blows.push((process, kill(took, random)));
                }
                for _ in 0..random.below(3) {
                    several.faults.push(self.fault(course, random));
                }
                several
            }
        }
    }

    fn fault(&self, course: Course, random: &mut Random) -> Fault {
        let refused = |status, processed| Effect::Answer {
            status,
            body: None,
            retry_after: None,
            processed,
        };
        let effects = [
            Effect::DropBefore,
            Effect::DropAfter,
            Effect::CutBody,
            // Longer than the steps of the small courses wait.
            Effect::Delay { milliseconds: 400 },
            refused(500, false),
            refused(502, false),
            refused(504, false),
            refused(500, true),
            refused(504, true),
            Effect::later(503, 0),
            Effect::later(429, 0),
        ];
        let nth = 1 + random.below(self.references[&course].requests);
        Fault::new(random.pick(&effects).clone()).nth(u32::try_from(nth).unwrap())
    }

    /// Takes a course disturbed, looks whether all holds, and counts it under this name.
    pub fn take(
        &self,
        name: &str,
        course: Course,
        disturbance: &Disturbance,
        tally: &Mutex<Tally>,
    ) {
        let reference = &self.references[&course];
        let driver = Driver::new(course, &reference.compiled, disturbance);
        let (stage, mut report) = driver.drive();
        let undisturbed = &reference.report.end;
        let found = violations(&stage, &report, undisturbed, disturbance);
        report.violations.extend(found);
        let requests = stage.cloud.requests();
        let faults = requests.iter().filter(|it| it.fault.is_some()).count();
        let mut tally = tally.lock().unwrap();
        tally.add(&format!("{name} ({course})"), disturbance, &report, faults);
    }

    /// Takes all of these, some at a time, each under the name of its place.
    #[must_use]
    pub fn take_all(&self, trials: &[(Course, Disturbance)], jobs: usize) -> Tally {
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    while let Some((course, disturbance)) =
                        trials.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        self.take("trial", *course, disturbance, &tally);
                    }
                });
            }
        });
        tally.into_inner().unwrap()
    }
}

impl Reference {
    fn of(course: Course) -> Reference {
        let calm = Disturbance::default();
        // The first one compiles, which takes long.
        let (cold, _) = Driver::new(course, &Compiled::default(), &calm).drive();
        let compiled = cold.compiled();
        let (stage, report) = Driver::new(course, &compiled, &calm).drive();
        let broken = violations(&stage, &report, &report.end, &calm);
        assert!(
            report.violations.is_empty() && broken.is_empty(),
            "{course}, undisturbed: {:?} {broken:?}",
            report.violations
        );
        Reference {
            compiled,
            requests: stage.cloud.requests().len(),
            report,
        }
    }
}

fn kill(took: Duration, random: &mut Random) -> Blow {
    let most = usize::try_from(took.as_micros()).unwrap().max(1);
    let after = Duration::from_micros(u64::try_from(random.below(most)).unwrap());
    Blow::Kill { after }
}

/// The failpoints that a process passes, and how often.
fn points(process: &Invocation) -> BTreeMap<String, usize> {
    let mut points: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, step) in &process.events {
        for place in ["before", "within", "after"] {
            *points.entry(format!("{place}/{kind}")).or_default() += 1;
        }
        let calls = |step: &String| !Course::BUILT_IN.contains(&step.as_str());
        let passed: &[&str] = match kind.as_str() {
            "request_begun" => &["gate/connect", "network/head", "gate/answered", "gate/told"],
            "request_read" => &["gate/connect", "network/head"],
            "step_started" if step.as_ref().is_some_and(calls) => &["call/ended"],
            _ => &[],
        };
        for point in passed {
            *points.entry((*point).to_owned()).or_default() += 1;
        }
    }
    points
}
