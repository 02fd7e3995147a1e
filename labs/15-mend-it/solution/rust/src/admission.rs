//! How many connections are served at a time: in all, and from rung 8 on for each source before its login.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::rung::QUIET;

/// Connections at a time.
const ROOM: usize = 64;
/// Connections of one source that are not logged in, from rung 8 on.
const STRANGERS: usize = 8;

#[derive(Default)]
struct Count {
    all: usize,
    strangers: HashMap<IpAddr, usize>,
}

#[derive(Clone, Default)]
pub struct Admission(Arc<Mutex<Count>>);

/// The place of one connection. It is free again when this is dropped, however the connection ends.
pub struct Place {
    admission: Admission,
    source: IpAddr,
    is_stranger: bool,
}

impl Admission {
    /// A place for a connection from this source, if there is one.
    pub fn admit(&self, rung: u8, source: IpAddr) -> Option<Place> {
        let mut count = self.count();
        let strangers = count.strangers.get(&source).copied().unwrap_or(0);
        if count.all >= ROOM || (rung >= QUIET && strangers >= STRANGERS) {
            return None;
        }
        count.all += 1;
        count.strangers.insert(source, strangers + 1);
        Some(Place {
            admission: self.clone(),
            source,
            is_stranger: true,
        })
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().expect("no thread panics while it counts")
    }
}

impl Place {
    /// Its client is logged in, and no longer counts as a stranger.
    pub fn logged_in(&mut self) {
        if std::mem::take(&mut self.is_stranger) {
            let mut count = self.admission.count();
            let strangers = count.strangers.entry(self.source).or_default();
            *strangers -= 1;
            // A source that is gone takes no memory.
            if *strangers == 0 {
                count.strangers.remove(&self.source);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.logged_in();
        self.admission.count().all -= 1;
    }
}
