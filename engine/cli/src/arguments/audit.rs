//! Arguments of what concerns the record as evidence: audit, prune.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use sandbook_journal::PublicKey;

use super::Output;
use super::record::RUN_HELP;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    Verify(AuditVerify),
    Export(AuditExport),
    Import(AuditImport),
    /// Send the ledger's signed head to the project's anchors that don't have it yet
    ///
    /// A run does so at its end. What an anchor could not take then is sent with the next run's end, or by this.
    Anchor(Output),
    /// Print the public key that checks the ledger's signatures, and its fingerprint
    ///
    /// Write it down elsewhere: whoever verifies an export needs it, and must not take it from the export.
    Key(Output),
}

/// Look whether the record is what was written
///
/// Follows the ledger and every run's chain of events, and checks every signature, and every head that an anchor has. All
/// that is wrong is listed, with its run and event. The project's anchors that are files are read by themselves.
///
/// Exit status: 0 nothing is wrong, 1 something is, 2 the request was.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook audit verify
  sandbook audit verify @last --anchor /mnt/far/heads.jsonl
  sandbook audit verify --file record.jsonl --key ed25519:2f0c…     elsewhere, without the state directory")]
pub(crate) struct AuditVerify {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: Option<String>,
    /// What an anchor has got, a line each; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) anchor: Vec<PathBuf>,
    /// A record that `audit export` has written, instead of the one in the state directory
    #[arg(long, value_name = "EXPORT", requires = "key")]
    pub(crate) file: Option<PathBuf>,
    /// A public key that may have signed; of an export the one that must have
    ///
    /// Beside this machine's own: one that it had before, or that of another directory which uses the same anchor.
    #[arg(long, value_name = "PUBLIC")]
    pub(crate) key: Vec<PublicKey>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Write the record as JSON lines, to be checked on another machine
///
/// Without a run: all runs. The whole ledger is always in it. `audit verify --file` checks it with the public key alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook audit export > record.jsonl
  sandbook audit export @last --with-contents --output-file evidence.jsonl")]
pub(crate) struct AuditExport {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) runs: Vec<String>,
    /// A new file to write it to [default: the standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    /// With the bodies of requests and answers, in base64; what is sensitive never
    #[arg(long)]
    pub(crate) with_contents: bool,
}

/// Take over the runs of another state directory
///
/// Such as one that was made with `--state` elsewhere while a disk was full. Chains, contents and components come as they are, and
/// the ledger here says what came from where. Nothing is changed there: don't go on there with a run that was taken over.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sandbook audit import /dev/shm/sandbook")]
pub(crate) struct AuditImport {
    /// The other state directory, or the journal.db in it
    #[arg(value_name = "DIR")]
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Remove finished runs that ended long ago
///
/// Their events and contents go; the ledger stays and says what was removed. A run that isn't over is never removed. On a terminal
/// it is asked first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook prune --older-than 90d --dry-run
  sandbook prune --older-than 12w --yes")]
pub(crate) struct Prune {
    /// How long ago a run has to have ended: a number with the unit d, w or h, at least 1h
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Duration,
    /// Say what would be removed, and remove nothing
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    /// Don't ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

fn age(text: &str) -> Result<Duration, String> {
    let expected = || "write a whole number with a unit, such as 90d, 12w or 36h".to_owned();
    let hours = match text.chars().last() {
        Some('h') => 1,
        Some('d') => 24,
        Some('w') => 24 * 7,
        _ => return Err(expected()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| expected())?;
    if number == 0 {
        return Err("what ended within the last hour is not removed: write at least 1h".to_owned());
    }
    number
        .checked_mul(hours * 3600)
        .map(Duration::from_secs)
        .ok_or_else(|| "that is longer than anything is on record".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn an_age_has_its_unit() {
        assert_eq!(age("90d"), Ok(Duration::from_secs(90 * 86_400)));
        assert_eq!(age("2w"), Ok(Duration::from_secs(14 * 86_400)));
        assert_eq!(age("36h"), Ok(Duration::from_secs(36 * 3600)));
        for text in [
            "",
            "90",
            "d",
            "-1d",
            "1.5d",
            "90m",
            "0h",
            "0w",
            "9ü",
            "99999999999999999999d",
        ] {
            assert!(age(text).is_err(), "{text}");
        }
        assert!(age("9999999999999999d").is_err());
    }

    #[test]
    fn an_export_is_checked_only_with_a_key() {
        let parse = |arguments: &[&str]| {
            let all = ["sandbook", "audit", "verify"].iter().chain(arguments);
            Arguments::try_parse_from(all)
        };
        assert!(parse(&["--file", "x"]).is_err());
        assert!(parse(&["--file", "x", "--key", "nonsense"]).is_err());
        let key = format!("ed25519:{}", "00".repeat(32));
        assert!(parse(&["--file", "x", "--key", &key]).is_ok());
        assert!(Arguments::try_parse_from(["sandbook", "prune"]).is_err());
    }
}
