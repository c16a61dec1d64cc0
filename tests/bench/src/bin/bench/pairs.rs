//! Two ways of doing the same, measured in turns.

use crate::Outcome;

/// What two things took, pair by pair: seconds or bytes.
///
/// They are done in turns, so that what else the machine does meanwhile weighs on both.
#[derive(Debug)]
pub(crate) struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Does both once without counting, which fills caches, and then both in turns so many times.
    pub(crate) fn take(
        count: usize,
        mut first: impl FnMut() -> Outcome<f64>,
        mut second: impl FnMut() -> Outcome<f64>,
    ) -> Outcome<Pairs> {
        first()?;
        second()?;
        let pairs: Outcome<Vec<_>> = (0..count).map(|_| Ok((first()?, second()?))).collect();
        Ok(Pairs(pairs?))
    }

    /// Pairs that were had in another way. At least one.
    pub(crate) fn new(pairs: Vec<(f64, f64)>) -> Pairs {
        Pairs(pairs)
    }

    /// How many pairs there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The medians of both.
    pub(crate) fn medians(&self) -> (f64, f64) {
        (
            quantile(self.0.iter().map(|pair| pair.0), 0.5),
            quantile(self.0.iter().map(|pair| pair.1), 0.5),
        )
    }

    /// How many times the second's median goes into the first's.
    pub(crate) fn ratio(&self) -> f64 {
        let (first, second) = self.medians();
        first / second
    }

    /// Between which ratios eight of ten pairs lie, each taken by itself.
    pub(crate) fn spread(&self) -> (f64, f64) {
        let ratios = || self.0.iter().map(|(first, second)| first / second);
        (quantile(ratios(), 0.1), quantile(ratios(), 0.9))
    }
}

/// The value below which this part of all values lies.
fn quantile(values: impl Iterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of a small count"
    )]
    let place = (part * (values.len() - 1) as f64).round() as usize;
    values[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spread_are_of_the_pairs() {
        let pairs = Pairs::new(
            (1..=11)
                .map(|number| (f64::from(number) * 2.0, 3.0))
                .collect(),
        );
        assert_eq!(pairs.medians(), (12.0, 3.0));
        assert_eq!(pairs.ratio(), 4.0);
        assert_eq!(pairs.spread(), (4.0 / 3.0, 20.0 / 3.0));
    }

    #[test]
    fn the_first_of_each_is_not_counted() {
        let mut turns = 0.0;
        let pairs = Pairs::take(
            2,
            || {
                turns += 1.0;
                Ok(turns)
            },
            || Ok(1.0),
        );
        assert_eq!(pairs.unwrap().0, [(2.0, 1.0), (3.0, 1.0)]);
    }
}
