//! Finds the cost of a password hash that takes about a given time on this machine.
//!
//! Memory comes first, as RFC 9106 (section 4) advises: it is what a thief with special hardware lacks. Only when the fewest
//! passes over it take too long is there less of it. Then as many passes are made as the time allows.

use std::time::Duration;

use latchstring_store::password::{Cost, MAX_PASSES, MIN_MEMORY_MIB, MIN_PASSES, PasswordError};
use thiserror::Error;

/// A cost, and the time that it takes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// For the configuration.
    pub cost: Cost,
    /// For one hash.
    pub takes: Duration,
}

/// Why there is no such cost.
#[derive(Debug, Error)]
pub enum CalibrateError {
    /// This machine is too slow, or the wanted time is too short.
    #[error(
        "the lowest cost that is allowed takes {} ms on this machine, and {} ms are wanted; choose a longer time", .takes.as_millis(), .wanted.as_millis()
    )]
    TooSlow {
        /// With the least memory and the fewest passes.
        takes: Duration,
        /// What was asked for.
        wanted: Duration,
    },
    /// A hash failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// Finds the cost. `measure` says how long a hash takes at a cost; the memory is at most `memory_mib`.
///
/// # Errors
/// [`CalibrateError`]; those of `measure`.
pub fn calibrate(
    wanted: Duration,
    memory_mib: u32,
    mut measure: impl FnMut(Cost) -> Result<Duration, PasswordError>,
) -> Result<Found, CalibrateError> {
    let mut at = |memory_mib, passes| -> Result<Found, PasswordError> {
        // The search stays within the bounds of `Cost::new`.
        let cost = Cost::new(memory_mib, passes).unwrap_or(Cost::DEPLOYED);
        let takes = measure(cost)?;
        Ok(Found { cost, takes })
    };
    let mut found = at(memory_mib, MIN_PASSES)?;
    while found.takes > wanted {
        let memory_mib = found.cost.memory_mib();
        if memory_mib == MIN_MEMORY_MIB {
            let takes = found.takes;
            return Err(CalibrateError::TooSlow { takes, wanted });
        }
        let fits = scaled(memory_mib, wanted, found.takes).min(memory_mib - 1);
        found = at(fits.max(MIN_MEMORY_MIB), MIN_PASSES)?;
    }
    let memory_mib = found.cost.memory_mib();
    let mut passes = scaled(MIN_PASSES, wanted, found.takes).min(MAX_PASSES);
    while passes > MIN_PASSES {
        let more = at(memory_mib, passes)?;
        if more.takes <= wanted {
            return Ok(more);
        }
        passes -= 1;
    }
    Ok(found)
}

/// How much of something fits into the wanted time, when this amount takes that long.
fn scaled(amount: u32, wanted: Duration, takes: Duration) -> u32 {
    let takes = takes.max(Duration::from_micros(1));
    let fits = u128::from(amount) * wanted.as_nanos() / takes.as_nanos();
    u32::try_from(fits).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that takes this many microseconds for a pass over a MiB.
    fn machine(micros: u64) -> impl FnMut(Cost) -> Result<Duration, PasswordError> {
        move |cost| {
            let work = u64::from(cost.memory_mib()) * u64::from(cost.passes());
            Ok(Duration::from_micros(work * micros))
        }
    }

    fn found(micros: u64, wanted: u64, memory_mib: u32) -> Result<Found, CalibrateError> {
        calibrate(Duration::from_millis(wanted), memory_mib, machine(micros))
    }

    fn cost(memory_mib: u32, passes: u32) -> Cost {
        Cost::new(memory_mib, passes).unwrap()
    }

    #[test]
    fn a_fast_machine_makes_more_passes_and_a_slow_one_takes_less_memory() {
        assert_eq!(found(780, 150, 64).unwrap().cost, cost(64, 3));
        assert_eq!(found(200, 150, 64).unwrap().cost, cost(64, 11));
        assert_eq!(found(1, 150, 64).unwrap().cost, cost(64, 16));
        assert_eq!(found(2_000, 150, 64).unwrap().cost, cost(37, 2));
        assert_eq!(found(780, 150, 256).unwrap().cost, cost(96, 2));
    }

    #[test]
    fn no_cost_takes_longer_than_what_is_wanted() {
        for micros in (50..4_000).step_by(37) {
            match found(micros, 150, 64) {
                Ok(found) => assert!(found.takes <= Duration::from_millis(150), "{found:?}"),
                Err(why) => {
                    assert!(micros * 38 > 150_000, "{micros}: {why}");
                    assert!(why.to_string().contains("choose a longer time"), "{why}");
                }
            }
        }
    }

    #[test]
    fn a_hash_that_fails_ends_the_search() {
        let fails = |_| Err(PasswordError::Hash("no memory".to_owned()));
        let why = calibrate(Duration::from_millis(150), 64, fails).unwrap_err();
        assert!(matches!(why, CalibrateError::Password(_)), "{why}");
    }
}
