//! The page, from the top.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wit_parser::{
    Docs, Function, Interface, InterfaceId, PackageId, Resolve, TypeDef, TypeDefKind, TypeId,
    World, WorldItem, WorldKey,
};

use super::names;
use crate::support::markdown;

const TOP: &str = "\
What the engine lends a plugin, and what it asks of it. This page is made of the comments in [`wit/`](../wit), which are what
counts; it is changed by changing them. [Writing a plugin](plugin.md) says how a step is written, in each language.

A plugin is a component of one of the worlds below. The types are those of
[WIT](https://component-model.bytecodealliance.org/design/wit.html), which each language's bindings make their own of: `option<T>` is a
value that may be absent, `result<T, E>` is either what was wanted or an error, `list<u8>` is bytes, and `borrow<T>` lends a
resource for as long as the call takes.
";

/// The page of a package.
pub(super) fn page(resolve: &Resolve, package: PackageId) -> String {
    let of = &resolve.packages[package];
    let interfaces = in_order(resolve, package);
    let mut page = Page {
        resolve,
        interfaces: &interfaces,
        places: BTreeMap::new(),
        text: String::new(),
    };
    page.find_places();
    let version = of.name.version.as_ref().unwrap();
    let (namespace, name) = (&of.name.namespace, &of.name.name);
    page.line(&format!(
        "# The contract: `{namespace}:{name}@{version}`\n\n{TOP}"
    ));
    let worlds: Vec<&World> = of.worlds.values().map(|id| &resolve.worlds[*id]).collect();
    for (index, world) in worlds.iter().enumerate() {
        page.world(world, &worlds[..index]);
    }
    for interface in &interfaces {
        page.interface(*interface);
    }
    page.text.trim_end().to_owned() + "\n"
}

/// The interfaces that have a name: what all others speak of, what the first world imports, in its order, and the others.
fn in_order(resolve: &Resolve, package: PackageId) -> Vec<InterfaceId> {
    let of = &resolve.packages[package];
    let imports = of
        .worlds
        .values()
        .flat_map(|world| resolve.worlds[*world].imports.keys());
    let imported = imports.map(|key| match key {
        WorldKey::Interface(id) => *id,
        WorldKey::Name(name) => panic!("the page has no words for the import `{name}`"),
    });
    let mut all = vec![of.interfaces["types"]];
    for id in imported.chain(of.interfaces.values().copied()) {
        if !all.contains(&id) {
            all.push(id);
        }
    }
    all
}

struct Page<'a> {
    resolve: &'a Resolve,
    interfaces: &'a [InterfaceId],
    /// The headings' places, by the whole names of what is under them.
    places: BTreeMap<String, String>,
    text: String,
}

