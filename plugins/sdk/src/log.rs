//! Lines for the person who watches, and for the record: `log::info!("pool {name} is switched")`.
//!
//! Standard output and standard error become such lines too.

use std::fmt;

use crate::host;
pub use crate::{
    __log_debug as debug, __log_error as error, __log_info as info, __log_warn as warn,
};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For whoever mends the plugin.
    Debug,
    /// What is going on.
    Info,
    /// Something is odd, and the step goes on.
    Warn,
    /// Something is wrong.
    Error,
}

/// Writes one line.
pub fn write(level: Level, message: impl fmt::Display) {
    host::write(level, &message.to_string());
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_debug {
    ($($part:tt)*) => { $crate::log::write($crate::log::Level::Debug, ::std::format_args!($($part)*)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_info {
    ($($part:tt)*) => { $crate::log::write($crate::log::Level::Info, ::std::format_args!($($part)*)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_warn {
    ($($part:tt)*) => { $crate::log::write($crate::log::Level::Warn, ::std::format_args!($($part)*)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_error {
    ($($part:tt)*) => { $crate::log::write($crate::log::Level::Error, ::std::format_args!($($part)*)) };
}
