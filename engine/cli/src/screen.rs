//! What text goes onto: colours, widths, tables, times, and a standard output that may be gone.

mod output;
mod paint;
mod safe;
mod table;
mod time;

pub(crate) use self::output::{Output, complain};
pub(crate) use self::paint::{Ink, Paper};
pub(crate) use self::safe::{one_line, safe};
pub(crate) use self::table::Table;
pub(crate) use self::time::{Zone, countdown, span};
