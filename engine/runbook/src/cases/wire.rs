//! A document of cases as it is written, and its conversion.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::exchange::WireExchange;
use super::expect::WireExpect;
use super::{Case, CaseContext, Cases, Exchange, Expect};
use crate::fault::Fault;
use crate::leaf::Reader;
use crate::misfit::listed;
use crate::names::Slot;
use crate::path::Path;
use crate::suggest::closest;

/// The shortest secret, in bytes: a shorter one can't be told from ordinary text.
const SHORTEST_SECRET: usize = 4;

/// The most attempts that a case may allow, as a step may.
const MOST_ATTEMPTS: u32 = 100;

type WireCredentials = BTreeMap<String, String>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireCases {
    plugin: Option<String>,
    credentials: WireCredentials,
    allow: Option<Vec<String>>,
    cases: Option<Vec<WireCase>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireCase {
    name: Option<String>,
    input: Map<String, Value>,
    credentials: Option<WireCredentials>,
    allow: Option<Vec<String>>,
    reveal: Vec<String>,
    dry_run: bool,
    attempts: Option<u32>,
    timeout: Option<String>,
    context: WireContext,
    exchanges: Vec<WireExchange>,
    expect: Option<WireExpect>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireContext {
    run: Option<String>,
    seed: Option<String>,
    started_at: Option<u64>,
}

impl WireCases {
    pub(super) fn convert(self, reader: &mut Reader) -> Option<Cases> {
        let root = Path::root();
        let shared = Shared {
            credentials: credentials(self.credentials, &root.key("credentials"), reader),
            allow: self
                .allow
                .map(|lines| allow(lines, &root.key("allow"), reader)),
        };
        let mut names: HashMap<String, usize> = HashMap::new();
        let mut cases = Vec::new();
        for (index, case) in self.cases?.into_iter().enumerate() {
            let place = root.key("cases").index(index);
            // Of one that is empty its shape says so.
            if let Some(name) = &case.name
                && !name.is_empty()
                && name.trim().is_empty()
            {
                let fault = Fault::error(place.key("name"), "this name is blank");
                reader.fault(fault.help("say what the case is about"));
            }
            if let Some(name) = &case.name
                && let Some(first) = names.insert(name.clone(), index + 1)
            {
                let fault =
                    Fault::error(place.key("name"), format!("there is another case `{name}`"));
                reader.fault(fault.help(format!(
                    "case {first} is called so: say how this one differs"
                )));
            }
            cases.push(case.convert(&shared, &place, reader));
        }
        Some(Cases {
            plugin: self.plugin.filter(|path| !path.is_empty()),
            cases: cases
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .filter(|cases| !cases.is_empty())?,
        })
    }
}

/// What holds for the cases that say nothing themselves.
struct Shared {
    credentials: BTreeMap<Slot, String>,
    allow: Option<Vec<String>>,
}

impl WireCase {
    fn convert(self, shared: &Shared, place: &Path, reader: &mut Reader) -> Option<Case> {
        let credentials = match self.credentials {
            Some(own) => credentials(own, &place.key("credentials"), reader),
            None => shared.credentials.clone(),
        };
        let allow = match self.allow {
            Some(own) => Some(allow(own, &place.key("allow"), reader)),
            None => shared.allow.clone(),
        };
        let mut reveal = Vec::new();
        for (index, slot) in self.reveal.iter().enumerate() {
            let place = place.key("reveal").index(index);
            if let Some(slot) = reader.parsed::<Slot>(slot, &place) {
                refuse_unbound(&slot, &credentials, &place, reader);
                reveal.push(slot);
            }
        }
        let timeout = match &self.timeout {
            None => Some(None),
            Some(text) => reader.duration(text, &place.key("timeout")).map(Some),
        };
        let context = self.context.convert(&place.key("context"), reader);
        let exchanges: Vec<Option<Exchange>> = self
            .exchanges
            .into_iter()
            .enumerate()
            .map(|(index, exchange)| {
                let place = place.key("exchanges").index(index);
                let exchange = exchange.convert(&place, reader)?;
                if let Some(slot) = &exchange.request.credential {
                    refuse_unbound(slot, &credentials, &place.key("credential"), reader);
                }
                if self.dry_run {
                    refuse_in_dry_run(&exchange, &place, reader);
                }
                Some(exchange)
            })
            .collect();
        let expect = self
            .expect
            .and_then(|expect| expect.convert(&place.key("expect"), reader));
        if let (Some(Expect::HeldBack(_)), false) = (&expect, self.dry_run) {
            let fault = Fault::error(
                place.key("expect").key("held_back"),
                "only a dry run holds requests back",
            );
            reader.fault(fault.on_key().help("add `dry_run: true` to the case"));
        }
        let attempts = self.attempts.unwrap_or(1);
        Some(Case {
            name: self.name.filter(|name| !name.trim().is_empty())?,
            input: self.input,
            credentials,
            reveal,
            allow,
            dry_run: self.dry_run,
            attempts: (1..=MOST_ATTEMPTS)
                .contains(&attempts)
                .then_some(attempts)?,
            timeout: timeout?,
            context: context?,
            exchanges: exchanges.into_iter().collect::<Option<_>>()?,
            expect: expect?,
        })
    }
}

impl WireContext {
    fn convert(self, place: &Path, reader: &mut Reader) -> Option<CaseContext> {
        let is_id = |run: &String| {
            run.len() == 12
                && run
                    .bytes()
                    .all(|byte| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&byte))
        };
        if let Some(run) = self.run.as_ref().filter(|run| !is_id(run)) {
            let fault = Fault::error(place.key("run"), format!("`{run}` is not a run's id"));
            reader.fault(fault.help("it has 12 characters from 0-9a-z without i, l, o, u"));
            return None;
        }
        let seed = match &self.seed {
            None => Some(None),
            Some(text) => match bytes_of(text) {
                Some(seed) => Some(Some(seed)),
                None => {
                    let fault = Fault::error(place.key("seed"), "this is no seed");
                    reader.fault(fault.help("it has 64 hexadecimal digits"));
                    None
                }
            },
        };
        Some(CaseContext {
            run: self.run,
            seed: seed?,
            started_at: self.started_at,
        })
    }
}

fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

fn credentials(
    given: WireCredentials,
    place: &Path,
    reader: &mut Reader,
) -> BTreeMap<Slot, String> {
    let mut credentials: BTreeMap<Slot, String> = BTreeMap::new();
    for (slot, secret) in given {
        let place = place.key(&slot);
        let slot = match Slot::new(slot) {
            Ok(slot) => slot,
            Err(fault) => {
                reader.fault(Fault::error(place, fault.to_string()).on_key());
                continue;
            }
        };
        if secret.len() < SHORTEST_SECRET {
            let fault = Fault::error(
                place,
                format!("this is shorter than {SHORTEST_SECRET} bytes"),
            );
            reader.fault(fault.help(
                "make up a secret that can be told from ordinary text, such as `made-up-key`",
            ));
            continue;
        }
        if secret
            .chars()
            .any(|character| !(' '..='~').contains(&character))
        {
            let fault = Fault::error(
                place,
                "this holds a character that a header field can't carry",
            );
            reader.fault(fault.help("make up a secret of letters, digits and dashes"));
            continue;
        }
        if let Some((other, _)) = credentials.iter().find(|(_, other)| **other == secret) {
            let fault = Fault::error(place, format!("slot `{other}` has the same secret"));
            reader.fault(fault.help("make up another one, so that it can be told which was sent"));
            continue;
        }
        credentials.insert(slot, secret);
    }
    credentials
}

fn allow(lines: Vec<String>, place: &Path, reader: &mut Reader) -> Vec<String> {
    for (index, line) in lines.iter().enumerate() {
        let place = place.index(index);
        if line.contains("${{") {
            let fault =
                Fault::error(place, "an expression has nothing to name here").on_part("${{");
            reader.fault(fault.help("write the line as the plugin is to be granted it"));
            continue;
        }
        reader.allow_line(line, &place);
    }
    lines
}

fn refuse_unbound(
    slot: &Slot,
    credentials: &BTreeMap<Slot, String>,
    place: &Path,
    reader: &mut Reader,
) {
    if credentials.contains_key(slot) {
        return;
    }
    let bound: Vec<&str> = credentials.keys().map(Slot::as_str).collect();
    let fault = Fault::error(
        place.clone(),
        format!("no credential is bound to the slot `{slot}`"),
    );
    reader.fault(match closest(slot.as_str(), bound.iter().copied()) {
        Some(meant) => fault.label(format!("did you mean `{meant}`?")),
        None if bound.is_empty() => fault.help(format!(
            "bind one: `credentials: {{ {slot}: made-up-key }}`"
        )),
        None => fault.help(format!("the case binds {}", listed(&bound))),
    });
}

fn refuse_in_dry_run(exchange: &Exchange, place: &Path, reader: &mut Reader) {
    let request = &exchange.request.request;
    if !request.is_reading() {
        let fault = Fault::error(
            place.key("request"),
            "a dry run sends only requests that read",
        );
        reader.fault(fault.help(format!(
            "expect it to be held back: `held_back: [{request}]`"
        )));
    }
    if exchange.crash {
        let fault = Fault::error(place.key("crash"), "a dry run is not taken up again").on_key();
        reader.fault(fault.help("it changes nothing, so there is nothing to go on with"));
    }
}

/// Two keys of which only one can be said.
pub(super) fn refuse_both(
    (first, first_said): (&str, bool),
    (second, second_said): (&str, bool),
    place: &Path,
    reader: &mut Reader,
) {
    if first_said && second_said {
        let fault = Fault::error(place.key(second), format!("there is `{first}` too"));
        reader.fault(fault.on_key().help(format!("keep `{first}` or `{second}`")));
    }
}
