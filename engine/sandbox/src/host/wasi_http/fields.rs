//! `fields`: header fields, as a guest writes them or is given them.

use wasmtime::component::Resource;

use super::super::Host;
use crate::{
    bindings::wasi_http::types::{self, HeaderError},
    limits::{Breach, Hold, Memory},
};

/// What a field takes beside its texts.
const FIELD_BYTES: usize = 64;

/// Header fields in order: name, value. What they may be is for the gate to say.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct Fields {
    entries: Vec<(String, Vec<u8>)>,
    is_fixed: bool,
    hold: Hold,
}

impl Fields {
    fn new(memory: &Memory) -> Result<Fields, Breach> {
        Ok(Fields {
            entries: Vec::new(),
            is_fixed: false,
            hold: memory.hold(0)?,
        })
    }

    /// Those of an answer.
    pub(super) fn received(
        entries: Vec<(String, Vec<u8>)>,
        memory: &Memory,
    ) -> Result<Fields, Breach> {
        let mut fields = Fields::new(memory)?;
        for (name, value) in entries {
            fields.append(name, value)?;
        }
        fields.fix();
        Ok(fields)
    }

    /// From here on they don't change.
    pub(super) fn fix(&mut self) {
        self.is_fixed = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn copy(&self) -> Result<Fields, Breach> {
        let hold = self.hold.again()?;
        Ok(Fields {
            entries: self.entries.clone(),
            is_fixed: self.is_fixed,
            hold,
        })
    }

    /// The values of a field.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.entries
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The fields, and what was held for them.
    pub(super) fn into_parts(self) -> (Vec<(String, Vec<u8>)>, Hold) {
        (self.entries, self.hold)
    }

    fn append(&mut self, name: String, value: Vec<u8>) -> Result<(), Breach> {
        self.hold.grow(FIELD_BYTES + name.len() + value.len())?;
        self.entries.push((name, value));
        Ok(())
    }

    /// What was held for a field that goes stays held: it can come back.
    fn remove(&mut self, name: &str) {
        self.entries
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }
}

impl Host {
    /// Fields that may still be changed, or the word that they may not.
    fn changeable(
        &mut self,
        fields: &Resource<Fields>,
    ) -> wasmtime::Result<Result<&mut Fields, HeaderError>> {
        let fields = self.table.get_mut(fields)?;
        Ok(if fields.is_fixed {
            Err(HeaderError::Immutable)
        } else {
            Ok(fields)
        })
    }
}

impl types::HostFields for Host {
    fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        let fields = Fields::new(self.usage.memory())?;
        Ok(self.table.push(fields)?)
    }

    fn from_list(
        &mut self,
        entries: Vec<(String, Vec<u8>)>,
    ) -> wasmtime::Result<Result<Resource<Fields>, HeaderError>> {
        let mut fields = Fields::new(self.usage.memory())?;
        for (name, value) in entries {
            fields.append(name, value)?;
        }
        Ok(Ok(self.table.push(fields)?))
    }

    fn get(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        let fields = self.table.get(&fields)?;
        Ok(fields.values(&name).map(<[u8]>::to_vec).collect())
    }

    fn has(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<bool> {
        Ok(self.table.get(&fields)?.values(&name).next().is_some())
    }

    fn set(
        &mut self,
        fields: Resource<Fields>,
        name: String,
        values: Vec<Vec<u8>>,
    ) -> wasmtime::Result<Result<(), HeaderError>> {
        let fields = match self.changeable(&fields)? {
            Ok(fields) => fields,
            Err(error) => return Ok(Err(error)),
        };
        fields.remove(&name);
        for value in values {
            fields.append(name.clone(), value)?;
        }
        Ok(Ok(()))
    }

    fn delete(
        &mut self,
        fields: Resource<Fields>,
        name: String,
    ) -> wasmtime::Result<Result<(), HeaderError>> {
        Ok(self.changeable(&fields)?.map(|fields| fields.remove(&name)))
    }

    fn append(
        &mut self,
        fields: Resource<Fields>,
        name: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), HeaderError>> {
        match self.changeable(&fields)? {
            Ok(fields) => Ok(Ok(fields.append(name, value)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn entries(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> {
        Ok(self.table.get(&fields)?.entries.clone())
    }

    fn clone(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Resource<Fields>> {
        let mut copy = self.table.get(&fields)?.copy()?;
        copy.is_fixed = false;
        Ok(self.table.push(copy)?)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> wasmtime::Result<()> {
        self.table.delete(fields)?;
        Ok(())
    }
}
