//! The analyst's knowledge: ciphertexts, pins and notes, and the way back to an earlier state.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Error, Result, anyhow, ensure};
use latchstring_cryptanalysis::{Conflict, Given, Keystream};

/// One byte of one message, both counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) message: usize,
    pub(super) offset: usize,
}

/// A text that is known to stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) place: Place,
    pub(super) text: String,
}

impl Pin {
    /// Whether the pin covers `place`.
    pub(super) fn covers(&self, place: Place) -> bool {
        self.place.message == place.message && self.reaches(place.offset)
    }

    /// Whether the pin gives the keystream at `offset`.
    fn reaches(&self, offset: usize) -> bool {
        (self.place.offset..self.place.offset + self.text.len()).contains(&offset)
    }
}

/// All that undo goes back over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Annotations {
    pub(super) pins: Vec<Pin>,
    /// One line of text about a message.
    pub(super) notes: BTreeMap<usize, String>,
}

/// The ciphertexts of one keystream and what was found out about them.
#[derive(Default)]
pub(super) struct Session {
    /// Shared with the solver, which works on another thread.
    ciphertexts: Arc<Vec<Vec<u8>>>,
    board: Annotations,
    past: Vec<Annotations>,
    future: Vec<Annotations>,
    saved: Annotations,
    /// The keystream from the pins.
    keystream: Keystream,
    /// Counts what makes the solver's last answer outdated.
    revision: u64,
}

impl Session {
    /// A session of which nothing is known yet.
    pub(super) fn new(ciphertexts: Vec<Vec<u8>>) -> Self {
        Self {
            ciphertexts: Arc::new(ciphertexts),
            ..Self::default()
        }
    }

    /// Takes over what was found out before, and counts it as saved.
    ///
    /// # Errors
    /// If a pin does not fit its message or contradicts another one.
    pub(super) fn resume(&mut self, board: Annotations) -> Result<()> {
        let mut keystream = Keystream::new();
        for pin in &board.pins {
            let Place { message, offset } = pin.place;
            self.check(pin)
                .and_then(|()| Ok(self.teach(&mut keystream, pin)?))
                .with_context(|| format!("the pin on message {}, byte {offset}", message + 1))?;
        }
        self.saved = board.clone();
        self.board = board;
        self.relearn();
        Ok(())
    }

    /// The ciphertexts, all from the first byte of the keystream on.
    pub(super) fn ciphertexts(&self) -> &Arc<Vec<Vec<u8>>> {
        &self.ciphertexts
    }

    /// How many bytes a message has; 0 if there is no such message.
    pub(super) fn length(&self, message: usize) -> usize {
        self.ciphertexts.get(message).map_or(0, Vec::len)
    }

    /// Pins and notes.
    pub(super) fn board(&self) -> &Annotations {
        &self.board
    }

    /// The keystream as far as the pins tell it.
    pub(super) fn keystream(&self) -> &Keystream {
        &self.keystream
    }

    /// Where the pins stand.
    pub(super) fn given(&self) -> Vec<Given> {
        let given = self.board.pins.iter().map(|pin| Given {
            message: pin.place.message,
            offset: pin.place.offset,
            length: pin.text.len(),
        });
        given.collect()
    }

    /// Changes whenever ciphertexts or pins do.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether something has changed since it was last written to a file.
    pub(super) fn unsaved(&self) -> bool {
        self.board != self.saved
    }

    /// Remembers that pins and notes are in a file as they are now.
    pub(super) fn saved(&mut self) {
        self.saved = self.board.clone();
    }

    /// Adds those of `ciphertexts` that are not there yet, at the end, so that pins and notes keep their messages. Returns
    /// how many there were.
    pub(super) fn add(&mut self, ciphertexts: Vec<Vec<u8>>) -> usize {
        let mut known: Vec<&Vec<u8>> = self.ciphertexts.iter().collect();
        let mut new = Vec::new();
        for ciphertext in ciphertexts {
            // The same message may have been sent twice: each one there stands for one only.
            match known.iter().position(|known| **known == ciphertext) {
                Some(at) => drop(known.remove(at)),
                None => new.push(ciphertext),
            }
        }
        let count = new.len();
        if count > 0 {
            Arc::make_mut(&mut self.ciphertexts).extend(new);
            self.revision += 1;
        }
        count
    }

