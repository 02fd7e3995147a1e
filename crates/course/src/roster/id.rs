//! The short, stable name of a student for folders and archives.
//!
//! An id begins with `a` to `z`, goes on with these letters, digits, `-` and `_`, and has at most 32 characters. So it is a
//! file name on every system, no option of a program, and no number that a spreadsheet rewrites.
//!
//! It depends on this student alone, never on the others in the list. A student who joins or leaves changes no id:
//!
//! * a login that is an id already, apart from the case of its letters, is the id;
//! * in every other case the id is the readable part of the login or of the address, and six hex digits. They begin the
//!   SHA-256 of the whole: `anna.muster@uni.example` becomes `anna-muster-59cdee`.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A student's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// The longest id, in characters.
const LONGEST: usize = 32;

/// The longest readable part in front of the digits of a hash, in characters.
const READABLE: usize = 20;

/// Names that Windows keeps for devices, with any ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no id: an id begins with a letter from a to z, goes on with these letters, digits, - and _, has at most 32 characters, and is no device name of Windows"
)]
pub struct NotAnId(pub String);

impl Id {
    /// The id of the student with this login, address or number.
    pub(super) fn of(key: &str) -> Self {
        let lower = key.to_lowercase();
        if well_formed(&lower) {
            return Self(lower);
        }
        let hash = hex::encode(&Sha256::digest(lower.as_bytes())[..3]);
        Self(format!("{}-{hash}", readable(&lower)))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Id {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        match well_formed(&text) {
            true => Ok(Self(text)),
            false => Err(NotAnId(text)),
        }
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

fn well_formed(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(inner)
        && text.len() <= LONGEST
        && !is_device(text)
}

fn is_device(text: &str) -> bool {
    let numbered = text.strip_prefix("com").or(text.strip_prefix("lpt"));
    let digit = numbered.is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit());
    digit || DEVICES.contains(&text)
}

/// What is left of a login or an address in the letters of an id: of an address the part in front of the `@`.
fn readable(key: &str) -> String {
    let local = key.split('@').next().unwrap_or(key);
    let mut text = String::new();
    for c in local.chars() {
        match c {
            // The second of two ways to write them: a letter, and its dots behind it.
            '\u{308}' if text.ends_with(['a', 'o', 'u']) => text.push('e'),
            c if spelled(c).is_some() => text.push_str(spelled(c).unwrap_or_default()),
            c if c.is_ascii_alphanumeric() || c == '_' => text.push(c),
            _ if text.is_empty() || text.ends_with('-') => {}
            _ => text.push('-'),
        }
    }
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        text.insert_str(0, if text.is_empty() { "student" } else { "s" });
    }
    text.truncate(READABLE);
    text.trim_end_matches('-').to_owned()
}

/// How German spells a letter where there are only the letters of an id.
pub fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' => "ae",
        'ö' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_login_is_the_id_and_everything_else_is_marked_by_its_hash() {
        for (key, id) in [
            ("amuster", "amuster"),
            ("AMuster2", "amuster2"),
            ("a_m-2", "a_m-2"),
            ("anna.muster@uni.example", "anna-muster-59cdee"),
            ("0012345", "s0012345-9e2442"),
            ("con", "con-1143da"),
            ("Lpt1", "lpt1-cfbdeb"),
            ("-rf", "rf-686c39"),
            ("../../etc/passwd", "etc-passwd-3754d6"),
            ("Žofie", "ofie-541246"),
            ("小明", "student-df3ea2"),
            ("Jürgen.Groß@uni.example", "juergen-gross-698bdf"),
            ("ju\u{308}rgen.gross@uni.example", "juergen-gross-24d9b6"),
            ("Österle", "oesterle-ce550b"),
            ("", "student-e3b0c4"),
        ] {
            assert_eq!(Id::of(key).as_str(), id, "{key:?}");
        }
        assert_eq!(Id::of("com10").as_str(), "com10");
    }

    #[test]
    fn two_addresses_with_the_same_local_part_get_different_ids() {
        assert_ne!(Id::of("anna@uni.example"), Id::of("anna@mail.example"));
        assert_eq!(Id::of("Anna@Uni.example"), Id::of("anna@uni.example"));
    }

    #[test]
    fn a_text_that_is_no_id_is_refused() {
        for text in ["", "Anna", "a b", "5-mar", "-a", "a/b", "nul", "com1", "é"] {
            assert_eq!(Id::try_from(text.to_owned()), Err(NotAnId(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn every_key_gives_a_safe_id(key in any::<String>()) {
            let id = Id::of(&key);
            prop_assert!(well_formed(id.as_str()), "{key:?}: {id}");
        }
    }
}
