//! What must hold for any bytes that somebody else wrote.
//!
//! A target takes bytes and panics where something that has to hold doesn't. libFuzzer looks for such bytes
//! (`cargo xtask fuzz`; the programs are in `libfuzzer/`), and on every run of the tests each target is walked over
//! its seeds (`corpus/NAME`), over what was found before (`found/NAME`), and over seeded variations of both.

mod allow_line;
mod expression;
mod journal;
mod manifest;
pub mod reference;
mod request;
mod runbook;
mod variation;

pub use variation::Variations;

/// One thing that reads what others wrote.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: that of its folders, and of its program.
    pub name: &'static str,
    /// Reads some bytes, and panics where something that has to hold doesn't.
    pub read: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 6] = [
    Target {
        name: "runbook",
        read: runbook::read,
    },
    Target {
        name: "allow_line",
        read: allow_line::read,
    },
    Target {
        name: "expression",
        read: expression::read,
    },
    Target {
        name: "journal",
        read: journal::read,
    },
    Target {
        name: "manifest",
        read: manifest::read,
    },
    Target {
        name: "request",
        read: request::read,
    },
];

/// Has the target of this name read some bytes.
///
/// # Panics
///
/// There is no such target, or something doesn't hold.
pub fn read(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no target `{name}`"));
    (target.read)(bytes);
}
