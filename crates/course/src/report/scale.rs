//! The scale of a picture: where a value is, and which values stand at the axis.

/// A scale from 0 on. Its numbers stand at equal distances, and between two of them it is even.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    /// The numbers at the axis, in the unit of the values.
    ticks: Vec<u64>,
}

/// The first number of a scale of minutes; each further one is twice the number before. So a lab of an hour and a lab of ten
/// hours are both seen in one picture.
const MINUTES: u64 = 15;
/// From one number to the next in a scale of counts.
const STEPS: [u64; 8] = [1, 2, 3, 5, 10, 15, 20, 50];

impl Scale {
    /// For minutes up to so many hundredths.
    pub(super) fn of_minutes(highest: u64) -> Self {
        let mut ticks = vec![0, MINUTES, 2 * MINUTES];
        let mut last = 4 * MINUTES;
        while last * 100 < highest {
            ticks.push(last);
            last *= 2;
        }
        ticks.push(last);
        Self { ticks }
    }

    /// For counts up to so many hundredths.
    pub(super) fn of_counts(highest: u64) -> Self {
        let most = highest.div_ceil(100);
        let fits = STEPS.into_iter().find(|step| step * 4 >= most);
        // Beyond the list, the largest step as often as it takes.
        let [.., largest] = STEPS;
        let step = fits.unwrap_or_else(|| most.div_ceil(4 * largest) * largest);
        Self {
            ticks: (0..=4).map(|n| n * step).collect(),
        }
    }

    /// The numbers at the axis, each with its place.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (u64, Share)> {
        let last = self.ticks.len() - 1;
        let ticks = self.ticks.iter().enumerate();
        ticks.map(move |(n, tick)| (*tick, Share::of_counts(n, last)))
    }

    /// Where a value of so many hundredths is, as a share of the width.
    pub(super) fn place(&self, hundredths: u64) -> Share {
        let last = self.ticks.len() - 1;
        let above = self.ticks.iter().position(|tick| tick * 100 > hundredths);
        let Some(above) = above else {
            return Share::of(1, 1);
        };
        // The first number is 0, so there is one below.
        let (from, to) = (self.ticks[above - 1] * 100, self.ticks[above] * 100);
        let (part, whole) = (hundredths - from, to - from);
        Share::of((above as u64 - 1) * whole + part, last as u64 * whole)
    }
}

/// A part of a whole, as hundredths of a percent from 0 to 10 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Share(pub(super) u64);

impl Share {
    /// The part of `of` that this is. Of nothing, it is nothing.
    pub(super) fn of(part: u64, of: u64) -> Self {
        match of {
            0 => Self(0),
            of => Self((u128::from(part.min(of)) * 10_000 / u128::from(of)) as u64),
        }
    }

    /// Of counts.
    pub(super) fn of_counts(part: usize, of: usize) -> Self {
        Self::of(part as u64, of as u64)
    }

    /// As an attribute of a picture: `12.5%`.
    pub(super) fn attribute(self) -> String {
        format!("{}%", super::spread::decimal(self.0))
    }

    /// As a reader wants it, in whole percent: `13 %`.
    pub(super) fn percent(self) -> String {
        format!("{} %", (self.0 + 50) / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_reaches_the_highest_value() {
        let ticks = |scale: Scale| scale.ticks;
        for (highest, found) in [
            (0, vec![0, 15, 30, 60]),
            (6000, vec![0, 15, 30, 60]),
            (6001, vec![0, 15, 30, 60, 120]),
            (70_000, vec![0, 15, 30, 60, 120, 240, 480, 960]),
        ] {
            assert_eq!(ticks(Scale::of_minutes(highest)), found);
        }
        assert_eq!(ticks(Scale::of_counts(300)), [0, 1, 2, 3, 4]);
        assert_eq!(ticks(Scale::of_counts(20_100)), [0, 100, 200, 300, 400]);
        let most = u64::from(u32::MAX) * 100;
        for scale in [Scale::of_minutes(most), Scale::of_counts(most)] {
            assert!(scale.ticks.last().unwrap() * 100 >= most);
            assert!(scale.place(most) <= Share(10_000));
        }
    }

    #[test]
    fn a_value_is_between_the_numbers_that_it_is_between() {
        let scale = Scale::of_minutes(12_000);
        for (hundredths, place) in [
            (0, 0),
            (750, 1250),
            (1500, 2500),
            (4500, 6250),
            (12_000, 10_000),
            (99_999, 10_000),
        ] {
            assert_eq!(scale.place(hundredths), Share(place), "{hundredths}");
        }
        for (tick, place) in scale.ticks() {
            assert_eq!(scale.place(tick * 100), place);
        }
    }

    #[test]
    fn a_share_is_never_more_than_all() {
        assert_eq!(Share::of(1, 8).attribute(), "12.5%");
        assert_eq!(Share::of(1, 8).percent(), "13 %");
        assert_eq!(Share::of(9, 8), Share(10_000));
        assert_eq!(Share::of(1, 0), Share(0));
    }
}
