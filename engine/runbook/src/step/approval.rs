//! A step at which people agree that the run goes on.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::wire::positive;
use crate::fault::Fault;
use crate::leaf::Reader;
use crate::path::Path;
use crate::template::Template;

/// What an `approval` asks, and of whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// What is to be approved: text.
    pub message: Template,
    /// How many different people have to approve it: at least 1, which is the default, and no more than are
    /// listed.
    pub min: u32,
    /// The people who may approve it, by their user names on the operating system, each named once; anybody
    /// where none is named.
    pub approvers: Vec<String>,
    /// Whether who started the run may approve it; true by default.
    pub allow_self: bool,
    /// How long the step waits before it is taken for rejected: never nothing, and for ever by default.
    pub timeout: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireApproval {
    message: Option<String>,
    min: Option<u32>,
    approvers: Option<Vec<String>>,
    allow_self: Option<bool>,
    timeout: Option<String>,
}

impl WireApproval {
    pub(super) fn convert(self, place: &Path, reader: &mut Reader) -> Option<Approval> {
        let message = self
            .message
            .and_then(|text| reader.template(&Value::String(text), &place.key("message")));
        let approvers = approvers(
            self.approvers.unwrap_or_default(),
            &place.key("approvers"),
            reader,
        );
        let min = self.min.unwrap_or(1);
        let listed = approvers.len();
        if listed > 0 && usize::try_from(min).map_or(true, |min| min > listed) {
            let people = if listed == 1 {
                "only 1 person is listed".to_owned()
            } else {
                format!("only {listed} people are listed")
            };
            let fault = Fault::error(
                place.key("min"),
                format!("{min} people have to approve, and {people}"),
            );
            reader.fault(fault.help(format!(
                "add people to `approvers`, or lower `min` to {listed} or less"
            )));
        }
        let timeout = self.timeout.and_then(|text| {
            let none = "an approval with no time at all is always rejected";
            positive(&text, place.key("timeout"), none, reader)
        });
        Some(Approval {
            message: message?,
            min: Some(min).filter(|min| *min > 0)?,
            approvers,
            allow_self: self.allow_self.unwrap_or(true),
            timeout,
        })
    }
}

fn approvers(names: Vec<String>, place: &Path, reader: &mut Reader) -> Vec<String> {
    let mut approvers: Vec<String> = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let place = place.index(index);
        if name.trim().is_empty() {
            let fault = Fault::error(place, "this names nobody");
            reader.fault(fault.help("write a user name of the operating system, or remove it"));
        } else if approvers.contains(&name) {
            let fault = Fault::error(place, format!("`{name}` is named twice"));
            reader.fault(fault.help("remove one; each person counts once"));
        } else {
            approvers.push(name);
        }
    }
    approvers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn convert(approval: Value) -> (Option<Approval>, Vec<String>) {
        let mut reader = Reader::default();
        let wire: WireApproval = serde_json::from_value(approval).unwrap();
        let approval = wire.convert(&Path::root(), &mut reader);
        let faults = reader.faults.into_iter().map(|fault| fault.message);
        (approval, faults.collect())
    }

    #[test]
    fn anybody_may_approve_by_default_and_for_ever() {
        let (approval, faults) = convert(json!({ "message": "Go on?" }));
        assert!(faults.is_empty(), "{faults:?}");
        let expected = Approval {
            message: Template::parse(&json!("Go on?")).unwrap(),
            min: 1,
            approvers: Vec::new(),
            allow_self: true,
            timeout: None,
        };
        assert_eq!(approval.unwrap(), expected);
    }

    #[test]
    fn what_is_said_is_kept() {
        let (approval, faults) = convert(json!({
            "message": "Go on?", "min": 2, "approvers": ["anna", "ben"], "allow_self": false, "timeout": "30m",
        }));
        assert!(faults.is_empty(), "{faults:?}");
        let approval = approval.unwrap();
        assert_eq!((approval.min, approval.allow_self), (2, false));
        assert_eq!(approval.approvers, ["anna", "ben"]);
        assert_eq!(approval.timeout, Some(Duration::from_secs(30 * 60)));
    }

    #[test]
    fn more_people_than_are_listed_can_not_approve() {
        let (_, faults) = convert(json!({ "message": "?", "min": 2, "approvers": ["anna"] }));
        assert_eq!(
            faults,
            ["2 people have to approve, and only 1 person is listed"]
        );
        let (_, faults) =
            convert(json!({ "message": "?", "min": 2, "approvers": ["anna", "anna"] }));
        assert_eq!(faults[0], "`anna` is named twice");
    }

    #[test]
    fn nobody_is_no_approver_and_nothing_no_time() {
        let (_, faults) =
            convert(json!({ "message": "?", "approvers": [" "], "timeout": "0s", "min": 3 }));
        assert_eq!(
            faults,
            [
                "this names nobody",
                "an approval with no time at all is always rejected"
            ]
        );
        assert!(convert(json!({ "message": "?", "min": 0 })).0.is_none());
        assert!(convert(json!({})).0.is_none());
    }
}
