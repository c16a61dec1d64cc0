//! The page that shows the world to a browser.

use serde_json::Value;

use crate::html::{escape, live_page};
use crate::log::Logged;
use crate::switchboard::Switchboard;
use crate::world::SITE_HOST;

const SHOWN_REQUESTS: usize = 30;

/// The whole page.
pub(crate) fn render(board: &Switchboard) -> String {
    let state = board.state.to_json();
    let body = format!(
        "<header><h1>Simulated cloud</h1><span class='dim'>{SITE_HOST} and what it stands on · <a href='site'>see the \
         shop</a> · <a href='state'>state</a> · <a href='requests'>requests</a></span></header>{}<div class='grid'>{}{}{}{}\
         {}{}{}</div>",
        banner(&state["site"]),
        regions(&state),
        database(&state),
        steering(&state["cloudflare"]),
        components(&state["statuspage"]),
        incidents(&state["statuspage"]),
        faults(board),
        requests(board),
    );
    live_page("Simulated cloud", &body)
}

fn banner(site: &Value) -> String {
    let (class, title, detail) = if site["up"] != true {
        let detail = format!(
            "customers get {}: {}",
            site["status"],
            text(&site["reason"])
        );
        ("bad", "The shop is down".to_owned(), detail)
    } else if site["writable"] == true {
        let title = format!("The shop is up, served from {}", text(&site["region"]));
        ("good", title, "orders can be placed".to_owned())
    } else {
        let title = format!("The shop is up, served from {}", text(&site["region"]));
        let detail = "orders can't be placed: the database's writer can't be reached";
        ("warn", title, detail.to_owned())
    };
    format!(
        "<div class='banner {class}'><b>{}</b><small>{}</small></div>",
        escape(&title),
        escape(&detail)
    )
}

fn regions(state: &Value) -> String {
    let rows: String = ["east", "west"]
        .into_iter()
        .map(|region| {
            let app = &state["azure"]["web_apps"][format!("shop-{region}")];
            let rules = app["access_restrictions"].as_array().map_or(0, Vec::len);
            let name = format!(
                "{region} <span class='dim'>shop-{region}, {rules} access rule{}</span>",
                if rules == 1 { "" } else { "s" }
            );
            let status = text(&state["regions"][region]);
            row(
                &name,
                &pill(if status == "up" { "good" } else { "bad" }, &status),
            )
        })
        .collect();
    card("Regions", &rows)
}

fn database(state: &Value) -> String {
    let group = &state["azure"]["failover_group"];
    let busy = if group["busy"] == true {
        pill("warn", "failing over")
    } else {
        String::new()
    };
    let writer = format!("{} {busy}", pill("good", &text(&group["primary"])));
    let rows = [
        row("Azure SQL writer", &writer),
        row(
            "Patroni leader",
            &pill("dim", &text(&state["patroni"]["leader"])),
        ),
        row("Orders placed", &text(&state["site"]["orders"])),
    ];
    card("Database", &rows.concat())
}

fn steering(cloudflare: &Value) -> String {
    let on = |value: &Value| {
        if value == true {
            pill("good", "on")
        } else {
            pill("dim", "off")
        }
    };
    let pools = ["east", "west"].map(|region| {
        let pool = &cloudflare["pools"][region];
        let origins = pool["origins"].as_array().into_iter().flatten();
        origins
            .map(|origin| {
                let used = pool["enabled"] == true && origin["enabled"] == true;
                row(
                    &format!(
                        "pool {region} <span class='dim'>{}</span>",
                        html(&origin["address"])
                    ),
                    &on(&Value::Bool(used)),
                )
            })
            .collect::<String>()
    });
    let record = &cloudflare["dns_record"];
    let order: Vec<String> = cloudflare["load_balancer"]["default_pools"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|id| {
            let region = ["east", "west"]
                .into_iter()
                .find(|region| cloudflare["pools"][*region]["id"] == *id);
            region.unwrap_or("?").to_owned()
        })
        .collect();
    let rows = [
        row(
            &format!(
                "load balancer <span class='dim'>{}</span>",
                escape(&order.join(", then "))
            ),
            &on(&cloudflare["load_balancer"]["enabled"]),
        ),
        pools.concat(),
        row(
            &format!("dns {}", html(&record["type"])),
            &format!("<span class='dim'>{}</span>", html(&record["content"])),
        ),
    ];
    card("Cloudflare", &rows.concat())
}

