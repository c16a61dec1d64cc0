//! `sandbook schema`: the JSON Schema of a kind of file.

use sandbook_runbook as runbook;

use crate::arguments::{Kind, Schema};
use crate::exit::Exit;
use crate::screen::Output;

pub(crate) fn schema(arguments: &Schema, output: &mut Output) -> Exit {
    let kind = match arguments.kind {
        Kind::Runbook => runbook::Kind::Runbook,
        Kind::Environment => runbook::Kind::Environment,
        Kind::Manifest => runbook::Kind::Manifest,
        Kind::Cases => runbook::Kind::Cases,
    };
    output.line(runbook::schema(kind).trim_end());
    Exit::Succeeded
}
