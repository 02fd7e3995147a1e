//! How many strangers there may be at a time, in all and from one source.
//!
//! A stranger costs memory and one signature before anything is known about them. The caps keep one source from taking
//! all the places; whoever is logged in no longer counts.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use crate::{Limits, penalty::Penalties};

/// Counts the connections that are not logged in.
#[derive(Debug)]
pub(crate) struct Admission {
    in_all: usize,
    per_source: usize,
    penalties: Mutex<Penalties>,
    strangers: Mutex<HashMap<IpAddr, usize>>,
}

/// One place among the strangers, given back when dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    admission: Arc<Admission>,
    source: IpAddr,
}

impl Admission {
    /// `source_caps`: whether one source may hold fewer places than there are.
    pub(crate) fn new(limits: &Limits, source_caps: bool) -> Self {
        Self {
            in_all: limits.max_unauthenticated,
            per_source: match source_caps {
                true => limits.max_unauthenticated_per_source,
                false => limits.max_unauthenticated,
            },
            penalties: Mutex::default(),
            strangers: Mutex::default(),
        }
    }

    /// A place for somebody from `address`, or which limit stands against it.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Stranger, &'static str> {
        let source = source(address);
        if self.penalties().stand_against(source, Instant::now()) {
            return Err("too many logins without a key came from this source");
        }
        let mut strangers = self.strangers();
        // At most `in_all` entries, so the sum is short.
        if strangers.values().sum::<usize>() >= self.in_all {
            return Err("too many connections are not logged in (max_unauthenticated)");
        }
        let here = strangers.entry(source).or_default();
        if *here >= self.per_source {
            return Err(
                "too many connections from this source are not logged in (max_unauthenticated_per_source)",
            );
        }
        *here += 1;
        let admission = Arc::clone(self);
        Ok(Stranger { admission, source })
    }

    /// A login without the key came from there.
    pub(crate) fn penalise(&self, address: IpAddr) {
        self.penalties().add(source(address), Instant::now());
    }

    fn penalties(&self) -> MutexGuard<'_, Penalties> {
        (self.penalties.lock()).unwrap_or_else(PoisonError::into_inner)
    }

    fn strangers(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // A count is changed in one step, so it is right even after a panic elsewhere.
        (self.strangers.lock()).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut strangers = self.admission.strangers();
        if let Some(here) = strangers.get_mut(&self.source) {
            *here -= 1;
            if *here == 0 {
                strangers.remove(&self.source);
            }
        }
    }
}

/// Who counts as one: an IPv4 address, also when written in IPv6; or an IPv6 /64, which is what one subscriber gets.
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
        Arc::new(Admission::new(&limits, true))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_source_cannot_take_all_places_and_gets_its_own_back() {
        let admission = admission(3, 2);
        let first = admission.admit(ip("192.0.2.1")).unwrap();
        let _second = admission.admit(ip("::ffff:192.0.2.1")).unwrap();
        let why = admission.admit(ip("192.0.2.1")).unwrap_err();
        assert!(why.contains("per_source"), "{why}");
        let _other = admission.admit(ip("192.0.2.2")).unwrap();
        let why = admission.admit(ip("192.0.2.3")).unwrap_err();
        assert!(why.contains("(max_unauthenticated)"), "{why}");
        drop(first);
        assert!(admission.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn an_ipv6_subscriber_is_one_source() {
        let admission = admission(9, 1);
        let held = admission.admit(ip("2001:db8:0:1::1")).unwrap();
        assert!(admission.admit(ip("2001:db8:0:1:ffff::2")).is_err());
        assert!(admission.admit(ip("2001:db8:0:2::1")).is_ok());
        drop(held);
        assert!(admission.strangers().is_empty(), "nothing is remembered");
    }
}
