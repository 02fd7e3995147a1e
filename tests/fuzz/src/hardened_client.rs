//! A client of the hardened protocol against a server that holds the right keys and says anything.
//!
//! Besides "no panic": the client takes a host for proven exactly when signature and Finished MAC are right for the key
//! that was sent, goes on exactly when that key is the pinned one, tells its name to nobody else, and is logged in exactly
//! by a well-formed `AUTH_OK`.

use arbitrary::{Arbitrary, Unstructured};
use latchstring_protocol::{
    codec::put_long,
    hardened::{
        handshake::{ExpectServerHello, Verdict},
        message::{ClientAuth, Fingerprint, Token, Type},
        primitives::Secret,
        record::Opener,
        role::Role,
    },
};
use zeroize::Zeroizing;

use super::{
    field::{Field, Padding},
    peer::{self, Forger, HashVerifier},
};

#[derive(Debug, Arbitrary)]
struct Script {
    hello: Field,
    auth_type: u8,
    key: Field,
    signature: Field,
    finished: Field,
    trailing: Vec<u8>,
    padding: Padding,
    pin: Field,
    enrol: bool,
    verdict_type: u8,
    verdict: Field,
    verdict_padding: Padding,
}

/// Runs one input.
pub fn run(data: &[u8]) {
    reaches_the_end(data);
}

/// Runs one input; whether it came to a verdict that lets somebody in, or to one that refuses.
pub fn reaches_the_end(data: &[u8]) -> bool {
    let script = Script::arbitrary(&mut Unstructured::new(data));
    script.is_ok_and(|script| play(&script).is_some())
}

fn play(script: &Script) -> Option<()> {
    let (client, hello) = ExpectServerHello::start(peer::ephemeral(Role::Client));
    let answer = script.hello.apply(&peer::hello(Role::Server));
    let well_formed = peer::is_hello(Role::Server, &answer);
    let known = peer::Handshake::after(&hello, &answer);
    let client = match client.server_hello(&answer) {
        Ok(client) => client,
        Err(_) => {
            assert!(!well_formed || known.is_none(), "an honest hello is taken");
            return None;
        }
    };
    assert!(well_formed);
    let mut handshake = known?;

    let key = script.key.apply(&peer::host().0);
    let right = handshake.host_signature(&key);
    let signature = script.signature.apply(&right);
    let mut proven = signature == right;
    let right = handshake.finished(Role::Server, &signature);
    let finished = script.finished.fixed(right);
    proven &= finished == right;
    handshake.add_finished(&finished);
    let mut body = Vec::new();
    put_long(&mut body, &key);
    put_long(&mut body, &signature);
    body.extend(finished);
    body.extend(&script.trailing);
    let typ = (Type::ServerAuth as u8).wrapping_add(script.auth_type);
    let mut forger = Forger::new(&handshake.secrets.server, 0);
    let (record, padded) = forger.seal(typ, &body, &script.padding)?;
    proven &= script.auth_type == 0 && script.trailing.is_empty() && padded;
    let host = client.server_auth(&record, &HashVerifier);
    assert_eq!(host.is_ok(), proven);
    let host = host.ok()?;

    assert_eq!(host.fingerprint(), Fingerprint::of(&key));
    let pin = Fingerprint(script.pin.fixed(Fingerprint::of(&key).0));
    let trusted = host.pinned(&pin);
    assert_eq!(trusted.is_ok(), pin == Fingerprint::of(&key));
    let trusted = trusted.ok()?;

    let (user, key, password) = (
        peer::alice(),
        peer::alice_key(),
        Zeroizing::new(peer::PASSWORD.to_vec()),
    );
    let (client, record) = match script.enrol {
        true => trusted.enrol(&user, &key, &password, &Token::new([5; 16])),
        false => trusted.login(&user, &key, &password),
    }
    .expect("an honest login can be made");
    let opened = Opener::new(&handshake.secrets.client, 0).open(&record);
    let opened = opened.expect("the server can read the login");
    let auth = ClientAuth::decode(&opened.body, &latchstring_protocol::hardened::full::Full);
    let auth = auth.expect("the login is well-formed");
    assert_eq!((auth.typ(), &auth.user), (opened.typ, &user));
    handshake.client_said(&auth);

    let body = script.verdict.apply(&7_u64.to_be_bytes());
    let typ = (Type::AuthOk as u8).wrapping_add(script.verdict_type);
    let secret: Secret = handshake.session("ap s2c");
    let (record, padded) = Forger::new(&secret, 1).seal(typ, &body, &script.verdict_padding)?;
    match client.verdict(&record) {
        Ok(Verdict::Accepted { last_message, .. }) => {
            assert!(padded && script.verdict_type == 0);
            assert_eq!(last_message.to_be_bytes()[..], body);
        }
        Ok(Verdict::Refused(said)) => {
            assert!(padded && typ == Type::AuthFail as u8 && body.is_empty() && said.is_empty());
        }
        Err(_) => {
            // The last number of all leaves no room for a next message.
            let accepted = script.verdict_type == 0 && body.len() == 8 && body != [0xff; 8];
            let refused = typ == Type::AuthFail as u8 && body.is_empty();
            assert!(
                !padded || !(accepted || refused),
                "an honest verdict is taken"
            );
        }
    }
    Some(())
}
