//! The arena: runs honest peers and one attacker over a wire that it owns, and judges.
//!
//! The peers are the real programs. Only three things are the arena's: the wire, the randomness (from a seed) and, in
//! memory, the clock (paused, so that it jumps to the next thing that happens).

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::BoxFuture;
use latchstring_attacker::{
    Attack, Report, Run as Program, Target,
    capture::trace::{Chunk, Side, Trace},
    net::provider::AwsLc,
    vantage::{BoxStream, Dial, Outsider, blank_server},
};
use serde::Serialize;

use crate::{
    keys::{PublishedKey, Seeded},
    peers::{self, ALICE, ArenaServer, PASSWORD},
    truth::{HONEST, Seen, Truth, Verdict},
    wire::{Dialer, Over, Tap, network},
};

/// What alice types in every session of the arena.
pub const SCRIPT: [&str; 7] = [
    "hello my name is alice",
    "pay bob 10",
    "the meeting is at noon on friday",
    "please send me the report before then",
    "i will be there in the morning",
    "do not tell anyone about the money",
    "see you soon",
];

/// The seed of the published transcripts.
pub const DEFAULT_SEED: u64 = 2020;

/// One attack against one target, from beginning to verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The attack.
    pub attack: &'static str,
    /// The protocol that it was up against.
    pub target: String,
    /// The arena's verdict.
    pub verdict: Verdict,
    /// What went over the honest connection, a line for what one side sent at once.
    pub wire: Vec<String>,
    /// What the attacker did, in its own words, and what the server made of it.
    pub story: Vec<String>,
}

/// An honest session alone, with nobody on the path.
#[derive(Debug, Clone)]
pub struct Honest {
    /// Every byte.
    pub trace: Trace,
    /// What the server believed.
    pub truth: Truth,
}

/// Runs an attack in a runtime of its own.
///
/// # Errors
/// When the machine has no port or no memory for it; an attack that fails is no error but a verdict.
pub fn run(attack: &Attack, target: Target, over: Over, seed: u64) -> io::Result<Run> {
    runtime(over)?.block_on(attack_once(attack, target, over, seed))
}

/// Runs an honest session in a runtime of its own.
///
/// # Errors
/// As [`run`].
pub fn honest(target: Target, over: Over, seed: u64) -> io::Result<Honest> {
    runtime(over)?.block_on(async {
        let server = start(target, over, seed).await?;
        let tap = Tap::new(None);
        server.honest_session(over, tap.clone(), &SCRIPT).await?;
        let (trace, _) = Tap::finish(&tap);
        let truth = server.finish(&SCRIPT, 0).await;
        Ok(Honest { trace, truth })
    })
}

/// In memory: one thread and a paused clock. Over TCP: the ordinary runtime.
fn runtime(over: Over) -> io::Result<tokio::runtime::Runtime> {
    use tokio::runtime::Builder;
    match over {
        Over::Memory => Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build(),
        Over::Tcp => Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build(),
    }
}

async fn start(target: Target, over: Over, seed: u64) -> io::Result<ArenaServer> {
    let (listener, dialer) = network(over).await?;
    peers::serve(target, listener, dialer, seed).await
}

async fn attack_once(attack: &Attack, target: Target, over: Over, seed: u64) -> io::Result<Run> {
    let server = start(target, over, seed).await?;
    let middle = match attack.run {
        Program::OnPath(make) => Some(make(target)),
        _ => None,
    };
    let tap = Tap::new(middle);
    let trouble = server.honest_session(over, tap.clone(), &SCRIPT).await?;
    let (trace, middle) = Tap::finish(&tap);

    let counted = CountingDialer::new(server.dialer().clone());
    let report = match attack.run {
        Program::Sniff(program) => program(&trace),
        Program::SniffClientOnly(program) => program(&blank_server(&trace)),
        Program::OnPath(_) => middle.report(),
        Program::Dial(program) => program(&outsider(target, &counted, &trace, seed)).await,
    };
    let truth = server.finish(&SCRIPT, counted.dialled()).await;
    Ok(written_up(attack, target, &trace, report, &truth, trouble))
}

/// All that an attacker who dials is given. Everything in it is public or stolen, and none of it is a victim's key.
fn outsider<'a>(
    target: Target,
    dial: &'a CountingDialer,
    sniffed: &'a Trace,
    seed: u64,
) -> Outsider<'a> {
    Outsider {
        target,
        dial,
        user: ALICE,
        public_key: peers::public_key_pem(target),
        password: (target == Target::Hardened).then_some(PASSWORD.as_bytes()),
        sniffed,
        own_key: Arc::new(PublishedKey::mallory(seed)),
        verifier: Arc::new(AwsLc),
        entropy: Arc::new(Seeded::new(seed, "mallory")),
    }
}

/// Counts the attacker's connections for the truth.
struct CountingDialer {
    inner: Dialer,
    dialled: AtomicU64,
}

impl CountingDialer {
    fn new(inner: Dialer) -> Self {
        Self {
            inner,
            dialled: AtomicU64::new(0),
        }
    }

    fn dialled(&self) -> u64 {
        self.dialled.load(Ordering::SeqCst)
    }
}

impl Dial for CountingDialer {
    fn dial(&self) -> BoxFuture<'_, io::Result<BoxStream>> {
        self.dialled.fetch_add(1, Ordering::SeqCst);
        self.inner.dial()
    }
}

fn written_up(
    attack: &Attack,
    target: Target,
    trace: &Trace,
    report: Report,
    truth: &Truth,
    trouble: Option<String>,
) -> Run {
    let mut wire = describe_wire(trace, target);
    wire.extend(trouble.map(|why| format!("{ALICE}'s client says: {why}")));
    // What the server made of it: on the attacker's connections, or on the one that the attacker had a hand in.
    let touched = matches!(attack.run, Program::OnPath(_));
    let of_interest = |seen: &&Seen| match seen {
        Seen::Refused { on, .. } | Seen::Ended { on, .. } => *on != HONEST || touched,
        _ => false,
    };
    let server = truth
        .seen
        .iter()
        .filter(of_interest)
        .map(ToString::to_string);
    Run {
        attack: attack.id,
        target: target.to_string(),
        verdict: truth.judge(attack.goal, &report.claim),
        wire,
        story: report.story.lines().iter().cloned().chain(server).collect(),
    }
}

/// A line for what one side sent at once: the bytes of the faithful protocol, the sizes of the hardened one.
pub fn describe_wire(trace: &Trace, target: Target) -> Vec<String> {
    let line = |chunk: &Chunk| {
        let (from, to) = match chunk.from {
            Side::Client => (ALICE, "server"),
            Side::Server => ("server", ALICE),
        };
        let bytes = &chunk.bytes;
        match target {
            Target::Faithful => format!("{from} -> {to}: {}", abridged(bytes)),
            Target::Hardened => format!("{from} -> {to}: {} bytes", bytes.len()),
        }
    };
    trace.chunks.iter().map(line).collect()
}

/// Text as text, the rest as hex; long bytes are cut.
fn abridged(bytes: &[u8]) -> String {
    if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return format!("\"{}\"", String::from_utf8_lossy(bytes));
    }
    let shown: String = bytes
        .iter()
        .take(24)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let more = if bytes.len() > 24 { "..." } else { "" };
    format!("{shown}{more} ({} bytes)", bytes.len())
}
