//! Who turns components into machine code, and how much of the machine that may take.
//!
//! A compiler is not made for hostile input: a component that is small and valid can keep it busy for hours, or
//! take all memory. So it works in a process of its own, which bounds itself and which its parent ends.

mod child;
mod worker;

use std::{ffi::OsString, io, path::PathBuf, time::Duration};

pub use worker::compile_for_parent;

/// Who compiles components.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// This process, without bounds. For components that one knows.
    #[default]
    InProcess,
    /// A process of its own for each component.
    Child(ChildCompiler),
}

/// A program that compiles one component and ends.
#[derive(Debug, Clone)]
pub struct ChildCompiler {
    /// The program: one that calls [`compile_for_parent`] with what follows `arguments`. It has to be made of the
    /// same engine, and its answer is run: name one that nobody else can write.
    pub program: PathBuf,
    /// Its first arguments.
    pub arguments: Vec<OsString>,
    /// What it may use.
    pub limits: CompileLimits,
}

/// What compiling one component may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Time from start to end. Default: 5 min.
    pub wall: Duration,
    /// Time on processors, of all threads together, in whole seconds. Default: 10 min.
    pub cpu: Duration,
    /// Memory, in bytes. Default: 4 GiB.
    pub memory_bytes: u64,
    /// The machine code, in bytes; this process holds it twice for a moment. Default: 256 MiB, some seven times what a
    /// component with a Python interpreter comes to.
    pub code_bytes: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        CompileLimits {
            wall: Duration::from_secs(5 * 60),
            cpu: Duration::from_secs(10 * 60),
            memory_bytes: 4 << 30,
            code_bytes: 256 << 20,
        }
    }
}

/// Why a child has not compiled a component.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The component is not valid, in the compiler's words.
    #[error("{0}")]
    Invalid(String),
    /// Compiling it takes more than it may.
    #[error("compiling it takes more than {value} of {what}, and no component may take more")]
    Limit {
        /// What was used up.
        what: &'static str,
        /// How much there is of it, with its unit.
        value: String,
    },
    /// The process ended without saying why.
    #[error("the compiler's process ended without a result ({how})")]
    Ended {
        /// Its status, and what it said last.
        how: String,
    },
    /// What it made is not for this engine.
    #[error("what the compiler's process made is not for this engine")]
    Foreign,
    /// It could not be started.
    #[error("the compiler's process could not be started")]
    Start(#[source] io::Error),
}
