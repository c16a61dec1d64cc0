//! `reveal`: the one way for a secret into a guest's memory.

use wasmtime::component::Resource;

use super::{Credential, Host};
use crate::bindings::sandbook::step::reveal;

impl reveal::Host for Host {
    fn plaintext(
        &mut self,
        credential: Resource<Credential>,
    ) -> wasmtime::Result<Result<String, reveal::Error>> {
        let slot = self.table.get(&credential)?.slot();
        Ok(match self.gate.reveal(slot) {
            Ok(secret) => Ok(secret.expose().to_owned()),
            Err(error) => Err(reveal::Error::Denied(error.to_string())),
        })
    }
}
