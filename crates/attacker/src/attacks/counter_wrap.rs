//! Waits until a short counter wraps.
//!
//! # Flaw
//! A nonce from a counter with too few bits repeats. With a counter of one byte, record 256 has the same keystream as
//! record 0.
//!
//! # Attack
//! Let the user type. The attacker knows one message. The keystream of that message opens the message 256 records
//! later.
//!
//! # What it proves
//! "Unique" needs a number: after how many records does the nonce repeat? A protocol needs a counter with enough bits.
//! It must stop or change its keys before the counter wraps.
//!
//! # Defence
//! Record numbers have 64 bits, and a session ends after 2^24 records: `hardened::record::MAX_RECORDS`.
//!
//! # In the wild
//! WEP's 24-bit nonce wrapped within hours on a busy network. SSH renews its keys after 2^32 packets at the latest
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
    title: "wait until a short counter wraps",
    goal: Goal::Read,
    vantage: "a sniffer of one long session who knows its first message",
    scene: Scene {
        messages: ROUND + 2,
        ..Scene::PLAIN
    },
    faithful: Faithful::DoesNotApply(
        "there is no counter to wrap: every message starts at the first byte of the keystream (keystream-reuse)",
    ),
    returns_without: &[&[Defence::WideCounter], &[Defence::FreshNonce]],
    run: Run::Sniff(run),
    ..Attack::PLAIN
};

/// The number of values that a counter of one byte has.
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
            "record {ROUND} does not open with this keystream: it has another one"
        ));
        return Report::new(Claim::Nothing, story);
    };
    story.tell(format!(
        "record {ROUND} opens with this keystream: \"{text}\""
    ));
    let mut read = vec![Vec::new(); ROUND];
    read.push(text.bytes().map(Some).collect());
    Report::new(Claim::Read(read), story)
}
