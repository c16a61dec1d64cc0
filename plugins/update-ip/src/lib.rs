//! Opens a web app to those who are to reach it, and switches the traffic to it.

mod access;
mod address;
mod cloudflare;
mod input;
mod rules;
mod traffic;

use sandbook_step::prelude::*;

use input::Input;
use traffic::Switched;

#[derive(Serialize, Debug, Default)]
struct Output {
    /// The web app's access restrictions, where those were asked for.
    access: Option<access::Report>,
    /// The pool, where one was named; and so on.
    pool: Option<Switched>,
    load_balancer: Option<Switched>,
    dns_record: Option<Switched>,
}

/// First the app lets the traffic in, then the traffic is sent to it.
fn run(context: &Context, input: Input) -> Result<Done<Output>, Failure> {
    let mut output = Output::default();
    if let Some(app) = input.app()? {
        output.access = Some(access::bring(context, &app, &input)?);
    }
    let cloudflare = cloudflare::Api::new(context);
    if let Some(pool) = input.pool_switch()? {
        output.pool = Some(traffic::pool::switch(&cloudflare, &pool)?);
    }
    if let Some(load_balancer) = input.load_balancer_switch()? {
        output.load_balancer = Some(traffic::load_balancer::switch(&cloudflare, &load_balancer)?);
    }
    if let Some(record) = input.dns_switch()? {
        output.dns_record = Some(traffic::dns_record::switch(&cloudflare, &record)?);
    }
    if output.parts().next().is_none() {
        return Err(
            Failure::invalid_input("neither a web app nor anything to switch is named")
                .with_code("NothingToDo"),
        );
    }
    let changed = output.parts().any(|(_, changed)| changed);
    let summary = summary(&output);
    Ok(Done::when(changed, output).summary(summary))
}

impl Output {
    /// What was looked at, and whether it was changed.
    fn parts(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let switched =
            |name, part: &Option<Switched>| part.as_ref().map(|part| (name, part.is_changed()));
        [
            self.access
                .as_ref()
                .map(|access| ("access restrictions", access.is_changed())),
            switched("pool", &self.pool),
            switched("load balancer", &self.load_balancer),
            switched("DNS record", &self.dns_record),
        ]
        .into_iter()
        .flatten()
    }
}

fn summary(output: &Output) -> String {
    let changed: Vec<_> = output
        .parts()
        .filter(|(_, changed)| *changed)
        .map(|(name, _)| name)
        .collect();
    match changed.as_slice() {
        [] => "everything is as it should be".to_owned(),
        names => format!("wrote {}", names.join(", ")),
    }
}

sandbook_step::step!(run);

#[cfg(test)]
mod tests;
