//! Reads a component's outside: what it imports and exports, and where its manifest lies.

use std::ops::Range;

use serde::Deserialize;
use wasmparser::{
    BinaryReaderError, Encoding, Parser, Payload, ValidPayload, Validator, WasmFeatures,
    component_types::ComponentEntityType, types::TypesRef,
};

use super::{MANIFEST_SECTION, MAX_COMPONENT_BYTES, PackedError, signature, world};

/// What a component shows on its outside.
#[derive(Default)]
pub(crate) struct Shape {
    /// What it imports; all of it can be had.
    pub(crate) imports: Vec<String>,
    /// Where its manifests are.
    pub(crate) manifests: Vec<Range<usize>>,
}

impl Shape {
    /// Checks that the bytes are a component of the contract's world, with or without a manifest.
    /// Types and sections are validated; function bodies are left to the compiler.
    pub(crate) fn of(bytes: &[u8]) -> Result<Shape, PackedError> {
        if bytes.len() > MAX_COMPONENT_BYTES {
            return Err(PackedError::TooLarge(bytes.len()));
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(PackedError::NotWasm);
        }
        let mut shape = Shape::default();
        let mut validator = Validator::new_with_features(features());
        // The modules and components inside it come in the same stream of payloads.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(PackedError::Invalid)?;
            if depth == 0 {
                shape.take(&payload)?;
            }
            let valid = validator.payload(&payload).map_err(PackedError::Invalid)?;
            match (&payload, valid) {
                (Payload::ModuleSection { .. } | Payload::ComponentSection { .. }, _) => depth += 1,
                (Payload::End(_), ValidPayload::End(types)) if depth == 0 => {
                    check_run(types.as_ref())?;
                }
                (Payload::End(_), _) => depth -= 1,
                _ => {}
            }
        }
        let unknown: Vec<_> = shape
            .imports
            .iter()
            .filter(|name| !world::offers(name))
            .cloned()
            .collect();
        if unknown.is_empty() {
            Ok(shape)
        } else {
            Err(PackedError::UnknownImports(unknown))
        }
    }

    /// Checks that a manifest says what isn't given unsaid: `wasi_http: true`. That is all of a manifest that
    /// is looked at here.
    pub(crate) fn check_said(&self, manifest_json: &[u8]) -> Result<(), PackedError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Said {
            wasi_http: bool,
        }
        let Some(import) = self.imports.iter().find(|name| world::is_wasi_http(name)) else {
            return Ok(());
        };
        let said: Said = serde_json::from_slice(manifest_json).unwrap_or_default();
        if said.wasi_http {
            Ok(())
        } else {
            Err(PackedError::WasiHttpUnsaid(import.clone()))
        }
    }

    /// Notes what an outermost section says.
    fn take(&mut self, payload: &Payload<'_>) -> Result<(), PackedError> {
        match payload {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } => return Err(PackedError::CoreModule),
            Payload::ComponentImportSection(imports) => {
                let names = imports
                    .clone()
                    .into_iter()
                    .map(|import| Ok(import?.name.name.to_owned()));
                self.imports.extend(
                    names
                        .collect::<Result<Vec<_>, BinaryReaderError>>()
                        .map_err(PackedError::Invalid)?,
                );
            }
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                let start = section.data_offset();
                self.manifests.push(start..start + section.data().len());
            }
            _ => {}
        }
        Ok(())
    }
}

/// What the engine runs; see [`crate::engine`].
fn features() -> WasmFeatures {
    WasmFeatures::default().difference(
        WasmFeatures::THREADS | WasmFeatures::MEMORY64 | WasmFeatures::GC | WasmFeatures::CM_ASYNC,
    )
}

fn check_run(types: TypesRef<'_>) -> Result<(), PackedError> {
    let Some(ComponentEntityType::Instance(step)) =
        types.component_item_for_export("step").map(|item| item.ty)
    else {
        return Err(PackedError::NoStep);
    };
    let Some(ComponentEntityType::Func(run)) = types[step].exports.get("run").map(|item| item.ty)
    else {
        return Err(PackedError::NoStep);
    };
    let found = signature::of(types, run);
    if found == signature::RUN {
        Ok(())
    } else {
        Err(PackedError::OtherRun { found })
    }
}
