use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::fault::Fault;
use crate::request::Request;
use crate::switchboard::Switchboard;
use crate::world::{self, ADMIN_HOST, SITE_HOST};
use crate::{Region, edge, page, summary};

const ROUTES: &str = "\
GET    /_sim/                        this world as a page
GET    /_sim/site                    the shop's front page, as its customers get it
GET    /_sim/summary                 this world in a few lines
GET    /_sim/state                   this world as JSON
GET    /_sim/world                   every id and demo secret
GET    /_sim/requests                every request, in order
GET    /_sim/counts                  how many there were
GET    /_sim/faults                  the faults that are switched on
POST   /_sim/faults                  one more: {\"method\", \"host\", \"path\", \"nth\", \"times\", \"effect\"}
DELETE /_sim/faults                  none any more
POST   /_sim/regions/{east|west}/{up|down}
POST   /_sim/tokens/expire           ends every Azure token that is out
POST   /_sim/reset                   begins again
";

/// The path within the switchboard, if that is what the request is for: it begins with `/_sim`, or the host is `sim`. A browser
/// that comes by address alone is sent there too.
pub(crate) fn path(request: &Request) -> Option<&str> {
    let path = request.path.as_str();
    let own = path
        .strip_prefix("/_sim")
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let by_host = || (request.host == ADMIN_HOST).then_some(path);
    let at_root = || (path == "/" && is_loopback(&request.host)).then_some("/_sim");
    own.or_else(by_host).or_else(at_root)
}

/// Answers what is asked of the switchboard.
pub(crate) fn answer(
    board: &mut Switchboard,
    path: &str,
    request: &Request,
    now: Timestamp,
) -> Answer {
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["_sim"]) => Answer::empty(302).with_header("location", "/_sim/"),
        ("GET", []) => Answer::html(200, page::render(board)),
        ("GET", ["help"]) => Answer::text(200, ROUTES),
        ("GET", ["site"]) => front_page(board, request),
        ("GET", ["summary"]) => Answer::text(200, summary::render(&board.state)),
        ("GET", ["state"]) => Answer::json(200, &board.state.to_json()),
        ("GET", ["world"]) => Answer::json(200, &world::describe()),
        ("GET", ["requests"]) => Answer::json(200, &json!(board.log.entries())),
        ("GET", ["counts"]) => Answer::json(200, &json!(board.log.counts())),
        ("GET", ["faults"]) => Answer::json(200, &json!(board.faults.all())),
        ("POST", ["faults"]) => add_fault(board, request),
        ("DELETE", ["faults"]) => {
            board.faults.clear();
            done()
        }
        ("POST", ["regions", region, word @ ("up" | "down")]) => match region.parse::<Region>() {
            Ok(region) => {
                board.state.set_region(region, *word == "up", now);
                done()
            }
            Err(fault) => refuse(404, &fault.to_string()),
        },
        ("POST", ["tokens", "expire"]) => {
            board.state.azure.tokens.expire(now);
            done()
        }
        ("POST", ["reset"]) => {
            board.reset(now);
            done()
        }
        _ => Answer::text(404, format!("the switchboard has:\n\n{ROUTES}")),
    }
}

fn front_page(board: &mut Switchboard, request: &Request) -> Answer {
    let mut asked = request.clone();
    SITE_HOST.clone_into(&mut asked.host);
    "/".clone_into(&mut asked.path);
    edge::answer(&mut board.state, &asked)
}

fn add_fault(board: &mut Switchboard, request: &Request) -> Answer {
    match serde_json::from_slice::<Fault>(&request.body) {
        Err(fault) => refuse(400, &fault.to_string()),
        Ok(fault) => match fault.nonsense() {
            Some(nonsense) => refuse(400, &nonsense),
            None => {
                board.faults.add(fault);
                done()
            }
        },
    }
}

fn done() -> Answer {
    Answer::json(200, &json!({ "ok": true }))
}

fn refuse(status: u16, message: &str) -> Answer {
    let body: Value = json!({ "error": message });
    Answer::json(status, &body)
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost"].contains(&name)
}
