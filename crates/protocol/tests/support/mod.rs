//! Two ends of the hardened protocol in one thread, with stand-ins for RSA that make every byte predictable.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses its part"
)]

pub mod forger;

use latchstring_protocol::hardened::{
    Error,
    handshake::{ExpectServerHello, Refusal, Verdict, accept},
    keys::Ephemeral,
    message::{Fingerprint, SERVER_HELLO_LEN, UserName},
    primitives::hash,
    role::Role,
    session::Session,
    signature::{SignError, Signer, Verifier},
};
use zeroize::Zeroizing;

/// Byte `i` is `factor * (i + 1)`, as the published vectors have it.
pub fn ramp(factor: u8, len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| factor.wrapping_mul((i as u8).wrapping_add(1)))
        .collect()
}

pub fn ephemeral(random: u8, secret: u8) -> Ephemeral {
    let mut entropy = Zeroizing::new([random; 64]);
    entropy[32..].fill(secret);
    Ephemeral::new(&entropy)
}

/// A "key" that signs by hashing: enough to see whether the protocol asks for the right bytes.
pub struct HashSigner(pub Vec<u8>);

impl Signer for HashSigner {
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(hash(&[&self.0, message]).repeat(12))
    }
}

pub struct HashVerifier;

impl Verifier for HashVerifier {
    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
        hash(&[spki, message]).repeat(12) == signature
    }
}

pub fn host() -> HashSigner {
    HashSigner(ramp(3, 422))
}

pub fn alice_key() -> HashSigner {
    HashSigner(ramp(7, 422))
}

pub fn alice() -> UserName {
    UserName::parse("alice").unwrap()
}

pub const PASSWORD: &[u8] = b"correct horse battery staple";

/// What a login does; each field can be turned against it.
pub struct Login {
    pub key: HashSigner,
    pub password: Vec<u8>,
    pub enrolled: Option<Vec<u8>>,
    pub pin: Fingerprint,
    pub last_message: u64,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            key: alice_key(),
            password: PASSWORD.to_vec(),
            enrolled: Some(alice_key().0),
            pin: Fingerprint::of(&host().0),
            last_message: 0,
        }
    }
}

pub enum Outcome {
    Open {
        client: Box<Session>,
        server: Box<Session>,
    },
    Refused(Refusal),
}

impl Login {
    /// Runs the whole handshake.
    pub fn run(&self) -> Result<Outcome, Error> {
        let (client, hello) = ExpectServerHello::start(ephemeral(0xc0, 0x11));
        let (server, answer) = accept(&hello, ephemeral(0x50, 0x22), &host())?;
        let (server_hello, server_auth) = answer.split_at(SERVER_HELLO_LEN);
        let proven = client
            .server_hello(server_hello)?
            .server_auth(server_auth, &HashVerifier)?;
        let password = Zeroizing::new(self.password.clone());
        let (client, record) = proven
            .pinned(&self.pin)?
            .login(&alice(), &self.key, &password)?;

        let claimant = server.client_auth(&record)?;
        let dummy = ramp(13, 422);
        let refused =
            match claimant.prove_key(self.enrolled.as_deref(), Some(&dummy), &HashVerifier) {
                Ok(holder) => match holder.prove_password(|p| p == PASSWORD) {
                    Ok(authenticated) => {
                        let (server, answer) = authenticated.welcome(self.last_message)?;
                        let Verdict::Accepted {
                            session,
                            last_message,
                        } = client.verdict(&answer)?
                        else {
                            panic!("AUTH_OK was read as a refusal");
                        };
                        assert_eq!(last_message, self.last_message);
                        return Ok(Outcome::Open {
                            client: session,
                            server: Box::new(server),
                        });
                    }
                    Err(refusal) => refusal,
                },
                Err(refusal) => refusal,
            };
        Ok(Outcome::Refused(refused))
    }

    /// The server's session of a login that must succeed, when its store holds messages up to `last`.
    pub fn server_that_holds(&self, last: u64) -> Session {
        let (handshake, _, auth) = forger::Handshake::new().claim(false);
        let record = handshake.seal(Role::Client, auth.typ(), &auth.encode());
        let claimant = handshake.server.client_auth(&record).unwrap();
        let known = self.enrolled.as_deref();
        let holder = claimant.prove_key(known, Some(&ramp(13, 422)), &HashVerifier);
        let authenticated = holder.ok().unwrap().prove_password(|p| p == PASSWORD);
        authenticated.ok().unwrap().welcome(last).unwrap().0
    }

    /// The two sessions of a login that must succeed.
    pub fn open(&self) -> (Session, Session) {
        match self.run() {
            Ok(Outcome::Open { client, server }) => (*client, *server),
            Ok(Outcome::Refused(refusal)) => panic!("refused: {}", refusal.reason()),
            Err(error) => panic!("{error}"),
        }
    }
}
