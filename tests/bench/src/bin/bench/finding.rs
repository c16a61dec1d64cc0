//! What a bench has found, as it is printed.

use std::fmt;

use crate::pairs::Pairs;

/// How many times the ratio of a high pair goes into that of a low one where the machine had other work to do.
const NOISE: f64 = 1.5;

/// What a bench has found.
#[derive(Debug)]
pub(crate) enum Finding {
    /// How two things compare.
    Ratio(Comparison),
    /// Whether something is so.
    Fact { what: String, holds: bool },
    /// Figures beside each other, for whoever wants to know.
    Table {
        what: &'static str,
        head: [&'static str; 6],
        rows: Vec<Row>,
    },
    /// It could not be measured here.
    Skipped { why: String },
}

/// One thing measured against another.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// What is done.
    pub(crate) what: String,
    /// The two that do it; the ratio is the first's measure through the second's.
    pub(crate) sides: [&'static str; 2],
    pub(crate) unit: Unit,
    pub(crate) pairs: Pairs,
    pub(crate) bound: Bound,
}

/// A line of a table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// One under each but the first of the table's heads.
    pub(crate) cells: Vec<String>,
}

/// What is demanded of a ratio.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
    /// It is only of interest.
    None,
}

/// What the figures of a comparison are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
}

impl Finding {
    /// Whether what is demanded is so; nothing where nothing is demanded.
    pub(crate) fn holds(&self) -> Option<bool> {
        match self {
            Finding::Ratio(comparison) => comparison.bound.holds(comparison.pairs.ratio()),
            Finding::Fact { holds, .. } => Some(*holds),
            Finding::Table { .. } | Finding::Skipped { .. } => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Ratio(comparison) => comparison.fmt(f),
            Finding::Fact { what, holds } => write!(f, "{what}: {}", verdict(*holds)),
            Finding::Table { what, head, rows } => table(f, what, head, rows),
            Finding::Skipped { why } => write!(f, "skipped: {why}"),
        }
    }
}

fn table(f: &mut fmt::Formatter<'_>, what: &str, head: &[&str], rows: &[Row]) -> fmt::Result {
    write!(f, "{what}")?;
    let heads = head.iter().map(|&head| head.to_owned()).collect();
    let rows = rows.iter().map(|Row { name, cells }| {
        let name = std::iter::once(name);
        name.chain(cells).cloned().collect()
    });
    for cells in std::iter::once::<Vec<String>>(heads).chain(rows) {
        let (name, figures) = cells.split_first().ok_or(fmt::Error)?;
        write!(f, "\n  {name:10}")?;
        for figure in figures {
            write!(f, "  {figure:>9}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.pairs.medians();
        let width = self
            .sides
            .map(|side| side.chars().count())
            .into_iter()
            .max()
            .unwrap_or(0);
        writeln!(f, "{}", self.what)?;
        for (side, amount) in self.sides.into_iter().zip([first, second]) {
            writeln!(f, "  {side:width$}  {:>9}", self.unit.show(amount))?;
        }
        let ratio = self.pairs.ratio();
        let (low, high) = self.pairs.spread();
        write!(
            f,
            "  ratio {ratio:.2} (eight of ten pairs: {low:.2} to {high:.2}; {} pairs)",
            self.pairs.count()
        )?;
        match (self.bound, self.bound.holds(ratio)) {
            (Bound::AtMost(most), Some(holds)) => {
                write!(f, "; at most {most}: {}", verdict(holds))?;
            }
            (Bound::AtLeast(least), Some(holds)) => {
                write!(f, "; at least {least}: {}", verdict(holds))?;
            }
            _ => {}
        }
        if high / low > NOISE {
            write!(
                f,
                "\n  the pairs differ too much to tell: measure again when nothing else runs"
            )?;
        }
        Ok(())
    }
}

impl Bound {
    fn holds(self, ratio: f64) -> Option<bool> {
        match self {
            Bound::AtMost(most) => Some(ratio <= most),
            Bound::AtLeast(least) => Some(ratio >= least),
            Bound::None => None,
        }
    }
}

impl Unit {
    pub(crate) fn show(self, amount: f64) -> String {
        match self {
            Unit::Seconds if amount < 1e-3 => format!("{:.1} us", amount * 1e6),
            Unit::Seconds if amount < 1.0 => format!("{:.2} ms", amount * 1e3),
            Unit::Seconds => format!("{amount:.2} s"),
            Unit::Bytes => format!("{:.1} MiB", amount / f64::from(1 << 20)),
        }
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "DOES NOT HOLD" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(bound: Bound) -> Finding {
        Finding::Ratio(Comparison {
            what: "a step".to_owned(),
            sides: ["sandbook", "floor"],
            unit: Unit::Seconds,
            pairs: Pairs::new(vec![(0.003, 0.002)]),
            bound,
        })
    }

    #[test]
    fn a_ratio_is_shown_with_what_it_compares_and_its_bound() {
        let expected = "a step\n  sandbook    3.00 ms\n  floor       2.00 ms\n  \
                        ratio 1.50 (eight of ten pairs: 1.50 to 1.50; 1 pairs); at most 1.4: DOES NOT HOLD";
        assert_eq!(finding(Bound::AtMost(1.4)).to_string(), expected);
    }

    #[test]
    fn a_table_has_its_columns_under_each_other() {
        let table = Finding::Table {
            what: "by language",
            head: ["", "size", "build.sh", "compile", "start-up", "call"],
            rows: vec![Row {
                name: "C".to_owned(),
                cells: ["1.0 MiB", "2.00 s", "3.00 ms", "4.0 us", "5.0 us"]
                    .map(str::to_owned)
                    .to_vec(),
            }],
        };
        let expected = "by language\n                   size   build.sh    compile   start-up       call\n  \
                        C             1.0 MiB     2.00 s    3.00 ms     4.0 us     5.0 us";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn a_bound_holds_or_there_is_none() {
        assert_eq!(finding(Bound::AtMost(1.5)).holds(), Some(true));
        assert_eq!(finding(Bound::AtLeast(1.6)).holds(), Some(false));
        assert_eq!(finding(Bound::None).holds(), None);
    }
}
