//! Which steps may start now: pure, and moved on by one finished step at a time.
//!
//! The agenda answers one question, [`Agenda::next`], from two facts: the plan's order and how each
//! step stands. It can be built from any state of a run, so that a run and its resumption share one
//! path, and it is moved on by single steps, so that the thousandth step costs what the first did.

use std::collections::VecDeque;
use std::ops::Range;

/// The order of a run: its sections, one after the other, and what each step waits for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// What each step waits for, by the step's index; sections lie one behind the other.
    pub(crate) needs: Vec<Wants>,
    /// Where the runbook's steps lie.
    pub(crate) steps: Range<usize>,
    /// Where the steps lie that run when the run fails.
    pub(crate) on_failure: Range<usize>,
    /// Where the steps lie that run in any case.
    pub(crate) finally: Range<usize>,
    /// Where what undoes steps lies.
    pub(crate) rollbacks: Range<usize>,
}

/// What a step waits for.
#[derive(Debug, Clone)]
pub(crate) enum Wants {
    /// All steps before it in its section.
    AllBefore,
    /// Exactly these.
    These(Vec<usize>),
}

/// How a step that is finished stands towards those that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// It succeeded, was skipped by its own condition, or failed and was let pass.
    Satisfied,
    /// It was skipped because a need of its own was not satisfied.
    Unsatisfied,
    /// It failed, and nothing new may start in its section.
    Broke,
}

/// How a step stands when its run is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its turn has not come.
    Pending,
    /// It was begun; whoever takes the run up goes on with it.
    Begun,
    /// It is finished.
    Done(Done),
}

/// Whether what was done is to be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Undo {
    /// No.
    No,
    /// Once the section that is under way is through.
    Wanted,
    /// By these rollbacks, in their order.
    By(Vec<usize>),
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The step's needs are satisfied: look at its condition, then start it or skip it.
    Consider(usize),
    /// The step is skipped, since this need of it was not satisfied.
    SkipFor {
        /// The step.
        step: usize,
        /// The need.
        need: usize,
    },
    /// The step is skipped, since its section was stopped by a failure.
    SkipStopped(usize),
    /// What was done is to be undone: say by which rollbacks, with [`Agenda::roll_back`].
    RollBack,
    /// All sections are through.
    Finish,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Steps,
    OnFailure,
    Finally,
    Undo,
    Over,
}

#[derive(Debug, Clone)]
struct Node {
    /// How many named needs aren't finished.
    unmet: usize,
    dependents: Vec<usize>,
    barrier: bool,
    /// It was begun before the run was taken up.
    begun: bool,
    handed_out: bool,
    done: Option<Done>,
    /// A named need that finished unsatisfied.
    unsatisfied_need: Option<usize>,
}

/// See the module's words.
#[derive(Debug, Clone)]
pub(crate) struct Agenda {
    order: Order,
    nodes: Vec<Node>,
    section: Section,
    ready: VecDeque<usize>,
    /// Steps of the section that aren't done.
    open: usize,
    /// Steps that were handed out and aren't done.
    out: usize,
    /// The first step of the section that isn't done; those with `AllBefore` wait for it.
    front: usize,
    /// A step before `front` that finished unsatisfied.
    unsatisfied_before_front: Option<usize>,
    /// Where the sweep over a stopped section stands.
    sweep: Option<usize>,
    /// Whether a step of the runbook's `steps` broke: decides whether `on_failure` runs.
    failed: bool,
    cancelled: bool,
    undo: Undo,
    /// The section after which what was done is undone.
    before_undo: Section,
}

