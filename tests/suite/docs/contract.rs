//! `docs/contract.md` is made of the comments in `wit/`.

mod names;
mod write;

use std::fs;

use wit_parser::Resolve;

use crate::support::repository;

/// What writes the page anew.
const ANEW: &str = "`UPDATE_EXPECT=1 cargo test -p suite docs::contract` writes it anew";

#[test]
fn the_page_says_what_the_contract_says() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(repository().join("wit")).unwrap();
    let page = write::page(&resolve, package);
    let path = repository().join("docs/contract.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    let differs = known
        .lines()
        .zip(page.lines())
        .find(|(old, new)| old != new);
    assert!(
        known == page,
        "`docs/contract.md` is not what wit/ says, from here on: {differs:?}\n{ANEW}"
    );
}
