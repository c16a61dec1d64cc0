//! The world in a few lines of text, for a terminal.

use serde_json::Value;

use crate::state::State;

/// How the shop, its database and its status page stand.
pub(crate) fn render(state: &State) -> String {
    let state = state.to_json();
    let lines = [
        ("the shop", shop(&state["site"])),
        (
            "the database",
            format!(
                "is written in {}",
                word(&state["azure"]["failover_group"]["primary"])
            ),
        ),
        ("the status page", components(&state["statuspage"])),
        ("incidents", incidents(&state["statuspage"])),
    ];
    lines
        .iter()
        .map(|(name, what)| format!("{name:<16} {what}\n"))
        .collect()
}

fn shop(site: &Value) -> String {
    if site["up"] != true {
        return format!(
            "is down: customers get {}, {}",
            site["status"],
            word(&site["reason"])
        );
    }
    let orders = if site["writable"] == true {
        "can"
    } else {
        "can't"
    };
    format!(
        "is up, served from {}; orders {orders} be placed",
        word(&site["region"])
    )
}

fn components(page: &Value) -> String {
    let components = page["components"].as_array().into_iter().flatten();
    let each = components.map(|one| {
        format!(
            "{}: {}",
            word(&one["name"]),
            word(&one["status"]).replace('_', " ")
        )
    });
    each.collect::<Vec<_>>().join(", ")
}

fn incidents(page: &Value) -> String {
    let incidents = page["incidents"].as_array().into_iter().flatten();
    let each: Vec<_> = incidents
        .map(|one| format!("`{}`, {}", word(&one["name"]), word(&one["status"])))
        .collect();
    if each.is_empty() {
        "none".to_owned()
    } else {
        each.join("; ")
    }
}

fn word(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