impl Agenda {
    /// The agenda of a run whose steps stand as `standing` tells, by index.
    pub(crate) fn new(
        order: Order,
        standing: impl Fn(usize) -> Standing,
        undo: Undo,
        cancelled: bool,
    ) -> Agenda {
        let mut nodes: Vec<Node> = order
            .needs
            .iter()
            .map(|wants| Node {
                unmet: match wants {
                    Wants::AllBefore => 0,
                    Wants::These(needs) => needs.len(),
                },
                dependents: Vec::new(),
                barrier: matches!(wants, Wants::AllBefore),
                begun: false,
                handed_out: false,
                done: None,
                unsatisfied_need: None,
            })
            .collect();
        for (index, wants) in order.needs.iter().enumerate() {
            if let Wants::These(needs) = wants {
                for &need in needs {
                    nodes[need].dependents.push(index);
                }
            }
        }
        let mut agenda = Agenda {
            order,
            nodes,
            section: Section::Steps,
            ready: VecDeque::new(),
            open: 0,
            out: 0,
            front: 0,
            unsatisfied_before_front: None,
            sweep: None,
            failed: false,
            cancelled: false,
            undo: Undo::No,
            before_undo: Section::Over,
        };
        for index in 0..agenda.nodes.len() {
            match standing(index) {
                Standing::Pending => {}
                Standing::Begun => agenda.nodes[index].begun = true,
                Standing::Done(how) => agenda.nodes[index].done = Some(how),
            }
        }
        let undoing = match undo {
            Undo::By(steps) => Some(steps),
            wanted => {
                agenda.undo = wanted;
                None
            }
        };
        agenda.enter(Section::Steps);
        if cancelled {
            agenda.cancel();
        }
        // What was begun is in the section that this comes to: those before it are through.
        while agenda.open == 0 && agenda.section != Section::Over && agenda.undo != Undo::Wanted {
            match &undoing {
                Some(steps) if agenda.undo == Undo::No => agenda.roll_back(steps.clone()),
                _ => agenda.leave(),
            }
        }
        agenda
    }

    /// What is to be done next; nothing while all that could start waits for what was handed out.
    ///
    /// A step that was handed out is not handed out again; it counts as running until [`Agenda::done`].
    pub(crate) fn next(&mut self) -> Option<Due> {
        loop {
            if self.section == Section::Over {
                return Some(Due::Finish);
            }
            if let Some(due) = self.swept().or_else(|| self.picked()) {
                return Some(due);
            }
            if self.out > 0 {
                return None;
            }
            assert!(
                self.open == 0,
                "a section with open steps and none to start has a cycle, which `check` refuses"
            );
            if self.undo == Undo::Wanted {
                return Some(Due::RollBack);
            }
            self.leave();
        }
    }

    /// Says that a step is finished.
    pub(crate) fn done(&mut self, step: usize, how: Done) {
        let node = &mut self.nodes[step];
        assert!(node.done.is_none(), "a step finishes once");
        node.done = Some(how);
        if node.handed_out {
            self.out -= 1;
        }
        if self.is_under_way(step) {
            self.open -= 1;
        }
        self.settle(step, how);
        self.advance();
    }

    /// Whether nothing new may start in the section that is under way.
    pub(crate) fn is_stopped(&self) -> bool {
        self.sweep.is_some()
    }

    /// Whether a step is in the section that is under way.
    pub(crate) fn is_under_way(&self, step: usize) -> bool {
        self.range(self.section).contains(&step)
    }

    /// Lets nothing new start but what runs in any case.
    pub(crate) fn cancel(&mut self) {
        self.cancelled = true;
        if matches!(self.section, Section::Steps | Section::OnFailure) {
            self.stop();
        }
    }

    /// Has what was done undone, once the section that is under way is through.
    pub(crate) fn want_rollback(&mut self) {
        if self.undo == Undo::No {
            self.undo = Undo::Wanted;
        }
    }

    /// Undoes by these rollbacks, one after the other; the section that was under way is through.
    pub(crate) fn roll_back(&mut self, steps: Vec<usize>) {
        self.before_undo = self.section;
        for index in self.order.rollbacks.clone() {
            if !steps.contains(&index) {
                self.nodes[index].done.get_or_insert(Done::Satisfied);
            }
        }
        for pair in steps.windows(2) {
            self.nodes[pair[0]].dependents.push(pair[1]);
            self.nodes[pair[1]].unmet += 1;
        }
        self.undo = Undo::By(steps);
        self.enter(Section::Undo);
    }

    fn stop(&mut self) {
        self.sweep.get_or_insert(self.range(self.section).start);
    }

