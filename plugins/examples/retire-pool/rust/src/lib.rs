//! Takes a pool out of a load balancer: the step of docs/plugin.md.

mod sandbook;

use std::time::Duration;

use sandbook::{Context, Done, Failure, Kind, http, progress, remaining, sleep};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Input {
    pool: String,
}

#[derive(Deserialize)]
struct Pool {
    connections: u64,
    locked: bool,
}

#[derive(Serialize)]
struct Output {
    connections: u64,
}

fn run(context: &Context, Input { pool }: Input) -> Result<Done<Output>, Failure> {
    let url = http::join("https://lb.example.com/v1/pools", &[&pool])?;
    let found = http::get(&url).credential("api")?.send()?;
    if found.status() == 404 {
        let output = Output { connections: 0 };
        return Ok(Done::unchanged(output).summary(format!("{pool} is gone already")));
    }

    let Pool { connections, locked } = found.ok()?.json()?;
    if locked {
        let message = format!("{pool} is locked: unlock it first");
        return Err(Failure::new(Kind::Conflict, message).with_code("PoolLocked"));
    }

    // What is held back in a dry run isn't waited for; what comes after it is asked for, to be listed.
    match drain(context, &url) {
        Err(failure) if !failure.is_held_back() => return Err(failure),
        _ => {}
    }
    http::delete(&url).credential("api")?.checked()?;
    Ok(Done::changed(Output { connections }).summary(format!("retired {pool}")))
}

fn drain(context: &Context, url: &str) -> Result<(), Failure> {
    http::post(&format!("{url}/drain"))
        .credential("api")?
        .repeatable(true)
        .body_json(&json!({ "reason": format!("run {}", context.run) }))?
        .checked()?;

    loop {
        let pool: Pool = http::get(url).credential("api")?.json()?;
        if pool.connections == 0 {
            return Ok(());
        }
        let open = format!("{} connections are still open", pool.connections);
        if remaining(context) < 2 * PAUSE {
            return Err(Failure::new(Kind::TimedOut, open).with_code("StillDraining"));
        }
        progress(open, None);
        sleep(PAUSE);
    }
}

sandbook::step!(run);
