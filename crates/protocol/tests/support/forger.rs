//! A peer that holds the right keys and seals whatever it likes: what a tag cannot stop, a rule must.

use latchstring_protocol::{
    codec::{put_long, put_short},
    hardened::{
        full::Full,
        handshake::{ExpectClientAuth, ExpectServerAuth, ExpectServerHello, ExpectVerdict, accept},
        keys::HandshakeSecrets,
        message::{ClientAuth, Message, SERVER_HELLO_LEN, Token, Type},
        primitives::{expand, hash},
        record::{Opener, Sealer},
        role::Role,
        session::Session,
    },
};
use zeroize::Zeroizing;

use super::{HashVerifier, Login, PASSWORD, alice, alice_key, ephemeral, host};

/// A handshake up to the point where the client knows the host's proof, with all its secrets. It is the one of
/// [`Login::run`], to the byte.
pub struct Handshake {
    /// Expects `SERVER_AUTH`.
    pub client: ExpectServerAuth,
    /// Expects `CLIENT_AUTH`.
    pub server: ExpectClientAuth,
    /// The honest record of `SERVER_AUTH`.
    pub server_auth: Vec<u8>,
    pub secrets: HandshakeSecrets,
    hellos: Vec<u8>,
}

impl Handshake {
    pub fn new() -> Self {
        let (client, hello) = ExpectServerHello::start(ephemeral(0xc0, 0x11));
        let (server, answer) = accept(&hello, ephemeral(0x50, 0x22), &host()).unwrap();
        let (server_hello, server_auth) = answer.split_at(SERVER_HELLO_LEN);
        let hellos = [&hello, server_hello].concat();
        let prk = ephemeral(0xc0, 0x11).agree(&ephemeral(0x50, 0x22).share());
        Self {
            client: client.server_hello(server_hello).unwrap(),
            server,
            server_auth: server_auth.to_vec(),
            secrets: HandshakeSecrets::derive(&prk.unwrap(), &hash(&[&hellos])),
            hellos,
        }
    }

    /// The body of the honest `SERVER_AUTH`.
    pub fn server_auth_body(&self) -> Vec<u8> {
        let plaintext = Opener::new(&self.secrets.server, 0).open(&self.server_auth);
        plaintext.unwrap().body.to_vec()
    }

    /// A record of the handshake under the right tag.
    pub fn seal(&self, from: Role, typ: Type, body: &[u8]) -> Vec<u8> {
        let secret = match from {
            Role::Client => &self.secrets.client,
            Role::Server => &self.secrets.server,
        };
        Sealer::new(secret, 0).seal(typ, body).unwrap()
    }

    /// Alice's honest login, or her enrolment: the server that expects it, her client that expects the answer, and the
    /// body of the record.
    pub fn claim(self, enrol: bool) -> (Self, ExpectVerdict, ClientAuth) {
        let proven = self.client.server_auth(&self.server_auth, &HashVerifier);
        let proven = proven.unwrap();
        let pin = proven.fingerprint();
        let (trusted, password) = (
            proven.pinned(&pin).unwrap(),
            Zeroizing::new(PASSWORD.to_vec()),
        );
        let shown = match enrol {
            false => trusted.login(&alice(), &alice_key(), &password),
            true => trusted.enrol(&alice(), &alice_key(), &password, &Token::new([5; 16])),
        };
        let (client, record) = shown.unwrap();
        let plaintext = Opener::new(&self.secrets.client, 0).open(&record).unwrap();
        let auth = ClientAuth::decode(&plaintext.body, &Full).unwrap();
        let again = Self {
            client: Self::new().client,
            ..self
        };
        (again, client, auth)
    }

    /// A secret of the session that follows this login, by its label.
    pub fn session_secret(&self, auth: &ClientAuth, label: &str) -> Zeroizing<[u8; 32]> {
        let mut t7 = self.hellos.clone();
        t7.push(Type::ServerAuth as u8);
        t7.extend(self.server_auth_body());
        t7.extend([Type::ClientAuth as u8, 1]);
        put_short(&mut t7, auth.user.as_str().as_bytes());
        t7.extend(auth.kid.0);
        put_long(&mut t7, &auth.signature);
        t7.extend(auth.finished);
        expand(&self.secrets.root, label, &hash(&[&t7]))
    }
}

/// One honest end of an open session, and a peer that may say anything.
pub struct Forger {
    /// The end under test.
    pub end: Session,
    sealer: Sealer,
    opener: Opener,
    /// Where the chain of the peer's messages begins.
    pub chain: [u8; 32],
    /// Where the chain of the tested end's messages begins.
    pub other_chain: [u8; 32],
}

impl Forger {
    /// Against this end, after a login at which the server held messages up to `last`.
    pub fn against(end: Role, last: u64) -> Self {
        let login = Login {
            last_message: last,
            ..Login::default()
        };
        let (client, server) = login.open();
        Self::between(end, last, (client, server))
    }

    /// Against a server whose store holds more than a client takes for possible.
    pub fn against_full_server(last: u64) -> Self {
        let server = Login::default().server_that_holds(last);
        let (client, _) = Login::default().open();
        Self::between(Role::Server, last, (client, server))
    }

    fn between(end: Role, last: u64, (client, server): (Session, Session)) -> Self {
        let (handshake, _, auth) = Handshake::new().claim(false);
        let secret = |label| handshake.session_secret(&auth, label);
        let (ap_c, ap_s) = (secret("ap c2s"), secret("ap s2c"));
        let (chain_c, chain_s) = (*secret("chain c2s"), *secret("chain s2c"));
        // AUTH_OK was the first record of the server's direction.
        let welcome = {
            let mut sealer = Sealer::new(&ap_s, 1);
            let record = sealer.seal(Type::AuthOk, &last.to_be_bytes()).unwrap();
            (sealer, record)
        };
        match end {
            Role::Server => {
                let mut opener = Opener::new(&ap_s, 1);
                opener.open(&welcome.1).unwrap();
                Self {
                    end: server,
                    sealer: Sealer::new(&ap_c, 1),
                    opener,
                    chain: chain_c,
                    other_chain: chain_s,
                }
            }
            Role::Client => Self {
                end: client,
                sealer: welcome.0,
                opener: Opener::new(&ap_c, 1),
                chain: chain_s,
                other_chain: chain_c,
            },
        }
    }

    /// The peer says this, under the right tag.
    pub fn say(&mut self, message: &Message) -> Vec<u8> {
        let (typ, body) = message.encode();
        self.seal(typ, &body)
    }

    pub fn seal(&mut self, typ: Type, body: &[u8]) -> Vec<u8> {
        self.sealer.seal(typ, body).unwrap()
    }

    /// The peer reads what the tested end has sent.
    pub fn read(&mut self, record: &[u8]) -> Message {
        let plaintext = self.opener.open(record).expect("the next record");
        let message = Message::decode(plaintext.typ, &plaintext.body).unwrap();
        message.expect("a message of an open session")
    }
}