impl Page<'_> {
    fn find_places(&mut self) {
        for id in self.interfaces {
            for ty in self.resolve.interfaces[*id].types.values() {
                let heading = names::heading(self.resolve, *ty);
                let name = names::whole(self.resolve, *ty);
                self.places.insert(name, markdown::place(&heading));
            }
            for function in self.resolve.interfaces[*id].functions.keys() {
                let name = format!("{}.{function}", names::of_interface(self.resolve, *id));
                let place = markdown::place(&format!("function {name}"));
                self.places.insert(name, place);
            }
        }
        self.places
            .insert("step.run".to_owned(), markdown::place("function step.run"));
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("a text takes all that is written");
    }

    /// A world, less what it includes of those before it.
    fn world(&mut self, world: &World, before: &[&World]) {
        self.line(&format!("## World `{}`\n", world.name));
        self.paragraphs(&world.docs, &world.name);
        self.line("| | | |\n| --- | --- | --- |");
        let included = before.iter().find(|other| {
            let mut imports = other.imports.keys();
            imports.all(|key| world.imports.contains_key(key))
        });
        if let Some(other) = included {
            let place = markdown::place(&format!("world {}", other.name));
            let first = first_sentence(&other.docs);
            self.line(&format!(
                "| includes | [`{}`](#{place}) | {first} |",
                other.name
            ));
        }
        let is_new = |key: &WorldKey| included.is_none_or(|other| !other.imports.contains_key(key));
        for id in self.interfaces {
            if world.imports.contains_key(&WorldKey::Interface(*id))
                && is_new(&WorldKey::Interface(*id))
            {
                let name = names::of_interface(self.resolve, *id);
                let place = markdown::place(&format!("interface {name}"));
                let first = first_sentence(&self.resolve.interfaces[*id].docs);
                self.line(&format!("| imports | [`{name}`](#{place}) | {first} |"));
            }
        }
        let exported = world.exports.iter().filter(|_| included.is_none());
        let exported: Vec<&Interface> = exported
            .map(|(_, item)| match item {
                WorldItem::Interface { id, .. } => &self.resolve.interfaces[*id],
                _ => panic!("the page has no words for what `{}` exports", world.name),
            })
            .collect();
        for function in exported
            .iter()
            .flat_map(|interface| interface.functions.values())
        {
            let name = self.with_links(&format!("`step.{}`", function.name));
            let first = first_sentence(&function.docs);
            self.line(&format!("| exports | {name} | {first} |"));
        }
        self.line("");
        for interface in exported {
            self.functions(interface, "step");
        }
    }

    fn interface(&mut self, id: InterfaceId) {
        let interface = &self.resolve.interfaces[id];
        let name = names::of_interface(self.resolve, id).to_owned();
        self.line(&format!("## Interface `{name}`\n"));
        self.paragraphs(&interface.docs, &name);
        for ty in interface.types.values() {
            if names::origin(self.resolve, *ty) == *ty {
                self.ty(*ty);
            }
        }
        self.functions(interface, &name);
    }

    fn ty(&mut self, id: TypeId) {
        let TypeDef { kind, docs, .. } = &self.resolve.types[id];
        let name = names::whole(self.resolve, id);
        self.line(&format!("### {}\n", names::heading(self.resolve, id)));
        if let TypeDefKind::Type(of) = kind {
            self.line(&format!("{}\n", names::linked(self.resolve, of)));
        }
        self.paragraphs(docs, &name);
        let rows: Vec<(String, String, &Docs)> = match kind {
            TypeDefKind::Record(record) => {
                self.line("| field | type | |\n| --- | --- | --- |");
                let fields = record.fields.iter();
                let ty = |ty| format!(" {} |", names::linked(self.resolve, ty));
                fields
                    .map(|field| (field.name.clone(), ty(&field.ty), &field.docs))
                    .collect()
            }
            TypeDefKind::Variant(variant) => {
                self.line("| case | carries | |\n| --- | --- | --- |");
                let carried = |ty| names::linked(self.resolve, ty);
                let cases = variant.cases.iter();
                let ty = |ty: Option<_>| format!(" {} |", ty.map(carried).unwrap_or_default());
                cases
                    .map(|case| (case.name.clone(), ty(case.ty.as_ref()), &case.docs))
                    .collect()
            }
            TypeDefKind::Enum(of) => {
                self.line("| case | |\n| --- | --- |");
                let cases = of.cases.iter();
                cases
                    .map(|case| (case.name.clone(), String::new(), &case.docs))
                    .collect()
            }
            TypeDefKind::Type(_) | TypeDefKind::Resource => return,
            other => panic!("the page has no words for a `{}`", other.as_str()),
        };
        for (row, ty, docs) in rows {
            let what = self.with_links(&in_a_cell(docs, &format!("{name}.{row}")));
            self.line(&format!("| `{row}` |{ty} {what} |"));
        }
        self.line("");
    }

    fn functions(&mut self, interface: &Interface, of: &str) {
        for function in interface.functions.values() {
            self.function(function, of);
        }
    }

    fn function(&mut self, function: &Function, of: &str) {
        let Function {
            name,
            params,
            result,
            docs,
            ..
        } = function;
        self.line(&format!("### function `{of}.{name}`\n"));
        let plain = |ty| names::plain(self.resolve, ty);
        let given: Vec<String> = params
            .iter()
            .map(|param| format!("{}: {}", param.name, plain(&param.ty)))
            .collect();
        let returns = result.as_ref().map(|ty| format!(" -> {}", plain(ty)));
        let (given, returns) = (given.join(", "), returns.unwrap_or_default());
        self.line(&format!("```wit\n{name}: func({given}){returns}\n```\n"));
        self.paragraphs(docs, &format!("{of}.{name}"));
        self.line("| | type |\n| --- | --- |");
        for param in params {
            let ty = names::linked(self.resolve, &param.ty);
            self.line(&format!("| `{}` | {ty} |", param.name));
        }
        if let Some(ty) = result {
            self.line(&format!(
                "| returns | {} |",
                names::linked(self.resolve, ty)
            ));
        }
        self.line("");
    }

    fn paragraphs(&mut self, docs: &Docs, of: &str) {
        let text = self.with_links(said(docs, of).trim());
        self.line(&format!("{text}\n"));
    }

    /// The text, with a link wherever it names something whole: `http.send`.
    fn with_links(&self, text: &str) -> String {
        self.places
            .iter()
            .fold(text.to_owned(), |text, (name, place)| {
                text.replace(&format!("`{name}`"), &format!("[`{name}`](#{place})"))
            })
    }
}

/// What the comment says. Everything in the contract has one.
fn said<'a>(docs: &'a Docs, of: &str) -> &'a str {
    let contents = docs.contents.as_deref();
    contents.unwrap_or_else(|| panic!("`{of}` has no comment in wit/"))
}

fn in_a_cell(docs: &Docs, of: &str) -> String {
    let words: Vec<&str> = said(docs, of).split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

fn first_sentence(docs: &Docs) -> String {
    let text = in_a_cell(docs, "an interface");
    match text.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => text,
    }
}
