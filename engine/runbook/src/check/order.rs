//! The order of the steps: ids, needs, cycles, and what is surely over when a step starts.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use crate::fault::Fault;
use crate::misfit::listed;
use crate::path::Path;
use crate::runbook::{Placed, Section};
use crate::step::{Needs, Step};
use crate::suggest::closest;

/// A runbook's steps and what each waits for.
pub(super) struct Order<'a> {
    steps: Vec<Entry<'a>>,
    by_id: HashMap<&'a str, usize>,
    /// For a step, which others are surely over when it starts; found when first asked for.
    over: RefCell<BTreeMap<usize, Vec<bool>>>,
}

struct Entry<'a> {
    section: Section,
    place: &'a Path,
    step: &'a Step,
    /// The first step of its section.
    first: usize,
}

impl<'a> Order<'a> {
    /// The order, and what is wrong with it.
    pub(super) fn of(placed: &'a [Placed<'a>], faults: &mut Vec<Fault>) -> Order<'a> {
        let mut steps: Vec<Entry<'a>> = Vec::with_capacity(placed.len());
        let mut by_id = HashMap::with_capacity(placed.len());
        for &(section, ref place, step) in placed {
            let position = steps.len();
            let first = steps
                .last()
                .filter(|entry| entry.section == section)
                .map_or(position, |entry| entry.first);
            if let Some(&other) = by_id.get(step.id.as_str()) {
                let entry: &Entry<'_> = &steps[other];
                let fault = Fault::error(
                    place.key("id"),
                    format!("`{}` is the id of two steps", step.id),
                );
                faults.push(fault.help(format!(
                    "the other one is `{}`; give one of them another id",
                    entry.place
                )));
            } else {
                by_id.insert(step.id.as_str(), position);
            }
            steps.push(Entry {
                section,
                place,
                step,
                first,
            });
        }
        let order = Order {
            steps,
            by_id,
            over: RefCell::default(),
        };
        order.check_needs(faults);
        order.check_cycles(faults);
        order
    }

    /// A step by its id, with its section.
    pub(super) fn find(&self, id: &str) -> Option<(Section, &'a Step)> {
        self.by_id
            .get(id)
            .map(|&position| (self.steps[position].section, self.steps[position].step))
    }

    /// The ids of all steps.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a str> {
        self.steps.iter().map(|entry| entry.step.id.as_str())
    }

    /// Whether a step is surely over when another one starts.
    pub(super) fn is_over(&self, earlier: &str, later: &str) -> bool {
        let (Some(&earlier), Some(&later)) = (self.by_id.get(earlier), self.by_id.get(later))
        else {
            return false;
        };
        if self.steps[earlier].section != self.steps[later].section {
            return earlier < later;
        }
        let directly = match self.steps[later].step.needs {
            Needs::AllBefore => earlier < later,
            Needs::These(_) => self.needs(later).any(|need| need == earlier),
        };
        directly
            || self
                .over
                .borrow_mut()
                .entry(later)
                .or_insert_with(|| self.waits_for(later))[earlier]
    }

    /// All that a step waits for, directly or not.
    fn waits_for(&self, step: usize) -> Vec<bool> {
        let mut over = vec![false; self.steps.len()];
        let mut open = vec![step];
        // Everything before this position of the section is already there.
        let mut all_before = 0;
        while let Some(at) = open.pop() {
            let mut then = |next: usize| {
                if !std::mem::replace(&mut over[next], true) {
                    open.push(next);
                }
            };
            match &self.steps[at].step.needs {
                Needs::AllBefore => {
                    let from = self.steps[at].first.max(all_before);
                    all_before = all_before.max(at);
                    (from..at).for_each(&mut then);
                }
                Needs::These(_) => self.needs(at).for_each(&mut then),
            }
        }
        over
    }

    /// The needs of a step that are there, in its own section.
    fn needs(&self, step: usize) -> impl Iterator<Item = usize> {
        let entry = &self.steps[step];
        let ids = match &entry.step.needs {
            Needs::AllBefore => &[][..],
            Needs::These(ids) => ids,
        };
        let found = ids
            .iter()
            .filter_map(|id| self.by_id.get(id.as_str()).copied());
        found.filter(|&need| self.steps[need].section == entry.section)
    }

    fn check_needs(&self, faults: &mut Vec<Fault>) {
        for entry in &self.steps {
            let Needs::These(ids) = &entry.step.needs else {
                continue;
            };
            for (index, id) in ids.iter().enumerate() {
                let place = entry.place.key("needs").index(index);
                match self.find(id.as_str()) {
                    None => faults.push(self.unknown(id.as_str(), entry.section, place)),
                    Some((section, _)) if section != entry.section => {
                        let fault = Fault::error(
                            place,
                            format!(
                                "step `{id}` is in `{}`, this one in `{}`",
                                section.as_str(),
                                entry.section.as_str()
                            ),
                        );
                        faults.push(fault.help("a step needs only steps of its own list; the lists run one after the other"));
                    }
                    Some(_) => {}
                }
            }
        }
    }

    fn unknown(&self, id: &str, section: Section, place: Path) -> Fault {
        let known = self
            .steps
            .iter()
            .filter(|entry| entry.section == section)
            .map(|entry| entry.step.id.as_str());
        let fault = Fault::error(place, format!("there is no step `{id}`"));
        match closest(id, known.clone()) {
            Some(meant) => fault.label(format!("did you mean `{meant}`?")),
            None => fault.help(format!("the steps here are {}", listed(known))),
        }
    }

    /// Names each cycle once, at the first of its steps.
    fn check_cycles(&self, faults: &mut Vec<Fault>) {
        let mut done = vec![false; self.steps.len()];
        let mut on_trail = done.clone();
        for start in 0..self.steps.len() {
            if done[start] {
                continue;
            }
            if let Some(cycle) = self.cycle_from(start, &mut done, &mut on_trail) {
                let ids: Vec<&str> = cycle
                    .iter()
                    .chain(cycle.first())
                    .map(|&step| self.steps[step].step.id.as_str())
                    .collect();
                let first = &self.steps[cycle[0]];
                let implicit = cycle.iter().any(|&step| {
                    first.section == self.steps[step].section
                        && self.steps[step].step.needs == Needs::AllBefore
                });
                let message = match ids[..] {
                    [id, _] => format!("step `{id}` needs itself"),
                    _ => format!(
                        "these steps wait for each other: {}",
                        ids.iter()
                            .map(|id| format!("`{id}`"))
                            .collect::<Vec<_>>()
                            .join(" → ")
                    ),
                };
                let help = if implicit {
                    "a step without `needs` waits for all steps above it; give it `needs`, or move it"
                } else {
                    "remove one of these needs"
                };
                let place = if first.step.needs == Needs::AllBefore {
                    first.place.clone()
                } else {
                    first.place.key("needs")
                };
                faults.push(Fault::error(place, message).on_key().help(help));
            }
        }
    }

    /// A cycle that can be reached from a step; what was looked at is `done`. Nothing is `on_trail` before
    /// and after.
    fn cycle_from(
        &self,
        start: usize,
        done: &mut [bool],
        on_trail: &mut [bool],
    ) -> Option<Vec<usize>> {
        let mut trail: Vec<(usize, Vec<usize>)> = vec![(start, self.next(start))];
        on_trail[start] = true;
        while let Some((at, next)) = trail.last_mut() {
            let at = *at;
            match next.pop() {
                None => {
                    done[at] = true;
                    on_trail[at] = false;
                    trail.pop();
                }
                Some(step) if on_trail[step] => {
                    for (at, _) in &trail {
                        done[*at] = true;
                        on_trail[*at] = false;
                    }
                    let from = trail.iter().position(|(at, _)| *at == step)?;
                    return Some(trail[from..].iter().map(|(at, _)| *at).collect());
                }
                Some(step) if done[step] => {}
                Some(step) => {
                    on_trail[step] = true;
                    trail.push((step, self.next(step)));
                }
            }
        }
        None
    }

    /// What a step waits for directly. Of all steps before it, those that no later one of them waits
    /// for would do; the one before it and those that wait for other than all before them are enough.
    fn next(&self, step: usize) -> Vec<usize> {
        let entry = &self.steps[step];
        match &entry.step.needs {
            Needs::These(_) => self.needs(step).collect(),
            Needs::AllBefore => {
                let mut before = Vec::new();
                for earlier in (entry.first..step).rev() {
                    before.push(earlier);
                    if self.steps[earlier].step.needs == Needs::AllBefore {
                        break;
                    }
                }
                before.reverse();
                before
            }
        }
    }
}
