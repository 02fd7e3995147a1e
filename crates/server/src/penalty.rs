//! What a login without the key costs the source that it came from.
//!
//! Each one adds five seconds to the source's debt, which time pays off. A source that owes fifteen is turned away at the
//! door. The account that was named is not touched: whoever does not hold the key must not be able to lock it.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use tokio::time::Instant;

/// What one login without the key adds.
const EACH: Duration = Duration::from_secs(5);
/// From this debt on a source is turned away.
const ENFORCED: Duration = Duration::from_secs(15);
/// No source owes more.
const MOST: Duration = Duration::from_secs(600);
/// So many sources are remembered; beyond that the one that is next to be free is forgotten.
const SOURCES: usize = 65_536;

/// Until when each source owes.
#[derive(Debug, Default)]
pub(crate) struct Penalties(HashMap<IpAddr, Instant>);

impl Penalties {
    /// Whether this source is turned away now.
    pub(crate) fn stand_against(&self, source: IpAddr, now: Instant) -> bool {
        let until = self.0.get(&source);
        until.is_some_and(|until| until.saturating_duration_since(now) >= ENFORCED)
    }

    /// A login without the key came from there.
    pub(crate) fn add(&mut self, source: IpAddr, now: Instant) {
        if self.0.len() >= SOURCES && !self.0.contains_key(&source) {
            self.make_room(now);
        }
        let until = self.0.entry(source).or_insert(now);
        *until = ((*until).max(now) + EACH).min(now + MOST);
    }

    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, until| *until > now);
        if self.0.len() >= SOURCES {
            let first = self.0.iter().min_by_key(|(_, until)| **until);
            if let Some(source) = first.map(|(source, _)| *source) {
                self.0.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn source(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn three_in_a_row_are_turned_away_and_time_pays() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        for _ in 0..2 {
            penalties.add(source(1), now);
        }
        assert!(!penalties.stand_against(source(1), now));
        penalties.add(source(1), now);
        assert!(penalties.stand_against(source(1), now));
        assert!(!penalties.stand_against(source(2), now), "nobody else is");
        let later = now + Duration::from_millis(1);
        assert!(
            !penalties.stand_against(source(1), later),
            "fifteen seconds and no less"
        );
    }

    #[test]
    fn no_debt_grows_beyond_ten_minutes() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        for _ in 0..1000 {
            penalties.add(source(1), now);
        }
        assert!(penalties.stand_against(source(1), now + MOST - ENFORCED));
        assert!(!penalties.stand_against(source(1), now + MOST));
    }

    #[test]
    fn the_table_does_not_grow_without_bound() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        for n in 0..SOURCES as u32 + 10 {
            penalties.add(source(n), now);
        }
        assert_eq!(penalties.0.len(), SOURCES);
        let later = now + MOST;
        penalties.add(source(u32::MAX), later);
        assert_eq!(penalties.0.len(), 1, "debts that are paid make room");
    }
}
