//! Cycles through the keys of a server that seeds its generator with the time.
//!
//! # Flaw
//! A session key of 256 bits has only as many values as its generator has states. A generator that is seeded with the
//! second of the server's start has 86,400 a day. The report says that an eavesdropper can cycle through session keys
//! and IVs. For such a server the report is right.
//!
//! # Attack
//! Try every second of the day on which the server was started. Against faithful the attack uses no byte of the server.
//! A seed is right if its key and IV decrypt all of the client's messages to text. Against hardened a seed is right if
//! it gives the random of the server's hello. The secret X25519 value is the next output of the same generator, and
//! with it the whole session opens.
//!
//! # What it proves
//! The length of a key is not the number of possible keys. The reverse holds too: with a good generator, cycling
//! through keys is impossible with any hardware. The attack reports the cost.
//!
//! # Defence
//! Every secret comes from the operating system's generator, whose seed is unknown outside the machine.
//!
//! # In the wild
//! - Netscape 1.1 seeded with the time and two process numbers. Its session keys were found in minutes (Goldberg and
//!   Wagner, 1996).
//! - Debian's OpenSSL, CVE-2008-0166: for two years the only input to a key was the number of the process. So there
//!   were 32,767 keys of each kind and size on each architecture.

use std::ops::{ControlFlow, RangeInclusive};

use zeroize::Zeroizing;

use crate::{
    Attack, Claim, Goal, Report, Run, Scene, Story, Target,
    capture::{dissect, trace::Side},
    cryptanalysis::{
        brute_force::{Cost, Prices, Round, counting_energy},
        generators::Generator,
        seeds::{Hit, MOST_FALSE_HITS, Search, Secrets, Sniffed, Stretch, Test},
    },
    eavesdrop::open_session,
    protocol::hardened::{defence::Defence, keys::X25519, parts::Exchange},
    protocol_faithful::{keys::SessionSecrets, record::Opener},
    vantage::{Wiretap, blank_server},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "seeded-keys",
    goal: Goal::Read,
    title: "cycle through the keys of a server that seeds its generator with the time",
    vantage: "a sniffer of one session who knows the day on which the server was started",
    scene: Scene {
        seeded_with_time: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::SystemRandomness]],
    run: Run::Sniff(run),
    ..Attack::PLAIN
};

/// The generator of a server that does not ask the operating system: everybody can read which it is.
pub const GENERATOR: Generator = Generator::PythonRandom;
/// The day on which the servers of the arena are started, in seconds since 1970: the last one of 2019. Their uptime would
/// say it to anybody who asks.
pub const STARTED: RangeInclusive<u64> = 1_577_750_400..=1_577_836_799;
/// AES-256 keys that one core tries in a second: `cargo bench -p latchstring-cryptanalysis --bench seeds` says how many
/// yours does. The number makes no difference.
const KEYS_PER_SECOND: f64 = 24e6;

fn run(wiretap: &Wiretap) -> Report {
    let mut story = Story::default();
    let read = match wiretap.dialect.target {
        Target::Faithful => faithful(wiretap, &mut story),
        Target::Hardened => hardened(wiretap, &mut story),
    };
    match read {
        Some(messages) => Report::of_reading(messages, story),
        None => Report::new(Claim::Nothing, story),
    }
}

fn faithful(wiretap: &Wiretap, story: &mut Story) -> Option<Vec<String>> {
    let trace = blank_server(&wiretap.trace);
    let session = dissect::faithful(&trace);
    let seeds = STARTED.end() - STARTED.start() + 1;
    let stretches = trace.stretches(Side::Client).into_iter();
    let sent = stretches.map(|chunks| Stretch::of(chunks.into_iter().map(|chunk| &*chunk.bytes)));
    let sniffed = Sniffed::of(sent.collect()).among(seeds);
    story.tell(format!(
        "sniffed: {} ciphertexts of the client; the server's bytes are blanked",
        session.messages.len()
    ));
    let hit = cycle(&sniffed, "decrypts all ciphertexts to text", story)?;
    if sniffed.chance(&hit.secrets) * seeds as f64 > MOST_FALSE_HITS {
        story.tell("this little text proves nothing: a wrong seed may do the same");
        return None;
    }
    let (key, iv) = hit.secrets.split_at(32);
    let opener = Opener::new(&SessionSecrets::new(
        key.try_into().ok()?,
        iv.try_into().ok()?,
    ));
    let open = |ciphertext| String::from_utf8_lossy(&opener.open(ciphertext)).into_owned();
    let messages = session.messages.iter().map(|message| open(message));
    Some(messages.collect())
}

fn hardened(wiretap: &Wiretap, story: &mut Story) -> Option<Vec<String>> {
    let hello = |side| wiretap.pieces(side).into_iter().next();
    let (client, server) = (hello(Side::Client)?, hello(Side::Server)?);
    // Behind the version (2); and behind magic (8), version (2) and random (32).
    let (random, client_value) = (server.get(2..34)?, client.get(42..74)?);
    story.tell(
        "sniffed: a session; the random in the server's hello is the first output of its generator",
    );
    let fits = |secrets: &Secrets| secrets[..32] == *random;
    let hit = cycle(&fits, "gives that random", story)?;
    let drawn = Zeroizing::new(GENERATOR.bytes::<64>(hit.seed));
    let value = Box::new(X25519::new(&Zeroizing::new(*drawn.last_chunk()?)));
    story.tell("the next output of the generator is the server's secret X25519 value");
    open_session(wiretap, &value.agree(client_value).ok()?)
}

/// Tries every second of the day.
fn cycle(test: &impl Test, right: &str, story: &mut Story) -> Option<Hit> {
    let outcome = Search::new(GENERATOR).run(STARTED, test, |_| ControlFlow::Continue(()));
    story.tell(format!(
        "the server was started in one of {} seconds: each second is a seed for {GENERATOR}'s generator",
        outcome.tried
    ));
    let hit = outcome.hits.into_iter().next();
    story.tell(match &hit {
        Some(hit) => format!("the seed {} {right}", hit.seed),
        None => {
            format!(
                "no seed {right}, so the server has another generator: only trying keys is left"
            )
        }
    });
    if hit.is_none() {
        price(story);
    }
    hit
}

/// The price of trying all keys.
fn price(story: &mut Story) {
    let cost = Cost::of_keys(256, KEYS_PER_SECOND, &Prices::RENTED_CORE);
    story.tell(format!(
        "there are 2^256 keys; a thousand million cores, each at {} keys a second, would take {} years",
        Round(KEYS_PER_SECOND),
        Round(cost.years_on(1e9))
    ));
    story.tell(format!(
        "merely counting to 2^256 takes {} J at 3 K (Landauer, 1961); the sun gives 1.2e34 J a year",
        Round(counting_energy(256, 3.0))
    ));
}
