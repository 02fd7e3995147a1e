//! A text that is being typed: dragged over all messages, or written over the one under the cursor.

use std::sync::Arc;

use latchstring_cryptanalysis::{Conflict, Keystream, Placement, xor};

use super::{
    session::{Pin, Place},
    solver::Crib,
};

/// A text that may be pinned next.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) text: String,
    /// The present place.
    pub(super) place: Place,
    /// The places for it, if it is a crib; a text written over another one stays where it is.
    pub(super) ranking: Option<Ranking>,
}

/// All places for a crib, the best first.
#[derive(Default)]
pub(super) struct Ranking {
    pub(super) placements: Vec<Placement>,
    /// The chosen place; `None` when the crib was moved by hand.
    pub(super) chosen: Option<usize>,
    /// The text that was last asked about, so that each is asked about once.
    asked: String,
    /// Whether they are known.
    answered: bool,
    /// Whether the next answer leaves the crib where it was moved to.
    by_hand: bool,
}

impl Draft {
    /// Nothing typed yet, to be dragged.
    pub(super) fn crib(place: Place) -> Self {
        Self {
            place,
            ranking: Some(Ranking::default()),
            ..Self::default()
        }
    }

    /// Nothing typed yet, to be written at `place`.
    pub(super) fn overtype(place: Place) -> Self {
        Self {
            place,
            ..Self::default()
        }
    }

    /// The pin that Enter would make.
    pub(super) fn pin(&self) -> Pin {
        Pin {
            place: self.place,
            text: self.text.clone(),
        }
    }

    /// The crib whose places are to be found next, once.
    pub(super) fn question(&mut self) -> Option<Crib> {
        let ranking = self.ranking.as_mut()?;
        if ranking.asked == self.text {
            return None;
        }
        ranking.asked.clone_from(&self.text);
        ranking.placements.clear();
        ranking.chosen = None;
        ranking.answered = self.text.is_empty();
        let crib = Crib {
            text: self.text.clone(),
            near: self.place.message,
        };
        (!crib.text.is_empty()).then_some(crib)
    }

    /// Whether the places of the present crib are still being looked for.
    pub(super) fn waits(&self) -> bool {
        let ranking = self.ranking.as_ref();
        ranking.is_some_and(|ranking| !self.text.is_empty() && !ranking.answered)
    }

    /// Takes the places of `crib`, unless another one has been typed meanwhile.
    pub(super) fn answer(&mut self, crib: &Crib, placements: Vec<Placement>) {
        let Some(ranking) = self.ranking.as_mut().filter(|_| self.text == crib.text) else {
            return;
        };
        ranking.placements = placements;
        ranking.answered = true;
        if !ranking.by_hand {
            self.choose(0);
        }
    }

    /// Goes down the list of places, or up.
    pub(super) fn walk(&mut self, by: isize) {
        let Some(ranking) = &self.ranking else {
            return;
        };
        let last = ranking.placements.len().saturating_sub(1);
        let next = match ranking.chosen {
            None => 0,
            Some(chosen) => chosen.saturating_add_signed(by).min(last),
        };
        self.choose(next);
    }

    fn choose(&mut self, number: usize) {
        let Some(ranking) = &mut self.ranking else {
            return;
        };
        if let Some(placement) = ranking.placements.get(number) {
            ranking.chosen = Some(number);
            ranking.by_hand = false;
            self.place = Place {
                message: placement.message,
                offset: placement.offset,
            };
        }
    }

    /// Moves the text by hand, as far as it fits.
    pub(super) fn shift(&mut self, messages: isize, bytes: isize, ciphertexts: &[Vec<u8>]) {
        let last = ciphertexts.len().saturating_sub(1);
        let message = self.place.message.saturating_add_signed(messages).min(last);
        let length = ciphertexts.get(message).map_or(0, Vec::len);
        let room = length.saturating_sub(self.text.len().max(1));
        let offset = self.place.offset.saturating_add_signed(bytes).min(room);
        self.place = Place { message, offset };
        if let Some(ranking) = &mut self.ranking {
            ranking.chosen = None;
            ranking.by_hand = true;
        }
    }
}

/// The keystream if a draft were right.
pub(super) struct Preview {
    offset: usize,
    key: Vec<u8>,
    /// The pin that speaks against it.
    pub(super) conflict: Option<Conflict>,
}

impl Preview {
    /// The messages under `draft`.
    pub(super) fn of(draft: &Draft, ciphertexts: &Arc<Vec<Vec<u8>>>, certain: &Keystream) -> Self {
        let Place { message, offset } = draft.place;
        let ciphertext = ciphertexts.get(message).map_or(&[][..], Vec::as_slice);
        let text = draft.text.as_bytes();
        Self {
            offset,
            key: xor(ciphertext.get(offset..).unwrap_or(&[]), text),
            conflict: certain.clone().learn(ciphertext, text, offset).err(),
        }
    }

    /// The keystream byte at `offset`, where the draft tells it.
    pub(super) fn key(&self, offset: usize) -> Option<u8> {
        let at = offset.checked_sub(self.offset)?;
        self.key.get(at).copied()
    }
}
