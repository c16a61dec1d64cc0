use jiff::Timestamp;
use serde_json::{Value, json};

use super::arm::{no_such_type, not_found, wrong_method};
use super::refuse;
use crate::answer::Answer;
use crate::region::Both;
use crate::request::Request;
use crate::stamp::{after, rfc3339, uuid};
use crate::world::{DATABASE, FAILOVER_GROUP, MANAGEMENT_HOST, SUBSCRIPTION};
use crate::{Lasting, Options, Region};

pub(super) const API_VERSIONS: [&str; 7] = [
    "2015-05-01-preview",
    "2020-11-01-preview",
    "2021-11-01",
    "2022-05-01-preview",
    "2023-05-01-preview",
    "2023-08-01",
    "2023-08-01-preview",
];

/// Two SQL servers, of which one has the writer, and the failovers that were asked for.
#[derive(Debug)]
pub(crate) struct FailoverGroup {
    primary: Region,
    operations: Vec<Operation>,
    lasting: Lasting,
    retry_after: u32,
    planned_needs_primary: bool,
}

#[derive(Debug)]
struct Operation {
    id: String,
    started: Timestamp,
    looks: u32,
    done: bool,
}

/// Which server is asked, how, and when.
pub(super) struct Asked<'a> {
    pub(super) server: Region,
    pub(super) version: &'a str,
    pub(super) now: Timestamp,
}

impl FailoverGroup {
    pub(crate) fn new(options: &Options) -> FailoverGroup {
        FailoverGroup {
            primary: Region::East,
            operations: Vec::new(),
            lasting: options.failover,
            retry_after: options.retry_after,
            planned_needs_primary: options.planned_needs_primary,
        }
    }

    /// Where orders are written.
    pub(crate) fn primary(&self) -> Region {
        self.primary
    }

    pub(crate) fn summary(&self) -> Value {
        json!({
            "primary": self.primary,
            "primary_server": self.primary.sql_server(),
            "busy": self.operations.iter().any(|operation| !operation.done),
            "failovers": self.operations.len(),
        })
    }

    /// Answers what is asked below a server; `rest` is in lower case.
    pub(super) fn answer(
        &mut self,
        up: &Both<bool>,
        rest: &[&str],
        request: &Request,
        asked: &Asked<'_>,
    ) -> Answer {
        match (request.method.as_str(), rest) {
            (_, ["failovergroups", name, ..]) if *name != FAILOVER_GROUP => {
                not_found("Microsoft.Sql/servers/failoverGroups", name)
            }
            ("GET", ["failovergroups", _]) => {
                self.look(asked.now);
                Answer::json(200, &self.group(asked.server))
            }
            ("POST", ["failovergroups", _, "failover"]) => self.start(up, asked, false),
            ("POST", ["failovergroups", _, "forcefailoverallowdataloss"]) => {
                self.start(up, asked, true)
            }
            (
                method,
                ["failovergroups", _]
                | [
                    "failovergroups",
                    _,
                    "failover" | "forcefailoverallowdataloss",
                ],
            ) => wrong_method(method),
            _ => no_such_type(&request.path),
        }
    }

    /// Answers how a failover is going: `kind` is the last part of the path but one, in lower case.
    pub(super) fn operation(
        &mut self,
        kind: &str,
        id: &str,
        version: &str,
        now: Timestamp,
    ) -> Answer {
        self.look(now);
        let Some(operation) = self.operations.iter().find(|operation| operation.id == id) else {
            return not_found("Microsoft.Sql/locations/operations", id);
        };
        match (kind, operation.done) {
            ("failovergroupazureasyncoperation", done) => {
                let status = if done { "Succeeded" } else { "InProgress" };
                let body = json!({ "name": id, "status": status, "startTime": rfc3339(operation.started) });
                let answer = Answer::json(200, &body);
                if done {
                    answer
                } else {
                    answer.with_retry_after(self.retry_after)
                }
            }
            ("failovergroupoperationresults", true) => Answer::json(200, &self.group(self.primary)),
            ("failovergroupoperationresults", false) => self.under_way(id, version),
            _ => not_found("Microsoft.Sql/locations", kind),
        }
    }

