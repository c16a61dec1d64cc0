//! A run as it is followed, held against what the ledger says of it.

use super::AuditedRun;
use super::finding::{Fault, Finding, Place};
use super::ledger::{Claims, follow};
use crate::chain::{Chain, Row};
use crate::event::Event;
use crate::run_id::RunId;
use crate::state::RunState;

/// A run up to some event.
#[derive(Debug)]
pub(super) struct RunCheck {
    run: RunId,
    claims: Option<Claims>,
    chain: Chain,
    state: RunState,
    /// Nothing was found so far, so that the fold means something.
    folds: bool,
    /// The last event that a head vouches for.
    signed: u64,
    /// One behind it was found that needs a head.
    is_unsigned: bool,
    count: u64,
}

impl RunCheck {
    /// A run of which the ledger says this.
    pub(super) fn new(run: RunId, claims: Option<Claims>) -> RunCheck {
        let heads = claims.iter().flat_map(|claims| &claims.heads);
        let signed = heads.map(|(head, _)| head.seq).max().unwrap_or(0);
        RunCheck {
            run,
            claims,
            signed,
            is_unsigned: false,
            chain: Chain::new(run.as_str()),
            state: RunState::default(),
            folds: true,
            count: 0,
        }
    }

    pub(super) fn follow(&mut self, row: &Row, findings: &mut Vec<Finding>) {
        let mut find = |event: u64, fault: Fault| {
            findings.push(Finding {
                place: Place::Run {
                    run: self.run,
                    event: Some(event),
                },
                fault,
            });
        };
        self.count += 1;
        if let Err((event, fault)) = follow(&mut self.chain, row) {
            find(event, fault);
            self.folds = false;
        }
        let claims = self.claims.iter();
        for (first, entry) in claims.clone().filter_map(|claims| claims.first) {
            if row.seq == 1 && row.hash != first {
                find(1, Fault::OtherBeginning { entry });
            }
        }
        for (head, entry) in claims.flat_map(|claims| &claims.heads) {
            if head.seq == row.seq && head.hash != row.hash {
                find(row.seq, Fault::OtherHead { entry: *entry });
            }
        }
        if !self.folds {
            return;
        }
        let folded = match Event::decode(row.version, &row.body) {
            Ok(event) => match self.state.apply(&event, row.time) {
                Ok(()) => {
                    let needs = event.is_to_be_signed() || self.state.finish().is_some();
                    if needs && row.seq > self.signed && !self.is_unsigned {
                        find(row.seq, Fault::UnsignedEnd);
                        self.is_unsigned = true;
                    }
                    Ok(())
                }
                Err(illegal) => Err(Fault::Illegal {
                    why: illegal.to_string(),
                }),
            },
            Err(_) => Err(Fault::Unreadable),
        };
        if let Err(fault) = folded {
            find(row.seq, fault);
            self.folds = false;
        }
    }

    /// Says what is wrong with the run as a whole. A run that isn't there is none.
    pub(super) fn finish(self, findings: &mut Vec<Finding>) -> Option<AuditedRun> {
        let mut find = |event: Option<u64>, fault: Fault| {
            let run = self.run;
            findings.push(Finding {
                place: Place::Run { run, event },
                fault,
            });
        };
        let last = self.chain.head().seq;
        let Some(claims) = self.claims else {
            let fault = if self.count > 0 {
                Fault::NotInLedger
            } else {
                Fault::Empty
            };
            find(None, fault);
            return (self.count > 0).then_some(AuditedRun {
                id: self.run,
                events: self.count,
                head: None,
            });
        };
        let entry = claims.first.map_or(0, |(_, entry)| entry);
        match claims.pruned {
            None if self.count == 0 => find(None, Fault::Removed { entry }),
            Some(entry) if self.count > 0 => find(None, Fault::NotPruned { entry }),
            _ => {}
        }
        if self.count == 0 {
            return None;
        }
        if claims.first.is_none() {
            find(None, Fault::NotInLedger);
        }
        let cut = claims.heads.iter().filter(|(head, _)| head.seq > last);
        for (head, entry) in cut {
            let fault = Fault::CutOff {
                last,
                head: head.seq,
                entry: *entry,
            };
            find(Some(last + 1), fault);
        }
        let head = claims
            .heads
            .iter()
            .map(|(head, entry)| (head.seq, *entry))
            .max();
        Some(AuditedRun {
            id: self.run,
            events: self.count,
            head,
        })
    }
}
