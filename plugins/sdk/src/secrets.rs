//! Credentials: to be used, not to be seen. A request takes one by its slot's name:
//! [`Request::credential`](crate::http::Request::credential).

use crate::{Failure, host};

/// A credential that the runbook has bound to one of the plugin's slots. Nothing can be read from it.
#[derive(Debug)]
pub struct Credential(pub(crate) host::Credential);

impl Credential {
    /// Opens a slot of the manifest. `None`: the runbook binds nothing to it.
    pub fn open(slot: &str) -> Option<Self> {
        host::open(slot).map(Credential)
    }
}

/// The plaintext of a slot's secret, for the rare service that HTTP authentication does not serve.
///
/// A plugin that calls this imports `reveal`, which inspection shows, and the step must be granted it:
/// `reveal: [slot]`. The secret is still redacted from everything that the plugin says.
///
/// # Errors
///
/// [`Kind::Unauthorized`](crate::Kind::Unauthorized) when the slot is not bound or the step is not granted to see it.
pub fn reveal(slot: &str) -> Result<String, Failure> {
    let Credential(credential) = Credential::open(slot).ok_or_else(|| unbound(slot))?;
    host::plaintext(&credential).map_err(|why| Failure::unauthorized(why).with_code("RevealDenied"))
}

/// The failure of a step whose runbook binds nothing to a slot that it needs.
pub(crate) fn unbound(slot: &str) -> Failure {
    Failure::unauthorized(format!(
        "the runbook binds no credential to the slot `{slot}`; add `credentials: {{ {slot}: NAME }}` to the step"
    ))
    .with_code("SlotUnbound")
}
