//! The public keys that a project's plugins are signed with.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::check_path;
use crate::fault::Fault;
use crate::names::KeyName;
use crate::path::Path;
use crate::suggest::closest;

/// A public key, or where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// A key of minisign, in its own writing: `RW…`.
    Minisign(String),
    /// A key as `cosign generate-key-pair` makes them: PEM.
    Cosign(String),
    /// A file that holds such a key. A relative path begins at the project's folder.
    CosignFile(String),
}

/// How the PEM of a public key begins.
const PEM: &str = "-----BEGIN PUBLIC KEY-----";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireKey {
    minisign: Option<String>,
    cosign: Option<String>,
}

pub(super) fn convert(
    wires: BTreeMap<String, WireKey>,
    faults: &mut Vec<Fault>,
) -> BTreeMap<KeyName, PublicKey> {
    let mut keys = BTreeMap::new();
    for (name, wire) in wires {
        let place = Path::root().key("keys").key(&name);
        let key = one(wire, &place, faults);
        match KeyName::new(&name) {
            // A key with a fault still has its name, so that nothing else is said of who refers to it.
            Ok(name) => drop(keys.insert(
                name,
                key.unwrap_or_else(|| PublicKey::Cosign(String::new())),
            )),
            Err(fault) => faults.push(Fault::error(place, fault.to_string()).on_key()),
        }
    }
    keys
}

fn one(wire: WireKey, place: &Path, faults: &mut Vec<Fault>) -> Option<PublicKey> {
    match (wire.minisign, wire.cosign) {
        (Some(text), None) => {
            let text = text.trim();
            if !is_minisign(text) {
                let fault = Fault::error(
                    place.key("minisign"),
                    "this is not a public key of minisign",
                );
                faults.push(
                    fault.help(
                        "it is the second line of `minisign.pub`: `RW` and 54 more characters",
                    ),
                );
                return None;
            }
            Some(PublicKey::Minisign(text.to_owned()))
        }
        (None, Some(text)) if text.trim_start().starts_with(PEM) => Some(PublicKey::Cosign(text)),
        (None, Some(path)) => {
            check_path(&path, &place.key("cosign"), faults);
            Some(PublicKey::CosignFile(path))
        }
        (both, _) => {
            let found = if both.is_some() { "both" } else { "neither" };
            let fault = Fault::error(
                place.clone(),
                format!("a key is one of `minisign` or of `cosign`, and this one is {found}"),
            );
            faults.push(fault.help("`{ minisign: RW… }`, or `{ cosign: keys/cosign.pub }`"));
            None
        }
    }
}

fn is_minisign(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len() == 56 && text.starts_with("RW") && text.bytes().all(is_base64)
}

/// The keys of a `signed_by`: those that there are.
pub(super) fn signers(
    names: Vec<String>,
    place: &Path,
    keys: &BTreeMap<KeyName, PublicKey>,
    faults: &mut Vec<Fault>,
) -> Vec<KeyName> {
    let mut signers = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        match keys.get_key_value(name.as_str()) {
            Some((name, _)) if signers.contains(name) => {}
            Some((name, _)) => signers.push(name.clone()),
            None => {
                let known: Vec<&str> = keys.keys().map(KeyName::as_str).collect();
                let help = match closest(&name, known.iter().copied()) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None if known.is_empty() => {
                        format!(
                            "say what it is: `keys: {{ {name}: {{ cosign: keys/{name}.pub }} }}`"
                        )
                    }
                    None => format!("there are {}", known.join(", ")),
                };
                let fault = Fault::error(
                    place.index(index),
                    format!("there is no key `{name}` in `keys`"),
                );
                faults.push(fault.help(help));
            }
        }
    }
    signers
}
