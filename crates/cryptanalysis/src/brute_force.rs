//! The cost of trying: a measured rate and a number of tries become time, energy and money.
//!
//! Nothing here is fast; that is the point. The caller measures the rate on the caller's machine, so the sum is about a
//! real machine.

use std::fmt;

/// Seconds in a year of 365.25 days.
const YEAR: f64 = 365.25 * 24.0 * 3600.0;

/// The prices of one core. Money is in any currency, as long as both prices are in the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// Power that one busy core draws, in watts, with its share of the machine and of the cooling.
    pub watts_per_core: f64,
    /// Price of a rented core for an hour, its energy included.
    pub per_core_hour: f64,
}

impl Prices {
    /// Assumptions of the order of a large provider's list in 2025, in US dollars. Only the powers of ten matter below.
    pub const RENTED_CORE: Self = Self {
        watts_per_core: 10.0,
        per_core_hour: 0.04,
    };
}

/// The cost of a number of tries. Infinity when the rate is zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// How many tries.
    pub tries: f64,
    /// Seconds of one core.
    pub core_seconds: f64,
    /// Energy in kilowatt-hours.
    pub kilowatt_hours: f64,
    /// Price, in the currency of [`Prices`].
    pub money: f64,
}

impl Cost {
    /// The cost of `tries` at `per_second` tries a second on one core.
    pub fn of(tries: f64, per_second: f64, prices: &Prices) -> Self {
        let core_seconds = tries / per_second;
        let core_hours = core_seconds / 3600.0;
        Self {
            tries,
            core_seconds,
            kilowatt_hours: core_hours * prices.watts_per_core / 1000.0,
            money: core_hours * prices.per_core_hour,
        }
    }

    /// The cost of all keys of `bits` bits at `keys_per_second` on one core. On average the key turns up half-way.
    pub fn of_keys(bits: u32, keys_per_second: f64, prices: &Prices) -> Self {
        Self::of(2f64.powi(bits as i32), keys_per_second, prices)
    }

    /// The years on this number of cores at once.
    pub fn years_on(&self, cores: f64) -> f64 {
        self.core_seconds / cores / YEAR
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tries: {} on one core, {} kWh, {} in money",
            Round(self.tries),
            Duration(self.core_seconds),
            Round(self.kilowatt_hours),
            Round(self.money)
        )
    }
}

/// The least energy, in joules, that a computer at `kelvin` needs merely to *count* to 2^bits. The energy is kT ln 2
/// for each bit that is erased (Landauer 1961). A better computer does not get below it, so it needs no measured rate.
pub fn counting_energy(bits: u32, kelvin: f64) -> f64 {
    const BOLTZMANN: f64 = 1.380_649e-23;
    2f64.powi(bits as i32) * BOLTZMANN * kelvin * std::f64::consts::LN_2
}

/// A number with two or three digits that mean something: `950`, `24 million`, `1.2e77`.
pub struct Round(pub f64);

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            x if x.abs() >= 1e12 => write!(f, "{x:.1e}"),
            x if x.abs() >= 1e9 => write!(f, "{:.1} thousand million", x / 1e9),
            x if x.abs() >= 1e6 => write!(f, "{:.1} million", x / 1e6),
            x if x.abs() >= 100.0 || x == x.trunc() => write!(f, "{x:.0}"),
            x if x.abs() >= 0.01 => write!(f, "{x:.2}"),
            x => write!(f, "{x:.1e}"),
        }
    }
}

/// A time given in seconds, in the unit that a reader can picture.
pub struct Duration(pub f64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each from the value on; tens of seconds read better than fractions of a minute.
        const UNITS: [(f64, f64, &str); 7] = [
            (2.0 * YEAR, YEAR, "years"),
            (2.0 * 86_400.0, 86_400.0, "days"),
            (2.0 * 3_600.0, 3_600.0, "hours"),
            (2.0 * 60.0, 60.0, "minutes"),
            (0.1, 1.0, "seconds"),
            (1e-4, 1e-3, "milliseconds"),
            (0.0, 1e-6, "microseconds"),
        ];
        let unit = UNITS.into_iter().find(|(from, ..)| self.0 >= *from);
        let (_, unit, name) = unit.unwrap_or(UNITS[4]);
        write!(f, "{} {name}", Round(self.0 / unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_256_bit_key_outlasts_everything() {
        let cost = Cost::of_keys(256, 24e6, &Prices::RENTED_CORE);
        // 1.158e77 / 24e6 / 3.156e7
        assert!((1.5e62..1.6e62).contains(&cost.years_on(1.0)));
        assert!((1.3e64..1.4e64).contains(&cost.kilowatt_hours));
        assert!((5.3e64..5.4e64).contains(&cost.money));
        assert!(cost.to_string().contains("e62 years"), "{cost}");
        // A thousand million machines of a thousand million cores do not change that.
        assert!(cost.years_on(1e18) > 1e43);
    }

    #[test]
    fn a_seed_of_the_last_day_is_nothing() {
        let cost = Cost::of(86_400.0, 5e6, &Prices::RENTED_CORE);
        assert!(cost.core_seconds < 0.02 && cost.money < 1e-6);
    }

    #[test]
    fn a_slow_hash_costs_more_by_its_own_factor() {
        let cost = |rate| Cost::of(1e9, rate, &Prices::RENTED_CORE);
        let (slow, fast) = (cost(1.0 / 0.021), cost(1e7));
        assert!((slow.money / fast.money - 210_000.0).abs() < 1.0);
        assert!((slow.core_seconds / 86_400.0 - 243.0).abs() < 1.0);
        assert_eq!(Duration(slow.core_seconds).to_string(), "243 days");
    }

    #[test]
    fn counting_alone_takes_more_than_the_sun_gives_in_a_year() {
        // The sun gives about 1.2e34 J a year; 3.2 K is cosmic background and a little.
        assert!(counting_energy(256, 3.2) / 1.2e34 > 1e19);
        assert!(counting_energy(128, 3.2) < 2e16);
    }

    #[test]
    fn numbers_are_written_for_people() {
        let written =
            [0.0, 0.000_02, 0.5, 12.0, 950.4, 24e6, 2.6e9, 1.158e77].map(|x| Round(x).to_string());
        assert_eq!(
            written,
            [
                "0",
                "2.0e-5",
                "0.50",
                "12",
                "950",
                "24.0 million",
                "2.6 thousand million",
                "1.2e77"
            ]
        );
        let times =
            [3e-7, 0.005, 0.5, 100.0, 200.0, 10_000.0, 1e6, 1e9].map(|x| Duration(x).to_string());
        assert_eq!(
            times,
            [
                "0.30 microseconds",
                "5 milliseconds",
                "0.50 seconds",
                "100 seconds",
                "3.33 minutes",
                "2.78 hours",
                "11.57 days",
                "31.69 years"
            ]
        );
    }
}