fn components(page: &Value) -> String {
    let rows: String = page["components"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|component| {
            let status = text(&component["status"]);
            row(
                &html(&component["name"]),
                &pill(component_class(&status), &status.replace('_', " ")),
            )
        })
        .collect();
    card("Status page", &rows)
}

fn incidents(page: &Value) -> String {
    let rows: String = page["incidents"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|incident| {
            let status = text(&incident["status"]);
            let class = if status == "resolved" { "good" } else { "warn" };
            let news = html(&incident["incident_updates"][0]["body"]);
            row(
                &format!(
                    "{}<br><span class='dim'>{news}</span>",
                    html(&incident["name"])
                ),
                &pill(class, &status),
            )
        })
        .collect();
    let rows = if rows.is_empty() {
        "<p class='dim'>none</p>".to_owned()
    } else {
        rows
    };
    card("Incidents", &rows)
}

fn faults(board: &Switchboard) -> String {
    let rows: String = board
        .faults
        .all()
        .iter()
        .filter(|fault| !fault.is_spent())
        .map(|fault| {
            let any = |part: &Option<String>| escape(part.as_deref().unwrap_or("*"));
            let target = format!(
                "{} {} {}",
                any(&fault.method),
                any(&fault.host),
                any(&fault.path)
            );
            row(
                &format!("<code>{target}</code>"),
                &pill("warn", &fault.effect.name()),
            )
        })
        .collect();
    if rows.is_empty() {
        String::new()
    } else {
        card("Faults", &rows)
    }
}

fn requests(board: &Switchboard) -> String {
    let rows: String = board.log.latest(SHOWN_REQUESTS).map(request).collect();
    let rows = if rows.is_empty() {
        "<p class='dim'>none yet</p>".to_owned()
    } else {
        format!("<table>{rows}</table>")
    };
    format!("<section class='card wide'><h2>Latest requests</h2>{rows}</section>")
}

fn request(entry: &Logged) -> String {
    let status = match entry.status {
        None => pill("bad", "no answer"),
        Some(status @ 0..400) => pill("good", &status.to_string()),
        Some(status @ 400..500) => pill("warn", &status.to_string()),
        Some(status) => pill("bad", &status.to_string()),
    };
    let changed = if entry.changed { "<b>changed</b>" } else { "" };
    let fault = entry
        .fault
        .as_deref()
        .map(|fault| pill("warn", fault))
        .unwrap_or_default();
    format!(
        "<tr><td class='dim mono'>{}</td><td>{}</td><td class='long'><code>{}</code><code class='dim'>{}</code></td>\
         <td>{changed} {fault}</td><td>{status}</td></tr>",
        entry.time.get(11..19).unwrap_or_default(),
        escape(&entry.method),
        escape(&entry.host),
        escape(&entry.path),
    )
}

fn component_class(status: &str) -> &'static str {
    match status {
        "operational" => "good",
        "major_outage" => "bad",
        _ => "warn",
    }
}

fn card(title: &str, rows: &str) -> String {
    format!("<section class='card'><h2>{title}</h2>{rows}</section>")
}

fn row(name: &str, value: &str) -> String {
    format!("<div class='row'><span>{name}</span><span>{value}</span></div>")
}

fn pill(class: &str, words: &str) -> String {
    format!("<span class='pill {class}'>{}</span>", escape(words))
}

fn html(value: &Value) -> String {
    escape(&text(value))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
