//! Points of a lab, exact to the hundredth.

use std::{cmp::Reverse, fmt, iter::Sum};

use serde::{Deserialize, Serialize};

/// Points, kept as hundredths of a point. A sum of decimal fractions is not exact in floating point, and a grade must be.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Points(u32);

impl Points {
    /// The most that one item can be worth: a million points.
    pub const MOST: Self = Self(100_000_000);

    /// Whole points. More than [`Points::MOST`] become that many.
    pub const fn whole(points: u32) -> Self {
        match points.checked_mul(100) {
            Some(hundredths) if hundredths <= Self::MOST.0 => Self(hundredths),
            _ => Self::MOST,
        }
    }

    /// Hundredths of a point.
    pub const fn hundredths(hundredths: u32) -> Self {
        Self(hundredths)
    }

    /// The number of hundredths.
    pub const fn as_hundredths(self) -> u32 {
        self.0
    }

    /// The whole points, if there is no fraction.
    pub const fn as_whole(self) -> Option<u32> {
        match self.0 % 100 {
            0 => Some(self.0 / 100),
            _ => None,
        }
    }

    /// The number for a file that has no hundredths. It is whole if the points are whole, and else the nearest fraction,
    /// which is printed with at most two decimals.
    pub fn as_number(self) -> serde_json::Number {
        let fraction = || serde_json::Number::from_f64(f64::from(self.0) / 100.0);
        match self.as_whole() {
            Some(whole) => whole.into(),
            None => fraction().unwrap_or_else(|| 0.into()),
        }
    }

    /// The part of `of` that this is, from 0 to 1. Of nothing, it is all.
    pub fn part_of(self, of: Self) -> f64 {
        match of.0 {
            0 => 1.0,
            of => f64::from(self.0.min(of)) / f64::from(of),
        }
    }

    /// So many percent of the sum of these points, as a share of each. The sum is rounded once, to the nearest hundredth: if
    /// each share were rounded, many small ones would lose more than a large one. What is left over goes to the largest rests.
    pub fn shares(all: &[Self], percent: u32) -> Vec<Self> {
        let percent = u64::from(percent.min(100));
        let exact = |points: &Self| u64::from(points.0) * percent;
        let wanted = (all.iter().map(exact).sum::<u64>() + 50) / 100;
        let mut shares: Vec<u64> = all.iter().map(|points| exact(points) / 100).collect();
        let left = wanted - shares.iter().sum::<u64>();
        let mut by_rest: Vec<usize> = (0..all.len()).collect();
        // The sort keeps the order of equal rests, so equal grades stay equal.
        by_rest.sort_by_key(|at| Reverse(exact(&all[*at]) % 100));
        for at in by_rest.into_iter().zip(0..left).map(|(at, _)| at) {
            shares[at] += 1;
        }
        let share = |(share, points): (u64, &Self)| Self(share.try_into().unwrap_or(points.0));
        shares.into_iter().zip(all).map(share).collect()
    }

    /// Reads what a platform writes: `10`, `10.00`, or `10,00` with a decimal comma. `None` if it has more than two
    /// decimals or is no number.
    pub fn read(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 2 || !digits(whole) || !digits(decimals) {
            return None;
        }
        let number: u32 = format!("{whole}{decimals:0<2}").parse().ok()?;
        Some(Self(number))
    }
}

/// As a decimal number without trailing zeros.
impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}"),
            (_, 0) => write!(f, "{whole}.{}", rest / 10),
            _ => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// A sum that would not fit is as much as fits; what is read from a file is checked to be far below.
impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Self(all.fold(0, |sum, one| sum.saturating_add(one.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_written_as_a_person_writes_them_and_read_back() {
        for (hundredths, text) in [
            (0, "0"),
            (1, "0.01"),
            (10, "0.1"),
            (105, "1.05"),
            (350, "3.5"),
            (1200, "12"),
        ] {
            let points = Points::hundredths(hundredths);
            assert_eq!(points.to_string(), text);
            assert_eq!(points.as_number().to_string(), text);
            assert_eq!(Points::read(text), Some(points));
        }
        assert_eq!(Points::read("10,00"), Some(Points::whole(10)));
        for text in [
            "",
            "-1",
            "1.005",
            "1e3",
            ".5",
            "1.2.3",
            "99999999999",
            "read only",
        ] {
            assert_eq!(Points::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_fraction_is_printed_with_two_decimals_at_most() {
        for hundredths in (0..200_000).chain(99_900_000..=Points::MOST.0) {
            let points = Points::hundredths(hundredths);
            assert_eq!(points.as_number().to_string(), points.to_string());
        }
    }

    #[test]
    fn a_percentage_of_a_sum_is_rounded_once_and_spread() {
        for (count, each, percent, sum) in [
            (9, 25, 75, 169),
            (8, 25, 75, 150),
            (9, 101, 85, 773),
            (1, 105, 50, 53),
            (3, 1, 50, 2),
            (2, 100, 0, 0),
            (2, 105, 300, 210),
            (0, 1, 50, 0),
        ] {
            let all = vec![Points::hundredths(each); count];
            let shares = Points::shares(&all, percent);
            assert_eq!(shares.len(), count);
            let found: Points = shares.iter().copied().sum();
            assert_eq!(found, Points::hundredths(sum), "{count} x {each}");
            assert!(shares.iter().zip(&all).all(|(share, of)| share <= of));
        }
        assert_eq!(Points::shares(&[Points::MOST], 100), [Points::MOST]);
        let uneven = [100, 101, 150].map(Points::hundredths);
        assert_eq!(
            Points::shares(&uneven, 33),
            [33, 33, 50].map(Points::hundredths)
        );
    }

    #[test]
    fn a_sum_is_exact_where_floating_point_is_not() {
        let tenths = [Points::hundredths(10); 3];
        assert_eq!(tenths.into_iter().sum::<Points>(), Points::hundredths(30));
        assert_eq!(Points::hundredths(30).part_of(Points::hundredths(30)), 1.0);
        assert_eq!(Points::default().part_of(Points::default()), 1.0);
    }
}
