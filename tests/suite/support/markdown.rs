//! As much Markdown as the tests of our pages need.

/// A block of code.
pub(crate) struct Block {
    /// What stands behind the fence: `sh`, `yaml`; nothing where nothing does.
    pub(crate) language: String,
    /// What is in it, each line with its end.
    pub(crate) text: String,
}

/// The page's blocks of code, in their order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(_) if is_open => is_open = false,
            Some(language) => {
                is_open = true;
                blocks.push(Block {
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            None if is_open => {
                let text = &mut blocks.last_mut().expect("a block is open").text;
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    blocks
}

/// The page's headings, without their marks.
pub(crate) fn headings(page: &str) -> Vec<String> {
    prose(page)
        .filter_map(|line| {
            let heading = line.trim_start_matches('#');
            (heading.len() < line.len()).then(|| heading.trim().to_owned())
        })
        .collect()
}

/// Where a heading is linked to, as GitHub has it.
pub(crate) fn place(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let kept: String = heading.chars().filter(kept).collect();
    kept.replace(' ', "-").to_lowercase()
}

/// Where the page's links lead, but for those to other sites.
pub(crate) fn links(page: &str) -> Vec<String> {
    let prose: Vec<&str> = prose(page).collect();
    let prose = prose.join("\n");
    let links = prose.split("](").skip(1);
    links
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .filter(|link| !link.contains("://"))
        .collect()
}

/// The lines that are not code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}
