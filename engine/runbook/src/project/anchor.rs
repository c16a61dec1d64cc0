//! Anchors: where the signed head of the ledger of runs is sent, so that who has this machine can't rewrite it unseen.

use std::time::Duration;

use serde::Deserialize;
use url::{Host, Url};

use crate::duration::{format_duration, parse_duration};
use crate::fault::Fault;
use crate::path::Path;
use crate::place::check_path;

/// How long an anchor may take where nothing is said.
const USUAL_DEADLINE: Duration = Duration::from_secs(5);

/// How long it may be given at most: a run's end waits for it.
const LONGEST_DEADLINE: Duration = Duration::from_secs(30);

/// An anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Where it is.
    pub to: Destination,
    /// How long it may take; 5 seconds by default, 30 at most.
    pub deadline: Duration,
}

/// Where an anchor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A file that is added to. A relative path begins at the project's folder.
    File(String),
    /// An address that is posted to: https, or http to this machine itself.
    Webhook(Url),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireAnchor {
    file: Option<String>,
    webhook: Option<String>,
    deadline: Option<String>,
}

pub(super) fn convert(wires: Vec<WireAnchor>, faults: &mut Vec<Fault>) -> Vec<Anchor> {
    let root = Path::root().key("anchors");
    let wires = wires.into_iter().enumerate();
    wires
        .filter_map(|(index, wire)| one(wire, &root.index(index), faults))
        .collect()
}

fn one(wire: WireAnchor, place: &Path, faults: &mut Vec<Fault>) -> Option<Anchor> {
    let to = match (wire.file, wire.webhook) {
        (Some(path), None) => {
            check_path(&path, &place.key("file"), faults);
            Some(Destination::File(path))
        }
        (None, Some(text)) => {
            let read = webhook(&text);
            read.map_err(|message| {
                faults.push(Fault::error(place.key("webhook"), message));
            })
            .ok()
        }
        (both, _) => {
            let found = if both.is_some() { "both" } else { "neither" };
            let fault = Fault::error(
                place.clone(),
                format!("an anchor is a `file` or a `webhook`, and this one is {found}"),
            );
            faults.push(fault);
            None
        }
    };
    let deadline = wire
        .deadline
        .map_or(Some(USUAL_DEADLINE), |text| deadline(&text, place, faults));
    Some(Anchor {
        to: to?,
        deadline: deadline?,
    })
}

fn webhook(text: &str) -> Result<Destination, String> {
    let url = Url::parse(text).map_err(|fault| format!("`{text}` is not a URL: {fault}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a webhook's URL holds no user or password".to_owned());
    }
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(Destination::Webhook(url)),
        "http" if is_here => Ok(Destination::Webhook(url)),
        _ => Err(format!(
            "`{text}` is not an anchor: it is neither https, nor http to this machine itself"
        )),
    }
}

fn deadline(text: &str, place: &Path, faults: &mut Vec<Fault>) -> Option<Duration> {
    let message = match parse_duration(text) {
        Ok(deadline) if deadline.is_zero() => "a deadline of nothing is never kept".to_owned(),
        Ok(deadline) if deadline > LONGEST_DEADLINE => format!(
            "a deadline of `{}` is too long: a run's end waits for it, and 30s is the most",
            format_duration(deadline)
        ),
        Ok(deadline) => return Some(deadline),
        Err(fault) => fault.to_string(),
    };
    faults.push(Fault::error(place.key("deadline"), message));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;
    use crate::source::Source;

    fn parse(anchors: &str) -> Result<Vec<Anchor>, String> {
        let source = Source {
            name: "sandbook.yaml".to_owned(),
            text: format!("anchors: {anchors}\n"),
        };
        let parsed = Project::parse(&source);
        parsed.map(|project| project.anchors).map_err(|report| {
            let messages = report.faults.into_iter().map(|fault| fault.message);
            messages.collect::<Vec<_>>().join("; ")
        })
    }

    #[test]
    fn an_anchor_is_a_file_or_a_webhook() {
        let anchors = parse(
            "[{ file: /mnt/far/heads }, { webhook: 'https://log.example/heads', deadline: 2s }]",
        )
        .unwrap();
        assert_eq!(
            anchors[0].to,
            Destination::File("/mnt/far/heads".to_owned())
        );
        assert_eq!(anchors[0].deadline, USUAL_DEADLINE);
        assert_eq!(anchors[1].deadline, Duration::from_secs(2));
        for here in ["http://127.0.0.1:9/x", "http://[::1]/", "http://localhost/"] {
            assert!(
                parse(&format!("[{{ webhook: '{here}' }}]")).is_ok(),
                "{here}"
            );
        }
    }

    #[test]
    fn what_can_not_be_an_anchor_is_told() {
        for (anchor, said) in [
            ("{}", "this one is neither"),
            ("{ file: a, webhook: 'https://a' }", "this one is both"),
            ("{ file: ../a }", "leaves the project's folder"),
            ("{ webhook: 'http://log.example/' }", "neither https"),
            (
                "{ webhook: 'https://u:p@log.example/' }",
                "no user or password",
            ),
            ("{ webhook: nowhere }", "is not a URL"),
            ("{ file: a, deadline: 31s }", "30s is the most"),
            ("{ file: a, deadline: 0s }", "never kept"),
            ("{ file: a, deadline: 3 }", "expected text"),
            ("{ files: a }", "unknown key `files`"),
        ] {
            let message = parse(&format!("[{anchor}]")).unwrap_err();
            assert!(message.contains(said), "{anchor}: {message}");
        }
    }
}
