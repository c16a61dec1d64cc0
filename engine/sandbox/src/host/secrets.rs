//! `secrets`: a credential is a name that the gate understands, and holds no secret.

use wasmtime::component::Resource;

use super::Host;
use crate::bindings::sandbook::step::secrets;

/// What a guest holds when it has opened a slot.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct Credential {
    slot: String,
}

impl Credential {
    pub(super) fn slot(&self) -> &str {
        &self.slot
    }
}

impl secrets::Host for Host {
    fn open(
        &mut self,
        slot: String,
    ) -> wasmtime::Result<Result<Resource<Credential>, secrets::Error>> {
        match self.gate.open(&slot) {
            Ok(()) => Ok(Ok(self.table.push(Credential { slot })?)),
            Err(error) => Ok(Err(secrets::Error::UnknownSlot(error.to_string()))),
        }
    }
}

impl secrets::HostCredential for Host {
    fn drop(&mut self, credential: Resource<Credential>) -> wasmtime::Result<()> {
        self.table.delete(credential)?;
        Ok(())
    }
}