    /// Pins a text. If that is refused, nothing has changed.
    ///
    /// # Errors
    /// If the text does not fit into the message, or contradicts another pin.
    pub(super) fn pin(&mut self, pin: Pin) -> Result<()> {
        ensure!(
            !self.board.pins.contains(&pin),
            "that text is pinned there already"
        );
        self.check(&pin)?;
        let taught = self.teach(&mut self.keystream.clone(), &pin);
        taught.map_err(|conflict| self.explain(&conflict))?;
        self.change(|board| board.pins.push(pin));
        Ok(())
    }

    fn check(&self, pin: &Pin) -> Result<()> {
        let Place { message, offset } = pin.place;
        let length = self.length(message);
        ensure!(!pin.text.is_empty(), "no text to pin: type one first");
        ensure!(
            offset.saturating_add(pin.text.len()) <= length,
            "{:?} does not fit: message {} ends after {length} bytes",
            pin.text,
            message + 1
        );
        Ok(())
    }

    fn teach(&self, keystream: &mut Keystream, pin: &Pin) -> Result<(), Conflict> {
        let ciphertext = &self.ciphertexts[pin.place.message];
        keystream.learn(ciphertext, pin.text.as_bytes(), pin.place.offset)
    }

    /// Says which pin it is that something contradicts.
    fn explain(&self, conflict: &Conflict) -> Error {
        let mut pins = self.board.pins.iter();
        match pins.find(|pin| pin.reaches(conflict.offset)) {
            Some(Pin { place, text }) => {
                let message = place.message + 1;
                anyhow!("{conflict} (pinned: {text:?} on message {message})")
            }
            None => anyhow!("{conflict}"),
        }
    }

    /// The number of the pin that says what stands at `place`: one on this message, or else on another one.
    pub(super) fn pin_at(&self, place: Place) -> Option<usize> {
        let pins = &self.board.pins;
        let here = pins.iter().rposition(|pin| pin.covers(place));
        let elsewhere = || pins.iter().rposition(|pin| pin.reaches(place.offset));
        here.or_else(elsewhere)
    }

    /// Takes a pin away and returns it.
    pub(super) fn unpin(&mut self, number: usize) -> Option<Pin> {
        let pin = self.board.pins.get(number)?.clone();
        self.change(|board| drop(board.pins.remove(number)));
        Some(pin)
    }

    /// Writes a note on a message; an empty one takes the old one away.
    pub(super) fn note(&mut self, message: usize, text: &str) {
        let text = text.trim();
        let old = self.board.notes.get(&message).map_or("", String::as_str);
        if text == old {
            return;
        }
        self.change(|board| match text {
            "" => drop(board.notes.remove(&message)),
            text => drop(board.notes.insert(message, text.to_owned())),
        });
    }

    /// Takes the last change back. Returns whether there was one.
    pub(super) fn undo(&mut self) -> bool {
        let Some(board) = self.past.pop() else {
            return false;
        };
        let now = std::mem::replace(&mut self.board, board);
        self.future.push(now);
        self.relearn();
        true
    }

    /// Makes the change again that was last taken back. Returns whether there was one.
    pub(super) fn redo(&mut self) -> bool {
        let Some(board) = self.future.pop() else {
            return false;
        };
        let now = std::mem::replace(&mut self.board, board);
        self.past.push(now);
        self.relearn();
        true
    }

    fn change(&mut self, change: impl FnOnce(&mut Annotations)) {
        self.past.push(self.board.clone());
        self.future.clear();
        change(&mut self.board);
        self.relearn();
    }

