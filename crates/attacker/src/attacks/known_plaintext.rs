//! Opens all messages with one known message.
//!
//! # Flaw
//! Every faithful message is encrypted under the same keystream. A known plaintext gives that much of the keystream.
//! That keystream opens the same stretch of every other message.
//!
//! # Attack
//! The attacker knows one message of the session: a greeting, a form letter, or a text that the attacker made the user
//! send. XOR it with its ciphertext, and XOR the result with all the others. In the hardened protocol the attacker also
//! knows every byte of the server's first record. That record says that the login succeeded and that the log is empty.
//!
//! # What it proves
//! A cipher must hold although the attacker knows parts of the plaintext. Some parts are always known: headers, habits,
//! padding.
//!
//! # Defence
//! Every record has a fresh nonce, and each direction has different keys. A known record opens only that record.
//!
//! # In the wild
//! WEP: a packet of known text gave the keystream for its nonce, and nonces of 24 bits repeat. MS-PPTP (1998) used one
//! keystream in both directions.

use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    capture::{dissect, trace::Side},
    cryptanalysis::xor,
    eavesdrop::{ciphertext, message_body, plaintext, text_in},
    protocol::hardened::{defence::Defence, message::Type},
    vantage::Wiretap,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "known-plaintext",
    title: "open every message with one known message",
    goal: Goal::Read,
    vantage: "a sniffer who sees every byte of one session, and knows one of its messages",
    returns_without: &[&[Defence::FreshNonce], &[Defence::DirectionKeys]],
    run: Run::Sniff(run),
    ..Attack::PLAIN
};

/// The message that the attacker knows: its place in the session, from 0, and its text.
pub const KNOWN: (usize, &str) = (3, "please send me the report before then");

fn run(wiretap: &Wiretap) -> Report {
    let mut story = Story::default();
    let mut read = match wiretap.dialect.target {
        Target::Faithful => faithful(wiretap, &mut story),
        Target::Hardened => hardened(wiretap, &mut story),
    };
    // What was known before is no loot.
    if let Some(known) = read.get_mut(KNOWN.0) {
        known.clear();
    }
    for text in read.iter().filter(|text| !text.is_empty()) {
        story.tell(format!("read: \"{}\"", String::from_utf8_lossy(text)));
    }
    if read.iter().all(Vec::is_empty) {
        story.tell("no message opens: no two records share a keystream");
        return Report::new(Claim::Nothing, story);
    }
    let known = |text: Vec<u8>| text.into_iter().map(Some).collect();
    Report::new(Claim::Read(read.into_iter().map(known).collect()), story)
}

/// Each message as far as the known one reaches.
fn faithful(wiretap: &Wiretap, story: &mut Story) -> Vec<Vec<u8>> {
    let messages = dissect::faithful(&wiretap.trace).messages;
    let Some(known) = messages.get(KNOWN.0) else {
        story.tell("the known message is not in the recording");
        return Vec::new();
    };
    let keystream = xor(known, KNOWN.1.as_bytes());
    story.tell(format!(
        "message {} is known: XOR with its ciphertext gives {} bytes of keystream",
        KNOWN.0 + 1,
        keystream.len()
    ));
    messages
        .iter()
        .map(|message| xor(message, &keystream))
        .collect()
}

/// Each message that opens with the keystream of a record that is known.
fn hardened(wiretap: &Wiretap, story: &mut Story) -> Vec<Vec<u8>> {
    let records = wiretap.session_records(Side::Client);
    let records: Vec<&[u8]> = records.iter().map(|record| ciphertext(record)).collect();
    let greeting = wiretap.session_records(Side::Server);
    let mut keystreams = Vec::new();
    if let Some(record) = records.get(KNOWN.0) {
        let body = message_body(KNOWN.0 as u64 + 1, KNOWN.1);
        keystreams.push(xor(record, &plaintext(Type::Msg, &body, record.len())));
        story.tell(format!("message {} of the client is known", KNOWN.0 + 1));
    }
    if let Some(record) = greeting.first().map(|record| ciphertext(record)) {
        let welcome = plaintext(Type::AuthOk, &[0; 8], record.len());
        keystreams.push(xor(record, &welcome));
        story.tell(
            "the server's first record is known: the login succeeded, and the message log is empty",
        );
    }
    let opens = |record: &&[u8]| {
        let tries = keystreams.iter().map(|keystream| xor(record, keystream));
        tries.filter_map(|plaintext| text_in(&plaintext)).next()
    };
    let opened = records
        .iter()
        .map(|record| opens(record).unwrap_or_default());
    opened.map(String::into_bytes).collect()
}
