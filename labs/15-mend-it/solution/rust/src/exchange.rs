//! The exchange, from rung 5 on: two hellos, and the host's signature over both.

use rsa::rand_core::Rng;
use sha2::{Digest, Sha256};
use x25519_dalek::{EphemeralSecret, PublicKey as X25519Value};

use crate::{
    error::Result,
    random::generator,
    signature::{PrivateKey, PublicKey, SIGNATURE, SPKI, Use},
};

/// Bytes of a hello: `"ladder" ‖ u8 rung ‖ random (32) ‖ X25519 value (32)`.
pub const HELLO: usize = 71;
/// Bytes of a host's proof: `u16 422 ‖ SPKI ‖ u16 384 ‖ signature`.
pub const HOST_PROOF: usize = 2 + SPKI + 2 + SIGNATURE;

/// All bytes of the handshake so far, in order.
#[derive(Default)]
pub struct Transcript(Vec<u8>);

impl Transcript {
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// TH3, which a user signs: the transcript, and whose login follows.
    pub fn hash_with_name(&self, name: &str) -> [u8; 32] {
        let login = [&[4][..], &short(name.as_bytes())].concat();
        Sha256::digest([&self.0[..], &login].concat()).into()
    }
}

/// One end's half of the exchange, fresh for every connection.
pub struct Half {
    /// It can be used once; then it is gone, and no key that is stolen later brings it back.
    secret: EphemeralSecret,
    pub hello: [u8; HELLO],
}

impl Half {
    pub fn draw(rung: u8) -> Self {
        let secret = EphemeralSecret::random_from_rng(&mut generator());
        let mut hello = [0; HELLO];
        hello[..7].copy_from_slice(&head(rung));
        generator().fill_bytes(&mut hello[7..39]);
        hello[39..].copy_from_slice(X25519Value::from(&secret).as_bytes());
        Self { secret, hello }
    }

    /// The secret that both ends compute and nobody sends.
    pub fn agree(self, rung: u8, theirs: &[u8; HELLO]) -> Result<[u8; 32]> {
        if theirs[..7] != head(rung) {
            return Err(format!("the hello is none of rung {rung}").into());
        }
        let value: [u8; 32] = theirs[39..].try_into().expect("it is the rest of a hello");
        let shared = self.secret.diffie_hellman(&X25519Value::from(value));
        // Some values make the secret zero, whatever ours is.
        match shared.was_contributory() {
            true => Ok(shared.to_bytes()),
            false => Err("the X25519 value forces a zero secret".into()),
        }
    }
}

fn head(rung: u8) -> [u8; 7] {
    [b'l', b'a', b'd', b'd', b'e', b'r', rung]
}

/// The host's proof, behind both hellos; it becomes part of the transcript.
pub fn prove(host: &PrivateKey, transcript: &mut Transcript) -> Vec<u8> {
    let key = long(&host.public.spki);
    transcript.add(&key);
    let signature = long(&host.sign(Use::Host, &transcript.hash()));
    transcript.add(&signature);
    [key, signature].concat()
}

/// Checks the host's proof as a client: first the pin, then the signature.
pub fn check(
    proof: &[u8; HOST_PROOF],
    pinned: &PublicKey,
    transcript: &mut Transcript,
) -> Result<()> {
    let (key, signature) = proof.split_at(2 + SPKI);
    if key != long(&pinned.spki) {
        return Err("the host's key is not the pinned one".into());
    }
    transcript.add(key);
    let right = signature[..2] == (SIGNATURE as u16).to_be_bytes()
        && pinned.verify(Use::Host, &transcript.hash(), &signature[2..]);
    transcript.add(signature);
    match right {
        true => Ok(()),
        false => Err("the host's signature is wrong".into()),
    }
}

/// `u8 n ‖ bytes`.
pub fn short(bytes: &[u8]) -> Vec<u8> {
    let n = u8::try_from(bytes.len()).expect("names and passwords are short");
    [&[n][..], bytes].concat()
}

/// `u16 n ‖ bytes`.
pub fn long(bytes: &[u8]) -> Vec<u8> {
    let n = u16::try_from(bytes.len()).expect("keys and signatures are short");
    [&n.to_be_bytes()[..], bytes].concat()
}
