//! The hellos of rung 5 and above, the host's proof, and the transcript that signatures are over.

use rand::{Rng, rngs::ChaCha20Rng};
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};

use latchstring_attacker::protocol::codec::{Reader, put_long};

use crate::{
    complaint::Complaint,
    rung::Rung,
    signature::{self, Context, SIGNATURE, SPKI, SigningKey},
};

/// The first bytes of both hellos.
pub const MAGIC: [u8; 6] = *b"ladder";
/// Bytes of a hello.
pub const HELLO: usize = MAGIC.len() + 1 + 32 + 32;
/// Bytes of the host's proof.
pub const HOST_PROOF: usize = 2 + SPKI + 2 + SIGNATURE;

/// All that was said in clear, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript(Vec<u8>);

impl Transcript {
    /// Appends what one end said.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// SHA-256 of all of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// The hash as it would be after these bytes.
    pub fn hash_with(&self, bytes: &[u8]) -> [u8; 32] {
        let mut more = self.clone();
        more.add(bytes);
        more.hash()
    }
}

/// One end's half of the exchange: fresh for every connection.
#[derive(Clone)]
pub struct Half {
    /// The hello's random.
    pub random: [u8; 32],
    /// The X25519 secret.
    pub secret: [u8; 32],
}

impl Half {
    /// Draws the random, then the secret.
    pub fn draw(rng: &mut ChaCha20Rng) -> Self {
        let mut half = Self {
            random: [0; 32],
            secret: [0; 32],
        };
        rng.fill_bytes(&mut half.random);
        rng.fill_bytes(&mut half.secret);
        half
    }

    /// The bytes of the hello.
    pub fn hello(&self, rung: Rung) -> [u8; HELLO] {
        let share = PublicKey::from(&StaticSecret::from(self.secret));
        let hello = [&MAGIC[..], &[rung.number()], &self.random, share.as_bytes()].concat();
        hello.try_into().expect("the parts add up")
    }

    /// The secret that both ends share, from the other end's hello.
    ///
    /// # Errors
    /// When the hello is of another protocol or rung, or forces a zero secret.
    pub fn agree(&self, rung: Rung, hello: &[u8; HELLO]) -> Result<[u8; 32], Complaint> {
        let share = read_hello(rung, hello)?;
        let shared = StaticSecret::from(self.secret).diffie_hellman(&PublicKey::from(share));
        match shared.was_contributory() {
            true => Ok(shared.to_bytes()),
            false => Err(Complaint::ZeroSecret),
        }
    }
}

/// The X25519 value of a hello.
///
/// # Errors
/// When it begins otherwise.
pub fn read_hello(rung: Rung, hello: &[u8; HELLO]) -> Result<[u8; 32], Complaint> {
    if hello[..MAGIC.len()] != MAGIC || hello[MAGIC.len()] != rung.number() {
        return Err(Complaint::Malformed("the hello is of another rung"));
    }
    Ok(hello[HELLO - 32..].try_into().expect("32 bytes"))
}

/// `u16 n ‖ SPKI ‖ u16 n ‖ signature`, and both into the transcript.
pub fn prove_host(key: &SigningKey, transcript: &mut Transcript, rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut proof = Vec::with_capacity(HOST_PROOF);
    put_long(&mut proof, key.spki());
    let signed = transcript.hash_with(&proof);
    put_long(&mut proof, &key.sign(Context::Host, &signed, rng));
    transcript.add(&proof);
    proof
}

/// Checks the pin first, then the signature; then adds both to the transcript. Without a pin any host will do: that is
/// for attackers.
///
/// # Errors
/// When the key is another or the signature is not over this transcript.
pub fn check_host(
    proof: &[u8],
    pin: Option<&[u8; 32]>,
    transcript: &mut Transcript,
) -> Result<(), Complaint> {
    let malformed = Complaint::Malformed("the host's proof has other lengths");
    let mut r = Reader::new(proof);
    let (spki, sig) = match (r.long("SPKI"), r.long("signature"), r.finish()) {
        (Ok(spki), Ok(sig), Ok(())) => (spki, sig),
        _ => return Err(malformed),
    };
    if pin.is_some_and(|pin| *pin != signature::fingerprint(spki)) {
        return Err(Complaint::WrongHostKey);
    }
    let signed = transcript.hash_with(&proof[..2 + spki.len()]);
    if !signature::verify(spki, Context::Host, &signed, sig) {
        return Err(Complaint::BadHostSignature);
    }
    transcript.add(proof);
    Ok(())
}
