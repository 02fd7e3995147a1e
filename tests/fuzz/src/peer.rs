//! A peer of the hardened protocol that holds the right keys and may say anything under the right tag.

use hmac::{Hmac, KeyInit, Mac};
use latchstring_protocol::{
    codec::{put_long, put_short},
    hardened::{
        full::Full,
        keys::{Ephemeral, HandshakeSecrets},
        message::{ClientAuth, Fingerprint, Hello, MAGIC, ServerAuth, Type, UserName, VERSION},
        parts::RecordProtection,
        primitives::{Secret, expand, hash},
        record::{BUCKETS, EncryptThenMac, TAG_LEN},
        role::Role,
        signature::{SignError, Signer, Verifier, signed_content},
    },
};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::field::Padding;

/// A "key" that signs by hashing: enough to see whether the right bytes were signed.
#[derive(Debug, Clone)]
pub struct HashSigner(pub Vec<u8>);

impl Signer for HashSigner {
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(hash(&[&self.0, message]).repeat(12))
    }
}

/// Checks what a [`HashSigner`] signs.
#[derive(Debug, Clone, Copy)]
pub struct HashVerifier;

impl Verifier for HashVerifier {
    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
        hash(&[spki, message]).repeat(12) == signature
    }
}

/// The host's key.
pub fn host() -> HashSigner {
    HashSigner(vec![3; 422])
}

/// The key of [`alice`].
pub fn alice_key() -> HashSigner {
    HashSigner(vec![7; 422])
}

/// The one user.
///
/// # Panics
/// Never: it is a name.
pub fn alice() -> UserName {
    UserName::parse("alice").expect("a name")
}

/// Her password.
pub const PASSWORD: &[u8] = b"correct horse battery staple";

/// One end's half of the exchange, the same whenever it is made.
pub fn ephemeral(role: Role) -> Ephemeral {
    Ephemeral::new(&Zeroizing::new([role as u8 + 1; 64]))
}

/// The honest hello of a role.
pub fn hello(role: Role) -> Vec<u8> {
    let hello = Hello {
        random: [role as u8 + 1; 32],
        share: ephemeral(role).share(),
    };
    match role {
        Role::Client => hello.encode_client(&Full),
        Role::Server => hello.encode_server(),
    }
}

/// Whether these are hellos of a role as the protocol wants them, as far as their form goes.
pub fn is_hello(role: Role, bytes: &[u8]) -> bool {
    let magic: &[u8] = match role {
        Role::Client => &MAGIC,
        Role::Server => &[],
    };
    let rest = bytes.strip_prefix(magic);
    rest.is_some_and(|rest| rest.len() == 66 && rest.starts_with(&[VERSION, 0]))
}

/// The handshake as both ends see it, in the hands of one who knows all secrets.
pub struct Handshake {
    transcript: Vec<u8>,
    /// The secrets that follow from the two hellos.
    pub secrets: HandshakeSecrets,
}

impl Handshake {
    /// After these two hellos. `None` when the shared secret is not known, since a hello holds another value than ours.
    pub fn after(client: &[u8], server: &[u8]) -> Option<Self> {
        let ours = |role: Role, bytes: &[u8]| bytes.ends_with(&ephemeral(role).share());
        if !ours(Role::Client, client) || !ours(Role::Server, server) {
            return None;
        }
        let prk = ephemeral(Role::Client).agree(&ephemeral(Role::Server).share());
        let transcript = [client, server].concat();
        let secrets = HandshakeSecrets::derive(&prk.ok()?, &hash(&[&transcript]));
        Some(Self {
            transcript,
            secrets,
        })
    }

    /// The right signature of the host, once its key is in the transcript.
    ///
    /// # Panics
    /// Never: hashing does not fail.
    pub fn host_signature(&mut self, key: &[u8]) -> Vec<u8> {
        self.transcript.push(Type::ServerAuth as u8);
        put_long(&mut self.transcript, key);
        self.sign(Role::Server, key)
    }

