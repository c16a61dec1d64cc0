//! Texts of strangers, and the characters that make them look like something that they are not.

/// Whether a character is shown only as an escape: a control character, one that changes the direction of writing, or
/// one that is there without being seen.
pub fn is_harmful(character: char) -> bool {
    character.is_control() || turns(character) || hides(character)
}

/// A stranger's text on one line, so that it begins none of its own.
pub fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether it changes the direction of writing, or ends a line.
fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether it takes no room or looks like none, so that two texts that differ look alike. Those that join and part
/// letters are not among them (U+200C, U+200D): Persian, Hindi and emoji are written with them.
fn hides(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
