//! The record as JSON lines, which can be checked elsewhere with the public key alone.
//!
//! First a header; then the ledger's entries; then each run's events. An entry or event is
//! `{"hash":"sha256:…","entry":LINE}`, where LINE is, byte for byte, what is hashed with the hash before it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::head::SignedHead;
use crate::chain::{Row, write_line};
use crate::chain_number::ChainNumber;
use crate::digest::KeyedDigest;
use crate::ledger::LEDGER;
use crate::reader::{ReadError, Reader};
use crate::run_id::RunId;
use crate::signing::{PublicKey, Signature, SigningKey};
use crate::store::{doing, each_row};

/// The version of exports that are written, and the newest that are read.
pub(super) const VERSION: u32 = 1;

/// What is exported.
#[derive(Debug, Clone)]
pub struct Exporting<'a> {
    /// The only runs, beside the whole ledger; none for all.
    pub runs: Option<&'a [RunId]>,
    /// With what lies outside the chains, except what is sensitive.
    pub with_contents: bool,
    /// The time, in milliseconds since the epoch.
    pub now: u64,
}

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) kind: ExportKind,
    pub(super) version: u32,
    /// The key that signs the ledger.
    pub(super) key: PublicKey,
    /// The only runs that are in it; all of them where this isn't said.
    pub(super) runs: Option<Vec<RunId>>,
    /// How far the ledger goes, signed; none for an empty one.
    pub(super) head: Option<SignedHead>,
    /// Over all of the above, so that nothing can be left out of an export unnoticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
}

impl Header {
    /// Whether its key has signed it.
    pub(super) fn is_signed(&self) -> bool {
        let signature = self.signature.as_ref();
        signature.is_some_and(|signature| self.key.has_signed(&self.text_to_sign(), signature))
    }

    fn text_to_sign(&self) -> String {
        let unsigned = Header {
            signature: None,
            ..self.clone()
        };
        format!("sandbook export header 1\n{}\n", unsigned.line())
    }

    fn line(&self) -> String {
        serde_json::to_string(self).expect("invariant: a header is made of texts")
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum ExportKind {
    #[serde(rename = "sandbook_audit_export")]
    AuditExport,
}

/// What lies outside a chain.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContentLine {
    content: KeyedDigest,
    run: RunId,
    /// In base64.
    bytes: String,
}

impl Reader {
    /// Hands out the record line by line, each without its line end, as it is at one moment.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn export(
        &self,
        key: &SigningKey,
        what: &Exporting<'_>,
        mut line: impl FnMut(&str),
    ) -> Result<(), ReadError> {
        let connection = self.connection();
        let _snapshot = connection
            .unchecked_transaction()
            .map_err(doing("be read"))?;
        let head = self.ledger_head()?;
        let mut header = Header {
            kind: ExportKind::AuditExport,
            version: VERSION,
            key: key.public(),
            runs: what.runs.map(<[RunId]>::to_vec),
            head: (head.seq > 0).then(|| SignedHead::sign(key, head, None, what.now)),
            signature: None,
        };
        header.signature = Some(key.sign(&header.text_to_sign()));
        line(&header.line());
        let mut chain = |name: &str| {
            each_row(connection, name, 0, |row| -> Result<(), ReadError> {
                line(&entry_line(name, &row));
                Ok(())
            })
        };
        chain(LEDGER)?;
        let runs = match what.runs {
            Some(runs) => runs.to_vec(),
            None => {
                let names = self.chains()?;
                names.iter().filter_map(|name| name.parse().ok()).collect()
            }
        };
        for run in &runs {
            chain(run.as_str())?;
        }
        if what.with_contents {
            for run in runs {
                self.contents(run, &mut line)?;
            }
        }
        Ok(())
    }

    fn contents(&self, run: RunId, line: &mut impl FnMut(&str)) -> Result<(), ReadError> {
        let Some(number) = ChainNumber::find(self.connection(), run.as_str())? else {
            return Ok(());
        };
        let sql = "SELECT digest, bytes FROM contents WHERE chain = ?1 AND NOT until_run_end ORDER BY digest";
        let mut statement = self
            .connection()
            .prepare_cached(sql)
            .map_err(doing("be read"))?;
        let mut rows = statement
            .query(params![number.get()])
            .map_err(doing("be read"))?;
        while let Some(row) = rows.next().map_err(doing("be read"))? {
            let digest = row.get(0).map_err(doing("be read"))?;
            let bytes: Vec<u8> = row.get(1).map_err(doing("be read"))?;
            let content = ContentLine {
                content: KeyedDigest::from_bytes(digest),
                run,
                bytes: STANDARD.encode(bytes),
            };
            line(&serde_json::to_string(&content).expect("invariant: a content is made of texts"));
        }
        Ok(())
    }
}

/// What stands before a link's hash, between it and its line, and after the line.
const AROUND: [&str; 3] = [r#"{"hash":""#, r#"","entry":"#, "}"];

fn entry_line(chain: &str, row: &Row) -> String {
    let [before, between, after] = AROUND;
    let mut line = format!("{before}{}{between}", row.hash);
    write_line(&mut line, chain, row.seq, row.time, row.version, &row.body);
    line + after
}

/// Reads such a line back: the chain's name, and its link.
pub(super) fn parse_entry(line: &str) -> Option<(&str, Row)> {
    let [before, between, after] = AROUND;
    let rest = line.strip_prefix(before)?;
    let (hash, rest) = rest.split_once(between)?;
    let rest = rest.strip_suffix(after)?.strip_prefix(r#"{"run":""#)?;
    let (chain, rest) = rest.split_once(r#"","seq":"#)?;
    let (seq, rest) = rest.split_once(r#","time":"#)?;
    let (time, rest) = rest.split_once(r#","version":"#)?;
    let (version, fields) = rest.split_once(',')?;
    let body = format!("{{{fields}");
    let row = Row {
        seq: seq.parse().ok()?,
        time: time.parse().ok()?,
        kind: crate::event::Event::kind_of(&body)?.to_owned(),
        version: version.parse().ok()?,
        hash: hash.parse().ok()?,
        body,
    };
    Some((chain, row))
}
