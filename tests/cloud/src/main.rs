//! The binary `simcloud`: starts a simulated cloud and stays until it is told to stop.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use simcloud::{Cloud, Lasting, Options, RateLimit, Region, world};
use tokio::signal::unix::{SignalKind, signal};

/// A simulated cloud: Azure, Cloudflare, Statuspage, Patroni and the shop that they serve.
///
/// One address serves every origin; the `Host` header tells them apart. The first line on standard output is the address:
/// `simcloud listening on http://127.0.0.1:PORT`. Open that address in a browser to watch the world; ask it for `/_sim/help`
/// to see what can be switched.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The port to listen on at 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// The region that is down when the world begins.
    #[arg(long, value_enum, default_value_t = Down::East)]
    down: Down,

    /// How many looks a database failover takes.
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 2,
        conflicts_with = "failover_ms"
    )]
    failover_looks: u32,

    /// How long a database failover takes, in milliseconds, instead of a number of looks.
    #[arg(long, value_name = "MILLISECONDS")]
    failover_ms: Option<u64>,

    /// What `Retry-After` says while a failover is under way, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    retry_after: u32,

    /// Refuse a planned failover while the primary's region is down: only a forced one helps.
    #[arg(long)]
    planned_needs_primary: bool,

    /// Limit Statuspage to one request a second, as the real one does.
    #[arg(long)]
    strict_rate: bool,

    /// Print every id and demo secret of the world as JSON, and stop.
    #[arg(long)]
    world: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Down {
    East,
    West,
    None,
}

impl Arguments {
    fn options(&self) -> Options {
        Options {
            port: self.port,
            down: match self.down {
                Down::East => vec![Region::East],
                Down::West => vec![Region::West],
                Down::None => Vec::new(),
            },
            failover: match self.failover_ms {
                Some(milliseconds) => Lasting::For(Duration::from_millis(milliseconds)),
                None => Lasting::Looks(self.failover_looks),
            },
            retry_after: self.retry_after,
            planned_needs_primary: self.planned_needs_primary,
            rate_limit: Some(if self.strict_rate {
                RateLimit::REAL
            } else {
                RateLimit::LENIENT
            }),
            ..Options::default()
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = if arguments.world {
        writeln!(io::stdout(), "{:#}", world::describe())
    } else {
        stay(arguments.options()).await
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _ = writeln!(io::stderr(), "simcloud: {fault}");
            ExitCode::FAILURE
        }
    }
}

async fn stay(options: Options) -> io::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let cloud = Cloud::start(options).await?;
    // In one piece: whoever reads the first line only may close its end then.
    let greeting = format!(
        "simcloud listening on {0}\nwatch it at {0}/_sim/\n",
        cloud.origin()
    );
    io::stdout().write_all(greeting.as_bytes())?;
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}
