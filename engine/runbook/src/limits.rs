//! What one attempt of a step may use of its host: what a step asks for, and what its environment allows
//! at most.

mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::duration::{LONGEST_DURATION, format_duration};
use crate::size::format_size;

pub(crate) use wire::WireLimits;

/// One of the limits of an attempt. Its value is a number: of bytes, of milliseconds, or of pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Time from start to end, waiting included. A step says it as its `timeout`.
    Timeout,
    /// Time on a processor.
    Cpu,
    /// Memory of the plugin, all its memories together.
    Memory,
    /// Requests, refused ones included.
    Requests,
    /// The body of a request.
    RequestBody,
    /// The body of an answer.
    ResponseBody,
    /// The bodies of all requests and answers together.
    Traffic,
    /// The step's outputs, as JSON.
    Output,
    /// Log lines.
    LogLines,
    /// All log lines together.
    LogSize,
    /// What one call between plugin and host carries.
    HostCall,
    /// Things of the host that are held at once: credentials, streams.
    Handles,
    /// Core modules that the component is made of while it runs.
    Instances,
    /// Elements of all tables together.
    TableElements,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Bytes,
    Time,
    Pieces,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000;

impl Limit {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Limit; 14] = [
        Limit::Timeout,
        Limit::Cpu,
        Limit::Memory,
        Limit::Requests,
        Limit::RequestBody,
        Limit::ResponseBody,
        Limit::Traffic,
        Limit::Output,
        Limit::LogLines,
        Limit::LogSize,
        Limit::HostCall,
        Limit::Handles,
        Limit::Instances,
        Limit::TableElements,
    ];

    /// Its key in documents.
    pub fn key(self) -> &'static str {
        match self {
            Limit::Timeout => "timeout",
            Limit::Cpu => "cpu",
            Limit::Memory => "memory",
            Limit::Requests => "requests",
            Limit::RequestBody => "request_body",
            Limit::ResponseBody => "response_body",
            Limit::Traffic => "traffic",
            Limit::Output => "output",
            Limit::LogLines => "log_lines",
            Limit::LogSize => "log_size",
            Limit::HostCall => "host_call",
            Limit::Handles => "handles",
            Limit::Instances => "instances",
            Limit::TableElements => "table_elements",
        }
    }

    /// Its value where neither step nor environment says one.
    pub const fn usual(self) -> u64 {
        match self {
            Limit::Timeout => 300 * SECOND,
            Limit::Cpu => 60 * SECOND,
            Limit::Memory => 512 * MIB,
            Limit::Requests | Limit::Handles => 1_000,
            Limit::RequestBody | Limit::ResponseBody => 8 * MIB,
            Limit::Output | Limit::LogSize => MIB,
            Limit::LogLines => 10_000,
            Limit::Traffic | Limit::HostCall => 64 * MIB,
            Limit::Instances => 100,
            Limit::TableElements => 36_000,
        }
    }

    /// The most that any document can say: what the engine is made for.
    pub const fn most(self) -> u64 {
        match self {
            Limit::Timeout => LONGEST_DURATION.as_secs() * SECOND,
            Limit::Cpu => 24 * 60 * 60 * SECOND,
            Limit::Memory => 4 * GIB,
            Limit::Requests | Limit::Handles | Limit::TableElements => 100_000,
            Limit::RequestBody | Limit::ResponseBody | Limit::LogSize => 64 * MIB,
            Limit::Traffic => GIB,
            // An event of the journal holds it, redacted, and may be four times as long.
            Limit::Output => 4 * MIB,
            Limit::LogLines => 1_000_000,
            Limit::HostCall => 256 * MIB,
            Limit::Instances => 1_000,
        }
    }

    /// The least that lets an attempt run at all.
    const fn least(self) -> u64 {
        match self {
            Limit::Timeout | Limit::Cpu | Limit::Instances => 1,
            Limit::Memory => 64 * KIB,
            Limit::Output => 2,
            Limit::HostCall => KIB,
            Limit::Requests
            | Limit::RequestBody
            | Limit::ResponseBody
            | Limit::Traffic
            | Limit::LogLines
            | Limit::LogSize
            | Limit::Handles
            | Limit::TableElements => 0,
        }
    }

    /// A value of it as people write it.
    pub fn show(self, value: u64) -> String {
        match self.measure() {
            Measure::Bytes => format_size(value),
            Measure::Time => format_duration(Duration::from_millis(value)),
            Measure::Pieces => value.to_string(),
        }
    }

    fn measure(self) -> Measure {
        match self {
            Limit::Timeout | Limit::Cpu => Measure::Time,
            Limit::Memory
            | Limit::RequestBody
            | Limit::ResponseBody
            | Limit::Traffic
            | Limit::Output
            | Limit::LogSize
            | Limit::HostCall => Measure::Bytes,
            Limit::Requests
            | Limit::LogLines
            | Limit::Handles
            | Limit::Instances
            | Limit::TableElements => Measure::Pieces,
        }
    }
}

