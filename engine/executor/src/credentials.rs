//! An environment's credentials, made ready: secrets read, tokens fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use sandbook_runbook as runbook;
use sandbook_runbook::{CredentialName, Environment, SecretSource};
use sandbook_sandbox::credential::{Credential, Scheme};
use sandbook_sandbox::network::{IpRange, Network, NetworkRules, Origin};
use sandbook_sandbox::redact::Redactor;
use sandbook_sandbox::secret::{self, Secret};
use tokio::task::JoinSet;

use crate::refused::Refused;
use crate::sensitive;

/// The network of an environment, and the credentials that a plan may use.
pub(crate) struct Keys {
    pub(crate) network: Arc<Network>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) credentials: BTreeMap<CredentialName, Arc<Credential>>,
}

impl Keys {
    /// Reads every secret and fetches every token of these credentials. `hidden` are the texts that are known to be
    /// sensitive by now.
    ///
    /// # Errors
    ///
    /// Names each credential that can't be had. Nothing but token requests has been sent.
    pub(crate) async fn obtain(
        environment: Option<&Environment>,
        used: BTreeSet<&CredentialName>,
        hidden: Vec<String>,
        root: &Path,
    ) -> Result<Keys, Refused> {
        let redactor = Arc::new(sensitive::redactor(hidden));
        let Some(environment) = environment else {
            let network = Arc::new(Network::new(NetworkRules::default()));
            return Ok(Keys {
                network,
                redactor,
                credentials: BTreeMap::new(),
            });
        };
        let network = Arc::new(network(environment));
        let mut credentials = BTreeMap::new();
        let mut faults = Vec::new();
        for name in used {
            let spec = &environment.credentials[name];
            match read(spec, root).and_then(|secret| credential(name, spec, secret, &redactor)) {
                Ok(credential) => drop(credentials.insert(name.clone(), Arc::new(credential))),
                Err(fault) => faults.push(format!("credential `{name}`: {fault}")),
            }
        }
        let mut fetching = JoinSet::new();
        for (name, credential) in &credentials {
            let (name, credential, network) =
                (name.clone(), Arc::clone(credential), Arc::clone(&network));
            fetching.spawn(async move { (name, credential.obtain(&network).await) });
        }
        for (name, obtained) in fetching.join_all().await {
            if let Err(fault) = obtained {
                faults.push(format!("credential `{name}`: {}", chain(&fault)));
            }
        }
        if faults.is_empty() {
            return Ok(Keys {
                network,
                redactor,
                credentials,
            });
        }
        faults.sort();
        Err(Refused::because(faults.join("\n")).help(format!(
            "environment `{}` says where each secret comes from; nothing was run",
            environment.name
        )))
    }
}

fn network(environment: &Environment) -> Network {
    let private = environment.network.private.iter().map(|range| {
        IpRange::parse(&range.to_string()).expect("the language has checked the range")
    });
    let reroute = environment
        .network
        .reroute
        .iter()
        .map(|(from, to)| (origin(from), origin(to)));
    Network::new(NetworkRules {
        private: private.collect(),
        reroute: reroute.collect(),
    })
}

fn origin(origin: &runbook::Origin) -> Origin {
    Origin::parse(&origin.to_string()).expect("the language has checked the origin")
}

fn read(spec: &runbook::Credential, root: &Path) -> Result<Secret, String> {
    let read = match &spec.secret {
        SecretSource::Env(variable) => secret::from_env(variable),
        SecretSource::File(path) => secret::from_file(&root.join(path)),
        SecretSource::Literal(text) => secret::literal(text),
    };
    read.map_err(|fault| chain(&fault))
}

fn credential(
    name: &CredentialName,
    spec: &runbook::Credential,
    secret: Secret,
    redactor: &Arc<Redactor>,
) -> Result<Credential, String> {
    let scheme = match &spec.scheme {
        runbook::Scheme::Header { header, prefix } => Scheme::Header {
            name: header.clone(),
            prefix: prefix.clone(),
        },
        runbook::Scheme::Bearer => Scheme::Bearer,
        runbook::Scheme::Basic { username } => Scheme::Basic {
            username: username.clone(),
        },
        runbook::Scheme::OAuth2ClientCredentials {
            token_url,
            client_id,
            scope,
        } => Scheme::OAuth2ClientCredentials {
            token_url: token_url.clone(),
            client_id: client_id.clone(),
            scope: scope.clone(),
        },
    };
    let origins = spec.origins.iter().map(origin).collect();
    Credential::new(name.as_str(), &scheme, secret, origins, redactor)
        .map_err(|fault| chain(&fault))
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