    /// The right signature of a client, once its claim is in the transcript.
    pub fn client_signature(&mut self, claim: &Claim<'_>, key: &[u8]) -> Vec<u8> {
        let (typ, mode) = match claim.new_key {
            None => (Type::ClientAuth, 1),
            Some(_) => (Type::Enrol, 2),
        };
        self.transcript.extend([typ as u8, mode]);
        put_short(&mut self.transcript, claim.user);
        self.transcript.extend(claim.kid.0);
        if let Some(key) = claim.new_key {
            put_long(&mut self.transcript, key);
        }
        self.sign(Role::Client, key)
    }

    fn sign(&self, role: Role, key: &[u8]) -> Vec<u8> {
        let content = signed_content(role, &hash(&[&self.transcript]));
        HashSigner(key.to_vec())
            .sign(&content)
            .expect("hashing does not fail")
    }

    /// The right Finished MAC of a role, once this signature is in the transcript.
    ///
    /// # Panics
    /// Never: HMAC takes any key.
    pub fn finished(&mut self, role: Role, signature: &[u8]) -> [u8; 32] {
        put_long(&mut self.transcript, signature);
        let secret = match role {
            Role::Client => &self.secrets.client,
            Role::Server => &self.secrets.server,
        };
        let key: Secret = expand(secret, "fin", &[]);
        let mac = Hmac::<Sha256>::new_from_slice(&key[..]).expect("HMAC takes any key");
        let mac = mac.chain_update(hash(&[&self.transcript]));
        mac.finalize().into_bytes().into()
    }

    /// Adds a Finished MAC as it was sent.
    pub fn add_finished(&mut self, finished: &[u8; 32]) {
        self.transcript.extend(finished);
    }

    /// Takes in `SERVER_AUTH` as an honest host sent it.
    pub fn host_said(&mut self, auth: &ServerAuth) {
        self.host_signature(&auth.spki);
        self.finished(Role::Server, &auth.signature);
        self.add_finished(&auth.finished);
    }

    /// Takes in `CLIENT_AUTH` as an honest client sent it.
    pub fn client_said(&mut self, auth: &ClientAuth) {
        let claim = Claim {
            user: auth.user.as_str().as_bytes(),
            kid: auth.kid,
            new_key: auth.enrolment.as_ref().map(|enrolment| &enrolment.spki[..]),
        };
        self.client_signature(&claim, &[]);
        self.finished(Role::Client, &auth.signature);
        self.add_finished(&auth.finished);
    }

    /// A secret of the session, now that the handshake is over.
    pub fn session<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        expand(&self.secrets.root, label, &hash(&[&self.transcript]))
    }
}

/// Who a client says that it is.
pub struct Claim<'a> {
    /// The name, which need not be one.
    pub user: &'a [u8],
    /// The fingerprint of its key.
    pub kid: Fingerprint,
    /// The key, when it is to be enrolled.
    pub new_key: Option<&'a [u8]>,
}

/// Makes records with the right tag, whatever is in them.
pub struct Forger {
    protection: EncryptThenMac,
    seq: u64,
}

impl Forger {
    /// For one direction.
    pub fn new(secret: &Secret, epoch: u32) -> Self {
        Self {
            protection: EncryptThenMac::new(secret, epoch),
            seq: 0,
        }
    }

    /// For a direction in which this many records have been sent.
    pub fn after(secret: &Secret, epoch: u32, seq: u64) -> Self {
        Self {
            seq,
            ..Self::new(secret, epoch)
        }
    }

    /// A record of any type and body. `None` when it is longer than every record; tells too whether its padding is right.
    pub fn seal(&mut self, typ: u8, body: &[u8], padding: &Padding) -> Option<(Vec<u8>, bool)> {
        let length = u16::try_from(body.len()).ok()?;
        let plaintext = [&[typ][..], &length.to_be_bytes(), body].concat();
        let least = if typ == Type::Enrol as u8 { 3 } else { 0 };
        let (plaintext, right) = padding.pad(plaintext, least, &BUCKETS)?;
        let length = (plaintext.len() + TAG_LEN) as u32;
        let mut record = [&length.to_be_bytes()[..], &plaintext].concat();
        self.protection.close(self.seq, &mut record);
        self.seq += 1;
        Some((record, right))
    }
}
