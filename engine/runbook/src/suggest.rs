//! "Did you mean": the known name that a mistyped one is closest to.

/// The longest word, in bytes, for which another one is looked for.
const LONGEST: usize = 200;

/// The candidate that `word` was probably meant to be; none when nothing is close.
///
/// Close is: equal but for case and for `-`, `_` and blanks, or at most one typing error (a character
/// missing, added, wrong, or two swapped) for every three characters. Of equally close ones the first wins.
///
/// ```
/// # use sandbook_runbook::closest;
/// assert_eq!(closest("timout", ["retry", "timeout"]), Some("timeout"));
/// assert_eq!(closest("banana", ["retry", "timeout"]), None);
/// ```
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody mistypes that much, and it would take long to compare.
    if word.len() > LONGEST {
        return None;
    }
    let plain_word = plain(word);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let plain_candidate = plain(candidate);
            let errors = strsim::osa_distance(&plain_word, &plain_candidate);
            let length = plain_word
                .chars()
                .count()
                .max(plain_candidate.chars().count());
            (errors * 3 <= length).then_some((errors, candidate))
        })
        .min_by_key(|(errors, _)| *errors)
        .map(|(_, candidate)| candidate)
}

/// A name without what people vary in it.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["id", "needs", "with", "uses", "max_delay", "on_failure"];

    #[test]
    fn the_closest_wins() {
        for (word, meant) in [
            ("need", "needs"),
            ("wiht", "with"),
            ("use", "uses"),
            ("maxDelay", "max_delay"),
            ("on-failure", "on_failure"),
            ("onfialure", "on_failure"),
            ("ID", "id"),
        ] {
            assert_eq!(closest(word, KEYS), Some(meant), "{word}");
        }
    }

    #[test]
    fn what_is_far_off_suggests_nothing() {
        for word in ["parallel", "xy", "", "w"] {
            assert_eq!(closest(word, KEYS), None, "{word}");
        }
    }
}