    fn relearn(&mut self) {
        let mut keystream = Keystream::new();
        for pin in &self.board.pins {
            // Each was tried when it was pinned, and fewer of them do not contradict each other either.
            let _ = self.teach(&mut keystream, pin);
        }
        if keystream != self.keystream {
            self.keystream = keystream;
            self.revision += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use latchstring_cryptanalysis::xor;

    use super::*;

    const TEXTS: [&str; 3] = ["pay bob ten", "see you soon", "hello"];

    fn session() -> Session {
        let key: Vec<u8> = (0..20u8).map(|at| at.wrapping_mul(31) ^ 0x5a).collect();
        Session::new(TEXTS.map(|text| xor(text.as_bytes(), &key)).to_vec())
    }

    fn pin(message: usize, offset: usize, text: &str) -> Pin {
        Pin {
            place: Place { message, offset },
            text: text.to_owned(),
        }
    }

    fn read(session: &Session, message: usize) -> String {
        let opened = session.keystream().open(&session.ciphertexts()[message]);
        latchstring_cryptanalysis::render(&opened, '_')
    }

    #[test]
    fn a_pin_opens_the_other_messages_and_undo_closes_them() {
        let mut session = session();
        session.pin(pin(0, 4, "bob")).unwrap();
        assert_eq!(read(&session, 1), "____you_____");
        assert!(session.undo());
        assert_eq!(read(&session, 1), "____________");
        assert!(session.redo());
        assert_eq!(read(&session, 2), "____o");
        assert!(!session.redo());
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut session = session();
        session.pin(pin(0, 0, "pay bob")).unwrap();
        let (board, revision) = (session.board().clone(), session.revision());
        let refused = |session: &mut Session, pin: Pin| session.pin(pin).unwrap_err().to_string();
        let conflict = refused(&mut session, pin(1, 2, "x you"));
        assert!(
            conflict.starts_with("keystream byte 2 is known as"),
            "{conflict}"
        );
        let long = refused(&mut session, pin(2, 3, "low"));
        assert_eq!(long, "\"low\" does not fit: message 3 ends after 5 bytes");
        for pin in [
            pin(0, 0, "pay bob"),
            pin(0, 0, ""),
            pin(9, 0, "x"),
            pin(0, usize::MAX, "x"),
        ] {
            refused(&mut session, pin);
        }
        assert_eq!((session.board(), session.revision()), (&board, revision));
        assert!(session.undo() && !session.undo(), "nothing to go back over");
    }

    #[test]
    fn a_pin_goes_and_what_others_tell_stays() {
        let mut session = session();
        session.pin(pin(0, 0, "pay bob")).unwrap();
        session.pin(pin(1, 0, "see ")).unwrap();
        assert_eq!(
            session.pin_at(Place {
                message: 1,
                offset: 3
            }),
            Some(1)
        );
        assert_eq!(
            session.pin_at(Place {
                message: 2,
                offset: 4
            }),
            Some(0),
            "by a pin elsewhere"
        );
        assert_eq!(
            session.pin_at(Place {
                message: 0,
                offset: 9
            }),
            None
        );
        session.unpin(0);
        assert_eq!(read(&session, 0), "pay _______");
        assert_eq!(session.unpin(7), None);
    }

    #[test]
    fn a_note_is_undone_too_and_needs_no_new_solution() {
        let mut session = session();
        let revision = session.revision();
        session.note(1, " goodbye ");
        assert_eq!(session.board().notes[&1], "goodbye");
        session.note(1, "goodbye");
        assert!(session.unsaved());
        assert!(
            session.undo() && !session.undo(),
            "the second note said nothing new"
        );
        assert!(!session.unsaved());
        session.redo();
        session.note(1, "");
        assert!(session.board().notes.is_empty());
        assert_eq!(session.revision(), revision);
    }

    #[test]
    fn a_growing_session_keeps_its_messages_where_they_are() {
        let mut session = session();
        session.pin(pin(2, 0, "hello")).unwrap();
        let old = session.ciphertexts().to_vec();
        let revision = session.revision();
        assert_eq!(session.add(old.clone()), 0);
        assert_eq!(session.revision(), revision);
        // One more in the middle, and one that was sent a second time.
        let now = vec![
            old[0].clone(),
            vec![1, 2, 3],
            old[1].clone(),
            old[2].clone(),
            old[2].clone(),
        ];
        assert_eq!(session.add(now), 2);
        assert_eq!(session.ciphertexts()[..3], old);
        assert_eq!(session.ciphertexts()[3..], [vec![1, 2, 3], old[2].clone()]);
        assert_eq!(read(&session, 2), "hello");
        assert_ne!(session.revision(), revision);
    }
}
