//! Whether what a step asks for of its host is no more than the environment allows.

use super::uses;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::limits::Limit;
use crate::runbook::Placed;

pub(super) fn check(placed: &[Placed<'_>], environment: &Environment, faults: &mut Vec<Fault>) {
    for (place, using) in placed.iter().flat_map(uses) {
        for (limit, most) in using.limits.beyond(&environment.limits) {
            let key = limit.key();
            let place = match limit {
                Limit::Timeout => place.key(key),
                _ => place.key("limits").key(key),
            };
            let message = format!(
                "environment `{}` allows at most {} here",
                environment.name,
                limit.show(most)
            );
            faults.push(Fault::error(place, message).help(format!(
                "lower it, or raise `limits.{key}` in the environment"
            )));
        }
    }
}
