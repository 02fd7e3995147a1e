//! Where the values of a class lie: the median, and the values below which a part of the class is.

/// Values in order, summed up. All of them are hundredths, so a median of whole numbers is exact.
///
/// A value between two others is on the straight line between them, as `QUARTILE.INC` of spreadsheets has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// How many values are known.
    pub known: usize,
    /// The lowest value.
    pub lowest: u64,
    /// A tenth of the values is below it.
    pub tenth: u64,
    /// A quarter of the values is below it.
    pub quarter: u64,
    /// Half of the values is below it.
    pub median: u64,
    /// Three quarters of the values are below it.
    pub three_quarters: u64,
    /// Nine tenths of the values are below it.
    pub nine_tenths: u64,
    /// The highest value.
    pub highest: u64,
}

impl Spread {
    /// The spread of these hundredths; `None` if there is no value.
    pub fn of(hundredths: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut all: Vec<u64> = hundredths.into_iter().collect();
        all.sort_unstable();
        let (lowest, highest) = (*all.first()?, *all.last()?);
        Some(Self {
            known: all.len(),
            lowest,
            tenth: at(&all, 1, 10),
            quarter: at(&all, 1, 4),
            median: at(&all, 1, 2),
            three_quarters: at(&all, 3, 4),
            nine_tenths: at(&all, 9, 10),
            highest,
        })
    }

    /// The spread of whole numbers.
    pub(super) fn of_whole(numbers: impl IntoIterator<Item = u32>) -> Option<Self> {
        Self::of(numbers.into_iter().map(|number| u64::from(number) * 100))
    }
}

/// The value with `part / of` of the others below it, rounded to the hundredth. The values are in order, and not empty.
fn at(all: &[u64], part: usize, of: usize) -> u64 {
    let place = (all.len() - 1) * part;
    let (below, rest) = (all[place / of], (place % of) as u64);
    match rest {
        0 => below,
        rest => {
            let (step, of) = (all[place / of + 1] - below, of as u64);
            below + (step * rest * 2 + of) / (2 * of)
        }
    }
}

/// Hundredths as a decimal number without trailing zeros.
pub fn decimal(hundredths: u64) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match (rest, rest % 10) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("{whole}.{}", rest / 10),
        _ => format!("{whole}.{rest:02}"),
    }
}

/// Minutes as a person says them, without a fraction: `53 min`, and from two hours on `10 h 12 min`.
pub(super) fn duration(hundredths: u64) -> String {
    let minutes = (hundredths + 50) / 100;
    match (minutes / 60, minutes % 60) {
        _ if minutes < 120 => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_that_of_a_spreadsheet() {
        assert_eq!(Spread::of([]), None);
        let one = Spread::of_whole([7]).unwrap();
        assert_eq!(
            (one.known, one.lowest, one.median, one.highest),
            (1, 700, 700, 700)
        );
        assert_eq!(Spread::of_whole([20, 10]).unwrap().median, 1500);
        // As LibreOffice computes QUARTILE.INC and PERCENTILE.INC of 1, 2, 4, 8, 16, 32.
        let spread = Spread::of_whole([32, 1, 16, 2, 8, 4]).unwrap();
        let found = [
            spread.tenth,
            spread.quarter,
            spread.median,
            spread.three_quarters,
            spread.nine_tenths,
        ];
        assert_eq!(found, [150, 250, 600, 1400, 2400]);
        let large = Spread::of_whole([u32::MAX; 3]).unwrap();
        assert_eq!(large.nine_tenths, u64::from(u32::MAX) * 100);
    }

    #[test]
    fn numbers_are_written_as_a_person_writes_them() {
        for (hundredths, number, minutes) in [
            (0, "0", "0 min"),
            (5250, "52.5", "53 min"),
            (11_925, "119.25", "119 min"),
            (12_000, "120", "2 h"),
            (61_250, "612.5", "10 h 13 min"),
        ] {
            assert_eq!(decimal(hundredths), number);
            assert_eq!(duration(hundredths), minutes);
        }
    }
}
