//! Writes a function's type out in full, to compare it and to show it.

use wasmparser::{
    component_types::{ComponentDefinedType, ComponentFuncTypeId, ComponentValType},
    types::TypesRef,
};

/// The type of `step.run` in the contract. Types don't change within a version of it.
pub(super) const RUN: &str = "func(context: record{run: string, step: string, attempt: u32, \
    idempotency-key: string, started-at: u64, deadline: u64, dry-run: bool}, input: string) -> \
    result<record{data: string, changed: bool, summary: string}, record{kind: enum{invalid-input, \
    unauthorized, not-found, conflict, rate-limited, unavailable, timed-out, failed}, \
    code: option<string>, message: string, retry-after: option<u64>, start-over: bool}>";

/// A type that is written out in more than this is cut: what refers to itself twice at each level
/// would fill the memory.
const MOST: usize = 1 << 10;

/// The type of a function.
pub(super) fn of(types: TypesRef<'_>, function: ComponentFuncTypeId) -> String {
    let function = &types[function];
    let mut out = Writer {
        types,
        text: if function.async_ {
            "async func"
        } else {
            "func"
        }
        .to_owned(),
    };
    out.fields(
        "(",
        function
            .params
            .iter()
            .map(|(name, ty)| (name.as_str(), *ty)),
        ")",
    );
    if let Some(result) = function.result {
        out.text.push_str(" -> ");
        out.value(result);
    }
    out.text
}

struct Writer<'a> {
    types: TypesRef<'a>,
    text: String,
}

impl Writer<'_> {
    fn value(&mut self, ty: ComponentValType) {
        if self.text.len() > MOST {
            if !self.text.ends_with('…') {
                self.text.push('…');
            }
            return;
        }
        match ty {
            ComponentValType::Primitive(primitive) => self.text.push_str(&primitive.to_string()),
            ComponentValType::Type(id) => {
                let types = self.types;
                self.defined(&types[id]);
            }
        }
    }

    fn defined(&mut self, ty: &ComponentDefinedType) {
        match ty {
            ComponentDefinedType::Primitive(primitive) => {
                self.text.push_str(&primitive.to_string());
            }
            ComponentDefinedType::Record(record) => {
                self.fields(
                    "record{",
                    record.fields.iter().map(|(name, ty)| (name.as_str(), *ty)),
                    "}",
                );
            }
            ComponentDefinedType::Enum(cases) => {
                let cases: Vec<_> = cases
                    .iter()
                    .map(wasmparser::names::KebabString::as_str)
                    .collect();
                self.text.push_str(&format!("enum{{{}}}", cases.join(", ")));
            }
            ComponentDefinedType::Option { ty, .. } => self.wrapped("option<", &[Some(*ty)]),
            ComponentDefinedType::List { element, .. } => self.wrapped("list<", &[Some(*element)]),
            ComponentDefinedType::Result { ok, err, .. } => self.wrapped("result<", &[*ok, *err]),
            // The contract's function has none of these.
            _ => self.text.push_str("another type"),
        }
    }

    fn fields<'n>(
        &mut self,
        open: &str,
        fields: impl Iterator<Item = (&'n str, ComponentValType)>,
        close: &str,
    ) {
        self.text.push_str(open);
        for (index, (name, ty)) in fields.enumerate() {
            self.text.push_str(if index == 0 { "" } else { ", " });
            self.text.push_str(name);
            self.text.push_str(": ");
            self.value(ty);
        }
        self.text.push_str(close);
    }

    fn wrapped(&mut self, open: &str, types: &[Option<ComponentValType>]) {
        self.text.push_str(open);
        for (index, ty) in types.iter().enumerate() {
            self.text.push_str(if index == 0 { "" } else { ", " });
            match ty {
                Some(ty) => self.value(*ty),
                None => self.text.push('_'),
            }
        }
        self.text.push('>');
    }
}
