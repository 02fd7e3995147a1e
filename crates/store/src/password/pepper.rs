//! A pepper: a secret that password hashes need, and that the store does not hold.
//!
//! A thief of the store alone cannot guess passwords, because each guess needs the pepper. It is the secret
//! input of argon2 (RFC 9106, section 3.1). A hash names its pepper by `keyid`, so that an older one is still found.

use std::fmt;

use argon2::KeyId;
use latchstring_protocol::hardened::primitives;
use thiserror::Error;
use zeroize::Zeroizing;

/// The shortest pepper, in bytes. Nobody can guess 32 random ones.
pub const MIN_PEPPER: usize = 32;
/// The longest pepper, in bytes. A longer file is another kind of file.
pub const MAX_PEPPER: usize = 1024;
/// Among 32 random bytes there are never fewer different ones.
const MIN_DIFFERENT: usize = 10;

/// Why these bytes are no pepper.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PepperError {
    /// Too few bytes, or too many.
    #[error(
        "a pepper has {MIN_PEPPER} to {MAX_PEPPER} bytes, and this one has {0}; make one with: latchstring-server pepper new FILE"
    )]
    Length(usize),
    /// The same few bytes again and again.
    #[error(
        "a pepper is random, and this one has only {0} different bytes; make one with: latchstring-server pepper new FILE"
    )]
    NotRandom(usize),
    /// The same pepper was given before.
    #[error("the pepper {0} is there twice; name each one once")]
    Twice(String),
}

/// A secret of random bytes, wiped when dropped.
pub struct Pepper {
    id: String,
    bytes: Zeroizing<Vec<u8>>,
}

impl Pepper {
    /// These bytes as a pepper.
    ///
    /// # Errors
    /// [`PepperError::Length`], [`PepperError::NotRandom`].
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, PepperError> {
        if !(MIN_PEPPER..=MAX_PEPPER).contains(&bytes.len()) {
            return Err(PepperError::Length(bytes.len()));
        }
        let mut seen = [false; 256];
        bytes
            .iter()
            .for_each(|byte| seen[usize::from(*byte)] = true);
        let different = seen.iter().filter(|seen| **seen).count();
        if different < MIN_DIFFERENT {
            return Err(PepperError::NotRandom(different));
        }
        let digest = primitives::hash(&[b"latchstring pepper", &bytes]);
        let id = digest[..4].iter().map(|byte| format!("{byte:02x}"));
        let id = id.collect();
        Ok(Self { id, bytes })
    }

    /// Its public name: eight hexadecimal digits of a hash. It says nothing about the pepper.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret input of argon2.
    pub(super) fn secret(&self) -> &[u8] {
        &self.bytes
    }

    /// The name as a parameter of a PHC string. Hexadecimal digits are digits of base64 too, so the string shows the name.
    pub(super) fn key_id(&self) -> argon2::Result<KeyId> {
        KeyId::from_b64(&self.id)
    }
}

impl fmt::Debug for Pepper {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The peppers that a server knows: the first one for new hashes, the others for hashes that were made before.
#[derive(Debug, Default)]
pub struct Peppers(Vec<Pepper>);

impl Peppers {
    /// All these, in order.
    ///
    /// # Errors
    /// [`PepperError::Twice`].
    pub fn new(peppers: Vec<Pepper>) -> Result<Self, PepperError> {
        for (i, pepper) in peppers.iter().enumerate() {
            if peppers[..i].iter().any(|other| other.id == pepper.id) {
                return Err(PepperError::Twice(pepper.id.clone()));
            }
        }
        Ok(Self(peppers))
    }

    /// The pepper of new hashes.
    pub fn current(&self) -> Option<&Pepper> {
        self.0.first()
    }

    /// The pepper with this name.
    pub fn find(&self, id: &str) -> Option<&Pepper> {
        self.0.iter().find(|pepper| pepper.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(first: u8, length: u8) -> Zeroizing<Vec<u8>> {
        Zeroizing::new((0..length).map(|i| first.wrapping_add(i)).collect())
    }

    #[test]
    fn a_pepper_is_long_and_random() {
        assert_eq!(
            Pepper::new(bytes(0, 31)).unwrap_err(),
            PepperError::Length(31)
        );
        let long = Zeroizing::new(vec![0; 1025]);
        assert_eq!(Pepper::new(long).unwrap_err(), PepperError::Length(1025));
        let same = Zeroizing::new(vec![b'x'; 32]);
        assert_eq!(Pepper::new(same).unwrap_err(), PepperError::NotRandom(1));
        assert!(Pepper::new(bytes(0, 32)).is_ok());
    }

    #[test]
    fn the_name_depends_on_every_byte_and_shows_none() {
        let one = Pepper::new(bytes(1, 32)).unwrap();
        let two = Pepper::new(bytes(2, 32)).unwrap();
        assert_ne!(one.id(), two.id());
        assert_eq!(one.id().len(), 8);
        let shown = format!("{one:?}");
        assert!(
            shown.contains(one.id()) && !shown.contains("bytes"),
            "{shown}"
        );
    }

    #[test]
    fn one_pepper_is_named_once() {
        let both = vec![bytes(1, 32), bytes(1, 32)];
        let both = both.into_iter().map(|b| Pepper::new(b).unwrap()).collect();
        assert!(matches!(Peppers::new(both), Err(PepperError::Twice(_))));
        assert!(Peppers::default().current().is_none());
    }
}
