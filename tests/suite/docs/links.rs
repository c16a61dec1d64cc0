//! Links from page to page.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{markdown, repository};

/// Where pages lie.
const FOLDERS: [&str; 6] = [
    "",
    "docs",
    "docs/decisions",
    "docs/plugins",
    "plugins",
    "plugins/examples",
];

fn pages() -> Vec<PathBuf> {
    let folders = FOLDERS.map(|folder| repository().join(folder));
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut pages: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.sort();
    pages
}

/// What is wrong with a link from this page; nothing where it leads somewhere.
fn fault(page: &Path, link: &str) -> Option<String> {
    let (file, place) = link.split_once('#').unwrap_or((link, ""));
    let to = match file {
        "" => page.to_owned(),
        file => page.parent().unwrap().join(file),
    };
    if !to.exists() {
        return Some(format!("there is no `{file}`"));
    }
    if place.is_empty() || to.extension().is_none_or(|ending| ending != "md") {
        return None;
    }
    let headings = markdown::headings(&fs::read_to_string(to).unwrap());
    let mut places = headings.iter().map(|heading| markdown::place(heading));
    (!places.any(|known| known == place)).then(|| format!("`{file}` has no heading for `#{place}`"))
}

#[test]
fn every_link_leads_somewhere() {
    let mut faults = Vec::new();
    let mut links = 0;
    for page in pages() {
        for link in markdown::links(&fs::read_to_string(&page).unwrap()) {
            links += 1;
            if let Some(fault) = fault(&page, &link) {
                faults.push(format!("{}: {fault}", page.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(links > 100, "only {links} links were found");
}
