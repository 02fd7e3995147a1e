//! Rungs 5 to 7: the exchange and the login.

use rand::rngs::ChaCha20Rng;

use super::{
    Finding, Promise,
    dialogue::{Grader, SOON, listen, user},
};
use crate::{
    cast,
    complaint::Ending,
    folder::ZOE,
    hello::{HELLO, HOST_PROOF, Half, Transcript},
    login::{Credentials, Identity, Ready, signed_hash, signed_login},
    rung::{Idea, Rung},
    session::{self, Tap},
    signature::{Context, SIGNATURE},
};

/// Everything that applies on this rung.
pub(super) fn all(grader: &Grader<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if grader.rung.has(Idea::Exchange) {
        findings.extend(fresh(grader));
        findings.extend(other_rung(grader));
        findings.extend(zero_secret(grader));
        findings.extend(replayed(grader));
    }
    if grader.rung.has(Idea::Proof) {
        findings.extend(unsigned(grader));
        findings.extend(signed_elsewhere(grader));
        findings.extend(signed_by_another(grader));
    }
    if grader.rung.has(Idea::Password) {
        findings.extend(wrong_password(grader));
    }
    findings
}

/// Strangers try one user's name many times, which takes its time from rung 8 on.
pub(super) fn locked_out(grader: &Grader<'_>) -> Vec<Finding> {
    let applies = grader.rung.has(Idea::Password);
    applies
        .then(|| lockout(grader))
        .flatten()
        .into_iter()
        .collect()
}

/// The server's random and X25519 value are new for every connection.
fn fresh(grader: &Grader<'_>) -> Option<Finding> {
    let promise = Promise::Withstands("retrospective");
    let expected = "random and X25519 value are new for every connection";
    let hello = || {
        let (_, _, tap) = grader.log_in(grader.somebody())?;
        Some(tap.server.get(7..HELLO)?.to_vec())
    };
    let (first, second) = (hello()?, hello()?);
    let same = first[..32] == second[..32] || first[32..] == second[32..];
    same.then(|| Finding::new(promise, expected, "a value of an earlier connection"))
}

/// Sends a hello that no honest client sends; the server must end the connection.
fn hello_is_refused(grader: &Grader<'_>, hello: &[u8], why: &str) -> Option<Finding> {
    let mut line = grader.dial()?;
    line.send(hello);
    let (bytes, closed) = listen(&mut *line, SOON);
    let expected = format!("the connection ends when {why}");
    let saw = format!("{} bytes, and an open connection", bytes.len());
    (!closed).then(|| Finding::new(Promise::Withstands("cleartext-key"), expected, saw))
}

fn other_rung(grader: &Grader<'_>) -> Option<Finding> {
    let mut hello = Half::draw(&mut grader.rng()).hello(grader.rung);
    hello[6] ^= 1;
    hello_is_refused(grader, &hello, "the hello names another rung")
}

/// With the value 0 the secret is 0, whatever the server's half is.
fn zero_secret(grader: &Grader<'_>) -> Option<Finding> {
    let mut hello = Half::draw(&mut grader.rng()).hello(grader.rung);
    hello[HELLO - 32..].fill(0);
    hello_is_refused(grader, &hello, "the X25519 value forces a zero secret")
}

/// Every recorded byte again.
fn replayed(grader: &Grader<'_>) -> Option<Finding> {
    let mut client = grader.client(grader.somebody());
    client.say(&grader.text()).expect("the graders' texts fit");
    let mut tap = Tap::default();
    session::settle(&mut client, &mut *grader.dial()?, &mut tap);
    let mut line = grader.dial()?;
    for bytes in &tap.client {
        line.send(bytes);
    }
    let (bytes, closed) = listen(&mut *line, SOON);
    let more = bytes.len().saturating_sub(HELLO + HOST_PROOF);
    let right = closed && more == 0;
    let end = if closed {
        "the end"
    } else {
        "an open connection"
    };
    (!right).then(|| {
        let expected = "recorded bytes that are sent again get hello and proof, and then the end";
        let saw = format!("{more} bytes after the proof, then {end}");
        Finding::new(Promise::Withstands("login-replay"), expected, saw)
    })
}

/// A login that must be refused.
fn refused(
    grader: &Grader<'_>,
    credentials: impl Credentials + 'static,
    promise: Promise,
    why: &str,
) -> Option<Finding> {
    let (client, ..) = grader.log_in(credentials)?;
    let expected = format!("a login is refused when {why}");
    match client.ending() {
        Some(Ending::Refused(_)) => None,
        // Whoever mistyped wants to know that it was the login.
        Some(_) => Some(Finding::new(
            Promise::Refusal,
            expected,
            "the end of the connection, without the frame that says so",
        )),
        None => Some(Finding::new(promise, expected, "a welcome")),
    }
}

fn unsigned(grader: &Grader<'_>) -> Option<Finding> {
    let user = grader.somebody();
    let name = user.name.as_str().as_bytes();
    let (signature, password) = ([0x5a; SIGNATURE], user.password.as_bytes());
    let login = Ready(signed_login(grader.rung, name, &signature, password));
    refused(
        grader,
        login,
        Promise::Withstands("impersonate"),
        "its signature is no signature",
    )
}

/// The user's real signature, over another session's transcript.
struct Elsewhere(Identity);

impl Credentials for Elsewhere {
    fn login(&mut self, rung: Rung, _: &Transcript, rng: &mut ChaCha20Rng) -> Vec<u8> {
        let mut other = Transcript::default();
        other.add(b"the transcript of another host");
        self.0.login(rung, &other, rng)
    }
}

fn signed_elsewhere(grader: &Grader<'_>) -> Option<Finding> {
    refused(
        grader,
        Elsewhere(grader.somebody()),
        Promise::Withstands("relay"),
        "the user signed another transcript",
    )
}

/// A right signature by a key that is not this user's.
struct Another(Identity);

impl Credentials for Another {
    fn login(&mut self, rung: Rung, transcript: &Transcript, rng: &mut ChaCha20Rng) -> Vec<u8> {
        let name = self.0.name.as_str().as_bytes();
        let signed = signed_hash(transcript, name);
        let signature = cast::mallorys_host().sign(Context::User, &signed, rng);
        signed_login(rung, name, &signature, self.0.password.as_bytes())
    }
}

fn signed_by_another(grader: &Grader<'_>) -> Option<Finding> {
    refused(
        grader,
        Another(grader.somebody()),
        Promise::Withstands("impersonate"),
        "the signature is by another key",
    )
}

fn wrong_password(grader: &Grader<'_>) -> Option<Finding> {
    let promise = Promise::Withstands("stolen-key");
    let with = |user, password: &str, why| {
        let password = password.to_owned();
        let user = Identity { password, ..user };
        refused(grader, user, promise, why)
    };
    let nobodys = with(grader.somebody(), "letmein", "the password is another");
    nobodys.or_else(|| {
        let why = "the password is another user's";
        with(user(ZOE), cast::alice().password.as_str(), why)
    })
}

/// Strangers without the key must not lock a user out.
fn lockout(grader: &Grader<'_>) -> Option<Finding> {
    let user = grader.somebody();
    for _ in 0..12 {
        let name = user.name.as_str().as_bytes();
        let login = signed_login(grader.rung, name, &[0x5a; SIGNATURE], b"wrong");
        grader.log_in(Ready(login))?;
    }
    let (client, ..) = grader.log_in(user)?;
    let expected = "a user still logs in after wrong logins by strangers without the key";
    let promise = Promise::Withstands("lockout");
    (!client.is_open()).then(|| Finding::new(promise, expected, "the user was refused"))
}
