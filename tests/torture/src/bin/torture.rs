//! `torture [--minutes N] [--seed S] [--jobs J] [--trial N]`: disturbs runs for so long, and prints counts. The exit
//! status is 1 where something doesn't hold, and then it says how to repeat it.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use torture::{Campaign, Course, Disturbance, Random, Sort, Tally};

/// How often the counts are printed.
const EVERY: Duration = Duration::from_secs(15);

struct Arguments {
    minutes: u64,
    seed: u64,
    jobs: u64,
    trial: Option<u64>,
}

fn main() -> ExitCode {
    match arguments() {
        Ok(arguments) => torture(&arguments),
        Err(message) => {
            eprintln!("torture: {message}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments {
        minutes: 1,
        seed: Random::any_seed(),
        jobs: 4,
        trial: None,
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given
            .next()
            .ok_or_else(|| format!("`{name}` needs a number"))?;
        let number = value
            .parse()
            .map_err(|_| format!("`{name}` needs a number, and not `{value}`"))?;
        match name.as_str() {
            "--minutes" => arguments.minutes = number,
            "--seed" => arguments.seed = number,
            "--jobs" => arguments.jobs = number.max(1),
            "--trial" => arguments.trial = Some(number),
            _ => return Err(format!("there is no option `{name}`")),
        }
    }
    Ok(arguments)
}

fn torture(arguments: &Arguments) -> ExitCode {
    println!("seed {}", arguments.seed);
    let campaign = Campaign::new(&Course::ALL);
    let tally = Mutex::new(Tally::default());
    if let Some(number) = arguments.trial {
        take(&campaign, arguments.seed, number, &tally);
    } else {
        take_many(&campaign, arguments, &tally);
    }
    let tally = tally.into_inner().unwrap_or_default();
    for violation in &tally.violations {
        println!("\nVIOLATION {violation}");
    }
    println!("\n{tally}");
    if tally.violations.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!(
        "each by itself: cargo xtask torture --seed {} --trial N",
        arguments.seed
    );
    ExitCode::FAILURE
}

fn take_many(campaign: &Campaign, arguments: &Arguments, tally: &Mutex<Tally>) {
    let (begun, next) = (Instant::now(), AtomicU64::new(0));
    let end = Duration::from_secs(arguments.minutes * 60);
    let is_over = || begun.elapsed() >= end;
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                while !is_over() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    take(campaign, arguments.seed, number, tally);
                }
            });
        }
        let mut printed = Instant::now();
        while !is_over() {
            std::thread::sleep(Duration::from_millis(200));
            if printed.elapsed() >= EVERY {
                printed = Instant::now();
                if let Ok(tally) = tally.lock() {
                    println!("{:>4} s: {tally}", begun.elapsed().as_secs());
                }
            }
        }
    });
}

/// The trial of this number: first each failpoint of each small course, then whatever is drawn.
fn take(campaign: &Campaign, seed: u64, number: u64, tally: &Mutex<Tally>) {
    let mut matrix = Course::SMALL.into_iter().flat_map(|course| {
        campaign
            .matrix(course)
            .into_iter()
            .map(move |it| (course, it))
    });
    let at = usize::try_from(number).unwrap_or(usize::MAX);
    let (course, disturbance) = matrix
        .nth(at)
        .unwrap_or_else(|| draw(campaign, &mut Random::new(seed, number)));
    campaign.take(&format!("trial {number}"), course, &disturbance, tally);
}

fn draw(campaign: &Campaign, random: &mut Random) -> (Course, Disturbance) {
    let course = *random.pick(&Course::ALL);
    let sort = *random.pick(&[Sort::Kill, Sort::Fault, Sort::Several, Sort::Several]);
    (course, campaign.draw(course, sort, random))
}