    fn start(&mut self, up: &Both<bool>, asked: &Asked<'_>, forced: bool) -> Answer {
        self.look(asked.now);
        if self.operations.iter().any(|operation| !operation.done) {
            let message = "There is a failover group operation in progress on the failover group. Try again later.";
            return refuse(409, "FailoverGroupBusy", message).with_retry_after(self.retry_after);
        }
        if asked.server == self.primary {
            let message = format!(
                "Failover cannot be initiated from the primary server '{}' of the failover group: send the request to the secondary server.",
                asked.server.sql_server()
            );
            return refuse(400, "FailoverGroupFailoverRequestOnPrimary", message);
        }
        if !*up.get(asked.server) {
            let message = format!(
                "The server '{}' can't be reached now.",
                asked.server.sql_server()
            );
            return refuse(503, "ServiceUnavailable", message);
        }
        if self.planned_needs_primary && !forced && !*up.get(self.primary) {
            let message = format!(
                "The primary server '{}' can't be reached, so its data can't be synchronised: only a failover that allows data loss is possible.",
                self.primary.sql_server()
            );
            return refuse(409, "FailoverGroupPrimaryUnreachable", message);
        }
        let id = uuid(self.operations.len() as u64 + 1);
        self.operations.push(Operation {
            id: id.clone(),
            started: asked.now,
            looks: 0,
            done: false,
        });
        self.under_way(&id, asked.version).having_changed(true)
    }

    /// Whoever looks at a failover brings its end nearer.
    fn look(&mut self, now: Timestamp) {
        let Some(operation) = self.operations.iter_mut().find(|operation| !operation.done) else {
            return;
        };
        operation.done = match self.lasting {
            Lasting::Looks(looks) => operation.looks >= looks,
            Lasting::For(lapse) => after(operation.started, lapse) <= now,
        };
        operation.looks += 1;
        if operation.done {
            self.primary = self.primary.other();
        }
    }

    fn under_way(&self, id: &str, version: &str) -> Answer {
        let address = |kind: &str| {
            format!(
                "https://{MANAGEMENT_HOST}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Sql/locations/eastus/{kind}/{id}?api-version={version}"
            )
        };
        Answer::empty(202)
            .with_header("location", &address("failoverGroupOperationResults"))
            .with_header(
                "azure-asyncoperation",
                &address("failoverGroupAzureAsyncOperation"),
            )
            .with_retry_after(self.retry_after)
    }

    /// The group as one of its servers sees it.
    fn group(&self, server: Region) -> Value {
        let role = |region: Region| {
            if region == self.primary {
                "Primary"
            } else {
                "Secondary"
            }
        };
        let busy = self.operations.iter().any(|operation| !operation.done);
        let resource = |region: Region, kind: &str, name: &str| {
            let group = region.failover_group_id();
            let server = group.split("/failoverGroups/").next().unwrap_or_default();
            format!("{server}/{kind}{name}")
                .trim_end_matches('/')
                .to_owned()
        };
        json!({
            "id": server.failover_group_id(),
            "name": FAILOVER_GROUP,
            "type": "Microsoft.Sql/servers/failoverGroups",
            "location": server.location(),
            "properties": {
                "readWriteEndpoint": { "failoverPolicy": "Manual" },
                "readOnlyEndpoint": { "failoverPolicy": "Disabled" },
                "replicationRole": role(server),
                "replicationState": if busy { "PENDING" } else { "CATCH_UP" },
                "partnerServers": [{
                    "id": resource(server.other(), "", ""),
                    "location": server.other().location(),
                    "replicationRole": role(server.other()),
                }],
                "databases": [resource(server, "databases/", DATABASE)],
            },
        })
    }
}
