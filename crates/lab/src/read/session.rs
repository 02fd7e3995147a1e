//! One session while it is read: the lines to print.

use std::{mem::size_of, net::SocketAddr};

use anyhow::Result;
use latchstring_attacker::{
    capture::{
        Item,
        dissect::{Dissector, Event, Faithful, Identity, Named, Part, Place, Protocol, missing},
    },
    cuts,
    protocol_faithful::{keys::SessionSecrets, record::Opener},
};

use super::{
    Shown,
    listing::{Listing, SHOWN},
};

/// The legend for a listing of the faithful protocol.
const LEGEND: &str = "login: textbook RSA of the username, no padding. Messages: AES-256-CTR, whose counter starts at 1 \
                      again for each. Nothing marks where a message ends: that each segment is one is a guess.";

/// One session.
pub(super) struct Session {
    pub(super) number: usize,
    client: SocketAddr,
    server: SocketAddr,
    dissector: Dissector,
    /// Not printed yet.
    events: Vec<Event>,
    waiting: usize,
    headed: Headed,
    closed: Option<bool>,
    decrypt: Option<Secrets>,
    full: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Headed {
    No,
    Yes,
    /// Other sessions were printed behind the heading.
    Interrupted,
}

/// The secrets that decryption needs.
#[derive(Default)]
struct Secrets {
    session: Faithful,
    end: Option<u64>,
}

impl Session {
    pub(super) fn new(number: usize, client: SocketAddr, server: SocketAddr, shown: Shown) -> Self {
        Self {
            number,
            client,
            server,
            dissector: Dissector::default(),
            events: Vec::new(),
            waiting: 0,
            headed: Headed::No,
            closed: None,
            decrypt: shown.decrypt.then(Secrets::default),
            full: shown.full,
        }
    }

    /// Takes what happened next.
    pub(super) fn push(&mut self, item: Item) {
        let (events, waiting, full) = (&mut self.events, &mut self.waiting, self.full);
        self.dissector
            .push(item, &mut |event| add(events, waiting, full, event));
    }

    /// Nothing more will happen.
    pub(super) fn end(&mut self, closed: bool) {
        let (events, waiting, full) = (&mut self.events, &mut self.waiting, self.full);
        self.dissector
            .finish(&mut |event| add(events, waiting, full, event));
        self.closed = Some(closed);
    }

    pub(super) fn has_text(&self) -> bool {
        !self.events.is_empty()
    }

    /// How much memory waits to be printed, in bytes.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Says at the next line that it is this session which goes on.
    pub(super) fn interrupt(&mut self) {
        if self.headed == Headed::Yes {
            self.headed = Headed::Interrupted;
        }
    }

    /// Prints what is ready.
    pub(super) fn print(&mut self, listing: &mut Listing) -> Result<()> {
        // The last bytes of an unknown protocol may go on.
        let last = self
            .events
            .last()
            .filter(|_| self.closed.is_none() && !self.full);
        let keep = usize::from(last.is_some_and(goes_on));
        let ready = self.events.len() - keep;
        if ready > 0 || self.closed.is_some() {
            self.heading(listing)?;
        }
        let events: Vec<Event> = self.events.drain(..ready).collect();
        self.waiting = self.events.iter().map(cost).sum();
        for event in &events {
            print(listing, event)?;
            if let (Some(loot), Event::Named(named)) = (&mut self.decrypt, event) {
                loot.take(named);
            }
        }
        match self.closed {
            Some(closed) => self.footing(closed, listing),
            None => Ok(()),
        }
    }

    fn heading(&mut self, listing: &mut Listing) -> Result<()> {
        let (number, mut client, mut server) = (self.number + 1, self.client, self.server);
        if self.dissector.flipped() {
            std::mem::swap(&mut client, &mut server);
        }
        match std::mem::replace(&mut self.headed, Headed::Yes) {
            Headed::Yes => return Ok(()),
            Headed::Interrupted => {
                return listing.line(&format!("session {number}, continued"));
            }
            Headed::No => {}
        }
        let identity = self.dissector.identity();
        let protocol = identity.map_or(String::new(), |identity| format!(", {identity}"));
        listing.paragraph(
            "",
            &format!("session {number}: {client} -> {server}{protocol}"),
        )?;
        if identity.is_some_and(|identity| identity.protocol == Protocol::Faithful) {
            listing.paragraph("  ", LEGEND)?;
        }
        Ok(())
    }

