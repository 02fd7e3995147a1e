//! The penalty of a login without the key for its source.
//!
//! Each such login adds five seconds to the penalty of its source, and the penalty falls by a second in each second. A
//! source whose penalty has reached a minute is refused until its penalty is zero. (OpenSSH's `PerSourcePenalties` count
//! the same way.) The named account is not touched: a client without the key must not be able to lock it.
//!
//! Many users may sit behind one address, a class for example, and a few of them may have the wrong key. The others
//! must not be kept out. So a source with a login within the last hour is not refused; only the limits on connections
//! apply to it.

use std::{hash::RandomState, net::IpAddr, time::Duration};

use hashlink::LruCache;
use tokio::time::Instant;

/// The penalty for one login without the key.
const EACH: Duration = Duration::from_secs(5);
/// From this penalty on a source is refused.
const ENFORCED: Duration = Duration::from_secs(60);
/// The highest penalty of a source.
const MOST: Duration = Duration::from_secs(600);
/// The time for which a successful login protects its source.
const TRUSTED: Duration = Duration::from_secs(3600);
/// The number of sources that are remembered. Above it, the source that has been quiet for longest is forgotten: the
/// table must not be an attack on our memory.
const SOURCES: usize = 65_536;

/// A value for each recent source. Its hash is keyed, since strangers choose their addresses.
pub(crate) type PerSource<T> = LruCache<IpAddr, T, RandomState>;

/// An empty table.
pub(crate) fn per_source<T>() -> PerSource<T> {
    LruCache::with_hasher(SOURCES, RandomState::new())
}

/// The penalty of each source.
#[derive(Debug)]
pub(crate) struct Penalties {
    penalties: PerSource<Penalty>,
    /// The end of the time for which a login protects the source.
    trusted: PerSource<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Penalty {
    /// The end of the penalty.
    until: Instant,
    /// Whether the penalty was ever high enough to be refused.
    enforced: bool,
}

impl Default for Penalties {
    fn default() -> Self {
        Self {
            penalties: per_source(),
            trusted: per_source(),
        }
    }
}

impl Penalties {
    /// Whether this source is turned away now.
    pub(crate) fn stand_against(&self, source: IpAddr, now: Instant) -> bool {
        let penalty = self.penalties.peek(&source);
        penalty.is_some_and(|penalty| penalty.enforced && now < penalty.until)
            && !self.trusts(source, now)
    }

    /// Somebody has logged in from there, or was logged in until now.
    pub(crate) fn trust(&mut self, source: IpAddr, now: Instant) {
        self.trusted.insert(source, now + TRUSTED);
    }

    /// How many sources have a penalty, and how many a login protects. The time of either may be over.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.penalties.len(), self.trusted.len())
    }

    fn trusts(&self, source: IpAddr, now: Instant) -> bool {
        self.trusted.peek(&source).is_some_and(|until| now < *until)
    }

    /// A login without the key came from there.
    pub(crate) fn add(&mut self, source: IpAddr, now: Instant) {
        let running = self
            .penalties
            .get(&source)
            .filter(|penalty| now < penalty.until);
        let Penalty { until, enforced } = running.copied().unwrap_or(Penalty {
            until: now,
            enforced: false,
        });
        let until = (until + EACH).min(now + MOST);
        let enforced = enforced || until - now >= ENFORCED;
        self.penalties.insert(source, Penalty { until, enforced });
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn source(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n).into()
    }

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// As many as it takes to be turned away.
    fn fail_often(penalties: &mut Penalties, source: IpAddr, now: Instant) {
        for _ in 0..12 {
            penalties.add(source, now);
        }
    }

    #[test]
    fn twelve_in_a_row_are_turned_away_until_the_penalty_is_over() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        for _ in 0..11 {
            penalties.add(source(1), now);
        }
        assert!(!penalties.stand_against(source(1), now));
        penalties.add(source(1), now);
        assert!(penalties.stand_against(source(1), now));
        assert!(!penalties.stand_against(source(2), now), "nobody else is");
        let nearly = now + ENFORCED - Duration::from_millis(1);
        assert!(penalties.stand_against(source(1), nearly));
        assert!(!penalties.stand_against(source(1), now + ENFORCED));
        penalties.add(source(1), now + ENFORCED);
        let again = now + ENFORCED;
        assert!(!penalties.stand_against(source(1), again), "a new account");
    }

    #[test]
    fn where_somebody_logs_in_the_wrong_keys_of_others_keep_nobody_out_for_an_hour() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        penalties.trust(source(1), now);
        for minute in 0..60 {
            let now = now + seconds(60) * minute;
            fail_often(&mut penalties, source(1), now);
            assert!(!penalties.stand_against(source(1), now));
        }
        let later = now + TRUSTED;
        fail_often(&mut penalties, source(1), later);
        assert!(penalties.stand_against(source(1), later));
        penalties.trust(source(1), later);
        assert!(!penalties.stand_against(source(1), later));
        assert!(!penalties.stand_against(source(2), later), "another source");
    }

    #[test]
    fn who_fails_seldom_is_never_turned_away() {
        let (mut penalties, began) = (Penalties::default(), Instant::now());
        for n in 0..1000 {
            let now = began + EACH * n;
            assert!(!penalties.stand_against(source(1), now));
            penalties.add(source(1), now);
        }
    }

    #[test]
    fn no_penalty_grows_beyond_ten_minutes() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        for _ in 0..1000 {
            penalties.add(source(1), now);
        }
        assert!(penalties.stand_against(source(1), now + MOST - seconds(1)));
        assert!(!penalties.stand_against(source(1), now + MOST));
    }

    #[test]
    fn the_table_does_not_grow_without_bound_and_the_quietest_is_forgotten() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        fail_often(&mut penalties, source(1), now);
        fail_often(&mut penalties, source(2), now);
        for n in 3..=SOURCES as u32 {
            penalties.add(source(n), now);
        }
        penalties.add(source(1), now);
        penalties.add(source(u32::MAX), now);
        assert_eq!(penalties.penalties.len(), SOURCES);
        assert!(penalties.stand_against(source(1), now));
        assert!(!penalties.stand_against(source(2), now), "forgotten");
    }
}