    fn range(&self, section: Section) -> Range<usize> {
        match section {
            Section::Steps => self.order.steps.clone(),
            Section::OnFailure => self.order.on_failure.clone(),
            Section::Finally => self.order.finally.clone(),
            Section::Undo => self.order.rollbacks.clone(),
            Section::Over => 0..0,
        }
    }

    fn enter(&mut self, section: Section) {
        let range = self.range(section);
        self.section = section;
        self.front = range.start;
        self.unsatisfied_before_front = None;
        let is_cut_off = matches!(section, Section::Steps | Section::OnFailure);
        self.sweep = (self.cancelled && is_cut_off).then_some(range.start);
        self.ready.clear();
        self.open = range
            .clone()
            .filter(|&index| self.nodes[index].done.is_none())
            .count();
        for index in range.clone() {
            if let Some(how) = self.nodes[index].done {
                self.settle(index, how);
            }
        }
        for index in range {
            let node = &self.nodes[index];
            if node.begun && node.done.is_none() {
                self.hand_out(index);
            } else if !node.barrier && node.unmet == 0 {
                self.ready.push_back(index);
            }
        }
        self.advance();
    }

    fn leave(&mut self) {
        self.enter(self.following());
    }

    /// What comes after the section that is under way.
    fn following(&self) -> Section {
        match self.section {
            Section::Undo => self.after(self.before_undo),
            section => self.after(section),
        }
    }

    fn after(&self, section: Section) -> Section {
        // What was begun there before a cancellation has to be ended.
        let is_begun = || {
            let mut steps = self.order.on_failure.clone();
            steps.any(|step| self.nodes[step].begun && self.nodes[step].done.is_none())
        };
        match section {
            Section::Steps if (self.failed && !self.cancelled) || is_begun() => Section::OnFailure,
            Section::Steps | Section::OnFailure => Section::Finally,
            Section::Finally | Section::Undo | Section::Over => Section::Over,
        }
    }

    /// Tells a finished step's dependents.
    fn settle(&mut self, step: usize, how: Done) {
        if how == Done::Broke && self.is_under_way(step) {
            self.failed |= self.section == Section::Steps;
            self.stop();
        }
        for dependent in std::mem::take(&mut self.nodes[step].dependents) {
            let node = &mut self.nodes[dependent];
            node.unmet -= 1;
            if how != Done::Satisfied {
                node.unsatisfied_need.get_or_insert(step);
            }
            // Those of a later section are looked at when it comes.
            if node.unmet == 0 && self.is_under_way(dependent) {
                self.ready.push_back(dependent);
            }
        }
    }

    /// Moves the front over what is done, and readies the barrier that it meets.
    fn advance(&mut self) {
        let end = self.range(self.section).end;
        while self.front < end {
            match self.nodes[self.front].done {
                Some(Done::Satisfied) => {}
                Some(_) => {
                    self.unsatisfied_before_front.get_or_insert(self.front);
                }
                None => break,
            }
            self.front += 1;
        }
        if self.front < end
            && self.nodes[self.front].barrier
            && self.ready.front() != Some(&self.front)
        {
            // In front of the queue: it is the earliest step that isn't done.
            self.ready.push_front(self.front);
        }
    }

    fn picked(&mut self) -> Option<Due> {
        while let Some(step) = self.ready.pop_front() {
            let node = &self.nodes[step];
            if node.handed_out || node.done.is_some() {
                continue;
            }
            let unsatisfied = if node.barrier {
                self.unsatisfied_before_front
            } else {
                node.unsatisfied_need
            };
            self.hand_out(step);
            return Some(match unsatisfied {
                Some(need) => Due::SkipFor { step, need },
                None => Due::Consider(step),
            });
        }
        None
    }

    fn swept(&mut self) -> Option<Due> {
        let mut at = self.sweep?;
        let end = self.range(self.section).end;
        while at < end {
            let node = &self.nodes[at];
            if !node.handed_out && node.done.is_none() {
                self.sweep = Some(at + 1);
                self.hand_out(at);
                return Some(Due::SkipStopped(at));
            }
            at += 1;
        }
        self.sweep = Some(end);
        None
    }

    fn hand_out(&mut self, step: usize) {
        self.nodes[step].handed_out = true;
        self.out += 1;
    }
}

#[cfg(test)]
mod tests;
