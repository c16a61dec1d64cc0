//! Plugins in other languages, as `cargo xtask examples` builds them.

use std::path::PathBuf;

use crate::support::target;

/// A plugin that was built, by its name; none where its toolchain can't be had, which is then said. `SUITE_EXAMPLES` set
/// makes that a failure.
pub(super) fn example(name: &str) -> Option<PathBuf> {
    let packed = target().join(format!("examples/{name}.wasm"));
    if packed.is_file() {
        return Some(packed);
    }
    let left_out = format!(
        "LEFT OUT: `{}` is missing; `cargo xtask examples` builds it, or says what it lacks",
        packed.display()
    );
    assert!(std::env::var_os("SUITE_EXAMPLES").is_none(), "{left_out}");
    eprintln!("{left_out}");
    None
}
