//! One message: the ciphertext and nothing else. No length, no padding, no tag: see `hardened::record`.
//!
//! An observer learns the exact length of every message. An attacker who changes a bit of the ciphertext changes that
//! bit of the text. The counter block is `iv(8) ‖ u64 counter`, and the counter **starts at 1 again for every
//! message**, so all messages of a session are under one keystream.

use aes::Aes256;
use ctr::{
    Ctr64BE,
    cipher::{KeyIvInit, StreamCipher},
};
use zeroize::Zeroizing;

use crate::{
    Error,
    keys::{IV_LEN, SessionSecrets},
    message::MAX_TEXT,
};

// No `RecordProtection` and no `EncryptThenMac`: a stream cipher alone. See `hardened::record`.

/// Keys of both directions. No sequence number and no epoch: see `hardened::record`.
struct Traffic(SessionSecrets);

impl Traffic {
    /// Encrypts or decrypts in place: every message under the same nonce.
    fn apply_keystream(&self, bytes: &mut [u8]) {
        let mut block = [0; 16];
        block[..IV_LEN].copy_from_slice(&self.0.iv[..]);
        block[IV_LEN..].copy_from_slice(&1u64.to_be_bytes());
        Ctr64BE::<Aes256>::new((&*self.0.key).into(), &block.into()).apply_keystream(bytes);
    }

    // No tag: nothing says where a message belongs, nor that it is the one that was sent. See `hardened::record`.

    // No `next`: nothing is counted, so nothing moves on between two messages. See `hardened::record`.
}

/// Makes the messages of the client.
pub struct Sealer(Traffic);

impl Sealer {
    /// Takes the secrets that the server sent.
    pub fn new(secrets: &SessionSecrets) -> Self {
        Self(Traffic(secrets.clone()))
    }

    /// Encrypts. (`&self` and not `&mut self`: that *is* the flaw.)
    ///
    /// # Errors
    /// [`Error::Misuse`] when the text has 0 bytes or more than [`MAX_TEXT`].
    pub fn seal(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        match text.len() {
            0 => {
                return Err(Error::Misuse(
                    "an empty message does not exist on this wire: type one",
                ));
            }
            1..=MAX_TEXT => {}
            _ => {
                return Err(Error::Misuse(
                    "the message is longer than 1024 bytes: send it in parts",
                ));
            }
        }
        let mut record = text.to_vec();
        self.0.apply_keystream(&mut record);
        Ok(record)
    }
}

// No `Plaintext`: no type, no padding, only the text. See `hardened::record`.

/// Opens the messages of the client, in any order and as often as you like.
pub struct Opener(Traffic);

impl Opener {
    /// Takes the secrets that the server drew.
    pub fn new(secrets: &SessionSecrets) -> Self {
        Self(Traffic(secrets.clone()))
    }

    /// Decrypts any bytes. There is no check, so this cannot fail: see `hardened::record`.
    pub fn open(&self, record: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut plaintext = Zeroizing::new(record.to_vec());
        self.0.apply_keystream(&mut plaintext);
        plaintext
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Sealer, Opener) {
        let secrets = SessionSecrets::new([7; 32], [9; 8]);
        (Sealer::new(&secrets), Opener::new(&secrets))
    }

    #[test]
    fn every_length_round_trips() {
        let (sealer, opener) = pair();
        for n in [1, 2, 15, 16, 17, MAX_TEXT] {
            let text = vec![0x5a; n];
            let record = sealer.seal(&text).unwrap();
            assert_eq!(record.len(), n);
            assert_eq!(&opener.open(&record)[..], text);
        }
        assert!(sealer.seal(&[]).is_err());
        assert!(sealer.seal(&vec![0; MAX_TEXT + 1]).is_err());
    }

    #[test]
    fn a_changed_bit_changes_that_bit_and_nobody_notices() {
        let (sealer, opener) = pair();
        let mut record = sealer.seal(b"pay bob 10").unwrap();
        for (byte, (was, becomes)) in record
            .iter_mut()
            .zip(b"pay bob 10".iter().zip(b"pay eve 99"))
        {
            *byte ^= was ^ becomes;
        }
        assert_eq!(&opener.open(&record)[..], b"pay eve 99");
    }

    #[test]
    fn two_messages_share_all_their_keystream() {
        let (sealer, _) = pair();
        let (a, b) = (
            sealer.seal(&[0; 900]).unwrap(),
            sealer.seal(&[0; 900]).unwrap(),
        );
        assert_eq!(a, b);
    }

    #[test]
    fn two_messages_that_coalesce_end_in_garbage() {
        let (sealer, opener) = pair();
        let both = [sealer.seal(b"one").unwrap(), sealer.seal(b"two").unwrap()].concat();
        let plaintext = opener.open(&both);
        assert_eq!(&plaintext[..3], b"one");
        assert_ne!(&plaintext[3..], b"two");
    }
}
