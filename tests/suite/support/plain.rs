//! What the binary says, without what differs from one run to the next.

use super::Lab;

/// Digits and letters of run ids (and of digests cut short, which fit too).
const ID: &str = "0123456789abcdefghjkmnpqrstvwxyz";
const UNITS: [&str; 7] = ["ms", "s", "min", "h", "B", "KiB", "MiB"];

/// The text with places, ids, digests, times, durations, sizes and people replaced, and columns brought together.
pub(crate) fn plain(text: &str, lab: &Lab) -> String {
    let place = lab.path("").display().to_string();
    let place = place.trim_end_matches('/');
    let operator = lab
        .sandbook(&["whoami"])
        .out
        .lines()
        .find_map(|line| line.strip_prefix("operator"))
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or("nobody")
        .to_owned();
    let target = super::target().display().to_string();
    let text = text.replace(place, "<lab>").replace(&target, "<target>");
    let lines = text.lines().map(|line| {
        let line = told_apart(line, &operator);
        let words = words(&line);
        measured(&words, &operator).concat()
    });
    lines.map(|line| closed_up(&line) + "\n").collect()
}

/// The line with the host hidden, and the operator's number.
fn told_apart(line: &str, operator: &str) -> String {
    if line.starts_with("operator") {
        return format!("operator  {operator}");
    }
    match line.split_once(&format!(" by {operator} on ")) {
        Some((before, _)) => format!("{before} by {operator} on <host>"),
        None => line.to_owned(),
    }
}

/// The line cut into words and what is between them.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut inside = false;
    for character in line.chars() {
        let part = character.is_ascii_alphanumeric() || ":.-_".contains(character);
        match words.last_mut() {
            Some(word) if part == inside => word.push(character),
            _ => words.push(character.to_string()),
        }
        inside = part;
    }
    words
}

fn measured(words: &[String], operator: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut index = 0;
    while index < words.len() {
        let word = words[index].as_str();
        let unit = words
            .get(index + 2)
            .map_or("", |unit| unit.trim_end_matches([':', '.']));
        let is_number = word.starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_digit() || c == '.');
        if is_number
            && words[index + 1..].first().is_some_and(|gap| gap == " ")
            && UNITS.contains(&unit)
        {
            // Less than a millisecond is a time like others.
            if let Some(gap) = out.last_mut()
                && gap.ends_with('<')
            {
                gap.pop();
            }
            out.push(format!(
                "<n> {}",
                &words[index + 2].replace(unit, if unit.ends_with('B') { "B" } else { "s" })
            ));
            index += 3;
        } else {
            out.push(replaced(word, operator));
            index += 1;
        }
    }
    out
}

fn replaced(word: &str, operator: &str) -> String {
    let bare = word.trim_end_matches([':', '.']);
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = bare.chars().map(digits).collect();
    let said = match shape.as_str() {
        "0000-00-00" => "<date>".to_owned(),
        "00:00:00" | "00:00:00.000" => "<time>".to_owned(),
        _ if bare == operator => "<operator>".to_owned(),
        _ if bare.len() == 12 && bare.chars().all(|c| ID.contains(c)) => "<id>".to_owned(),
        _ => match bare.split_once(':') {
            Some((kind, hex)) if hex.len() == 64 => format!("{kind}:<digest>"),
            _ => bare.to_owned(),
        },
    };
    said + &word[bare.len()..]
}

/// The line with two blanks between columns, whatever their widths; an excerpt stays as it is.
fn closed_up(line: &str) -> String {
    if line.contains(" |") {
        return line.to_owned();
    }
    let body = line.trim_start();
    let margin = &line[..line.len() - body.len()];
    let columns: Vec<&str> = body
        .split("  ")
        .map(str::trim)
        .filter(|column| !column.is_empty())
        .collect();
    format!("{margin}{}", columns.join("  "))
}