    fn footing(&self, closed: bool, listing: &mut Listing) -> Result<()> {
        if let (Some(loot), Some(identity)) = (&self.decrypt, self.dissector.identity()) {
            loot.print(identity, listing)?;
        }
        listing.line(match closed {
            true => "  closed\n",
            false => "  still open at the end of the capture\n",
        })
    }
}

/// Adds an event. Unknown bytes behind unknown bytes of the same side are one field. Only its first bytes are kept,
/// unless all are to be shown.
fn add(events: &mut Vec<Event>, waiting: &mut usize, full: bool, event: Event) {
    if let (false, Some(Event::Named(last)), Event::Named(next)) = (full, events.last_mut(), &event)
        && (last.part, next.part) == (Part::Unknown, Part::Unknown)
        && last.from == next.from
    {
        last.range.end = next.range.end;
        let room = SHOWN.saturating_sub(last.bytes.len());
        last.bytes.extend(next.bytes.iter().take(room));
        return;
    }
    *waiting += cost(&event);
    events.push(event);
}

fn cost(event: &Event) -> usize {
    let text = match event {
        Event::Named(named) => named.bytes.len(),
        Event::Comment(text) => text.len(),
        Event::Lost { .. } => 0,
    };
    size_of::<Event>() + text
}

/// Whether the next bytes may be of the same field.
fn goes_on(event: &Event) -> bool {
    matches!(event, Event::Named(named) if named.part == Part::Unknown)
}

fn print(listing: &mut Listing, event: &Event) -> Result<()> {
    match event {
        Event::Named(named) => listing.field(named),
        Event::Comment(text) => text
            .lines()
            .try_for_each(|line| listing.strangers("           # ", line)),
        Event::Lost {
            from,
            offset,
            bytes,
            cut,
        } => {
            let text = missing(*from, *offset, *bytes, *cut);
            listing.paragraph("           ", &text)
        }
    }
}

impl Secrets {
    fn take(&mut self, named: &Named) {
        let whole = named.lacks == 0;
        match named.part {
            Part::SessionKey if whole => self.session.key = named.bytes[..].try_into().ok(),
            Part::Iv if whole => self.session.iv = named.bytes[..].try_into().ok(),
            Part::Message(_) => {
                self.session.places.push(Place {
                    offset: named.offset,
                    lacks: named.lacks,
                    joined: self.end == Some(named.offset),
                });
                let end = named.offset + named.bytes.len() as u64;
                self.end = whole.then_some(end);
                self.session.messages.push(named.bytes.clone());
            }
            _ => {}
        }
    }

    fn print(&self, identity: Identity, listing: &mut Listing) -> Result<()> {
        let (Some(key), Some(iv)) = (self.session.key, self.session.iv) else {
            let why = match identity.protocol {
                Protocol::Faithful => "nothing is decrypted: the session key is not in the capture",
                Protocol::Hardened | Protocol::Weakened => {
                    "nothing is decrypted: the key of this protocol is never on the wire"
                }
                Protocol::Unknown => "nothing is decrypted: the protocol is not known",
            };
            return listing.paragraph("  ", why);
        };
        let opener = Opener::new(&SessionSecrets::new(key, iv));
        let read = cuts::read(&self.session, |ciphertext| opener.open(ciphertext).to_vec());
        listing.paragraph("  ", "decrypted with the session key that is on the wire:")?;
        for remark in &read.remarks {
            listing.paragraph("  ", remark)?;
        }
        for (message, number) in read.messages.iter().zip(1..) {
            let label = format!("message {number}");
            listing.text(&label, &message.plaintext, &message.in_words())?;
        }
        Ok(())
    }
}
