use std::{
    collections::hash_map::RandomState,
    env, fs,
    hash::{BuildHasher, Hasher},
    hint::black_box,
    net::TcpStream,
    process, thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sandbook_step::{prelude::*, secrets};

use crate::{
    action::{Action, Fail},
    misuse, send, spill,
};

/// Does one thing; what it comes to, where it comes to something.
pub(crate) fn perform(context: &Context, action: Action) -> Result<Option<Value>, Failure> {
    let result = match action {
        Action::Send(request) => send::send(request)?,
        Action::Misuse(what) => misuse::misuse(&what),
        Action::Compute { rounds } => {
            json!((0..rounds).fold(0, |sum: u64, n| black_box(sum.wrapping_add(n))))
        }
        Action::Allocate { bytes } => json!(allocate(bytes)),
        Action::Recurse { depth } => json!(recurse(depth.unwrap_or(u64::MAX))),
        Action::Random => {
            let drawn = RandomState::new().build_hasher().finish().to_string();
            log::debug!("drew {drawn}");
            json!(drawn)
        }
        Action::Now => {
            json!(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |passed| passed.as_millis() as u64)
            )
        }
        Action::Context => json!({
            "run": context.run,
            "step": context.step,
            "attempt": context.attempt,
            "idempotency_key": context.idempotency_key,
            "started_at": context.started_at,
            "deadline": context.deadline,
            "dry_run": context.dry_run,
        }),
        Action::Surroundings => json!({
            "arguments": env::args().count(),
            "variables": env::vars().count(),
            "files": fs::read_dir("/").is_ok(),
            "connects": TcpStream::connect("127.0.0.1:80").is_ok(),
        }),
        Action::Open { slot, times } => {
            let opened: Vec<_> = (0..times)
                .map_while(|_| secrets::Credential::open(&slot))
                .collect();
            json!(opened.len())
        }
        Action::Reveal { slot } => match secrets::reveal(&slot) {
            Ok(plaintext) => json!({"plaintext": plaintext}),
            Err(failure) => json!({"error": failure.message}),
        },
        Action::Spill(spill) => return spill::spill(&spill),
        Action::InAttempt { attempt, then } if context.attempt == attempt => {
            return perform(context, *then);
        }
        action => {
            act(context, action)?;
            return Ok(None);
        }
    };
    Ok(Some(result))
}

/// Does one of the things that come to nothing.
fn act(context: &Context, action: Action) -> Result<(), Failure> {
    match action {
        Action::Sleep { milliseconds } => timer::sleep(Duration::from_millis(milliseconds)),
        Action::Doze { milliseconds } => thread::sleep(Duration::from_millis(milliseconds)),
        Action::Log { level, message } => log::write(level, message),
        Action::ManyLogs { count, message } => (0..count).for_each(|n| log::info!("{message} {n}")),
        Action::Print { text, error: false } => println!("{text}"),
        Action::Print { text, error: true } => eprintln!("{text}"),
        Action::Progress {
            message,
            fraction: Some(done),
        } => progress::part(message, done),
        Action::Progress {
            message,
            fraction: None,
        } => progress::say(message),
        Action::Loop => loop {
            black_box(());
        },
        Action::Flood {
            lines,
            bytes,
            error,
        } => flood(lines, bytes, error),
        Action::Exit { status } => process::exit(status),
        Action::Abort => process::abort(),
        Action::Panic { message } => panic!("{message}"),
        Action::Fail(fail) => return Err(failure(fail)),
        Action::FailUnless { attempt, fail } if context.attempt < attempt => {
            return Err(failure(fail));
        }
        _ => {}
    }
    Ok(())
}

fn failure(fail: Fail) -> Failure {
    Failure {
        kind: fail.kind,
        code: fail.code,
        message: fail.message,
        retry_after: fail.retry_after_milliseconds.map(Duration::from_millis),
        start_over: fail.start_over,
    }
}

fn flood(lines: u32, bytes: usize, error: bool) {
    let unended = "x".repeat(bytes);
    if error {
        (0..lines).for_each(|n| eprintln!("line {n}"));
        eprint!("{unended}");
    } else {
        (0..lines).for_each(|n| println!("line {n}"));
        print!("{unended}");
    }
}

/// Takes memory piece by piece, so that it grows as a real plugin's does.
fn allocate(bytes: usize) -> usize {
    const PIECE: usize = 1 << 16;
    let pieces: Vec<Vec<u8>> = (0..bytes.div_ceil(PIECE))
        .map(|_| black_box(vec![1; PIECE]))
        .collect();
    black_box(&pieces).len() * PIECE
}

/// Goes so deep. What is added after the call keeps it from being made a loop.
fn recurse(depth: u64) -> u64 {
    if black_box(depth) == 0 {
        0
    } else {
        black_box(recurse(depth - 1)) + 1
    }
}
