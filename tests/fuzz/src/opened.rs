//! An open session, one end of which is in the fuzzer's hands together with all keys.

use latchstring_protocol::hardened::{
    full::Full,
    handshake::{ExpectServerHello, Verdict, accept},
    message::{ClientAuth, Fingerprint, Message, ServerAuth},
    primitives::Secret,
    record::Opener,
    role::Role,
    session::Session,
};
use zeroize::Zeroizing;

use super::{
    account::Account,
    peer::{self, Forger, Handshake, HashVerifier},
};

/// A session and what the fuzzer knows of it.
pub struct Opened {
    /// The end that is tested.
    pub session: Session,
    /// The other one.
    pub peer: Peer,
    /// What the tested end sends.
    pub sent: Account,
    /// What it receives.
    pub received: Account,
}

/// The other end.
pub struct Peer {
    /// Makes its records.
    pub forger: Forger,
    opener: Opener,
}

impl Peer {
    /// Reads what the tested end sent.
    ///
    /// # Panics
    /// When that is no record of an open session in its place.
    pub fn read(&mut self, record: &[u8]) -> Message {
        let opened = self.opener.open(record).expect("a record in its place");
        let message = Message::decode(opened.typ, &opened.body).expect("a body of its type");
        message.expect("a message of an open session")
    }
}

/// Logs in, and takes the client's end for the test, or the server's.
///
/// # Panics
/// When two honest ends fail to open a session.
pub fn session(server: bool, last_message: u64) -> Opened {
    let (client, hello) = ExpectServerHello::start(peer::ephemeral(Role::Client));
    let accepted = accept(&hello, peer::ephemeral(Role::Server), &peer::host());
    let (host, answer) = accepted.expect("an honest hello");
    let (answered, proof) = answer.split_at(66);
    let mut handshake = Handshake::after(&hello, answered).expect("our own values");
    let opened = Opener::new(&handshake.secrets.server, 0)
        .open(proof)
        .expect("ours");
    handshake.host_said(&ServerAuth::decode(&opened.body).expect("an honest host"));

    let client = client.server_hello(answered).expect("an honest hello");
    let proven = client
        .server_auth(proof, &HashVerifier)
        .expect("an honest host");
    let trusted = proven
        .pinned(&Fingerprint::of(&peer::host().0))
        .expect("the pin");
    let password = Zeroizing::new(peer::PASSWORD.to_vec());
    let login = trusted.login(&peer::alice(), &peer::alice_key(), &password);
    let (client, record) = login.expect("an honest login");
    let opened = Opener::new(&handshake.secrets.client, 0)
        .open(&record)
        .expect("ours");
    handshake.client_said(&ClientAuth::decode(&opened.body, &Full).expect("an honest login"));

    let claimant = host.client_auth(&record).expect("an honest login");
    let known = peer::alice_key().0;
    let Ok(holder) = claimant.prove_key(Some(&known), None, &HashVerifier) else {
        panic!("an honest key was refused");
    };
    let Ok(authenticated) = holder.prove_password(|password| password == peer::PASSWORD) else {
        panic!("the right password was refused");
    };
    let (theirs, welcome) = authenticated.welcome(last_message).expect("one record");
    let Ok(Verdict::Accepted { session: ours, .. }) = client.verdict(&welcome) else {
        panic!("an honest welcome was refused");
    };
    let (to_server, to_client): (Secret, Secret) =
        (handshake.session("ap c2s"), handshake.session("ap s2c"));
    let client = Account::new(last_message, *handshake.session("chain c2s"));
    let host = Account::new(0, *handshake.session("chain s2c"));
    // AUTH_OK was the first record of the server's direction.
    if server {
        let (forger, opener) = (Forger::new(&to_server, 1), after(&to_client, &[&welcome]));
        let peer = Peer { forger, opener };
        return Opened {
            session: theirs,
            peer,
            sent: host,
            received: client,
        };
    }
    let (forger, opener) = (Forger::after(&to_client, 1, 1), after(&to_server, &[]));
    let peer = Peer { forger, opener };
    Opened {
        session: *ours,
        peer,
        sent: client,
        received: host,
    }
}

/// Opens what comes after these records.
fn after(secret: &Secret, records: &[&[u8]]) -> Opener {
    let mut opener = Opener::new(secret, 1);
    for record in records {
        opener.open(record).expect("a record in its place");
    }
    opener
}
