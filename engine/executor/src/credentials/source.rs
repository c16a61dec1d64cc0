//! Reading secrets from where an environment says that they are.

use std::path::PathBuf;
use std::sync::Arc;

use sandbook_runbook::{HelperSource, SecretSource, VaultLogin, VaultSource};
use sandbook_sandbox::network::Network;
use sandbook_sandbox::secret::{self, Helper, Login, Secret, Vault};
use tokio::sync::OnceCell;

use super::{chain, origin};
use crate::project::Project;
use crate::secrets::{Entries, Secrets};

/// What the sources of one environment need.
pub(super) struct Sources {
    pub(super) root: PathBuf,
    pub(super) network: Arc<Network>,
    /// The project's encrypted file, opened once, when it is first needed.
    pub(super) opened: OnceCell<Result<(Secrets, Entries), String>>,
}

impl Sources {
    /// Reads a secret. The fault says which source it was, and why.
    pub(super) async fn read(&self, source: &SecretSource) -> Result<Secret, String> {
        match source {
            SecretSource::Env(variable) => {
                secret::from_env(variable).map_err(|fault| chain(&fault))
            }
            SecretSource::File(path) => {
                secret::from_file(&self.root.join(path)).map_err(|fault| chain(&fault))
            }
            SecretSource::Literal(text) => secret::literal(text).map_err(|fault| chain(&fault)),
            SecretSource::Age(name) => self.age(name).await,
            SecretSource::Exec(helper) => {
                let secret = self::helper(helper).secret().await;
                secret.map_err(|fault| chain(&fault))
            }
            SecretSource::Vault(vault) => self.vault(vault).await,
        }
    }

    async fn age(&self, name: &str) -> Result<Secret, String> {
        let open = || async {
            let project = Project::open(&self.root).map_err(|fault| chain(&fault))?;
            let secrets = Secrets::of(&project).map_err(|fault| chain(&fault))?;
            let entries = secrets.open().map_err(|fault| chain(&fault))?;
            Ok((secrets, entries))
        };
        match self.opened.get_or_init(open).await {
            Ok((secrets, entries)) => entries
                .secret(name, secrets.file())
                .map_err(|fault| chain(&fault)),
            Err(fault) => Err(fault.clone()),
        }
    }

    async fn vault(&self, source: &VaultSource) -> Result<Secret, String> {
        let login = match &source.login {
            VaultLogin::Token(token) => Login::Token(Box::pin(self.read(token)).await?),
            VaultLogin::AppRole {
                mount,
                role_id,
                secret_id,
            } => Login::AppRole {
                mount: mount.clone(),
                role_id: role_id.clone(),
                secret_id: Box::pin(self.read(secret_id)).await?,
            },
        };
        let vault = Vault {
            address: origin(&source.address),
            mount: source.mount.clone(),
            path: source.path.clone(),
            field: source.field.clone(),
            login,
        };
        vault
            .secret(&self.network)
            .await
            .map_err(|fault| chain(&fault))
    }
}

fn helper(source: &HelperSource) -> Helper {
    Helper {
        program: source.program.clone().into(),
        arguments: source.arguments.clone(),
        variables: source.variables.clone(),
        deadline: source.timeout,
    }
}
