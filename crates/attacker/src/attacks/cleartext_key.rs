//! Reads the session key off the wire, and with it every message.
//!
//! # Flaw
//! The faithful server sends the session key and the IV in clear, straight after its greeting. There is no key
//! exchange.
//!
//! # Attack
//! Take the 32 and 8 bytes that follow the greeting, and decrypt the client's messages. In a hardened session only the
//! two hellos are in clear. There the attack tries every run of 32 bytes in them as the secret of the records.
//!
//! # What it proves
//! A key that travels beside its ciphertext protects nothing. AES-256 is not at fault. A larger session key (the
//! report's remedy) could be read off the wire just as well.
//!
//! # Defence
//! An ephemeral X25519 exchange. Only two public values travel. Both ends compute the root of all keys. The root is
//! different in each session, and each end wipes it once it has derived the session's keys. The trial above cannot find
//! a key that is hidden in some other way; the trial is here so that the attack does try. This project does not prove
//! that X25519 is secure.
//!
//! # In the wild
//! - SSL 2.0 had a cipher that encrypted only 40 of the 128 bits of its key. It sent the other 88 in clear by design,
//!   to satisfy export rules (`SSL_CK_RC4_128_EXPORT40_WITH_MD5` in Netscape's specification).
//! - The catalogues list the same mistake as CWE-319, "cleartext transmission of sensitive information".

use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    capture::{
        dissect,
        trace::{Side, Trace},
    },
    cuts,
    eavesdrop::open_session,
    protocol::hardened::defence::Defence,
    protocol_faithful::{keys::SessionSecrets, record::Opener},
    vantage::Wiretap,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "cleartext-key",
    goal: Goal::Read,
    title: "read the session key off the wire",
    vantage: "a sniffer who sees every byte of one session and sends none",
    returns_without: &[&[Defence::SecretExchange]],
    run: Run::Sniff(run),
    ..Attack::PLAIN
};

/// Runs the attack.
pub(super) fn run(wiretap: &Wiretap) -> Report {
    match wiretap.dialect.target {
        Target::Faithful => read_faithful(&wiretap.trace),
        Target::Hardened => search_hellos(wiretap),
    }
}

fn read_faithful(trace: &Trace) -> Report {
    let mut story = Story::default();
    let session = dissect::faithful(trace);
    let (Some(key), Some(iv)) = (session.key, session.iv) else {
        story.tell(why_no_key(trace));
        return Report::new(Claim::Nothing, story);
    };
    story.tell(format!("server -> client: session key {}", hex(&key)));
    story.tell(format!("server -> client: IV {}", hex(&iv)));
    let opener = Opener::new(&SessionSecrets::new(key, iv));
    let read = cuts::read(&session, |ciphertext| opener.open(ciphertext).to_vec());
    for line in &read.remarks {
        story.tell(line.clone());
    }
    let mut messages = Vec::new();
    for message in &read.messages {
        story.tell(format!(
            "{} opens to \"{}\"{}",
            hex(&message.ciphertext),
            String::from_utf8_lossy(&message.plaintext),
            message.in_words()
        ));
        messages.push(message.claim());
    }
    if messages.is_empty() {
        story.tell("there is no message to open");
        return Report::new(Claim::Nothing, story);
    }
    Report::new(Claim::Read(messages), story)
}

/// A login that failed looks like a capture that lacks the answer, except that nothing is missing.
fn why_no_key(trace: &Trace) -> String {
    if !trace.gaps.is_empty() {
        return "the capture lacks the session key or the IV, so it does not show whether the login succeeded"
            .to_owned();
    }
    match trace.closed {
        true => "the server sent no key: the login failed".to_owned(),
        false => "the capture ends before the server sent a key".to_owned(),
    }
}

/// Tries what is in clear in a hardened session, every 32 bytes of the two hellos, as the secret behind all keys.
fn search_hellos(wiretap: &Wiretap) -> Report {
    let mut story = Story::default();
    let hello = |side| wiretap.pieces(side).into_iter().next().unwrap_or_default();
    let clear = [hello(Side::Client), hello(Side::Server)].concat();
    story.tell(format!(
        "the two hellos, {} bytes, are in clear; the {} records of the client are encrypted",
        clear.len(),
        wiretap.session_records(Side::Client).len()
    ));
    let opened = (clear.windows(32)).find_map(|window| open_session(wiretap, window));
    match opened {
        Some(messages) => {
            story.tell("32 bytes of the hellos are the secret behind all keys");
            Report::of_reading(messages, story)
        }
        None => {
            story.tell(format!(
                "each of the {} runs of 32 bytes in the hellos was tried as the secret: no record opens",
                clear.windows(32).count()
            ));
            Report::new(Claim::Nothing, story)
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
