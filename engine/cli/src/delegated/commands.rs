//! What people who enter another account don't do: who runs things doesn't erase what is on record of it, nor put in what
//! was made elsewhere, nor carry away what went over the wire, nor see to the secrets, nor choose or make plugins.

use clap::ArgMatches;

use crate::problem::Problem;

/// Refuses what whoever looks after the host does, as the account.
pub(super) fn refuse_upkeep(given: &ArgMatches) -> Result<(), Problem> {
    let Some((what, whose)) = upkeep(given) else {
        return Ok(());
    };
    let message = format!("`{what}` is not accepted from you: {whose} the account's");
    Err(Problem::wrong(message).help("whoever looks after the host does it, as the account"))
}

/// The command, and what is not the caller's.
fn upkeep(given: &ArgMatches) -> Option<(&'static str, &'static str)> {
    const RECORD: &str = "the record is";
    match given.subcommand()? {
        ("prune", _) => Some(("prune", RECORD)),
        ("audit", given) => match given.subcommand()? {
            ("import", _) => Some(("audit import", RECORD)),
            ("export", given) if given.get_flag("with_contents") => {
                Some(("audit export --with-contents", RECORD))
            }
            _ => None,
        },
        ("secrets", _) => Some(("secrets", "the secrets are")),
        ("plugin", given) => {
            const CHOICE: &str = "the choice of plugins is";
            match given.subcommand()? {
                ("accept", _) => Some(("plugin accept", CHOICE)),
                ("add", _) => Some(("plugin add", CHOICE)),
                ("update", _) => Some(("plugin update", CHOICE)),
                ("remove", _) => Some(("plugin remove", CHOICE)),
                ("fetch", _) => Some(("plugin fetch", CHOICE)),
                ("publish", _) => Some(("plugin publish", CHOICE)),
                ("new", _) => Some(("plugin new", "what it would write is")),
                // It runs what it finds in the folder that it is called in.
                ("doctor", _) => Some(("plugin doctor", "the programs that it would run are")),
                // No runbook that was reviewed says with which credentials and inputs.
                ("run", _) => Some(("plugin run", "what is run is")),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn the_record_is_looked_at_and_added_to_and_nothing_else() {
        let upkeep = |arguments: &[&str]| {
            let all = ["sandbook"].iter().chain(arguments);
            upkeep(&Arguments::command().get_matches_from(all))
        };
        for refused in [
            &["prune", "--older-than", "90d"][..],
            &["audit", "import", "x"],
            &["audit", "export", "--with-contents"],
            &["secrets", "set", "api"],
            &["secrets", "list"],
            &["secrets", "rotate"],
            &["plugin", "accept", "x", "--yes"],
            &["plugin", "new", "x", "--lang", "c"],
            &["plugin", "doctor"],
            &["plugin", "run", "x", "--allow", "GET https://a.example/"],
            &["plugin", "run", "x", "--yes"],
            &["plugin", "add", "x", "oci://h/x:1"],
            &["plugin", "update"],
            &["plugin", "remove", "x"],
            &["plugin", "fetch"],
            &["plugin", "publish", "x.wasm", "oci://h/x:1"],
        ] {
            assert!(upkeep(refused).is_some(), "{refused:?}");
        }
        for accepted in [
            &["audit", "export"][..],
            &["audit", "verify"],
            &["note", "@last", "x"],
            &["runs"],
            &["plugin", "diff", "x", "y"],
            &["plugin", "test", "x"],
            &["plugin", "list"],
            &["plugin", "verify"],
        ] {
            assert_eq!(upkeep(accepted), None, "{accepted:?}");
        }
    }
}
