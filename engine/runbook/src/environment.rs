//! An environment: what runbooks meet when they run.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fault::{Fault, Report};
use crate::grant::Grant;
use crate::leaf::Reader;
use crate::limits::{Limits, WireLimits};
use crate::names::{CredentialName, EnvironmentName, Name};
use crate::path::Path;
use crate::schema::Kind;
use crate::source::Source;
use crate::spans::Spans;
use crate::{shape, yaml};

mod credential;
mod fill;
mod network;
mod secret;

pub use credential::{Credential, Scheme};
pub use network::NetworkRules;
pub use secret::{HelperSource, SecretSource, VaultLogin, VaultSource};

use credential::WireCredential;
use fill::Fill;
use network::WireNetwork;

/// Variables, credentials, what steps may be granted at most, and network rules.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// The variables: a mapping of plain values.
    pub vars: Value,
    /// The credentials.
    pub credentials: BTreeMap<CredentialName, Credential>,
    /// What steps may be granted at most.
    pub ceiling: Vec<Grant>,
    /// What an attempt may use of its host at most; where nothing is said, what steps ask for.
    pub limits: Limits,
    /// Rules of the network.
    pub network: NetworkRules,
    /// Whether a run asks for the environment's name to be typed; false by default.
    pub protected: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wire {
    name: Option<String>,
    vars: Map<String, Value>,
    credentials: BTreeMap<String, WireCredential>,
    ceiling: Option<Vec<String>>,
    limits: WireLimits,
    network: WireNetwork,
    protected: bool,
}

impl Environment {
    /// Reads an environment. `${{ vars.NAME }}` in its strings is filled in.
    ///
    /// # Errors
    ///
    /// All faults of the document.
    pub fn parse(source: &Source) -> Result<Environment, Report> {
        let report = |faults| Report {
            source: source.clone(),
            faults,
        };
        let value = yaml::parse(source).map_err(report)?;
        let convert = |wire, reader: &mut Reader| convert(wire, &mut reader.faults);
        shape::document(Kind::Environment, value, convert, |_| Vec::new()).map_err(report)
    }

    /// Whether runs in it are rehearsals: it reroutes, so that nothing real is reached.
    pub fn is_rehearsal(&self) -> bool {
        !self.network.reroute.is_empty()
    }

    /// The environment's text with each literal secret replaced by `[secret NAME]`, wherever a value
    /// reads like it.
    pub fn text_without_secrets(&self, source: &Source) -> String {
        let spans = Spans::of(&source.text);
        // By what they read, not by place: an anchor elsewhere may hold the text.
        let mut blanks = BTreeMap::new();
        for (name, credential) in &self.credentials {
            for source in credential.sources() {
                let SecretSource::Literal(secret) = source else {
                    continue;
                };
                blanks.extend(
                    spans
                        .reading(secret)
                        .into_iter()
                        .map(|span| (span.start, (span, name))),
                );
            }
        }
        let mut text = source.text.clone();
        for (span, name) in blanks.into_values().rev() {
            text.replace_range(span, &format!("\"[secret {name}]\""));
        }
        text
    }
}

fn convert(wire: Wire, faults: &mut Vec<Fault>) -> Option<Environment> {
    let root = Path::root();
    let name = wire.name.and_then(|name| {
        EnvironmentName::new(name)
            .map_err(|fault| faults.push(Fault::error(root.key("name"), fault.to_string())))
            .ok()
    });
    check_vars(&wire.vars, faults);
    let limits = wire.limits.convert(&root.key("limits"), faults);
    let mut fill = Fill::new(Value::Object(wire.vars.clone()), faults);
    let network = wire.network.convert(&mut fill);
    let has_ceiling = wire.ceiling.is_some();
    let ceiling = wire
        .ceiling
        .iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, line)| fill.grant(line, &root.key("ceiling").index(index)))
        .collect();
    let mut credentials = BTreeMap::new();
    let count = wire.credentials.len();
    for (name, wire) in wire.credentials {
        let place = root.key("credentials").key(&name);
        let credential = wire.convert(&place, &network, &mut fill);
        match (CredentialName::new(name), credential) {
            (Err(fault), _) => fill.fault(Fault::error(place, fault.to_string()).on_key()),
            (Ok(name), Some(credential)) => drop(credentials.insert(name, credential)),
            (Ok(_), None) => {}
        }
    }
    let whole = has_ceiling && credentials.len() == count;
    Some(Environment {
        name: name.filter(|_| whole)?,
        vars: Value::Object(wire.vars),
        credentials,
        ceiling,
        limits,
        network,
        protected: wire.protected,
    })
}

/// Variables are plain: what is read is what they are.
fn check_vars(vars: &Map<String, Value>, faults: &mut Vec<Fault>) {
    let place = Path::root().key("vars");
    for (name, value) in vars {
        let place = place.key(name);
        if let Err(fault) = Name::new(name) {
            faults.push(Fault::error(place.clone(), fault.to_string()).on_key());
        }
        check_plain(value, &place, faults);
    }
}

fn check_plain(value: &Value, place: &Path, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) if text.contains("${{") => {
            let fault =
                Fault::error(place.clone(), "a variable can't hold an expression").on_part("${{");
            faults.push(fault.help(
                "write the value itself; expressions use variables, not the other way round",
            ));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| check_plain(item, &place.index(index), faults));
        }
        Value::Object(map) => map
            .iter()
            .for_each(|(key, item)| check_plain(item, &place.key(key), faults)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source {
            name: "environments/demo.yaml".to_owned(),
            text: text.to_owned(),
        }
    }

    const DEMO: &str = "name: demo
vars: { tenant: t1, host: api.example.com }
credentials:
  api:
    kind: oauth2_client_credentials
    token_url: https://login.example.com/${{ vars.tenant }}/token
    client_id: me
    secret: { literal: \"s3cret: \\\"x\\\"\" }
    origins: [https://api.example.com]
  web: { kind: bearer, secret: { literal: hunter2 }, origins: [\"https://${{ vars.host }}\"] }
ceiling: [\"* https://${{ vars.host }}/**\"]
network:
  reroute: { https://api.example.com: http://127.0.0.1:7070, https://login.example.com: http://127.0.0.1:7070 }
";

    #[test]
    fn variables_are_filled_in() {
        let demo = Environment::parse(&source(DEMO)).unwrap();
        assert!(demo.is_rehearsal());
        assert_eq!(demo.ceiling[0].to_string(), "* https://api.example.com/**");
        let Scheme::OAuth2ClientCredentials {
            token_url, scope, ..
        } = &demo.credentials["api"].scheme
        else {
            panic!()
        };
        assert_eq!(
            (token_url.as_str(), scope),
            ("https://login.example.com/t1/token", &None)
        );
        assert_eq!(
            demo.credentials["web"].origins[0].to_string(),
            "https://api.example.com"
        );
    }

    #[test]
    fn its_text_is_kept_without_its_secrets() {
        let demo = Environment::parse(&source(DEMO)).unwrap();
        let text = demo.text_without_secrets(&source(DEMO));
        assert!(
            !text.contains("s3cret") && !text.contains("hunter2"),
            "{text}"
        );
        assert!(
            text.contains("{ literal: \"[secret web]\" }")
                && text.contains("{ literal: \"[secret api]\" }"),
            "{text}"
        );
        assert!(Environment::parse(&source(&text)).is_ok());
        assert!(!format!("{demo:?}").contains("hunter2"));
    }
}
