//! A step's limits, as the sandbox takes them and as people are told of them.

use sandbook_runbook::{Bounds, Limit};
use sandbook_sandbox::gate::HttpLimits;
use sandbook_sandbox::{self as sandbox, Breakage, Limits, Quota};

/// What an attempt may use.
pub(crate) fn of_attempt(bounds: &Bounds) -> Limits {
    Limits {
        memory_bytes: size(bounds, Limit::Memory),
        table_elements: size(bounds, Limit::TableElements),
        instances: size(bounds, Limit::Instances),
        cpu: bounds.time(Limit::Cpu),
        wall: bounds.time(Limit::Timeout),
        output_bytes: size(bounds, Limit::Output),
        log_lines: number(bounds, Limit::LogLines),
        log_bytes: number(bounds, Limit::LogSize),
        hostcall_bytes: size(bounds, Limit::HostCall),
        handles: size(bounds, Limit::Handles),
    }
}

/// What its requests may be.
pub(crate) fn of_requests(bounds: &Bounds) -> HttpLimits {
    HttpLimits {
        requests: number(bounds, Limit::Requests),
        request_bytes: size(bounds, Limit::RequestBody),
        response_bytes: size(bounds, Limit::ResponseBody),
        traffic_bytes: size(bounds, Limit::Traffic),
        ..HttpLimits::default()
    }
}

/// Where the limit is raised that an attempt has reached, if it ended so.
pub(crate) fn advice(breakage: &Breakage, bounds: &Bounds) -> Option<String> {
    let Breakage::Limit { limit, .. } = breakage else {
        return None;
    };
    let limit = match limit {
        sandbox::Limit::Memory => Limit::Memory,
        sandbox::Limit::TableElements => Limit::TableElements,
        sandbox::Limit::Instances => Limit::Instances,
        sandbox::Limit::Cpu => Limit::Cpu,
        sandbox::Limit::Wall => Limit::Timeout,
        sandbox::Limit::Output => Limit::Output,
        sandbox::Limit::HostCall => Limit::HostCall,
        sandbox::Limit::Handles => Limit::Handles,
        sandbox::Limit::Stack => {
            return Some("all plugins have the same, and no step can have more".to_owned());
        }
    };
    Some(raised(limit, bounds))
}

/// Where the limit is raised beyond which a request, an answer or a log line went.
pub(crate) fn advice_on(quota: Quota, bounds: &Bounds) -> String {
    let limit = match quota {
        Quota::Requests => Limit::Requests,
        Quota::RequestBytes => Limit::RequestBody,
        Quota::ResponseBytes => Limit::ResponseBody,
        Quota::Traffic => Limit::Traffic,
        Quota::LogLines => Limit::LogLines,
        Quota::LogBytes => Limit::LogSize,
    };
    raised(limit, bounds)
}

fn raised(limit: Limit, bounds: &Bounds) -> String {
    let key = limit.key();
    if bounds.is_cut(limit) {
        format!("the environment allows no more: raise `limits.{key}` there first")
    } else if bounds.get(limit) == limit.most() {
        "no step can have more".to_owned()
    } else if limit == Limit::Timeout {
        "raise it with `timeout` on the step".to_owned()
    } else {
        format!("raise it with `limits: {{ {key}: … }}` on the step")
    }
}

fn size(bounds: &Bounds, limit: Limit) -> usize {
    usize::try_from(bounds.get(limit)).unwrap_or(usize::MAX)
}

fn number(bounds: &Bounds, limit: Limit) -> u32 {
    u32::try_from(bounds.get(limit)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_the_sandboxs_default() {
        assert_eq!(of_attempt(&Bounds::USUAL), Limits::default());
        assert_eq!(of_requests(&Bounds::USUAL), HttpLimits::default());
    }

    #[test]
    fn the_sandbox_is_made_for_the_most_that_a_document_can_say() {
        let most = |limit: Limit| usize::try_from(limit.most()).unwrap();
        assert!(most(Limit::Memory) <= Limits::MOST.memory_bytes);
        assert!(most(Limit::TableElements) <= Limits::MOST.table_elements);
        assert!(most(Limit::Instances) <= Limits::MOST.instances);
        assert!(most(Limit::Handles) <= Limits::MOST.handles);
        for limit in [Limit::LogLines, Limit::LogSize, Limit::Requests] {
            assert!(u32::try_from(limit.most()).is_ok(), "{limit:?}");
        }
    }

    #[test]
    fn a_breach_says_where_the_limit_is_raised() {
        let told = |limit| {
            let value = String::new();
            advice(&Breakage::Limit { limit, value }, &Bounds::USUAL)
        };
        assert_eq!(
            told(sandbox::Limit::Memory).unwrap(),
            "raise it with `limits: { memory: … }` on the step"
        );
        assert_eq!(
            told(sandbox::Limit::Wall).unwrap(),
            "raise it with `timeout` on the step"
        );
        assert!(
            told(sandbox::Limit::Stack)
                .unwrap()
                .contains("no step can have more")
        );
        assert_eq!(
            advice_on(Quota::LogBytes, &Bounds::USUAL),
            "raise it with `limits: { log_size: … }` on the step"
        );
        assert_eq!(
            advice(&Breakage::Trapped(String::new()), &Bounds::USUAL),
            None
        );
    }
}
