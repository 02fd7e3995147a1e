//! A server of the hardened protocol against a client that holds the right keys and says anything.
//!
//! Besides "no panic": a key counts as proven exactly when the account is there with this key, and signature and Finished
//! MAC are right; a login succeeds exactly with the right password; type and mode of a claim go together; and all refusals
//! look alike.

use arbitrary::{Arbitrary, Unstructured};
use latchstring_protocol::{
    codec::{put_long, put_short},
    hardened::{
        handshake::{Claim, RefusalReason, accept},
        message::{Fingerprint, ServerAuth, Type, UserName},
        primitives::Secret,
        record::Opener,
        role::Role,
    },
};

use super::{
    field::{Field, Padding},
    peer::{self, Forger, HashVerifier},
};

#[derive(Debug, Arbitrary)]
struct Script {
    hello: Field,
    claim_type: u8,
    claim_mode: u8,
    user: Field,
    kid: Field,
    signature: Field,
    password: Field,
    finished: Field,
    /// The key that is to be enrolled.
    enrol: Option<Field>,
    trailing: Vec<u8>,
    padding: Padding,
    /// Whether the account is there.
    absent: bool,
    last_message: u64,
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

/// The handshake up to the client's turn, with the checks on what an honest server says.
fn begin(
    hello: &[u8],
) -> Option<(
    latchstring_protocol::hardened::handshake::ExpectClientAuth,
    peer::Handshake,
)> {
    let well_formed = peer::is_hello(Role::Client, hello);
    let known = peer::Handshake::after(hello, &peer::hello(Role::Server));
    let accepted = accept(hello, peer::ephemeral(Role::Server), &peer::host());
    let Ok((server, answer)) = accepted else {
        assert!(!well_formed || known.is_none(), "an honest hello is taken");
        return None;
    };
    assert!(well_formed);
    let mut handshake = known?;
    let (answered, record) = answer.split_at(66);
    assert_eq!(answered, peer::hello(Role::Server));
    let opened = Opener::new(&handshake.secrets.server, 0)
        .open(record)
        .expect("ours");
    let auth = ServerAuth::decode(&opened.body).expect("an honest host's proof");
    handshake.host_said(&auth);
    Some((server, handshake))
}

fn play(script: &Script) -> Option<()> {
    let (server, mut handshake) = begin(&script.hello.apply(&peer::hello(Role::Client)))?;
    let key = peer::alice_key();
    let new_key = script.enrol.as_ref().map(|field| field.apply(&key.0));
    let signing = new_key.as_ref().unwrap_or(&key.0);
    let user = script.user.apply(b"alice");
    let kid = Fingerprint(script.kid.fixed(Fingerprint::of(signing).0));
    if user.len() > 255 {
        return None;
    }
    let claim = peer::Claim {
        user: &user,
        kid,
        new_key: new_key.as_deref(),
    };
    let right = handshake.client_signature(&claim, signing);
    let signature = script.signature.apply(&right);
    let mut proven = signature == right && kid == Fingerprint::of(signing);
    let right = handshake.finished(Role::Client, &signature);
    let finished = script.finished.fixed(right);
    proven &= finished == right;
    handshake.add_finished(&finished);
    let password = script.password.apply(peer::PASSWORD);

    let (typ, mode) = match new_key {
        None => (Type::ClientAuth as u8, 1_u8),
        Some(_) => (Type::Enrol as u8, 2),
    };
    let sent = (
        typ.wrapping_add(script.claim_type),
        mode.wrapping_add(script.claim_mode),
    );
    let mut body = vec![sent.1];
    put_short(&mut body, &user);
    body.extend(kid.0);
    put_long(&mut body, &signature);
    put_long(&mut body, &password);
    body.extend(finished);
    if let Some(key) = &new_key {
        body.extend([5; 16]);
        put_long(&mut body, key);
    }
    body.extend(&script.trailing);
    let (record, padded) =
        Forger::new(&handshake.secrets.client, 0).seal(sent.0, &body, &script.padding)?;
    let claimed = server.claim(&record);

    let named = std::str::from_utf8(&user).is_ok_and(|user| UserName::parse(user).is_ok());
    let honest = sent == (typ, mode)
        && named
        && script.trailing.is_empty()
        && padded
        && (1..=128).contains(&password.len());
    // What follows a login may happen to have the form of an enrolment.
    let by_chance = sent.1 == 2 && new_key.is_none() && !script.trailing.is_empty();
    assert!(
        claimed.is_ok() == honest || by_chance,
        "{}",
        claimed.is_ok()
    );
    if !honest {
        return None;
    }
    let secret: Secret = handshake.session("ap s2c");
    let mut answers = Opener::new(&secret, 1);
    let refused = match claimed.ok()? {
        Claim::Login(claimant) => {
            assert!(new_key.is_none());
            let known = (!script.absent).then_some(&key.0[..]);
            match claimant.prove_key(known, Some(&[13; 422]), &HashVerifier) {
                Ok(holder) => {
                    assert!(proven && !script.absent);
                    let right = password == peer::PASSWORD;
                    match holder.prove_password(|given| given == peer::PASSWORD) {
                        Ok(authenticated) => {
                            assert!(right);
                            let (_, welcome) = authenticated.welcome(script.last_message).ok()?;
                            let opened = answers.open(&welcome).expect("the client can read it");
                            assert_eq!(opened.typ, Type::AuthOk);
                            assert_eq!(opened.body[..], script.last_message.to_be_bytes());
                            return Some(());
                        }
                        Err(refusal) => {
                            assert!(!right && refusal.reason() == RefusalReason::WrongPassword);
                            refusal
                        }
                    }
                }
                Err(refusal) => {
                    assert!(!proven || script.absent);
                    refusal
                }
            }
        }
        Claim::Enrolment(newcomer) => match newcomer.prove_key(&HashVerifier) {
            Ok(holder) => {
                assert!(proven && holder.spki() == signing);
                match holder.enrolled(Err(RefusalReason::NotInvited)) {
                    Ok(_) => unreachable!("there was no invitation"),
                    Err(refusal) => refusal,
                }
            }
            Err(refusal) => {
                assert!(!proven);
                refusal
            }
        },
    };
    let answer = refused.answer().expect("a refusal can be sealed");
    let opened = answers.open(&answer).expect("the client can read it");
    assert_eq!(
        (answer.len(), opened.typ, opened.body.len()),
        (100, Type::AuthFail, 0)
    );
    Some(())
}
