//! The step: reads a page's title.

mod sandbook;

use sandbook::{Context, Done, Failure, Kind, http};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    url: String,
}

#[derive(Deserialize)]
struct Page {
    title: String,
}

#[derive(Serialize)]
struct Output {
    title: String,
}

fn run(_: &Context, input: Input) -> Result<Done<Output>, Failure> {
    let page: Page = http::get(&input.url).credential_if_bound("api").json()?;
    let title = page.title.trim().to_owned();
    if title.is_empty() {
        let message = format!("{} has no title", input.url);
        return Err(Failure::new(Kind::Failed, message).with_code("UnexpectedAnswer"));
    }
    Ok(Done::unchanged(Output { title }).summary("read the title"))
}

sandbook::step!(run);
