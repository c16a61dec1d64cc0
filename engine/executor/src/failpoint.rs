//! Switches on the places where a test has the process die. Without the feature `failpoints` there are none.

/// Reads the variable `FAILPOINTS`, as the crate `fail` describes it, once.
#[cfg(feature = "failpoints")]
pub(crate) fn set() {
    static SET: std::sync::Once = std::sync::Once::new();
    // Dropped, it would switch them off.
    SET.call_once(|| std::mem::forget(fail::FailScenario::setup()));
}

/// Reads nothing.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn set() {}
