//! What a late submission loses, as a rule and in words.

use serde::Deserialize;

/// What a late submission loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Late {
    /// A submission is in time for so long after the deadline.
    pub grace_minutes: u32,
    /// Each begun day takes so much of its points, in percent. A begun day counts in full.
    pub percent_a_day: u32,
    /// After so many days nothing counts; without a number, it counts as long as it is worth something.
    pub days: Option<u32>,
}

impl Default for Late {
    /// A quarter of an hour for slow networks; then everything is late, and late takes nothing by itself.
    fn default() -> Self {
        Self {
            grace_minutes: 15,
            percent_a_day: 0,
            days: None,
        }
    }
}

impl Late {
    /// How many percent of the points are left, so many minutes after the deadline.
    pub fn percent_left(&self, minutes: u32) -> u32 {
        if minutes <= self.grace_minutes {
            return 100;
        }
        let days = begun_days(minutes);
        match self.days {
            Some(most) if days > most => 0,
            _ => 100u32.saturating_sub(days.saturating_mul(self.percent_a_day)),
        }
    }

    /// What a file loses that came so many minutes after the deadline, and the time of grace, in words.
    pub fn sentence(&self, minutes: u32) -> String {
        let (came, left) = (duration(minutes), self.percent_left(minutes));
        let days = match begun_days(minutes) {
            days if self.days.is_some_and(|most| days > most) => {
                let most = self.days.unwrap_or_default();
                return format!(
                    "it came {came} after the deadline, and later than {most} d a file does not count"
                );
            }
            days if days > 1 && self.percent_a_day > 0 => format!(", which is {days} begun days"),
            _ => String::new(),
        };
        format!("it came {came} after the deadline{days}: {left} % of the points count")
    }

    /// The rule in words, for students.
    pub fn in_words(&self) -> String {
        let grace = match self.grace_minutes {
            0 => String::new(),
            1 => "One minute after the deadline is still in time. ".to_owned(),
            minutes => {
                format!("A file that comes up to {minutes} minutes after the deadline is in time. ")
            }
        };
        let loses = match self.percent_a_day {
            0 => "Late work loses nothing.".to_owned(),
            percent => format!(
                "Late work loses {percent} % of its points for each day after the deadline. A begun day counts in full: {}.",
                self.examples()
            ),
        };
        let ends = match self.days {
            None => String::new(),
            Some(0) => " A late file does not count at all.".to_owned(),
            Some(1) => {
                " More than one day after the deadline, a file does not count at all.".to_owned()
            }
            Some(days) => {
                format!(" More than {days} days after the deadline, a file does not count at all.")
            }
        };
        match (self.days, self.percent_a_day) {
            (Some(0), _) => format!("{grace}{}", ends.trim_start()),
            _ => format!("{grace}{loses}{ends}"),
        }
    }

    fn examples(&self) -> String {
        let lost = |hours: u32| 100 - self.percent_left(hours * 60);
        format!(
            "3 hours late is {} %, and 25 hours late is {} %",
            lost(3),
            lost(25)
        )
    }
}

/// A begun day counts in full.
fn begun_days(minutes: u32) -> u32 {
    minutes.div_ceil(24 * 60)
}

/// `35 min`, `3 h 5 min`, `2 d 4 h 1 min`.
fn duration(minutes: u32) -> String {
    let (hours, days) = (minutes / 60, minutes / (24 * 60));
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h {} min", minutes % 60),
        (days, hours) => format!("{days} d {} h {} min", hours % 24, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_day_counts_in_full_and_the_grace_is_free() {
        let late = Late {
            grace_minutes: 15,
            percent_a_day: 30,
            days: Some(3),
        };
        for (minutes, left) in [
            (0, 100),
            (15, 100),
            (16, 70),
            (1440, 70),
            (1441, 40),
            (4320, 10),
            (4321, 0),
        ] {
            assert_eq!(late.percent_left(minutes), left, "{minutes}");
        }
        assert_eq!(Late::default().percent_left(100_000), 100);
    }

    #[test]
    fn a_file_that_is_late_is_told_what_was_counted() {
        let late = Late {
            grace_minutes: 15,
            percent_a_day: 20,
            days: Some(3),
        };
        for (minutes, sentence) in [
            (
                185,
                "it came 3 h 5 min after the deadline: 80 % of the points count",
            ),
            (
                1440,
                "it came 1 d 0 h 0 min after the deadline: 80 % of the points count",
            ),
            (
                1441,
                "it came 1 d 0 h 1 min after the deadline, which is 2 begun days: 60 % of the points count",
            ),
            (
                4321,
                "it came 3 d 0 h 1 min after the deadline, and later than 3 d a file does not count",
            ),
        ] {
            assert_eq!(late.sentence(minutes), sentence);
        }
        let free = Late::default().sentence(5000);
        assert!(
            free.ends_with("after the deadline: 100 % of the points count"),
            "{free}"
        );
    }

    #[test]
    fn the_words_say_what_the_rule_does() {
        let words = |grace_minutes, percent_a_day, days| {
            let late = Late {
                grace_minutes,
                percent_a_day,
                days,
            };
            late.in_words()
        };
        assert_eq!(
            words(15, 20, Some(4)),
            "A file that comes up to 15 minutes after the deadline is in time. Late work loses 20 % of its points for each day \
             after the deadline. A begun day counts in full: 3 hours late is 20 %, and 25 hours late is 40 %. More than 4 days \
             after the deadline, a file does not count at all."
        );
        assert_eq!(words(0, 0, None), "Late work loses nothing.");
        assert_eq!(
            words(0, 0, Some(1)),
            "Late work loses nothing. More than one day after the deadline, a file does not count at all."
        );
        assert_eq!(words(0, 50, Some(0)), "A late file does not count at all.");
    }
}
