use std::time::Duration;

use crate::Region;

/// How a simulated cloud begins and behaves. The default is the demo: east is down, everything is lenient about time.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port to listen on at 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The regions that are down.
    pub down: Vec<Region>,
    /// How long a database failover takes.
    pub failover: Lasting,
    /// What `Retry-After` of a failover that is under way says, in seconds.
    pub retry_after: u32,
    /// Whether a planned failover is refused while the primary's region is down, so that only a forced one helps.
    pub planned_needs_primary: bool,
    /// How long an Azure token holds.
    pub token_lifetime: Duration,
    /// Statuspage's limit; none to be without.
    pub rate_limit: Option<RateLimit>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 0,
            down: vec![Region::East],
            failover: Lasting::Looks(2),
            retry_after: 1,
            planned_needs_primary: false,
            token_lifetime: Duration::from_secs(3599),
            rate_limit: Some(RateLimit::LENIENT),
        }
    }
}

impl Options {
    /// The demo's world before its outage: nothing is down, and nothing asks to be waited for.
    #[must_use]
    pub fn healthy() -> Options {
        Options {
            down: Vec::new(),
            retry_after: 0,
            ..Options::default()
        }
    }
}

/// When something that takes a while is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// After somebody has looked at it so many times; the next look finds it done.
    Looks(u32),
    /// After a while.
    For(Duration),
}

/// A bucket of requests for each API key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// How many requests may come at once.
    pub burst: u32,
    /// How many more a second brings.
    pub per_second: f64,
    /// The status of a refusal: 420 or 429.
    pub status: u16,
}

impl RateLimit {
    /// Statuspage's real one: one request a second.
    pub const REAL: RateLimit = RateLimit {
        burst: 1,
        per_second: 1.0,
        status: 420,
    };

    /// The demo's: a handful at once, and more than a runbook asks for.
    pub const LENIENT: RateLimit = RateLimit {
        burst: 10,
        per_second: 5.0,
        status: 420,
    };
}
