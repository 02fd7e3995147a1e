//! Somebody who was invited makes an account in the handshake itself, and nobody else does.

mod support;

use std::sync::Mutex;

use latchstring_protocol::hardened::{
    Error,
    handshake::{
        Claim, ExpectClientAuth, ExpectServerHello, ExpectVerdict, Newcomer, RefusalReason,
        Verdict, accept,
    },
    keys::EXTRACT_SALT,
    message::{Fingerprint, SERVER_HELLO_LEN, Token},
    primitives::{expand, extract, hash},
    signature::{SignError, Signer},
};
use support::*;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// Shows a new key and signs with `signs`; remembers what it was asked to sign.
struct Witnessed {
    shown: Vec<u8>,
    signs: HashSigner,
    asked: Mutex<Vec<u8>>,
}

impl Witnessed {
    fn honest() -> Self {
        Self {
            shown: alice_key().0,
            signs: alice_key(),
            asked: Mutex::default(),
        }
    }
}

impl Signer for Witnessed {
    fn public_key(&self) -> &[u8] {
        &self.shown
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        *self.asked.lock().unwrap() = message.to_vec();
        self.signs.sign(message)
    }
}

/// Both ends with an `ENROL` between them, and all bytes of the handshake before that.
fn up_to_enrol(key: &dyn Signer) -> (ExpectVerdict, ExpectClientAuth, Vec<u8>, Vec<u8>) {
    let (client, hello) = ExpectServerHello::start(ephemeral(0xc0, 0x11));
    let (server, answer) = accept(&hello, ephemeral(0x50, 0x22), &host()).unwrap();
    let (server_hello, auth) = answer.split_at(SERVER_HELLO_LEN);
    let proven = client
        .server_hello(server_hello)
        .unwrap()
        .server_auth(auth, &HashVerifier)
        .unwrap();
    let pin = proven.fingerprint();
    let password = Zeroizing::new(PASSWORD.to_vec());
    let token = Token::new([5; 16]);
    let trusted = proven.pinned(&pin).unwrap();
    let (client, record) = trusted.enrol(&alice(), key, &password, &token).unwrap();
    (client, server, record, [&hello, server_hello].concat())
}

fn newcomer(server: ExpectClientAuth, record: &[u8]) -> Newcomer {
    match server.claim(record) {
        Ok(Claim::Enrolment(newcomer)) => newcomer,
        Ok(Claim::Login(_)) => panic!("taken for a login"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_honest_enrolment_opens_the_same_session_at_both_ends() {
    let (client, server, record, _) = up_to_enrol(&Witnessed::honest());
    assert_eq!(record.len(), 4132);
    let newcomer = newcomer(server, &record);
    assert_eq!(newcomer.user(), &alice());
    assert_eq!(*newcomer.kid(), Fingerprint::of(&alice_key().0));
    let holder = newcomer.prove_key(&HashVerifier).ok().unwrap();
    assert_eq!(holder.spki(), alice_key().0);
    assert_eq!(holder.token(), &Token::new([5; 16]));
    assert_eq!(&holder.password()[..], PASSWORD);
    let authenticated = holder.enrolled(Ok(())).ok().unwrap();
    let (server, answer) = authenticated.welcome(3).unwrap();
    let Ok(Verdict::Accepted { session, .. }) = client.verdict(&answer) else {
        panic!("not let in");
    };
    assert_eq!(session.id(), server.id());
}

#[test]
fn a_key_that_is_not_held_is_not_enrolled() {
    let borrowed = Witnessed {
        signs: HashSigner(ramp(9, 422)),
        ..Witnessed::honest()
    };
    let (_, server, record, _) = up_to_enrol(&borrowed);
    let refusal = newcomer(server, &record).prove_key(&HashVerifier).err();
    assert_eq!(refusal.unwrap().reason(), RefusalReason::BadKeyProof);
}

#[test]
fn every_refusal_looks_like_that_of_a_login() {
    for why in [
        RefusalReason::NotInvited,
        RefusalReason::WeakKey,
        RefusalReason::BadPassword,
    ] {
        let (client, server, record, _) = up_to_enrol(&Witnessed::honest());
        let holder = newcomer(server, &record).prove_key(&HashVerifier);
        let refusal = holder.ok().unwrap().enrolled(Err(why)).err().unwrap();
        assert_eq!(refusal.reason(), why);
        let answer = refusal.answer().unwrap();
        assert_eq!(answer.len(), 100);
        let verdict = client.verdict(&answer).unwrap();
        assert!(matches!(verdict, Verdict::Refused(said) if said.is_empty()));
    }
}

#[test]
fn who_expects_a_login_takes_no_enrolment_for_one() {
    let (_, server, record, _) = up_to_enrol(&Witnessed::honest());
    let error = server.client_auth(&record).err();
    assert!(matches!(error, Some(Error::Violation(_))));
}

/// The protocol page, followed by hand.
#[test]
fn the_signature_covers_the_new_key_and_neither_token_nor_password() {
    let key = Witnessed::honest();
    let (.., t1) = up_to_enrol(&key);
    let theirs = PublicKey::from(&StaticSecret::from([0x22; 32]));
    let z = StaticSecret::from([0x11; 32]).diffie_hellman(&theirs);
    let prk = extract(EXTRACT_SALT, z.as_bytes());
    let hs_s = expand::<32>(&prk, "hs s2c", &hash(&[&t1]));

    let host_key = host().0;
    let t2 = [&t1, &[2, 1, 166][..], &host_key].concat();
    let context = |role: &str| [&[0x20; 64][..], role.as_bytes(), b"\0"].concat();
    let to_sign = |role: &str, t: &[u8]| [&context(role)[..], &hash(&[t])].concat();
    let signature = host()
        .sign(&to_sign("latch/2 server signature", &t2))
        .unwrap();
    let t3 = [&t2, &[1, 128][..], &signature].concat();
    let fin = {
        use hmac::{Hmac, KeyInit, Mac};
        let key = expand::<32>(&hs_s, "fin", &[]);
        let mac = Hmac::<sha2::Sha256>::new_from_slice(&key[..]).unwrap();
        mac.chain_update(hash(&[&t3])).finalize().into_bytes()
    };
    let t4 = [&t3, &fin[..]].concat();
    let new_key = alice_key().0;
    let kid = hash(&[&new_key]);
    let t5 = [&t4, &[6, 2, 5][..], b"alice", &kid, &[1, 166], &new_key].concat();
    let expected = to_sign("latch/2 client signature", &t5);
    assert_eq!(*key.asked.lock().unwrap(), expected);
}
