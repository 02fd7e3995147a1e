//! Reads a long session with the keys of one moment.
//!
//! # Flaw
//! A session that keeps its keys from the login to the end has put everything behind one secret. Whoever sees the
//! memory of one of its programs for a moment can read all of it, from the first message to the last.
//!
//! # Attack
//! Copy the client's memory right after the login: a core dump, a swap file, a bug that leaks memory. Record the wire
//! for as long as the session lasts. Open every record with the keys of that moment. Against faithful there is nothing
//! to steal, because the key of the whole session is on the wire.
//!
//! # What it proves
//! Keys leak, and a leak should end by itself. The thief reads what these keys protect, and no more.
//!
//! # Defence
//! A long session changes its keys. Both ends make new X25519 values. They derive the new keys from these and from a
//! secret that only they have, and wipe the old keys. The thief sees both values on the wire, and cannot compute what
//! they give. New keys are no new login: a thief who can also change the bytes on the wire can take part in the
//! exchange.
//!
//! # In the wild
//! - SSH asks for new keys "after each gigabyte of transmitted data or after each hour of connection time" (RFC 4253,
//!   section 9). WireGuard makes new ones every two minutes.
//! - Heartbleed (CVE-2014-0160) let anybody read pieces of a server's memory. Keys were among them.

use super::cleartext_key;
use crate::{
    Attack, Claim, Goal, Report, Run, Scene, Story, Target,
    capture::trace::Side,
    protocol::hardened::{
        defence::Defence,
        message::{Message, Type},
        primitives::Secret,
        record::Opener,
    },
    vantage::{MemoryDump, Wiretap},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "memory-dump",
    goal: Goal::Read,
    title: "read a long session with the keys of one moment",
    vantage: "a sniffer of one long session who sees the client's memory once, right after the login",
    scene: Scene {
        outlives_keys: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::Rekeying]],
    run: Run::SniffAndDump(run),
    ..Attack::PLAIN
};

fn run(wiretap: &Wiretap, memory: &MemoryDump) -> Report {
    if wiretap.dialect.target == Target::Faithful {
        let mut report = cleartext_key::run(wiretap);
        report
            .story
            .tell("so the attack needs no memory of a client");
        return report;
    }
    let mut story = Story::default();
    story.tell(format!(
        "right after the login, Mallory copies {} keys out of the memory of the client",
        memory.traffic_secrets.len()
    ));
    let records = wiretap.session_records(Side::Client);
    let all = (memory.traffic_secrets.iter()).map(|secret| opened(wiretap, &records, secret));
    let Some(opened) = all.max_by_key(|opened| opened.records) else {
        return Report::new(Claim::Nothing, story);
    };
    story.tell(format!(
        "one of them opens the first {} of the client's {} records",
        opened.records,
        records.len()
    ));
    if opened.changed {
        story
            .tell("the last of these says that the next ones are under new keys, which came later");
    }
    match opened.texts.is_empty() {
        true => Report::new(Claim::Nothing, story),
        false => Report::of_reading(opened.texts, story),
    }
}

/// What one key opens, from the first record on.
struct Opened {
    records: usize,
    texts: Vec<String>,
    /// Whether it ends with the client's change of keys.
    changed: bool,
}

fn opened(wiretap: &Wiretap, records: &[Vec<u8>], secret: &Secret) -> Opened {
    let mut opener = Opener::with(secret, 1, &*wiretap.dialect.defences);
    let (mut texts, mut changed) = (Vec::new(), false);
    let open = |record: &Vec<u8>| opener.open(record).ok();
    let plaintexts: Vec<_> = records.iter().map_while(open).collect();
    for plaintext in &plaintexts {
        changed = plaintext.typ == Type::Rekey3;
        let message = Message::decode(plaintext.typ, &plaintext.body);
        if let Ok(Some(Message::Msg { text, .. })) = message {
            texts.push(text);
        }
    }
    Opened {
        records: plaintexts.len(),
        texts,
        changed,
    }
}
