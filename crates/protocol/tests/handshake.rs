//! The handshake proves what it says: each proof that is missing or wrong stops it, and at the right step.

mod support;

use latchstring_protocol::hardened::{
    Error,
    handshake::{ExpectClientAuth, ExpectServerHello, RefusalReason, accept},
    message::{Fingerprint, SERVER_HELLO_LEN},
    signature::{SignError, Signer},
};
use proptest::prelude::*;
use support::*;
use zeroize::Zeroizing;

/// Shows one key and signs with another.
struct Borrowed {
    shown: Vec<u8>,
    signs: HashSigner,
}

impl Signer for Borrowed {
    fn public_key(&self) -> &[u8] {
        &self.shown
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.signs.sign(message)
    }
}

/// The server that waits for a `CLIENT_AUTH`, and the one that alice's client makes with `key`.
fn up_to_client_auth(key: &dyn Signer) -> (ExpectClientAuth, Vec<u8>) {
    let (client, hello) = ExpectServerHello::start(ephemeral(1, 2));
    let (server, answer) = accept(&hello, ephemeral(3, 4), &host()).unwrap();
    let (server_hello, auth) = answer.split_at(SERVER_HELLO_LEN);
    let proven = client
        .server_hello(server_hello)
        .unwrap()
        .server_auth(auth, &HashVerifier)
        .unwrap();
    let pin = proven.fingerprint();
    let password = Zeroizing::new(PASSWORD.to_vec());
    let trusted = proven.pinned(&pin).unwrap();
    let (_, record) = trusted.login(&alice(), key, &password).unwrap();
    (server, record)
}

fn refused(login: &Login) -> RefusalReason {
    match login.run() {
        Ok(Outcome::Refused(refusal)) => refusal.reason(),
        Ok(Outcome::Open { .. }) => panic!("the login was accepted"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_honest_login_opens_the_same_session_at_both_ends() {
    let (client, server) = Login::default().open();
    assert_eq!(client.id(), server.id());
}

#[test]
fn without_the_users_key_nobody_is_let_in() {
    let mut login = Login {
        key: HashSigner(ramp(9, 422)),
        ..Login::default()
    };
    assert_eq!(
        refused(&login),
        RefusalReason::UnknownUserOrKey,
        "the kid is another"
    );
    // The name and the public key of alice, and a signature by somebody else's key.
    let impostor = Borrowed {
        shown: alice_key().0,
        signs: HashSigner(ramp(9, 422)),
    };
    let (server, record) = up_to_client_auth(&impostor);
    let claimant = server.client_auth(&record).unwrap();
    let refusal = claimant
        .prove_key(Some(&alice_key().0), Some(&ramp(13, 422)), &HashVerifier)
        .err()
        .unwrap();
    assert_eq!(refusal.reason(), RefusalReason::BadKeyProof);
    // A user that does not exist is refused although the dummy key was checked in its place.
    login = Login {
        enrolled: None,
        ..Login::default()
    };
    assert_eq!(refused(&login), RefusalReason::UnknownUserOrKey);
}

#[test]
fn without_the_password_a_key_holder_is_not_let_in() {
    let login = Login {
        password: b"letmein".to_vec(),
        ..Login::default()
    };
    assert_eq!(refused(&login), RefusalReason::WrongPassword);
}

#[test]
fn all_refusals_look_alike_on_the_wire() {
    let wrong_password = Login {
        password: b"letmein".to_vec(),
        ..Login::default()
    };
    let unknown = Login {
        enrolled: None,
        ..Login::default()
    };
    for login in [wrong_password, unknown] {
        let Ok(Outcome::Refused(refusal)) = login.run() else {
            panic!()
        };
        assert_eq!(refusal.answer().unwrap().len(), 100);
    }
}

#[test]
fn another_host_key_than_the_pin_stops_the_client_before_it_names_the_user() {
    let login = Login {
        pin: Fingerprint([1; 32]),
        ..Login::default()
    };
    assert!(matches!(login.run(), Err(Error::HostKeyMismatch { .. })));
}

#[test]
fn a_host_that_does_not_hold_its_key_is_found_out() {
    let (client, hello) = ExpectServerHello::start(ephemeral(1, 2));
    let pretender = Borrowed {
        shown: host().0,
        signs: HashSigner(ramp(9, 422)),
    };
    let (_, answer) = accept(&hello, ephemeral(3, 4), &pretender).unwrap();
    let (server_hello, auth) = answer.split_at(SERVER_HELLO_LEN);
    let error = client
        .server_hello(server_hello)
        .unwrap()
        .server_auth(auth, &HashVerifier)
        .err();
    assert_eq!(error, Some(Error::Forged("the host's signature")));
}

#[test]
fn a_client_auth_from_another_connection_does_not_open() {
    let (_, record) = up_to_client_auth(&alice_key());
    // The same hello as before, on a connection for which the server has drawn its own values anew.
    let (_, hello) = ExpectServerHello::start(ephemeral(1, 2));
    let (fresh, _) = accept(&hello, ephemeral(5, 6), &host()).unwrap();
    assert_eq!(
        fresh.client_auth(&record).err(),
        Some(Error::Forged("record tag"))
    );
}

#[test]
fn a_value_that_forces_a_zero_secret_is_refused() {
    // The points of small order (RFC 7748, section 6.1): 0 and 1 are the two that are easy to write down.
    for point in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let error = ephemeral(1, 2).agree(&point).err();
        assert!(matches!(error, Some(Error::Forged(_))));
    }
}

proptest! {
    #[test]
    fn one_changed_byte_anywhere_in_the_handshake_ends_it(place in 0usize..(74 + 66 + 1060 + 1060), xor in 1u8..) {
        let (client, mut hello) = ExpectServerHello::start(ephemeral(1, 2));
        if place < 74 { hello[place] ^= xor; }
        let Ok((server, mut answer)) = accept(&hello, ephemeral(3, 4), &host()) else { return Ok(()) };
        if (74..74 + answer.len()).contains(&place) { answer[place - 74] ^= xor; }
        let (server_hello, auth) = answer.split_at(SERVER_HELLO_LEN);
        let Ok(client) = client.server_hello(server_hello) else { return Ok(()) };
        let Ok(proven) = client.server_auth(auth, &HashVerifier) else { return Ok(()) };
        prop_assert!(place >= 74 + answer.len(), "the client noticed nothing at {place}");
        let pin = proven.fingerprint();
        let password = Zeroizing::new(PASSWORD.to_vec());
        let (_, mut record) = proven.pinned(&pin).unwrap().login(&alice(), &alice_key(), &password).unwrap();
        record[place - 74 - answer.len()] ^= xor;
        prop_assert!(server.client_auth(&record).is_err());
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(accept(&bytes, ephemeral(3, 4), &host()).is_err());
        let (client, hello) = ExpectServerHello::start(ephemeral(1, 2));
        prop_assert!(client.server_hello(&bytes).is_err());
        let (server, answer) = accept(&hello, ephemeral(3, 4), &host()).unwrap();
        prop_assert!(server.client_auth(&bytes).is_err());
        let (client, _) = ExpectServerHello::start(ephemeral(1, 2));
        let client = client.server_hello(&answer[..SERVER_HELLO_LEN]).unwrap();
        prop_assert!(client.server_auth(&bytes, &HashVerifier).is_err());
    }
}
