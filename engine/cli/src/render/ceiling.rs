//! What an environment must allow for some runbooks, ready to paste into it.

use std::collections::BTreeSet;

use sandbook_runbook::Runbook;
use serde_json::{Value, json};

/// The requests that steps of runbooks may make, as an environment allows them.
#[derive(Debug, Default)]
pub(crate) struct Ceiling {
    lines: BTreeSet<String>,
    /// Lines whose host or port only an input says: no `*` can stand there, so which ones has to be written out.
    open: BTreeSet<String>,
}

impl Ceiling {
    /// Takes in what a runbook's steps and their rollbacks may ask for. An environment fills in its own variables;
    /// what is only known later stands as `*`.
    pub(crate) fn add(&mut self, runbook: &Runbook) {
        for line in runbook.uses().flat_map(|using| &using.allow) {
            match line.for_ceiling() {
                Some(line) => self.lines.insert(line),
                None => self.open.insert(line.to_string()),
            };
        }
    }

    /// As YAML.
    pub(crate) fn yaml(&self, runbooks: &[String]) -> String {
        let mut yaml = format!("# What these runbooks ask for: {}.\n", runbooks.join(", "));
        yaml.push_str(if self.lines.is_empty() {
            "ceiling: []\n"
        } else {
            "ceiling:\n"
        });
        for line in &self.lines {
            yaml.push_str(&format!("  - {}\n", Value::from(line.as_str())));
        }
        for line in &self.open {
            let line = Value::from(line.as_str());
            yaml.push_str(&format!(
                "  # - {line}  # an input says the host or the port: write out which\n"
            ));
        }
        yaml
    }

    /// For programs.
    pub(crate) fn json(&self, runbooks: &[String]) -> Value {
        json!({ "runbooks": runbooks, "ceiling": self.lines, "open": self.open })
    }
}

#[cfg(test)]
mod tests {
    use sandbook_runbook::Source;

    use super::*;

    #[test]
    fn what_undoes_a_step_has_to_be_allowed_too() {
        let text = "name: x\nsteps:\n  - id: a\n    uses: p\n    allow: [POST https://a.example/jobs]\n    \
                    rollback: { uses: p, allow: [DELETE https://a.example/jobs/*] }\n";
        let source = Source {
            name: "x.yaml".to_owned(),
            text: text.to_owned(),
        };
        let (runbook, _) = Runbook::parse(&source).unwrap();
        let mut ceiling = Ceiling::default();
        ceiling.add(&runbook);
        assert!(ceiling.lines.iter().eq([
            "DELETE https://a.example/jobs/*",
            "POST https://a.example/jobs"
        ]));
    }

    #[test]
    fn a_ceiling_is_yaml_to_paste() {
        let mut ceiling = Ceiling::default();
        assert_eq!(
            ceiling.yaml(&["r".to_owned()]),
            "# What these runbooks ask for: r.\nceiling: []\n"
        );
        ceiling.lines.insert("GET https://a.example/**".to_owned());
        ceiling
            .open
            .insert("GET https://${{ inputs.host }}/x".to_owned());
        assert_eq!(
            ceiling.yaml(&["r".to_owned(), "s".to_owned()]),
            "# What these runbooks ask for: r, s.\nceiling:\n  - \"GET https://a.example/**\"\n  # - \"GET \
             https://${{ inputs.host }}/x\"  # an input says the host or the port: write out which\n"
        );
    }
}
