//! Colours, and the paper that takes them or doesn't.

use std::io::IsTerminal;
use std::ops::RangeInclusive;

/// How wide texts are set where nothing says how wide the terminal is.
const USUAL_WIDTH: usize = 100;

/// How narrow and how wide a terminal is believed to be: it is whoever sits at it who says so.
const WIDTHS: RangeInclusive<usize> = 40..=500;

/// What a text is written on: is it a terminal that shows colours, and how wide is it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paper {
    pub(crate) colour: bool,
    /// In columns; nothing when it isn't a terminal, where lines are never cut.
    pub(crate) width: Option<usize>,
}

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    /// Done, and well.
    Good,
    /// Odd, or to be waited for.
    Warn,
    /// Wrong.
    Bad,
    /// A name that stands out.
    Name,
    /// Beside the point.
    Faint,
    /// A heading.
    Strong,
}

impl Paper {
    /// What is written to files and pipes.
    #[cfg(test)]
    pub(crate) const BARE: Paper = Paper {
        colour: false,
        width: None,
    };

    /// The standard output.
    pub(crate) fn standard_output() -> Paper {
        Paper::of(&std::io::stdout(), console::Term::stdout().size_checked())
    }

    /// The standard error.
    pub(crate) fn standard_error() -> Paper {
        Paper::of(&std::io::stderr(), console::Term::stderr().size_checked())
    }

    fn of(stream: &impl IsTerminal, size: Option<(u16, u16)>) -> Paper {
        if !stream.is_terminal() {
            return Paper {
                colour: false,
                width: None,
            };
        }
        let width = size.map_or(USUAL_WIDTH, |(_, columns)| {
            usize::from(columns).clamp(*WIDTHS.start(), *WIDTHS.end())
        });
        Paper {
            colour: colours_are_welcome(),
            width: Some(width),
        }
    }

    /// The same for what is to be read whole: nothing on it is cut.
    pub(crate) fn uncut(self) -> Paper {
        Paper {
            width: None,
            ..self
        }
    }

    pub(crate) fn is_terminal(self) -> bool {
        self.width.is_some()
    }

    /// The text in its colour, where there are colours.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Plain => return text.to_owned(),
            Ink::Good => "32",
            Ink::Warn => "33",
            Ink::Bad => "31",
            Ink::Name => "36",
            Ink::Faint => "2",
            Ink::Strong => "1",
        };
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// By the conventions of no-color.org, and of terminals that can only print.
fn colours_are_welcome() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_paper_takes_no_colour() {
        assert_eq!(Paper::BARE.ink(Ink::Bad, "no"), "no");
        let colourful = Paper {
            colour: true,
            width: None,
        };
        assert_eq!(colourful.ink(Ink::Bad, "no"), "\x1b[31mno\x1b[0m");
        assert_eq!(colourful.ink(Ink::Bad, ""), "");
    }
}
