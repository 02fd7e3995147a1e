//! Reads the session key off the wire, and with it every message.
//!
//! # Flaw
//! The faithful server sends the session key and the IV in clear, straight after the login.
//!
//! # Attack
//! Take 32 + 8 bytes that follow the greeting and decrypt what the client sends.
//!
//! # What it proves
//! A key that travels in the envelope that it locks is no key: the strength of AES-256 is beside the point.
//!
//! # Defence
//! An ephemeral key exchange: the root of all keys is computed at both ends and never sent (`hardened::keys`).
//!
//! # In the wild
//! SSL 2.0 had a cipher that sent 88 of the 128 bits of its key in clear by design, to satisfy export rules
//! (`SSL_CK_RC4_128_EXPORT40_WITH_MD5`). As a kind of mistake it is CWE-319, "cleartext transmission".

use zeroize::Zeroizing;

use crate::{
    Attack, Claim, Goal, Report, Run, Story,
    capture::{
        dissect::{self, Protocol},
        trace::{Side, Trace},
    },
    protocol::{
        faithful::{keys::SessionSecrets, record::Opener},
        hardened::{
            self,
            message::{CLIENT_HELLO_LEN, Message},
        },
    },
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "cleartext-key",
    goal: Goal::Read,
    title: "read the session key off the wire",
    vantage: "a sniffer who sees every byte of one session and sends none",
    run: Run::Sniff(run),
};

fn run(trace: &Trace) -> Report {
    match dissect::protocol(trace) {
        Protocol::Faithful => read_faithful(trace),
        _ => search_hellos(trace),
    }
}

fn read_faithful(trace: &Trace) -> Report {
    let mut story = Story::default();
    let session = dissect::faithful(trace);
    let (Some(key), Some(iv)) = (session.key, session.iv) else {
        story.tell("the server sent no key: the login failed");
        return Report::new(Claim::Nothing, story);
    };
    story.tell(format!("server -> client: session key {}", hex(&key)));
    story.tell(format!("server -> client: IV {}", hex(&iv)));
    let opener = Opener::new(&SessionSecrets::new(key, iv));
    let mut messages = Vec::new();
    for ciphertext in &session.messages {
        let plaintext = opener.open(ciphertext);
        story.tell(format!(
            "{} opens to \"{}\"",
            hex(ciphertext),
            String::from_utf8_lossy(&plaintext)
        ));
        messages.push(plaintext.iter().copied().map(Some).collect());
    }
    Report::new(Claim::Read(messages), story)
}

/// Tries what is in clear in a hardened session, every 32 bytes of it, as the secret of the client's records.
fn search_hellos(trace: &Trace) -> Report {
    let mut story = Story::default();
    let clear = [
        &trace.stream(Side::Client)[..],
        &trace.stream(Side::Server)[..],
    ]
    .map(|stream| {
        stream
            .iter()
            .copied()
            .take(CLIENT_HELLO_LEN)
            .collect::<Vec<_>>()
    })
    .concat();
    // The first record of the client is its login; the session's own records count from there.
    let records: Vec<Vec<u8>> = dissect::hardened(trace)
        .client_records
        .into_iter()
        .skip(1)
        .map(|record| record.wire)
        .collect();
    story.tell(format!(
        "in clear are the two hellos; the {} records of the client are encrypted",
        records.len()
    ));
    let candidates = clear
        .windows(32)
        .filter_map(|window| window.try_into().ok());
    let opened = candidates
        .clone()
        .find_map(|secret| open_all(secret, &records));
    match opened {
        Some(messages) => {
            story.tell("32 bytes of the hellos are the secret that opens the records");
            Report::new(Claim::Read(messages), story)
        }
        None => {
            story.tell(format!(
                "each of the {} runs of 32 bytes in them was tried as the secret: no record opens",
                candidates.count()
            ));
            Report::new(Claim::Nothing, story)
        }
    }
}

/// The messages among the records, if this is the secret that they were made with.
fn open_all(secret: [u8; 32], records: &[Vec<u8>]) -> Option<Vec<Vec<Option<u8>>>> {
    let mut opener = hardened::record::Opener::new(&Zeroizing::new(secret), 1);
    let mut messages = Vec::new();
    for record in records {
        let plaintext = opener.open(record).ok()?;
        if let Ok(Some(Message::Msg { text, .. })) = Message::decode(plaintext.typ, &plaintext.body)
        {
            messages.push(text.into_bytes().into_iter().map(Some).collect());
        }
    }
    (!messages.is_empty()).then_some(messages)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        capture::trace::Chunk,
        protocol::hardened::{message::Type, record::Sealer},
    };

    /// A session whose records are made with `secret`, and whose server hello shows `shown`.
    fn session(secret: [u8; 32], shown: [u8; 32]) -> Trace {
        let hello = [&b"latch/2\n"[..], &[2, 0], &[7; 64]].concat();
        let login = Sealer::new(&Zeroizing::new([1; 32]), 0).seal(Type::ClientAuth, &[9; 900]);
        let body = [&1u64.to_be_bytes()[..], &[0], b"pay bob 10"].concat();
        let message = Sealer::new(&Zeroizing::new(secret), 1).seal(Type::Msg, &body);
        let answer = [&[2, 0][..], &shown, &[8; 32]].concat();
        let chunk = |(from, bytes)| Chunk {
            from,
            at: Duration::ZERO,
            bytes,
        };
        let sent = [
            (Side::Client, hello),
            (Side::Server, answer),
            (Side::Client, login.unwrap()),
            (Side::Client, message.unwrap()),
        ];
        Trace {
            chunks: sent.into_iter().map(chunk).collect(),
            ..Trace::default()
        }
    }

    #[test]
    fn a_secret_that_travels_in_a_hello_is_found_and_one_that_does_not_is_not() {
        let read = vec![b"pay bob 10".iter().copied().map(Some).collect()];
        assert_eq!(run(&session([5; 32], [5; 32])).claim, Claim::Read(read));
        assert_eq!(run(&session([5; 32], [6; 32])).claim, Claim::Nothing);
    }
}
