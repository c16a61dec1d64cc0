//! The REST interface of a Patroni cluster of two nodes, one in each region.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Region;
use crate::answer::Answer;
use crate::region::Both;
use crate::request::Request;
use crate::stamp::rfc3339;
use crate::world::PATRONI_SCOPE;

/// Who leads, and who did.
#[derive(Debug)]
pub(crate) struct Patroni {
    leader: Region,
    history: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switchover {
    leader: Option<String>,
    candidate: Option<String>,
}

impl Patroni {
    pub(crate) fn new() -> Patroni {
        Patroni {
            leader: Region::East,
            history: Vec::new(),
        }
    }

    pub(crate) fn summary(&self) -> Value {
        json!({ "leader": self.leader.patroni_node(), "timeline": self.timeline(), "history": self.history })
    }

    /// A leader that can't be reached loses its lock, and the other node takes it, as Patroni's nodes settle among themselves.
    pub(crate) fn elect(&mut self, up: &Both<bool>, now: Timestamp) {
        if !*up.get(self.leader) && *up.get(self.leader.other()) {
            self.promote(self.leader.other(), now);
        }
    }

    /// Answers what is sent to one node.
    pub(crate) fn answer(
        &mut self,
        node: Region,
        up: &Both<bool>,
        request: &Request,
        now: Timestamp,
    ) -> Answer {
        if !*up.get(node) {
            return Answer::dropped();
        }
        let leads = node == self.leader;
        match (request.method.as_str(), request.path.as_str()) {
            (
                "GET" | "HEAD" | "OPTIONS",
                "/" | "/primary" | "/master" | "/leader" | "/read-write",
            ) => self.status(node, leads),
            ("GET" | "HEAD" | "OPTIONS", "/replica" | "/read-only") => self.status(node, !leads),
            ("GET", "/patroni") | ("GET" | "HEAD", "/health" | "/liveness" | "/readiness") => {
                self.status(node, true)
            }
            ("GET", "/cluster") => Answer::json(200, &self.cluster(up)),
            ("GET", "/history") => Answer::json(200, &json!(self.history)),
            ("POST", "/switchover") => self.switch(up, request, now),
            _ => Answer::text(501, "Unsupported method or path"),
        }
    }

    fn timeline(&self) -> usize {
        self.history.len() + 1
    }

    fn status(&self, node: Region, fits: bool) -> Answer {
        let role = if node == self.leader {
            "primary"
        } else {
            "replica"
        };
        let body = json!({
            "state": "running",
            "role": role,
            "server_version": 150_008,
            "timeline": self.timeline(),
            "patroni": { "version": "4.0.4", "scope": PATRONI_SCOPE, "name": node.patroni_node() },
        });
        Answer::json(if fits { 200 } else { 503 }, &body)
    }

    fn cluster(&self, up: &Both<bool>) -> Value {
        let members: Vec<Value> = Region::ALL
            .into_iter()
            .filter(|region| *up.get(*region))
            .map(|region| {
                let host = region.patroni_host().split(':').next().unwrap_or_default();
                let mut member = json!({
                    "name": region.patroni_node(),
                    "role": "leader",
                    "state": "running",
                    "api_url": format!("http://{}/patroni", region.patroni_host()),
                    "host": host,
                    "port": 5432,
                    "timeline": self.timeline(),
                });
                if region != self.leader {
                    member["role"] = json!("replica");
                    member["state"] = json!("streaming");
                    member["lag"] = json!(0);
                }
                member
            })
            .collect();
        json!({ "members": members, "scope": PATRONI_SCOPE })
    }

    fn switch(&mut self, up: &Both<bool>, request: &Request, now: Timestamp) -> Answer {
        // Patroni reads the body whatever it is called.
        let Ok(asked) = serde_json::from_slice::<Switchover>(&request.body) else {
            return Answer::text(400, "Invalid JSON payload");
        };
        let Some(leader) = asked.leader else {
            return Answer::text(
                400,
                "Switchover could be performed only from a specific leader",
            );
        };
        if asked.candidate.as_ref() == Some(&leader) {
            return Answer::text(400, "Switchover target and source are the same");
        }
        if leader != self.leader.patroni_node() {
            return Answer::text(412, "leader name does not match");
        }
        let next = self.leader.other();
        if !*up.get(next) {
            return Answer::text(
                412,
                "switchover is not possible: cluster does not have members except leader",
            );
        }
        if asked
            .candidate
            .is_some_and(|candidate| candidate != next.patroni_node())
        {
            return Answer::text(412, "candidate does not exist");
        }
        self.promote(next, now);
        Answer::text(
            200,
            format!("Successfully switched over to \"{}\"", next.patroni_node()),
        )
        .having_changed(true)
    }

    fn promote(&mut self, next: Region, now: Timestamp) {
        let timeline = self.timeline();
        let place = 0x0300_0000 + timeline * 0x1a0;
        self.history.push(json!([
            timeline,
            place,
            "no recovery target specified",
            rfc3339(now),
            next.patroni_node()
        ]));
        self.leader = next;
    }
}
