//! Patroni, the high-availability manager of PostgreSQL.

use std::time::Duration;

use sandbook_step::prelude::*;

use crate::{Output, already, moved, pace::pause};

const INTERVAL: Duration = Duration::from_secs(2);
const AWAITED: &str = "the switchover";

/// A Patroni cluster, by way of one of its nodes, and the node that is to be leader.
#[derive(Deserialize)]
pub(crate) struct Target {
    #[serde(default)]
    scheme: Scheme,
    host: String,
    #[serde(default = "usual_port")]
    port: u16,
    candidate: String,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Scheme {
    Http,
    #[default]
    Https,
}

#[derive(Deserialize)]
struct Cluster {
    #[serde(default)]
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    name: String,
    role: String,
}

impl Cluster {
    fn leader(&self) -> Option<&str> {
        let leads = |member: &&Member| {
            matches!(member.role.as_str(), "leader" | "standby_leader" | "master")
        };
        self.members
            .iter()
            .find(leads)
            .map(|member| member.name.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }
}

/// What became of the request to switch over.
enum Started {
    /// It was done, or is planned.
    Accepted,
    /// Someone was faster, the cluster isn't sure, or its answer got lost, as it may when the node that gives it is the
    /// one that is deposed. The failure is what the step comes to where the candidate doesn't lead.
    Unsure(Failure),
}

/// Makes the candidate the cluster's leader.
///
/// The request names the leader that it expects, so that a second one is refused (412): it is repeatable.
pub(crate) fn switch_over(context: &Context, target: &Target) -> Result<Done<Output>, Failure> {
    let candidate = target.candidate.as_str();
    let before = target.look()?;
    let Some(leader) = before.leader() else {
        return Err(
            Failure::unavailable("the cluster has no leader now: a switchover needs one")
                .with_code("NoLeader"),
        );
    };
    if leader == candidate {
        return Ok(already(candidate));
    }
    if !before.has(candidate) {
        return Err(
            Failure::not_found(format!("the cluster has no member `{candidate}`"))
                .with_code("NoSuchMember"),
        );
    }

    if let Started::Unsure(failure) = target.start(leader)? {
        // The cluster itself knows.
        return match target.look() {
            Ok(cluster) if cluster.leader() == Some(candidate) => {
                Ok(moved(candidate, Some(leader.to_owned())))
            }
            _ => Err(failure),
        };
    }

    loop {
        match target.look() {
            Ok(cluster) if cluster.leader() == Some(candidate) => break,
            Ok(_) => {}
            Err(failure) if failure.is_passing() => log::info!("{failure}"),
            Err(failure) => return Err(failure),
        }
        pause(context, INTERVAL, AWAITED)?;
    }
    Ok(moved(candidate, Some(leader.to_owned())))
}

impl Target {
    /// Asks that the candidate take over from this leader.
    fn start(&self, leader: &str) -> Result<Started, Failure> {
        let body = json!({"leader": leader, "candidate": self.candidate});
        let answer = self
            .prepared(http::post(&self.url("switchover")))
            .body_json(&body)
            .repeatable(true)
            .send();
        match answer {
            Ok(response) => match response.status() {
                200 => Ok(Started::Accepted),
                202 => {
                    log::info!("the switchover is planned for later");
                    Ok(Started::Accepted)
                }
                412 | 503 => Ok(Started::Unsure(response.failure())),
                _ => Err(response.failure()),
            },
            Err(error) if error.is_passing() => Ok(Started::Unsure(error.into())),
            Err(error) => Err(error.into()),
        }
    }

    fn look(&self) -> Result<Cluster, Failure> {
        self.prepared(http::get(&self.url("cluster"))).json()
    }

    fn url(&self, what: &str) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{}:{}/{what}", self.host, self.port)
    }

    fn prepared(&self, request: http::Request) -> http::Request {
        request.credential_if_bound("patroni")
    }
}

fn usual_port() -> u16 {
    8008
}

#[cfg(test)]
mod tests {
    use sandbook_step::testing::{Answer, Shown, Stage};

    use super::*;

    /// Performs a switchover to `b`; `leaders` are those of one look after the other, the last one stays.
    fn perform(leaders: &[&'static str], answer: Answer) -> Shown<Result<Done<Output>, Failure>> {
        perform_and_get(leaders, Ok(answer))
    }

    fn perform_and_get(
        leaders: &[&'static str],
        answer: Result<Answer, http::Error>,
    ) -> Shown<Result<Done<Output>, Failure>> {
        let mut leaders = leaders.to_vec();
        leaders.reverse();
        let target = Target {
            scheme: Scheme::Https,
            host: "pg.example".to_owned(),
            port: 8008,
            candidate: "b".to_owned(),
        };
        Stage::new(move |asked| match asked.line().as_str() {
            "GET https://pg.example:8008/cluster" => {
                let leader = if leaders.len() > 1 {
                    leaders.pop().unwrap()
                } else {
                    leaders[0]
                };
                let role = |name: &str| if name == leader { "leader" } else { "replica" };
                let members = ["a", "b"]
                    .map(|name| json!({"name": name, "role": role(name), "state": "running"}));
                Ok(Answer::json(200, &json!({"members": members})))
            }
            "POST https://pg.example:8008/switchover" => answer.clone(),
            line => panic!("{line}"),
        })
        .perform(|context| switch_over(context, &target))
    }

    #[test]
    fn the_leader_is_named_so_that_nobody_else_is_deposed() {
        let shown = perform(
            &["a", "a", "b"],
            Answer::text(200, "Successfully switched over to \"b\""),
        );
        let done = shown.ended.as_ref().unwrap();
        assert_eq!(
            done.data,
            Output {
                primary: "b".to_owned(),
                previous: Some("a".to_owned())
            }
        );
        assert_eq!(
            shown.asked[1].json(),
            json!({"leader": "a", "candidate": "b"})
        );
        assert_eq!(shown.asked[1].repeatable, Some(true));
    }

    #[test]
    fn a_leader_is_left_alone() {
        let shown = perform(&["b"], Answer::status(500));
        assert!(!shown.ended.unwrap().changed);
        assert_eq!(shown.asked.len(), 1);
    }

    #[test]
    fn a_refusal_is_checked_against_the_cluster() {
        assert!(
            perform(&["a", "b"], Answer::status(412))
                .ended
                .unwrap()
                .changed
        );
        assert_eq!(
            perform(&["a"], Answer::status(412)).ended.unwrap_err().kind,
            Kind::Conflict
        );
        assert_eq!(
            perform(&["a"], Answer::status(503)).ended.unwrap_err().kind,
            Kind::Unavailable
        );
    }

    #[test]
    fn a_lost_answer_is_looked_into() {
        let lost = || Err(http::Error::Unreachable("the connection broke".to_owned()));
        let done = perform_and_get(&["a", "b"], lost()).ended.unwrap();
        assert_eq!(
            (done.changed, done.data.previous.as_deref()),
            (true, Some("a"))
        );
        let failure = perform_and_get(&["a"], lost()).ended.unwrap_err();
        assert_eq!(failure.kind, Kind::Unavailable);
    }

    #[test]
    fn without_leader_or_candidate_nothing_is_sent() {
        let shown = perform(&["nobody"], Answer::status(200));
        assert_eq!(shown.ended.unwrap_err().code.as_deref(), Some("NoLeader"));
        assert_eq!(shown.asked.len(), 1);
    }
}
