//! Which run is meant.

use super::{ReadError, Reader};
use crate::run_id::RunId;
use crate::store::doing;

/// How many runs are named when several fit.
const MOST_NAMED: usize = 8;

impl Reader {
    /// The run that a text names: an id, a beginning that only one id has, or `@last` for the one that started last.
    ///
    /// # Errors
    ///
    /// When none fits, or several do; the message says what to write.
    pub fn resolve(&self, text: &str) -> Result<RunId, ReadError> {
        if text == "@last" {
            return self
                .started("ORDER BY begun DESC, number DESC LIMIT 1", "")?
                .pop()
                .ok_or(ReadError::NoRuns);
        }
        let none = || ReadError::NoSuchRun {
            text: text.to_owned(),
        };
        let prefix = text.to_ascii_lowercase();
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(none());
        }
        // Among letters and digits nothing comes after `~`.
        let mut matches = self.started(
            "AND name >= ?1 AND name < ?1 || '~' ORDER BY name LIMIT 9",
            &prefix,
        )?;
        match matches.len() {
            0 => Err(none()),
            1 => Ok(matches.remove(0)),
            _ => {
                matches.truncate(MOST_NAMED);
                Err(ReadError::Ambiguous {
                    text: text.to_owned(),
                    matches,
                })
            }
        }
    }

    fn started(&self, which: &str, prefix: &str) -> Result<Vec<RunId>, ReadError> {
        // Of a run that was pruned only the name is left.
        let sql = format!(
            "SELECT name FROM chains WHERE number <> 0
             AND EXISTS (SELECT 1 FROM events WHERE id = (number << 32) + 1) {which}"
        );
        let mut statement = self
            .connection
            .prepare_cached(&sql)
            .map_err(doing("be read"))?;
        let texts = if prefix.is_empty() {
            statement.query([])
        } else {
            statement.query([prefix])
        };
        let mut texts = texts.map_err(doing("be read"))?;
        let mut runs = Vec::new();
        while let Some(row) = texts.next().map_err(doing("be read"))? {
            let text: String = row.get(0).map_err(doing("be read"))?;
            runs.push(text.parse().map_err(|_| ReadError::NoSuchRun { text })?);
        }
        Ok(runs)
    }
}
