//! Admission: the limits on connections that are not logged in.
//!
//! A stranger costs memory and one signature. So that no source takes all connections, each has
//!
//! * a debt, if it has shown too many logins without a key ([`Penalties`]): turned away until it is paid;
//! * a bucket of tokens, one a connection, that fills slowly;
//! * few places at a time for connections that are not logged in.
//!
//! All sources together also have a limit on connections that are not logged in. Below this limit some connections are
//! dropped at random (random early drop, as OpenSSH's `MaxStartups`). An attacker who fills the server cannot know
//! which of the connections will stay, and honest users who try again get in.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    Limits,
    error::AdmissionError,
    load::Tables,
    penalty::{Penalties, PerSource, per_source},
};

/// Counts the connections that are not logged in.
#[derive(Debug)]
pub(crate) struct Admission {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limits: Limits,
    penalties: Penalties,
    /// When each source's bucket will be full again.
    full_at: PerSource<Instant>,
    strangers: HashMap<IpAddr, usize>,
    in_all: usize,
}

/// One place among the strangers, given back when dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    admission: Arc<Admission>,
    source: IpAddr,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        let state = State {
            limits: limits.clone(),
            penalties: Penalties::default(),
            full_at: per_source(),
            strangers: HashMap::new(),
            in_all: 0,
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// A place for a connection from `address`, or the limit that refuses it. `roll` is asked for a random number below
    /// 100, if chance decides.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        now: Instant,
        roll: impl FnOnce() -> u8,
    ) -> Result<Stranger, AdmissionError> {
        let source = source(address);
        let mut state = self.state();
        if state.penalties.stand_against(source, now) {
            return Err(AdmissionError::Penalty);
        }
        check_source(&mut state, source, now)?;
        check_all(&state.limits, state.in_all, roll)?;
        *state.strangers.entry(source).or_default() += 1;
        state.in_all += 1;
        let admission = Arc::clone(self);
        Ok(Stranger { admission, source })
    }

    /// Sets new limits; existing connections stay.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.state().limits = limits.clone();
    }

    /// Somebody has logged in from there, or was logged in until now.
    pub(crate) fn trust(&self, address: IpAddr, now: Instant) {
        self.state().penalties.trust(source(address), now);
    }

    /// A login without the key came from there.
    pub(crate) fn penalise(&self, address: IpAddr, now: Instant) {
        self.state().penalties.add(source(address), now);
    }

    /// The connections that are not logged in, and the sizes of the tables.
    pub(crate) fn load(&self) -> (usize, Tables) {
        let state = self.state();
        let (penalties, trusted) = state.penalties.sizes();
        let tables = Tables {
            rates: state.full_at.len(),
            penalties,
            trusted,
            keys: 0,
        };
        (state.in_all, tables)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics between two halves of a change, so the state is right even after a panic elsewhere.
        (self.state.lock()).unwrap_or_else(PoisonError::into_inner)
    }
}

/// The limits for one source.
fn check_source(state: &mut State, source: IpAddr, now: Instant) -> Result<(), AdmissionError> {
    let here = state.strangers.get(&source).copied().unwrap_or_default();
    if here >= state.limits.max_unauthenticated_per_source {
        return Err(AdmissionError::UnauthenticatedOfSource);
    }
    match take_token(&mut state.full_at, source, now, &state.limits) {
        true => Ok(()),
        false => Err(AdmissionError::Rate),
    }
}

/// The limits for all sources together, of which `n` connections are not logged in.
fn check_all(limits: &Limits, n: usize, roll: impl FnOnce() -> u8) -> Result<(), AdmissionError> {
    let Limits {
        early_drop_from: from,
        early_drop_percent: percent,
        max_unauthenticated: full,
        ..
    } = *limits;
    if n >= full {
        return Err(AdmissionError::Unauthenticated);
    }
    // From `percent` at `from` up to all at `full`; n is between them.
    let chance = || percent + (100 - percent) * (n - from) / (full - from);
    if n >= from && usize::from(roll()) < chance() {
        return Err(AdmissionError::EarlyDrop);
    }
    Ok(())
}

/// Takes a token out of the source's bucket, if there is one. Instead of tokens, the table has the time at which the
/// bucket will be full again; each token puts it off.
fn take_token(
    full_at: &mut PerSource<Instant>,
    source: IpAddr,
    now: Instant,
    limits: &Limits,
) -> bool {
    let burst = u32::try_from(limits.connection_burst).unwrap_or(u32::MAX);
    let per_minute = u32::try_from(limits.connections_per_minute).unwrap_or(u32::MAX);
    let one = Duration::from_secs(60) / per_minute.max(1);
    let known = full_at.peek(&source).copied();
    let then = known.map_or(now, |at| at.max(now)) + one;
    if then > now + one.saturating_mul(burst) {
        return false;
    }
    full_at.insert(source, then);
    true
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.in_all -= 1;
        if let Some(here) = state.strangers.get_mut(&self.source) {
            *here -= 1;
            if *here == 0 {
                state.strangers.remove(&self.source);
            }
        }
    }
}

