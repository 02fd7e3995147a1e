//! Fragments of IP packets (RFC 791, 3.2; RFC 8200, 4.5), put together within bounds.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
};

use etherparse::{IpFragOffset, IpNumber, defrag::IpDefragBuf};

use super::Skip;

/// The number of packets that are put together at a time. Each packet has at most 64 KiB; the oldest one makes room.
const OPEN: usize = 64;

/// The common fields of the fragments of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    number: u8,
    id: u32,
}

/// One fragment.
#[derive(Debug)]
pub(super) struct Fragment<'a> {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    pub(super) number: IpNumber,
    pub(super) id: u32,
    pub(super) offset: IpFragOffset,
    pub(super) more: bool,
    pub(super) bytes: &'a [u8],
    /// Whether the recorder cut it.
    pub(super) cut: bool,
}

impl Fragment<'_> {
    pub(super) fn key(&self) -> Key {
        Key {
            from: self.from,
            to: self.to,
            number: self.number.0,
            id: self.id,
        }
    }
}

/// Packets of which some fragments are here.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    open: HashMap<Key, (IpDefragBuf, u64)>,
    /// Oldest first.
    order: VecDeque<Key>,
    /// How many fragments were given up because their packet made room for others.
    given_up: u64,
}

impl Fragments {
    /// Adds a fragment; returns the packet's payload once it is whole.
    ///
    /// # Errors
    /// [`Skip::Fragment`] while parts are missing, [`Skip::BadFragment`] for one that cannot be used.
    pub(super) fn add(&mut self, fragment: Fragment<'_>) -> Result<Vec<u8>, Skip> {
        if fragment.cut {
            return Err(Skip::BadFragment);
        }
        let key = fragment.key();
        if !self.open.contains_key(&key) {
            self.make_room();
            let buffer = IpDefragBuf::new(fragment.number, Vec::new(), Vec::new());
            self.open.insert(key, (buffer, 0));
            self.order.push_back(key);
        }
        let Some((buffer, count)) = self.open.get_mut(&key) else {
            return Err(Skip::Fragment);
        };
        buffer
            .add(fragment.offset, fragment.more, fragment.bytes)
            .map_err(|_| Skip::BadFragment)?;
        *count += 1;
        if !buffer.is_complete() {
            return Err(Skip::Fragment);
        }
        self.order.retain(|open| *open != key);
        let (buffer, _) = self.open.remove(&key).ok_or(Skip::Fragment)?;
        Ok(buffer.take_bufs().0)
    }

    fn make_room(&mut self) {
        while self.open.len() >= OPEN {
            let oldest = self.order.pop_front();
            let Some((_, count)) = oldest.and_then(|key| self.open.remove(&key)) else {
                break;
            };
            self.given_up += count;
        }
    }

    /// How many fragments came and made no whole packet.
    pub(super) fn waiting(&self) -> u64 {
        self.given_up + self.open.values().map(|(_, count)| count).sum::<u64>()
    }
}
