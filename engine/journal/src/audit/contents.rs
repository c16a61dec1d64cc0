//! Looking at what lies outside the chains: bodies and values under the key of their run, texts and components by digest.

use std::collections::BTreeSet;

use rusqlite::params;

use super::finding::{Fault, Finding, Place};
use crate::chain_number::ChainNumber;
use crate::digest::Digest;
use crate::event::Event;
use crate::reader::{ReadError, Reader};
use crate::run_id::RunId;
use crate::store::{StoreError, doing};

impl Reader {
    /// Looks whether all that is kept outside the chains of all runs, or of one, is what its digest says, and whether the texts
    /// and components that a run was begun with are there. What was erased isn't missed: sensitive values are at a run's end.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn audit_contents(&self, only: Option<RunId>) -> Result<Vec<Finding>, ReadError> {
        let mut findings = Vec::new();
        let runs = self.chains()?;
        let runs = runs.iter().filter_map(|name| name.parse().ok());
        for run in runs.filter(|run| only.is_none_or(|only| only == *run)) {
            let Some(number) = ChainNumber::find(self.connection(), run.as_str())? else {
                continue;
            };
            let mut find = |why: String| {
                let place = Place::Run { run, event: None };
                let fault = Fault::Content { why };
                findings.push(Finding { place, fault });
            };
            self.keyed(run, number, &mut find)?;
            for digest in self.named_at_its_start(number)? {
                if let Err(error) = self.state_dir().blob(&digest) {
                    find(error.to_string());
                }
            }
        }
        Ok(findings)
    }

    /// Bodies and values, which are found by a digest under the run's key.
    fn keyed(
        &self,
        run: RunId,
        number: ChainNumber,
        find: &mut impl FnMut(String),
    ) -> Result<(), ReadError> {
        let key = self.key_of(run)?;
        let sql = "SELECT digest, bytes FROM contents WHERE chain = ?1";
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(doing("be read"))?;
        let mut rows = statement
            .query(params![number.get()])
            .map_err(doing("be read"))?;
        while let Some(row) = rows.next().map_err(doing("be read"))? {
            let column = |column| row.get::<_, Vec<u8>>(column).map_err(doing("be read"));
            let (digest, bytes) = (column(0)?, column(1)?);
            if key.digest(&bytes).as_bytes().as_slice() != digest {
                let digest = hex::encode(digest);
                find(format!("the content `hmac-sha256:{digest}` was altered"));
            }
        }
        Ok(())
    }

    /// The texts and components that a run was begun with, or went on with. Events that can't be read name none: that is found
    /// elsewhere.
    fn named_at_its_start(&self, number: ChainNumber) -> Result<BTreeSet<Digest>, StoreError> {
        let sql = "SELECT version, body FROM events
                   WHERE id BETWEEN ?1 AND ?2 AND kind IN ('run_started', 'run_resumed')";
        let connection = self.connection();
        let mut statement = connection.prepare_cached(sql).map_err(doing("be read"))?;
        let mut rows = statement
            .query([number.key(0), number.last_key()])
            .map_err(doing("be read"))?;
        let mut named = BTreeSet::new();
        while let Some(row) = rows.next().map_err(doing("be read"))? {
            let (Ok(version), Ok(body)) = (row.get(0), row.get::<_, String>(1)) else {
                continue;
            };
            match Event::decode(version, &body) {
                Ok(Event::RunStarted(facts)) => {
                    named.insert(facts.runbook.digest);
                    named.extend(facts.environment.map(|environment| environment.digest));
                    named.extend(facts.plugins.into_values());
                }
                Ok(Event::RunResumed { environment, .. }) => {
                    named.extend(environment.map(|accepted| accepted.facts.digest));
                }
                _ => {}
            }
        }
        Ok(named)
    }
}
