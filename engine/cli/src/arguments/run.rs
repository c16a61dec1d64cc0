//! Arguments of what concerns runbooks: run, plan, check.

use std::path::PathBuf;

use clap::{Args, value_parser};

use super::Output;
use super::record::RUN_HELP;

/// What a runbook is given.
#[derive(Debug, Args)]
pub(crate) struct Given {
    /// The environment; there is no default but a rehearsal's
    ///
    /// On a terminal it is asked for. Elsewhere it must be named, unless the runbook uses no variable, credential
    /// or request, or sandbook.yaml names a `default_environment`, which can only be one that reroutes.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// An input; KEY=@FILE takes the value from a file
    ///
    /// The value is read as the type that the runbook declares; lists and objects are JSON. Comes before the
    /// same input in `--inputs`.
    #[arg(long = "input", short, value_name = "KEY=VALUE")]
    pub(crate) input: Vec<String>,
    /// A YAML or JSON file with inputs
    #[arg(long, value_name = "FILE")]
    pub(crate) inputs: Option<PathBuf>,
}

/// Run a runbook
///
/// On a terminal, inputs that are missing are asked for, and before anything that may change something the plan
/// is shown in short and confirmed. Elsewhere nothing is asked, and a missing input is an error.
///
/// Ctrl-C (or SIGTERM, SIGHUP) interrupts the run: nothing new is sent, and requests in flight are waited for.
/// A second one stops at once. A closed standard output changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook run restore-site --env demo -i failed_region=east
  sandbook run restore-site --env production --dry-run
  sandbook run ./hello.yaml -i notes=@notes.txt --yes")]
pub(crate) struct Run {
    /// A runbook's name in the project, or its path
    pub(crate) runbook: String,
    #[command(flatten)]
    pub(crate) given: Given,
    /// Send only requests that read; list those that could change something
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    /// Confirm the plan beforehand
    ///
    /// It confirms nothing else: missing inputs are still asked for, and on a terminal the name of a protected
    /// environment still has to be typed.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// How many attempts may run at once
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..))]
    pub(crate) jobs: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Go on with a run that was interrupted
///
/// It goes on where it was, with the runbook, the plugins and the inputs that it was started with, also after a crash.
/// What a step has had answered isn't asked again. The environment has to be as it was, its secrets aside.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook resume @last
  sandbook resume 3k9 --accept-environment --reason 'the address range was wrong'")]
pub(crate) struct Resume {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: String,
    /// Go on although the environment was changed
    ///
    /// The difference is shown, and that you accepted it is on record with your reason. Grants are cut by the ceiling
    /// as it is now.
    #[arg(long, requires = "reason")]
    pub(crate) accept_environment: bool,
    /// Why the changed environment is right
    #[arg(long, value_name = "TEXT", requires = "accept_environment")]
    pub(crate) reason: Option<String>,
    /// How many attempts may run at once
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..))]
    pub(crate) jobs: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Show a runbook's steps, their order, and what each may do with which credential
///
/// Nothing is run and no secret is read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook plan restore-site --env production -i failed_region=east
  sandbook plan --ceiling                what an environment must allow, for all runbooks
  sandbook plan restore-site --ceiling")]
pub(crate) struct Plan {
    /// A runbook's name in the project, or its path
    #[arg(required_unless_present = "ceiling")]
    pub(crate) runbook: Option<String>,
    #[command(flatten)]
    pub(crate) given: Given,
    /// Print what an environment must allow, as YAML that is ready to paste
    ///
    /// For one runbook, or for all of the project's. Variables stay, since the environment fills them in; what only
    /// an input says stands as `*`, or as a remark where no `*` can stand: as a host or a port.
    #[arg(long)]
    pub(crate) ceiling: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Find everything that can be known to be wrong without running
///
/// Without a runbook: all of the project's runbooks and environments. All faults are reported at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook check
  sandbook check restore-site --env production
  sandbook check --env production --live     also: can every secret be had?")]
pub(crate) struct Check {
    /// Runbooks, each by its name in the project or its path
    #[arg(value_name = "RUNBOOK")]
    pub(crate) runbooks: Vec<String>,
    /// Check the runbooks against this environment
    #[arg(long, short, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Obtain every credential that the runbooks may use: secrets are read, tokens fetched
    #[arg(long, requires = "env")]
    pub(crate) live: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::arguments::{Arguments, Command};

    fn run(arguments: &[&str]) -> Result<super::Run, clap::Error> {
        let all = ["sandbook", "run"].iter().chain(arguments);
        match Arguments::try_parse_from(all)?.command {
            Command::Run(run) => Ok(run),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn inputs_add_up() {
        let run = run(&["x", "-i", "a=1", "--input", "b=2=3"]).unwrap();
        assert_eq!(run.given.input, ["a=1", "b=2=3"]);
        assert_eq!(run.jobs, 16);
    }

    #[test]
    fn no_jobs_at_all_is_refused() {
        assert!(run(&["x", "--jobs", "0"]).is_err());
    }

    #[test]
    fn a_plan_needs_a_runbook_or_the_ceiling() {
        assert!(Arguments::try_parse_from(["sandbook", "plan"]).is_err());
        assert!(Arguments::try_parse_from(["sandbook", "plan", "--ceiling"]).is_ok());
    }

    #[test]
    fn a_live_check_needs_an_environment() {
        assert!(Arguments::try_parse_from(["sandbook", "check", "--live"]).is_err());
    }
}
