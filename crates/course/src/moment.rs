//! A moment in UTC, as files write it.

use std::{fmt, time::SystemTime};

use jiff::{Timestamp, fmt::temporal::Pieces, tz::Offset};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A moment to the second, as `2026-11-27T18:00:00Z` ([RFC 3339]). In this one form the order of texts is the order of time.
///
/// [RFC 3339]: https://www.rfc-editor.org/rfc/rfc3339
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(String);

/// Why a text is no moment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no time with its time zone; write it as 2026-11-27T18:00:00Z")]
pub struct NotAMoment(pub String);

impl Moment {
    /// The moment as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a moment that is written with its distance from UTC, such as `2026-11-27T19:00:00+01:00`.
    ///
    /// # Errors
    /// When it is no moment, or says no time zone.
    pub fn in_any_zone(text: &str) -> Result<Self, NotAMoment> {
        let failed = |_| NotAMoment(text.to_owned());
        let moment: Timestamp = text.parse().map_err(failed)?;
        Ok(Self::of(moment))
    }

    /// As [`Moment::in_any_zone`], with the text for people who live there: `Fri 2026-11-27 18:00 (UTC+01:00)`.
    ///
    /// # Errors
    /// As [`Moment::in_any_zone`].
    pub fn with_its_zone(text: &str) -> Result<(Self, String), NotAMoment> {
        let failed = |_| NotAMoment(text.to_owned());
        let moment: Timestamp = text.parse().map_err(failed)?;
        let pieces = Pieces::parse(text).map_err(failed)?;
        let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
        let there = offset.to_datetime(moment);
        let clock = match there.second() {
            0 => "%a %Y-%m-%d %H:%M",
            _ => "%a %Y-%m-%d %H:%M:%S",
        };
        let minutes = offset.seconds().abs() / 60;
        let zone = match offset.seconds().signum() {
            0 => "UTC".to_owned(),
            sign => format!(
                "UTC{}{:02}:{:02}",
                if sign < 0 { '-' } else { '+' },
                minutes / 60,
                minutes % 60
            ),
        };
        let said = format!("{} ({zone})", there.strftime(clock));
        Ok((Self::of(moment), said))
    }

    /// The day and the time in UTC, for people: `2026-11-27 17:00`.
    pub fn in_words(&self) -> String {
        let text = self.without_zone().replace('T', " ");
        text.strip_suffix(":00")
            .map_or_else(|| text.clone(), str::to_owned)
    }

    /// The moment of a clock, cut to the second.
    pub fn at(time: SystemTime) -> Self {
        // The clock of a machine that was never set may be before 1970, and none is beyond the year 9999.
        Self::of(Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    fn of(moment: Timestamp) -> Self {
        Self(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// How many minutes this is after another moment, rounded up; 0 if it is not.
    pub fn minutes_after(&self, other: &Self) -> u32 {
        let seconds = |moment: &Self| moment.0.parse::<Timestamp>().map(Timestamp::as_second);
        let (Ok(this), Ok(other)) = (seconds(self), seconds(other)) else {
            return 0;
        };
        let minutes = (this - other).max(0).unsigned_abs().div_ceil(60);
        minutes.try_into().unwrap_or(u32::MAX)
    }

    /// Without the `Z`, for files that allow no time zone.
    pub fn without_zone(&self) -> &str {
        self.0.trim_end_matches('Z')
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Moment {
    type Error = NotAMoment;

    fn try_from(text: String) -> Result<Self, NotAMoment> {
        match well_formed(text.as_bytes()) {
            true => Ok(Self(text)),
            false => Err(NotAMoment(text)),
        }
    }
}

impl TryFrom<&str> for Moment {
    type Error = NotAMoment;

    fn try_from(text: &str) -> Result<Self, NotAMoment> {
        text.to_owned().try_into()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.0
    }
}

fn well_formed(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00Z";
    let shape = text.len() == SHAPE.len()
        && (text.iter().zip(SHAPE)).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            sign => byte == sign,
        });
    let two = |at: usize| (text[at] - b'0') * 10 + (text[at + 1] - b'0');
    shape
        && (1..=12).contains(&two(5))
        && (1..=days(year(text), two(5))).contains(&two(8))
        && two(11) < 24
        && two(14) < 60
        && two(17) < 60
}

fn year(text: &[u8]) -> u32 {
    (text[..4].iter()).fold(0, |year, digit| year * 10 + u32::from(digit - b'0'))
}

fn days(year: u32, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_in_utc_are_moments() {
        for text in [
            "2026-11-27T18:00:00Z",
            "2024-02-29T23:59:59Z",
            "2000-02-29T00:00:00Z",
        ] {
            assert_eq!(Moment::try_from(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "2026-11-27",
            "2026-11-27T18:00:00",
            "2026-11-27T18:00:00+01:00",
            "2026-11-27 18:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-27T24:00:00Z",
            "2026-11-27T18:60:00Z",
            "2026-11-27T18:00:0éZ",
        ] {
            assert!(Moment::try_from(text).is_err(), "{text:?}");
        }
        let zone = Moment::in_any_zone("2026-11-27T19:30:00+01:30").unwrap();
        assert_eq!(zone.as_str(), "2026-11-27T18:00:00Z");
        assert!(Moment::in_any_zone("2026-11-27T19:30:00").is_err());
        let moment = Moment::try_from("2026-11-27T18:00:00Z").unwrap();
        assert_eq!(
            Moment::at(SystemTime::UNIX_EPOCH).as_str(),
            "1970-01-01T00:00:00Z"
        );
        let late = Moment::try_from("2026-11-28T18:00:01Z").unwrap();
        assert_eq!(late.minutes_after(&moment), 24 * 60 + 1);
        assert_eq!(moment.minutes_after(&late), 0);
        assert_eq!(moment.without_zone(), "2026-11-27T18:00:00");
    }
}
