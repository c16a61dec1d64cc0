//! `sandbook plugin fetch`, `verify`, `remove` and `publish`.

use sandbook_executor::{Fetching, Network, publish_plugin};
use serde_json::json;

use super::each::each;
use crate::arguments::{PluginFetch, PluginPublish, PluginRemove, PluginVerify};
use crate::command::given::runtime;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render::names;
use crate::screen::{Output, safe};

pub(super) fn fetch(
    arguments: &PluginFetch,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let project = places.project()?;
    let network = Network::of_user()?;
    let done = runtime()?.block_on(project.fetch(&network, &arguments.names))?;
    let done = done
        .into_iter()
        .map(|(name, fetched)| (name, fetched.map_err(Problem::from)));
    each(done, output, |name, fetching| match fetching {
        Fetching::Had => format!("`{name}` is here."),
        Fetching::Fetched { bytes } => {
            format!("`{name}` is fetched: {} KiB.", bytes.div_ceil(1024))
        }
    })
}

pub(super) fn verify(
    arguments: &PluginVerify,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let project = places.project()?;
    let network = Network::of_user()?;
    let done = runtime()?.block_on(project.verify(&network, &arguments.names))?;
    if arguments.output.is_json() {
        let mut exit = Exit::Succeeded;
        for (name, found) in done {
            let (error, found) = match found {
                Ok(found) => (None, Some(found.to_string())),
                Err(refused) => {
                    exit = Exit::Wrong;
                    (Some(refused.to_string()), None)
                }
            };
            output.line(&json!({ "name": name, "found": found, "error": error }).to_string());
        }
        return Ok(exit);
    }
    let done = done
        .into_iter()
        .map(|(name, found)| (name, found.map_err(Problem::from)));
    each(done, output, |name, found| format!("`{name}` {found}."))
}

pub(super) fn remove(
    arguments: &PluginRemove,
    places: &Places,
    output: &mut Output,
) -> Result<(), Problem> {
    let PluginRemove { name, force } = arguments;
    let removal = places.project()?.removal(name)?;
    let stands_in_the_way =
        |message| Err(Problem::wrong(message).help("change them first, or say `--force`"));
    if !force && !removal.used_by.is_empty() {
        let used_by: Vec<&String> = removal.used_by.iter().collect();
        return stands_in_the_way(format!("plugin `{name}` is used by {}", names(&used_by)));
    }
    if !force && !removal.unclear.is_empty() {
        let unclear: Vec<&String> = removal.unclear.iter().collect();
        return stands_in_the_way(format!(
            "whether plugin `{name}` is used by {} can't be told: there are faults in it",
            names(&unclear)
        ));
    }
    removal.remove()?;
    output.line(&format!(
        "`{}` is no plugin of the project any more.",
        safe(name)
    ));
    Ok(())
}

pub(super) fn publish(arguments: &PluginPublish, output: &mut Output) -> Result<(), Problem> {
    let PluginPublish {
        file,
        reference,
        replace,
        output: format,
    } = arguments;
    let network = Network::of_user()?;
    let publishing = publish_plugin(&network, file, reference, *replace);
    let published = runtime()?.block_on(publishing)?;
    if format.is_json() {
        let whole = json!({
            "reference": reference, "image": published.image, "component": published.component,
            "was_there": published.was_there, "minisig": published.with_minisig,
        });
        output.line(&whole.to_string());
        return Ok(());
    }
    let done = if published.was_there {
        "Was there already"
    } else {
        "Published"
    };
    let with = if published.with_minisig {
        ", with the signature that lies beside it"
    } else {
        ""
    };
    output.line(&format!("{done}: `{}`{with}.", safe(reference)));
    output.line(&format!("image      {}", safe(&published.image)));
    output.line(&format!("component  {}", published.component));
    Ok(())
}