/// The source of an address: an IPv4 address, also when written in IPv6, or an IPv6 /64, which one subscriber gets.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(in_all: usize, per_source: usize) -> Arc<Admission> {
        let limits = Limits {
            max_unauthenticated: in_all,
            max_unauthenticated_per_source: per_source,
            ..Limits::default()
        };
        Arc::new(Admission::new(&limits))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The n-th of many sources.
    fn nth(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(n).into()
    }

    /// Where chance decides: the luckiest roll.
    const LUCKY: fn() -> u8 = || 99;

    fn enter(admission: &Arc<Admission>, from: &str) -> Result<Stranger, AdmissionError> {
        admission.admit(ip(from), Instant::now(), LUCKY)
    }

    #[tokio::test(start_paused = true)]
    async fn one_source_cannot_take_all_places_and_gets_its_own_back() {
        let admission = admission(3, 2);
        let first = enter(&admission, "192.0.2.1").unwrap();
        let _second = enter(&admission, "::ffff:192.0.2.1").unwrap();
        let why = enter(&admission, "192.0.2.1").unwrap_err();
        assert_eq!(why, AdmissionError::UnauthenticatedOfSource);
        let _other = enter(&admission, "192.0.2.2").unwrap();
        let why = enter(&admission, "192.0.2.3").unwrap_err();
        assert_eq!(why, AdmissionError::Unauthenticated);
        drop(first);
        assert!(enter(&admission, "192.0.2.1").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_ipv6_subscriber_is_one_source() {
        let admission = admission(9, 1);
        let held = enter(&admission, "2001:db8:0:1::1").unwrap();
        assert!(enter(&admission, "2001:db8:0:1:ffff::2").is_err());
        assert!(enter(&admission, "2001:db8:0:2::1").is_ok());
        drop(held);
        let state = admission.state();
        assert!(state.strangers.is_empty(), "nobody is in");
        assert_eq!(state.in_all, 0);
    }

    #[test]
    fn a_bucket_holds_ten_and_gets_one_every_two_seconds() {
        let limits = Limits {
            connection_burst: 10,
            connections_per_minute: 30,
            ..Limits::default()
        };
        let (admission, began) = (Arc::new(Admission::new(&limits)), Instant::now());
        let enter = |after: Duration| admission.admit(nth(1), began + after, LUCKY);
        for _ in 0..10 {
            assert!(enter(Duration::ZERO).is_ok());
        }
        let why = enter(Duration::from_millis(1999)).unwrap_err();
        assert_eq!(why, AdmissionError::Rate);
        assert!(enter(Duration::from_secs(2)).is_ok());
        assert!(enter(Duration::from_secs(2)).is_err());
        assert!(admission.admit(nth(2), began, LUCKY).is_ok(), "another");
        let tenth = (0..10).all(|_| enter(Duration::from_secs(3600)).is_ok());
        assert!(
            tenth && enter(Duration::from_secs(3600)).is_err(),
            "no more"
        );
    }

    #[test]
    fn from_ten_strangers_on_chance_decides_and_at_a_hundred_nobody_is_let_in() {
        let limits = Limits {
            max_unauthenticated: 100,
            early_drop_from: 10,
            ..Limits::default()
        };
        let (admission, now) = (Arc::new(Admission::new(&limits)), Instant::now());
        let mut inside = Vec::new();
        // Between these rolls is the chance of being dropped, in percent.
        for (strangers, dropped, let_in) in [
            (0, None, 0),
            (9, None, 0),
            (10, Some(29), 30),
            (55, Some(64), 65),
            (99, Some(98), 99),
        ] {
            while inside.len() < strangers {
                let source = nth(inside.len() as u32);
                inside.push(admission.admit(source, now, LUCKY).unwrap());
            }
            if let Some(roll) = dropped {
                let why = admission.admit(nth(999), now, || roll).unwrap_err();
                assert_eq!(why, AdmissionError::EarlyDrop);
            }
            let other = admission.admit(nth(1000), now, || let_in);
            assert!(other.is_ok(), "{strangers} strangers");
        }
        inside.push(admission.admit(nth(100), now, LUCKY).unwrap());
        assert!(admission.admit(nth(999), now, LUCKY).is_err());
    }

    #[test]
    fn a_source_that_shows_logins_without_a_key_is_turned_away_for_a_while() {
        let (admission, now) = (admission(100, 4), Instant::now());
        for _ in 0..12 {
            admission.penalise(ip("2001:db8::1"), now);
        }
        let neighbour = ip("2001:db8::2");
        let why = admission.admit(neighbour, now, LUCKY).unwrap_err();
        assert_eq!(why, AdmissionError::Penalty);
        let later = now + Duration::from_secs(60);
        assert!(admission.admit(neighbour, later, LUCKY).is_ok());
    }

    /// A class comes in at once, twice each: the client meets the host, and then logs in. A few have the wrong key.
    #[test]
    fn a_class_behind_one_address_is_let_in_and_leaves_room_for_others() {
        let limits = Limits::default();
        let (admission, now) = (Arc::new(Admission::new(&limits)), Instant::now());
        let enter = |source| admission.admit(nth(source), now, || unreachable!("no chance yet"));
        for _ in 0..100 {
            drop(enter(1).unwrap());
        }
        admission.trust(nth(1), now);
        for _ in 0..30 {
            admission.penalise(nth(1), now);
        }
        let class: Vec<_> = (0..100).map(|_| enter(1).unwrap()).collect();
        assert!(enter(2).is_ok(), "{}", class.len());
        // One source alone can neither fill the house nor make chance decide.
        let rest: Vec<_> = (0..).map_while(|_| enter(1).ok()).collect();
        assert!(class.len() + rest.len() <= limits.max_unauthenticated / 4);
        assert!(class.len() + rest.len() < limits.early_drop_from);
        assert!(enter(2).is_ok());
    }

    #[test]
    fn limits_that_are_set_later_hold_for_whoever_comes_then() {
        let (admission, now) = (admission(100, 4), Instant::now());
        let enter = || admission.admit(nth(1), now, LUCKY);
        let _inside: Vec<_> = (0..4).map(|_| enter().unwrap()).collect();
        assert!(enter().is_err());
        admission.set_limits(&Limits {
            max_unauthenticated_per_source: 5,
            ..Limits::default()
        });
        let _fifth = enter().unwrap();
        assert!(enter().is_err());
    }
}
