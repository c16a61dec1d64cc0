//! Who must have signed a plugin, and whether they have.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sandbook_registry::{Key, KeyError, Kinds, Signature, SignatureError, Signed, Source};
use sandbook_runbook::{KeyName, PluginName, ProjectPlugin, PublicKey};

use super::beside;
use super::network::source_of;
use crate::project::{PROJECT_FILE, Project};
use crate::refused::Refused;

/// The signatures that make a plugin what it must be, by whose they are.
pub(crate) type Proofs = BTreeMap<KeyName, Signature>;

impl Project {
    /// The keys that must have signed a plugin: its own, or for one from outside those of all such.
    pub(super) fn signers<'a>(&'a self, plugin: &'a ProjectPlugin) -> &'a [KeyName] {
        match &plugin.signed_by {
            Some(own) => own,
            None if self.is_outside(plugin) => &self.settings().signed_by,
            None => &[],
        }
    }

    /// The kinds of signatures that are wanted of a plugin.
    pub(super) fn kinds(&self, plugin: &ProjectPlugin) -> Kinds {
        let keys = self.signers(plugin).iter();
        let mut kinds = Kinds::default();
        for key in keys.filter_map(|name| self.settings().keys.get(name)) {
            match key {
                PublicKey::Minisign(_) => kinds.minisign = true,
                PublicKey::Cosign(_) | PublicKey::CosignFile(_) => kinds.cosign = true,
            }
        }
        kinds
    }

    /// The signatures that show that everybody has signed who must have.
    pub(super) fn verify_signatures(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        bytes: &[u8],
        signatures: &[Signature],
    ) -> Result<Proofs, Refused> {
        let source = source_of(&plugin.source);
        let repository = match &source {
            Some(Source::Image { repository, .. }) => Some(repository),
            Some(Source::File(_)) | None => None,
        };
        let signed = Signed { bytes, repository };
        let mut proofs = Proofs::new();
        for signer in self.signers(plugin) {
            let key = self.key(signer)?;
            let verified = signatures.iter().map(|signature| {
                let verified = signature.verify(&key, &signed);
                verified.map(|()| signature.clone())
            });
            let proof =
                first_right(verified).map_err(|why| unsigned(name, plugin, signer, &key, why))?;
            proofs.insert(signer.clone(), proof);
        }
        Ok(proofs)
    }

    /// The same, with signatures that are looked for only where some are wanted.
    pub(super) fn verify_lazily(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        bytes: &[u8],
        signatures: impl FnOnce() -> Result<Vec<Signature>, Refused>,
    ) -> Result<Proofs, Refused> {
        if self.signers(plugin).is_empty() {
            return Ok(Proofs::new());
        }
        self.verify_signatures(name, plugin, bytes, &signatures()?)
    }

    /// The files that hold keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = PathBuf> {
        self.settings().keys.values().filter_map(|key| match key {
            PublicKey::CosignFile(path) => Some(self.root().join(path)),
            PublicKey::Minisign(_) | PublicKey::Cosign(_) => None,
        })
    }

    fn key(&self, name: &KeyName) -> Result<Key, Refused> {
        let unusable = |error: KeyError| {
            Refused::because(format!("key `{name}` in `{PROJECT_FILE}` can't be used"))
                .caused_by(error)
                .help(
                    "put the public key there: `cosign.pub`, or the second line of `minisign.pub`",
                )
        };
        match self.settings().keys.get(name) {
            Some(PublicKey::Minisign(text)) => Key::minisign(text).map_err(unusable),
            Some(PublicKey::Cosign(pem)) => Key::cosign(pem).map_err(unusable),
            Some(PublicKey::CosignFile(path)) => {
                let path = self.root().join(path);
                let missing = || {
                    Refused::because(format!("key `{name}` is not there: `{}`", path.display()))
                        .help("put the public key there, or name the place where it lies in `keys`")
                };
                let pem = beside::text(&path, "key")?.ok_or_else(missing)?;
                Key::cosign(&pem).map_err(unusable)
            }
            // What refers to a key that isn't there is a fault of the file, found when it was read.
            None => Err(Refused::because(format!(
                "there is no key `{name}` in `{PROJECT_FILE}`"
            ))),
        }
    }
}

/// The first signature that is right; else what says most of why none is.
fn first_right(
    verified: impl Iterator<Item = Result<Signature, SignatureError>>,
) -> Result<Signature, Option<SignatureError>> {
    let mut why = None;
    for verified in verified {
        match verified {
            Ok(signature) => return Ok(signature),
            Err(SignatureError::OtherTool) => {}
            // That it is another's says less than what is wrong with one's own.
            Err(other @ (SignatureError::OtherKey | SignatureError::Wrong)) => {
                why = why.or(Some(other));
            }
            Err(error) => why = Some(error),
        }
    }
    Err(why)
}

fn unsigned(
    name: &PluginName,
    plugin: &ProjectPlugin,
    signer: &KeyName,
    key: &Key,
    why: Option<SignatureError>,
) -> Refused {
    let source = &plugin.source;
    let message = format!(
        "plugin `{name}` (`{source}`) is not signed by `{signer}`, as `{PROJECT_FILE}` wants"
    );
    let tool = match key {
        Key::Minisign(_) => "minisign",
        Key::Cosign(_) => "cosign",
    };
    let refused = Refused::because(message);
    match why {
        Some(error) => refused.caused_by(error).help(
            "don't use it until whoever holds the key has signed this very one; docs/plugins/sources.md says how",
        ),
        None => refused.caused_by(format!("there is no signature of {tool}")).help(
            "have whoever holds the key sign it, then `sandbook plugin update`; docs/plugins/sources.md says how",
        ),
    }
}
