//! How the contract's items are called, and where the page has them.

use wit_parser::{Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

use crate::support::markdown;

/// A piece of a type as it is written.
enum Piece {
    Text(String),
    /// The name of a type that the page has.
    Name(TypeId),
}

/// The word for what a type is.
pub(super) fn kind(kind: &TypeDefKind) -> &'static str {
    match kind {
        TypeDefKind::Type(_) => "type",
        other => other.as_str(),
    }
}

/// The type itself, where an interface only takes it from another one.
pub(super) fn origin(resolve: &Resolve, id: TypeId) -> TypeId {
    let of = &resolve.types[id];
    match of.kind {
        TypeDefKind::Type(Type::Id(inner)) if resolve.types[inner].owner != of.owner => {
            origin(resolve, inner)
        }
        _ => id,
    }
}

/// A type's name with that of its interface: `http.request`.
pub(super) fn whole(resolve: &Resolve, id: TypeId) -> String {
    let of = &resolve.types[id];
    let name = of.name.as_deref().unwrap_or_default();
    match of.owner {
        TypeOwner::Interface(interface) => format!("{}.{name}", of_interface(resolve, interface)),
        _ => name.to_owned(),
    }
}

pub(super) fn of_interface(resolve: &Resolve, id: InterfaceId) -> &str {
    // The one without a name is the world's own.
    resolve.interfaces[id].name.as_deref().unwrap_or("step")
}

/// A type's heading: `record http.request`.
pub(super) fn heading(resolve: &Resolve, id: TypeId) -> String {
    let word = kind(&resolve.types[id].kind);
    format!("{word} `{}`", whole(resolve, id))
}

/// A type as the contract has it.
pub(super) fn plain(resolve: &Resolve, ty: &Type) -> String {
    let text = |piece| match piece {
        Piece::Text(text) => text,
        Piece::Name(id) => resolve.types[id].name.clone().unwrap_or_default(),
    };
    pieces(resolve, ty).into_iter().map(text).collect()
}

/// A type in Markdown, its names being links.
pub(super) fn linked(resolve: &Resolve, ty: &Type) -> String {
    let mut written = String::new();
    let mut code = String::new();
    for piece in pieces(resolve, ty) {
        match piece {
            Piece::Text(text) => code.push_str(&text),
            Piece::Name(id) => {
                written.push_str(&in_code(&std::mem::take(&mut code)));
                let name = resolve.types[id].name.as_deref().unwrap_or_default();
                let place = markdown::place(&heading(resolve, origin(resolve, id)));
                written.push_str(&format!("[`{name}`](#{place})"));
            }
        }
    }
    written + &in_code(&code)
}

fn in_code(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("`{text}`")
    }
}

fn pieces(resolve: &Resolve, ty: &Type) -> Vec<Piece> {
    let of = |word: &str, types: &[Option<&Type>]| {
        let mut all = vec![Piece::Text(format!("{word}<"))];
        for (index, ty) in types.iter().enumerate() {
            if index > 0 {
                all.push(Piece::Text(", ".to_owned()));
            }
            match ty {
                Some(ty) => all.extend(pieces(resolve, ty)),
                None => all.push(Piece::Text("_".to_owned())),
            }
        }
        all.push(Piece::Text(">".to_owned()));
        all
    };
    let text = |word: &str| vec![Piece::Text(word.to_owned())];
    match ty {
        Type::Bool => text("bool"),
        Type::U8 => text("u8"),
        Type::U16 => text("u16"),
        Type::U32 => text("u32"),
        Type::U64 => text("u64"),
        Type::S8 => text("s8"),
        Type::S16 => text("s16"),
        Type::S32 => text("s32"),
        Type::S64 => text("s64"),
        Type::F32 => text("f32"),
        Type::F64 => text("f64"),
        Type::Char => text("char"),
        Type::String => text("string"),
        Type::ErrorContext => text("error-context"),
        Type::Id(id) => match &resolve.types[*id].kind {
            _ if resolve.types[*id].name.is_some() => vec![Piece::Name(*id)],
            TypeDefKind::Option(inner) => of("option", &[Some(inner)]),
            TypeDefKind::List(inner) => of("list", &[Some(inner)]),
            TypeDefKind::Result(result) => of("result", &[result.ok.as_ref(), result.err.as_ref()]),
            TypeDefKind::Tuple(tuple) => {
                of("tuple", &tuple.types.iter().map(Some).collect::<Vec<_>>())
            }
            TypeDefKind::Handle(Handle::Own(resource)) => vec![Piece::Name(*resource)],
            TypeDefKind::Handle(Handle::Borrow(resource)) => {
                of("borrow", &[Some(&Type::Id(*resource))])
            }
            other => panic!("the page has no words for a `{}`", other.as_str()),
        },
    }
}
