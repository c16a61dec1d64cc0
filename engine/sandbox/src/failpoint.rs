//! Where a test can have the process die. Without the feature `failpoints` there is nothing here.

/// Passes the failpoint of this name.
#[cfg(feature = "failpoints")]
pub(crate) fn failpoint(name: &str) {
    fail::fail_point!(name, |_| std::process::abort());
}

/// Passes nothing.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn failpoint(_: &str) {}
