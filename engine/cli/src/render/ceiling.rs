//! What an environment must allow for some runbooks, ready to paste into it.

use std::collections::BTreeSet;

use sandbook_runbook::Runbook;

/// The requests that a runbook's steps may make, as lines of a ceiling. An environment fills in its own
/// variables; what an input says is only known later, and stands as `*`.
pub(crate) fn ceiling_lines(runbook: &Runbook) -> BTreeSet<String> {
    let steps = runbook
        .steps
        .iter()
        .chain(&runbook.on_failure)
        .chain(&runbook.finally);
    steps
        .filter_map(|step| step.plugin())
        .flat_map(|using| &using.allow)
        .map(|line| widened(&line.to_string()))
        .collect()
}

/// Lines of a ceiling as YAML.
pub(crate) fn ceiling(runbooks: &[String], lines: &BTreeSet<String>) -> String {
    let mut yaml = format!("# What these runbooks ask for: {}.\n", runbooks.join(", "));
    if lines.is_empty() {
        return yaml + "ceiling: []\n";
    }
    yaml.push_str("ceiling:\n");
    for line in lines {
        // A host can't be left open: which ones it may be has to be written out.
        let open_host = line
            .split("://")
            .nth(1)
            .is_some_and(|rest| rest.starts_with('*') && !rest.starts_with("*."));
        let (before, remark) = if open_host {
            ("  # ", "  # an input says the host: write out which")
        } else {
            ("  ", "")
        };
        yaml.push_str(&format!(
            "{before}- {}{remark}\n",
            serde_json::Value::from(line.as_str())
        ));
    }
    yaml
}

/// The line with `*` for every expression that needs more than the environment's variables.
fn widened(line: &str) -> String {
    let mut widened = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, hole)) = rest.split_once("${{") {
        let Some((expression, after)) = hole.split_once("}}") else {
            break;
        };
        widened.push_str(before);
        let expression = expression.trim();
        if expression.starts_with("vars.") {
            widened.push_str(&format!("${{{{ {expression} }}}}"));
        } else {
            widened.push('*');
        }
        rest = after;
    }
    widened + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stay_and_inputs_open_up() {
        let line = "GET https://${{ vars.host }}/a/${{ inputs.id }}/b";
        assert_eq!(widened(line), "GET https://${{ vars.host }}/a/*/b");
        assert_eq!(widened("* https://a.example/**"), "* https://a.example/**");
    }

    #[test]
    fn a_ceiling_is_yaml_to_paste() {
        let lines = BTreeSet::from([
            "GET https://*/x".to_owned(),
            "GET https://a.example/**".to_owned(),
        ]);
        assert_eq!(
            ceiling(&["r".to_owned()], &lines),
            "# What these runbooks ask for: r.\nceiling:\n  # - \"GET https://*/x\"  # an input says the host: write \
             out which\n  - \"GET https://a.example/**\"\n"
        );
    }
}
