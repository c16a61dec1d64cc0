//! An environment's credentials, made ready: secrets read, tokens fetched.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use sandbook_runbook as runbook;
use sandbook_runbook::{CredentialName, Environment};
use sandbook_sandbox::credential::{Credential, Scheme};
use sandbook_sandbox::network::{IpRange, Network, NetworkRules, Origin};
use sandbook_sandbox::redact::Redactor;
use sandbook_sandbox::secret::Secret;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use self::source::Sources;
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
    /// Names each credential that can't be had. Nothing has been sent but what obtains them.
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
        let sources = Arc::new(Sources {
            root: root.to_owned(),
            network: Arc::clone(&network),
            opened: OnceCell::new(),
        });
        let mut reading = JoinSet::new();
        for name in used {
            let (name, spec) = (name.clone(), environment.credentials[name].clone());
            let sources = Arc::clone(&sources);
            reading.spawn(async move {
                let read = Material::read(&spec, &sources).await;
                (name, read)
            });
        }
        // In the order of their names: what two secrets have in common is called by the first's, also when the run is
        // taken up.
        let read: BTreeMap<_, _> = reading.join_all().await.into_iter().collect();
        let mut credentials = BTreeMap::new();
        let mut faults = Vec::new();
        for (name, read) in read {
            let spec = &environment.credentials[&name];
            match read.and_then(|material| material.credential(&name, spec, &redactor)) {
                Ok(credential) => drop(credentials.insert(name, Arc::new(credential))),
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

/// What is secret of a credential.
struct Material {
    secret: Secret,
    session_token: Option<Secret>,
}

impl Material {
    async fn read(spec: &runbook::Credential, sources: &Sources) -> Result<Material, String> {
        let session_token = match &spec.scheme {
            runbook::Scheme::AwsSigV4 { session_token, .. } => session_token.as_ref(),
            _ => None,
        };
        Ok(Material {
            secret: sources.read(&spec.secret).await?,
            session_token: match session_token {
                Some(token) => Some(sources.read(token).await?),
                None => None,
            },
        })
    }

    fn credential(
        self,
        name: &CredentialName,
        spec: &runbook::Credential,
        redactor: &Arc<Redactor>,
    ) -> Result<Credential, String> {
        let scheme = scheme(&spec.scheme, self.session_token);
        let origins = spec.origins.iter().map(origin).collect();
        Credential::new(name.as_str(), &scheme, self.secret, origins, redactor)
            .map_err(|fault| chain(&fault))
    }
}

fn scheme(scheme: &runbook::Scheme, session_token: Option<Secret>) -> Scheme {
    match scheme {
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
        runbook::Scheme::Query { parameter } => Scheme::Query {
            parameter: parameter.clone(),
        },
        runbook::Scheme::AwsSigV4 {
            access_key_id,
            region,
            service,
            session_token: _,
        } => Scheme::AwsSigV4 {
            access_key_id: access_key_id.clone(),
            region: region.clone(),
            service: service.clone(),
            session_token,
        },
    }
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
