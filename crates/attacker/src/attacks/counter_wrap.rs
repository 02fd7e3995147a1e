//! Waits until a short counter comes round.
//!
//! # Flaw
//! A nonce that is counted in too few bits repeats. With one byte, record 256 has the keystream of record 0 again.
//!
//! # Attack
//! Let the user talk. One message is known; the one that comes 256 records later opens with it.
//!
//! # What it proves
//! "Unique" has a number: how many records until it is not. A protocol must count in enough bits, and stop or change its
//! keys before they are used up.
//!
//! # Defence
//! Records are numbered with 64 bits, and a session ends after 2^24 of them: `hardened::record::MAX_RECORDS`.
//!
//! # In the wild
//! WEP's 24-bit nonce came round within hours on a busy network. SSH renews its keys after 2^32 packets at the latest
//! because its counter has 32 bits (RFC 4344, section 3.1).

use crate::{
    Attack, Claim, Faithful, Goal, Report, Run, Scene, Story,
    capture::trace::Side,
    cryptanalysis::xor,
    eavesdrop::{ciphertext, message_body, plaintext, text_in},
    protocol::hardened::{defence::Defence, message::Type},
    vantage::Wiretap,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "counter-wrap",
    title: "wait until a short counter comes round",
    goal: Goal::Read,
    vantage: "a sniffer of one long session who knows its first message",
    scene: Scene {
        messages: ROUND + 2,
        ..Scene::PLAIN
    },
    faithful: Faithful::DoesNotApply(
        "there is no counter to come round: every message starts at the same place (keystream-reuse)",
    ),
    returns_without: &[&[Defence::WideCounter], &[Defence::FreshNonce]],
    run: Run::Sniff(run),
    ..Attack::PLAIN
};

/// So many numbers does one byte have.
const ROUND: usize = 256;
/// The first message.
const KNOWN: &str = "hello my name is alice";

fn run(wiretap: &Wiretap) -> Report {
    let mut story = Story::default();
    let records = wiretap.session_records(Side::Client);
    let (Some(known), Some(later)) = (records.first(), records.get(ROUND)) else {
        story.tell(format!("the session ended after {} records", records.len()));
        return Report::new(Claim::Nothing, story);
    };
    let (known, later) = (ciphertext(known), ciphertext(later));
    let says = plaintext(Type::Msg, &message_body(1, KNOWN), known.len());
    let keystream = xor(known, &says);
    story.tell(format!(
        "{} records were sniffed; the first says \"{KNOWN}\", which gives its keystream",
        records.len()
    ));
    let Some(text) = text_in(&xor(later, &keystream)) else {
        story.tell(format!(
            "record {ROUND} does not open with it: it has a keystream of its own"
        ));
        return Report::new(Claim::Nothing, story);
    };
    story.tell(format!("record {ROUND} opens with it: \"{text}\""));
    let mut read = vec![Vec::new(); ROUND];
    read.push(text.bytes().map(Some).collect());
    Report::new(Claim::Read(read), story)
}
