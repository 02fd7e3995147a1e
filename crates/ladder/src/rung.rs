//! The rungs: one idea each, from the report's protocol to `latch/2`.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use thiserror::Error;

/// What a rung adds to the one below it. A peer asks for an idea where the idea does its work, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Idea {
    /// Every message is a frame with a number, and the number is in the counter block.
    Numbers = 1,
    /// A tag over number, length and ciphertext; keys for each purpose and direction; the server answers.
    Tag = 2,
    /// The number must be the next one.
    Order = 3,
    /// A type byte, and an end that both sides state.
    Ending = 4,
    /// X25519, signed by the host's key, which the client pins.
    Exchange = 5,
    /// The user's signature over the transcript.
    Proof = 6,
    /// A password inside the channel.
    Password = 7,
    /// Padding, one refusal, deadlines and caps.
    Quiet = 8,
    /// `latch/2`.
    Hardened = 9,
}

/// A step of the ladder, 0 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rung(u8);

/// A number that is no rung.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no rung of the ladder: choose a number from 0 to 9")]
pub struct NoRung(pub String);

/// What a rung's line in the table says. The texts are data: the run decides whether they are true.
#[derive(Debug)]
pub struct Line {
    /// The rung's name.
    pub name: &'static str,
    /// What it adds, in one sentence.
    pub adds: &'static str,
    /// The attacks that work on the rung below and fail on this one.
    pub kills: &'static [&'static str],
    /// The attacks that apply from this rung on, because it gives them something to attack.
    pub opens: &'static [&'static str],
}

/// The table of the ladder, from the bottom to the top.
const LINES: [Line; 10] = [
    Line {
        name: "faithful",
        adds: "the report's protocol, unchanged",
        kills: &[],
        opens: &[],
    },
    Line {
        name: "numbers",
        adds: "every message is a frame with a number, and the number is in the counter block",
        kills: &["keystream-reuse", "known-plaintext"],
        opens: &[],
    },
    Line {
        name: "tag",
        adds: "HMAC-SHA-256 over number, length and ciphertext; keys for each purpose and direction; \
               the server answers",
        kills: &["bit-flip"],
        opens: &["reflection"],
    },
    Line {
        name: "order",
        adds: "the number must be the next one, and the server acknowledges numbers",
        kills: &["message-replay", "reorder", "drop"],
        opens: &[],
    },
    Line {
        name: "ending",
        adds: "a type byte: text, acknowledgement, close; commands are words again",
        kills: &["truncation", "in-band"],
        opens: &[],
    },
    Line {
        name: "exchange",
        adds: "X25519 in two hellos, signed by the host's key, which the client pins",
        kills: &[
            "cleartext-key",
            "retrospective",
            "rogue-server",
            "login-replay",
            "login-dictionary",
        ],
        opens: &[],
    },
    Line {
        name: "proof",
        adds: "the user signs the transcript; the server looks the name up and holds public keys alone",
        kills: &[
            "impersonate",
            "relay",
            "trial-decryption",
            "offline-dictionary",
        ],
        opens: &["stolen-key"],
    },
    Line {
        name: "password",
        adds: "a password inside the channel, checked with argon2id after the signature",
        kills: &["stolen-key"],
        opens: &["online-guessing", "lockout", "argon2-exhaustion"],
    },
    Line {
        name: "quiet",
        adds: "five lengths; one refusal at a fixed time; exact lengths, deadlines, caps; guesses are counted",
        kills: &[
            "length-leak",
            "enumerate-reply",
            "enumerate-time",
            "online-guessing",
            "hog",
            "slow-and-huge",
        ],
        opens: &[],
    },
    Line {
        name: "hardened",
        adds: "latch/2: enrolment with tokens, key hygiene, throttling that cannot lock out, messages exactly once",
        kills: &[],
        opens: &[],
    },
];

impl Rung {
    /// All of them, from the bottom.
    pub const ALL: [Self; 10] = [
        Self(0),
        Self(1),
        Self(2),
        Self(3),
        Self(4),
        Self(5),
        Self(6),
        Self(7),
        Self(8),
        Self(9),
    ];
    /// The report's protocol.
    pub const FAITHFUL: Self = Self(0);
    /// The last rung that this crate speaks. The next one is the deployed protocol, with programs that exist already.
    pub const LAST_SPOKEN: Self = Self(8);
    /// `latch/2`.
    pub const HARDENED: Self = Self(9);

    /// The rung of this number.
    ///
    /// # Errors
    /// [`NoRung`] above 9.
    pub fn new(number: u8) -> Result<Self, NoRung> {
        let found = Self::ALL.get(usize::from(number));
        found.copied().ok_or_else(|| NoRung(number.to_string()))
    }

    /// The rungs that this crate speaks: 0 to 8.
    pub fn spoken() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().take_while(|rung| rung.is_spoken())
    }

    /// Whether this crate speaks it.
    pub fn is_spoken(self) -> bool {
        self <= Self::LAST_SPOKEN
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether the idea is in it: each rung keeps all ideas of the rungs below.
    pub fn has(self, idea: Idea) -> bool {
        self.0 >= idea as u8
    }

    /// Its line in the table.
    pub fn line(self) -> &'static Line {
        &LINES[usize::from(self.0)]
    }

    /// The rung below, if there is one.
    pub fn below(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Rung {
    type Err = NoRung;

    fn from_str(text: &str) -> Result<Self, NoRung> {
        let number = text.parse().map_err(|_| NoRung(text.to_owned()))?;
        Self::new(number)
    }
}

impl Serialize for Rung {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_has_its_idea_and_those_below() {
        let tag = Rung::new(2).unwrap();
        assert!(tag.has(Idea::Numbers) && tag.has(Idea::Tag) && !tag.has(Idea::Order));
        assert!(!Rung::FAITHFUL.has(Idea::Numbers));
        assert_eq!(Rung::spoken().count(), 9);
    }

    #[test]
    fn what_is_no_rung_is_refused_and_named() {
        for wrong in ["10", "-1", "", "tag", "256"] {
            let error = wrong.parse::<Rung>().unwrap_err();
            assert!(error.to_string().contains(wrong), "{error}");
        }
        assert_eq!("8".parse(), Ok(Rung::LAST_SPOKEN));
    }
}