/// Limits that a document says. Of those that it doesn't say there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits(BTreeMap<Limit, u64>);

impl Limits {
    /// What is said of a limit.
    pub fn get(&self, limit: Limit) -> Option<u64> {
        self.0.get(&limit).copied()
    }

    pub(crate) fn set(&mut self, limit: Limit, value: u64) {
        self.0.insert(limit, value);
    }

    /// What is said beyond `most`: the limit, and what `most` says of it.
    pub(crate) fn beyond<'a>(&'a self, most: &'a Limits) -> impl Iterator<Item = (Limit, u64)> {
        self.0.iter().filter_map(|(&limit, &said)| {
            let most = most.get(limit).filter(|&most| said > most)?;
            Some((limit, most))
        })
    }
}

/// The limits that hold for a step: what it says, else what is usual, and no more than its environment allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    said: Limits,
    most: Limits,
}

impl Bounds {
    /// The usual ones.
    pub const USUAL: Bounds = Bounds {
        said: Limits(BTreeMap::new()),
        most: Limits(BTreeMap::new()),
    };

    pub(crate) fn new(said: &Limits, most: Option<&Limits>) -> Bounds {
        Bounds {
            said: said.clone(),
            most: most.cloned().unwrap_or_default(),
        }
    }

    /// The value that holds.
    pub fn get(&self, limit: Limit) -> u64 {
        let wanted = self.said.get(limit).unwrap_or(limit.usual());
        self.most.get(limit).map_or(wanted, |most| wanted.min(most))
    }

    /// The value that holds, of a limit on time.
    pub fn time(&self, limit: Limit) -> Duration {
        Duration::from_millis(self.get(limit))
    }

    /// Whether the environment allows no more than what holds.
    pub fn is_cut(&self, limit: Limit) -> bool {
        self.most.get(limit) == Some(self.get(limit))
    }

    /// Those that aren't as usual, with their values as people write them. The `timeout`, which is always
    /// shown, is not among them.
    pub fn unusual(&self) -> impl Iterator<Item = (Limit, String)> + '_ {
        Limit::ALL
            .into_iter()
            .filter(|&limit| limit != Limit::Timeout && self.get(limit) != limit.usual())
            .map(|limit| (limit, limit.show(self.get(limit))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(of: &[(Limit, u64)]) -> Limits {
        Limits(of.iter().copied().collect())
    }

    #[test]
    fn what_is_usual_may_be_said() {
        for limit in Limit::ALL {
            assert!(limit.least() <= limit.usual(), "{limit:?}");
            assert!(limit.usual() <= limit.most(), "{limit:?}");
        }
    }

    #[test]
    fn what_is_not_said_is_usual_and_cut_by_the_environment() {
        let said = limits(&[(Limit::Cpu, 1_000)]);
        let most = limits(&[(Limit::Cpu, 5_000), (Limit::Memory, MIB)]);
        let bounds = Bounds::new(&said, Some(&most));
        assert_eq!(bounds.get(Limit::Cpu), 1_000);
        assert!(!bounds.is_cut(Limit::Cpu));
        assert_eq!(bounds.get(Limit::Memory), MIB);
        assert!(bounds.is_cut(Limit::Memory));
        assert_eq!(bounds.get(Limit::Requests), 1_000);
        let unusual: Vec<_> = bounds.unusual().collect();
        assert_eq!(
            unusual,
            [
                (Limit::Cpu, "1s".to_owned()),
                (Limit::Memory, "1MiB".to_owned())
            ]
        );
        assert_eq!(Bounds::USUAL.unusual().count(), 0);
    }

    #[test]
    fn only_what_is_beyond_is_told() {
        let said = limits(&[(Limit::Cpu, 6_000), (Limit::Memory, MIB)]);
        let most = limits(&[(Limit::Cpu, 5_000), (Limit::Memory, MIB)]);
        assert_eq!(
            said.beyond(&most).collect::<Vec<_>>(),
            [(Limit::Cpu, 5_000)]
        );
    }
}
