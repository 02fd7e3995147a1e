//! The arena: runs honest peers and one attacker over a wire that it owns, and judges.
//!
//! The peers are the real programs. The arena controls only three things: the wire, the randomness (from a seed) and,
//! in memory, the clock. The clock is paused, so it jumps to the next event.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use latchstring_attacker::{
    Attack, Claim, Faithful, Loot, Report, Run as Program, Story, Target,
    capture::trace::{Chunk, Side, Trace},
    protocol::hardened::{defence::Defence, message::Fingerprint, signature::Signer},
    vantage::{Answer, BoxStream, Dial, Impostor, Outsider, Wiretap, blank_server},
};
use serde::Serialize;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::{
    against::Against,
    keys::{PublishedKey, Seeded},
    memory::Memory,
    peers::{
        self, ALICE, ArenaServer, Lingering, MALLORYS, PASSWORD, Visit,
        people::{NEWCOMERS, PEOPLE},
    },
    provider::Setting,
    recorder::{Recorder, Recording, Traces, Watch},
    seen::{HONEST, Seen},
    truth::{Truth, counted},
    verdict::{Outcome, Verdict},
    wire::{
        ATTACKER_SOURCE, Dialer, HONEST_SOURCE, Listener, Over, SharedTap, Tap, attacker_source,
        dial_tapped, network,
    },
};

/// The messages that alice types in every session of the arena.
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
    /// The target.
    pub against: Against,
    /// The arena's verdict.
    pub verdict: Verdict,
    /// The honest connection: a line for each write of one side.
    pub wire: Vec<String>,
    /// The attacker's story, and the server's reaction.
    pub story: Vec<String>,
}

/// An honest session alone, with nobody on the path.
#[derive(Debug, Clone)]
pub struct Honest {
    /// Every byte.
    pub trace: Trace,
    /// The decisions of the server.
    pub truth: Truth,
}

/// Runs an attack in a separate runtime.
///
/// # Errors
/// When the machine has no port or no memory for it; an attack that fails is no error but a verdict.
pub fn run(
    attack: &Attack,
    against: Against,
    over: Over,
    setting: impl Into<Setting>,
) -> io::Result<Run> {
    Ok(Arena::open(attack, against, over, setting.into()).run()?.0)
}

/// A run in memory with every connection that anybody made in it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The run.
    pub run: Run,
    /// The decisions of the server.
    pub seen: Vec<Seen>,
    /// All connections, in the order in which they were dialled. With an attacker on the path each connection counts
    /// twice.
    pub connections: Vec<Trace>,
}

/// Runs an attack in memory, and keeps every byte.
///
/// # Errors
/// As [`run`].
pub fn run_recorded(attack: &Attack, against: Against, seed: u64) -> io::Result<Recorded> {
    let connections = Traces::default();
    let mut arena = Arena::open(attack, against, Over::Memory, seed.into());
    arena.recorder = Some(Recorder::to(connections.clone()));
    let (run, truth) = arena.run()?;
    Ok(Recorded {
        run,
        seen: truth.seen,
        connections: connections.all(),
    })
}

/// Runs an honest session in a separate runtime.
///
/// # Errors
/// As [`run`].
pub fn honest(against: Against, over: Over, seed: u64) -> io::Result<Honest> {
    let nobody = Attack::PLAIN;
    runtime(over)?.block_on(async {
        let mut arena = Arena::open(&nobody, against, over, seed.into());
        let server = arena.start().await?;
        let tap = Tap::new(None, arena.honest_connection());
        let stream = dial_tapped(server.dialer(), over, tap.clone()).await?;
        arena.truth.trouble = server.honest_session(stream, &arena.visit(1)).await;
        arena.truth.seen = server.finish(1).await;
        Ok(Honest {
            trace: arena.honest.first(),
            truth: arena.truth,
        })
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

/// How long an attacker goes on where time is free.
const AN_HOUR: Duration = Duration::from_secs(3600);
/// How long where it is not: many times what the attack takes where nothing holds it up.
const A_WHILE: Duration = Duration::from_secs(20);
/// How long the arena waits for one party once the other is done.
const PATIENCE: Duration = Duration::from_secs(20);

/// One run in the making.
struct Arena<'a> {
    attack: &'a Attack,
    against: Against,
    over: Over,
    setting: Setting,
    truth: Truth,
    /// The honest connection, as the tap saw it.
    honest: Traces,
    /// Every connection, in memory, where they are wanted.
    recorder: Option<Recorder>,
}

impl<'a> Arena<'a> {
    fn open(attack: &'a Attack, against: Against, over: Over, setting: Setting) -> Self {
        let script = SCRIPT.iter().cycle().take(attack.scene.messages);
        let truth = Truth {
            user: ALICE.to_owned(),
            password: PASSWORD.to_owned(),
            keys: peers::enrolled_keys(against),
            private_key: peers::private_key_pem(against.target()).to_owned(),
            typed: script.map(|text| (*text).to_owned()).collect(),
            visited_attacker: matches!(attack.run, Program::Pose(_)),
            ..Truth::default()
        };
        Self {
            attack,
            against,
            over,
            setting,
            truth,
            honest: Traces::default(),
            recorder: None,
        }
    }

    fn run(self) -> io::Result<(Run, Truth)> {
        if let (Against::Faithful, Faithful::DoesNotApply(why)) =
            (self.against, self.attack.faithful)
        {
            return Ok((self.not_run(why), self.truth));
        }
        runtime(self.over)?.block_on(self.attack())
    }

    /// Records the connections from alice to this address.
    fn watch(&self, to: Ipv4Addr) -> Option<Watch> {
        let recorder = self.recorder.as_ref()?;
        Some(recorder.watch(HONEST_SOURCE, (to, self.against.port()).into()))
    }

    /// Records the honest connection at the tap.
    fn honest_connection(&self) -> Recording {
        let server = (HONEST_SOURCE, self.against.port());
        Recorder::to(self.honest.clone()).connection(HONEST_SOURCE, server.into())
    }

    fn not_run(&self, why: &str) -> Run {
        Run {
            attack: self.attack.id,
            against: self.against,
            verdict: Verdict::new(Outcome::DoesNotApply, why),
            wire: Vec::new(),
            story: Vec::new(),
        }
    }

    async fn start(&self) -> io::Result<ArenaServer> {
        let (listener, dialer) = network(self.over).await?;
        let dialer = dialer.watched(self.watch(HONEST_SOURCE));
        peers::serve(
            self.against,
            &self.attack.scene,
            (listener, dialer),
            self.setting,
        )
        .await
    }

    /// The number of invited newcomers, for attacks on public keys.
    fn newcomers(&self) -> u64 {
        match (self.attack.run, self.against) {
            (Program::Collect(_), Against::Hardened(_)) => NEWCOMERS.len() as u64,
            _ => 0,
        }
    }

    fn visit(&self, number: u32) -> Visit {
        Visit {
            script: self.truth.typed.clone(),
            lingers: (self.attack.scene.user_lingers).then(|| Lingering::over(self.over)),
            to_attacker: self.attack.scene.visits_attacker,
            number,
            falls_back: false,
            outlives_keys: self.attack.scene.outlives_keys,
            memory: Memory::default(),
        }
    }

    /// The visit after a failed call: alice tries once more. One that has another protocol to fall back on falls back.
    fn next_try(&self) -> Visit {
        Visit {
            falls_back: self.against.removed().contains(&Defence::NoFallback),
            ..self.visit(2)
        }
    }

    async fn attack(mut self) -> io::Result<(Run, Truth)> {
        let server = self.start().await?;
        let dial = CountingDialer {
            inner: server.dialer().clone(),
            many_addresses: self.attack.scene.many_addresses,
            dialled: AtomicU64::new(0),
        };
        let began = Instant::now();
        let (report, trace) = match self.attack.run {
            Program::Pose(program) => self.pose(&server, &dial, program).await?,
            _ => self.after_a_session(&server, &dial).await?,
        };
        let attackers = dial.dialled();
        self.truth.lasted = began.elapsed();
        drop(dial);
        let honest = u64::from(!self.truth.visited_attacker);
        let back = u64::from(self.attack.scene.user_returns);
        let honest = honest + self.newcomers();
        self.truth.attacker_connections = attackers;
        server.rest(honest + attackers + back).await;
        self.truth.spent = server.spent();
        self.truth.seen = server.finish(honest + attackers + back).await;
        Ok((self.written_up(&trace, report), self.truth))
    }

    /// An honest session first, with the attacker on its path or not; then the attacker alone.
    async fn after_a_session(
        &mut self,
        server: &ArenaServer,
        dial: &CountingDialer,
    ) -> io::Result<(Report, Trace)> {
        let dialect = self.against.dialect();
        let middle = match self.attack.run {
            Program::OnPath(make) => Some(make(&dialect)),
            _ => None,
        };
        let tap = Tap::new(middle, self.honest_connection());
        let stream = dial_tapped(server.dialer(), self.over, tap.clone()).await?;
        let visit = self.visit(1);
        self.truth.trouble = server.honest_session(stream, &visit).await;
        server.rest(1).await;
        let (trace, middle) = (self.honest.first(), Tap::finish(&tap));

        if self.newcomers() > 0 {
            self.truth.keys.extend(server.enrol_newcomers().await?);
        }
        let target = self.against.target();
        let directory = PEOPLE.each_ref();
        let directory = directory.map(|person| (person.name, person.public_key(target)));
        let wiretap = |trace| Wiretap {
            dialect: dialect.clone(),
            trace,
            directory: directory.to_vec(),
        };
        let held = Mutex::default();
        let report = match self.attack.run {
            Program::Sniff(program) => program(&wiretap(trace.clone())),
            Program::SniffClientOnly(program) => program(&wiretap(blank_server(&trace))),
            Program::SniffThenSteal(program) => {
                program(&wiretap(trace.clone()), &peers::stolen_files(self.against))
            }
            Program::SniffAndDump(program) => {
                program(&wiretap(trace.clone()), &visit.memory.dump())
            }
            Program::Files(program) => program(&dialect, &peers::stolen_files(self.against)),
            Program::Collect(program) => program(&self.truth.keys),
            Program::OnPath(_) => middle.report(),
            Program::Dial { faithful, hardened } => {
                let dialogue = match target {
                    Target::Faithful => faithful.expect("an attack that does not apply is not run"),
                    Target::Hardened => hardened,
                };
                let outsider = self.outsider(server, dial, &held, &directory, &trace);
                outsider.converse(dialogue).await
            }
            Program::Pose(_) => unreachable!("the user visits the attacker"),
        };
        if self.attack.scene.user_returns {
            self.truth.returned = Some(self.come_back(server).await);
        }
        Ok((report, trace))
    }

    /// The second visit of the honest user; the error, if there is one.
    async fn come_back(&self, server: &ArenaServer) -> Result<(), String> {
        let stream = server.dialer().dial().await;
        let stream = stream.map_err(|error| format!("the server cannot be reached: {error}"))?;
        let visit = self.visit(2);
        let trouble = timeout(PATIENCE, server.honest_session(stream, &visit)).await;
        let trouble = trouble.unwrap_or(Some("no answer in time".to_owned()));
        trouble.map_or(Ok(()), Err)
    }

    /// The user calls the attacker, in the belief that it is the server, or because the attacker runs one too.
    async fn pose(
        &mut self,
        server: &ArenaServer,
        dial: &CountingDialer,
        program: for<'b> fn(&'b Impostor<'b>) -> BoxFuture<'b, Report>,
    ) -> io::Result<(Report, Trace)> {
        let (listener, to_attacker) = network(self.over).await?;
        let to_attacker = to_attacker.watched(self.watch(ATTACKER_SOURCE));
        let calls = Calls(Mutex::new(listener));
        let tap = Tap::new(None, self.honest_connection());
        let impostor = self.impostor(dial, &calls);
        let (report, trouble) = tokio::join!(
            timeout(PATIENCE, program(&impostor)),
            self.call(server, to_attacker, &tap),
        );
        self.truth.trouble = trouble?;
        let gave_up = |_| Report::new(Claim::Nothing, Story::default());
        Ok((report.unwrap_or_else(gave_up), self.honest.first()))
    }

    /// Alice calls, and calls again if that fails. Returns what went wrong, if it did to the last.
    async fn call(
        &self,
        server: &ArenaServer,
        to: Dialer,
        tap: &SharedTap,
    ) -> io::Result<Option<String>> {
        let mut troubles = Vec::new();
        for visit in [self.visit(1), self.next_try()] {
            let stream = dial_tapped(&to, self.over, tap.clone()).await?;
            let trouble = timeout(PATIENCE, server.honest_session(stream, &visit)).await;
            match trouble.unwrap_or(Some("no answer in time".to_owned())) {
                None => return Ok(None),
                Some(trouble) => troubles.push(trouble),
            }
        }
        Ok(Some(troubles.join("; and then: ")))
    }

    fn has(&self, loot: Loot) -> bool {
        self.attack.loot.contains(&loot)
    }

    fn password(&self) -> Option<&'static [u8]> {
        let exists = self.against.target() == Target::Hardened;
        (self.has(Loot::Password) && exists).then_some(PASSWORD.as_bytes())
    }

    /// The parts of a vantage that dials: the public facts, and the declared loot.
    fn outsider<'b>(
        &'b self,
        server: &'b ArenaServer,
        dial: &'b CountingDialer,
        held: &'b Mutex<Vec<BoxStream>>,
        directory: &'b [(&'b str, &'b str)],
        trace: &'b Trace,
    ) -> Outsider<'b> {
        let stolen = || Arc::new(PublishedKey::alice(self.setting.seed)) as Arc<dyn Signer>;
        Outsider {
            dialect: self.against.dialect(),
            dial,
            held,
            user: ALICE,
            public_key: peers::public_key_pem(self.against.target()),
            directory,
            menu: server.menu(),
            password: self.password(),
            user_key: self.has(Loot::UserKey).then(stolen),
            sniffed: self.has(Loot::SniffedSession).then_some(trace),
            transport_modulus: peers::transport_modulus(self.against),
            patience: match self.over {
                Over::Memory => AN_HOUR,
                Over::Tcp => A_WHILE,
            },
            own_key: Arc::new(PublishedKey::mallory(self.setting.seed)),
            new_key: Arc::new(PublishedKey::mallory_new(self.setting.seed)),
            own_password: MALLORYS.as_bytes(),
            verifier: self.setting.provider.verifier(),
            entropy: Arc::new(Seeded::new(self.setting.seed, "mallory")),
        }
    }

    fn impostor<'b>(&'b self, dial: &'b CountingDialer, calls: &'b Calls) -> Impostor<'b> {
        let host = PublishedKey::host(self.setting.seed).public_key().to_vec();
        Impostor {
            dialect: self.against.dialect(),
            calls,
            dial,
            host: Fingerprint::of(&host),
            host_public_key: host,
            own_key: Arc::new(PublishedKey::mallory(self.setting.seed)),
            user: ALICE,
            public_key: peers::public_key_pem(self.against.target()),
            password: self.password(),
            verifier: self.setting.provider.verifier(),
            entropy: Arc::new(Seeded::new(self.setting.seed, "mallory")),
        }
    }

    fn written_up(&self, trace: &Trace, report: Report) -> Run {
        let truth = &self.truth;
        let mut wire = describe_wire(trace, self.against.target());
        let trouble = truth.trouble.iter();
        wire.extend(trouble.map(|why| format!("{ALICE}'s client says: {why}")));
        // What the server made of it: on the attacker's connections, or on the one that the attacker had a hand in.
        let touched = matches!(self.attack.run, Program::OnPath(_)) || truth.visited_attacker;
        let of_interest = |seen: &&Seen| match seen {
            Seen::Refused { on, .. } | Seen::Ended { on, .. } => *on != HONEST || touched,
            _ => false,
        };
        let server = told_together(truth.seen.iter().filter(of_interest));
        let lines = report.story.lines().iter().cloned();
        Run {
            attack: self.attack.id,
            against: self.against,
            verdict: truth.judge(self.attack.goal, &report.claim),
            wire,
            story: lines.chain(server).collect(),
        }
    }
}

/// Of more lines about the server's connections than this, those that say the same become one.
const LINES: usize = 12;

/// The server's events on connections: a line for each event, or one line with a count for many equal ones.
fn told_together<'a>(seen: impl Iterator<Item = &'a Seen>) -> Vec<String> {
    let seen: Vec<&Seen> = seen.collect();
    if seen.len() <= LINES {
        return seen.iter().map(ToString::to_string).collect();
    }
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for what in seen.iter().map(|seen| seen.what()) {
        match kinds.iter_mut().find(|(kind, _)| *kind == what) {
            Some((_, count)) => *count += 1,
            None => kinds.push((what, 1)),
        }
    }
    let told = |(what, count)| format!("server, on {}: {what}", counted(count, "connection"));
    kinds.into_iter().map(told).collect()
}

/// Where the user's calls reach the impostor.
struct Calls(Mutex<Listener>);

impl Answer for Calls {
    fn next_call(&self) -> BoxFuture<'_, Option<BoxStream>> {
        Box::pin(async move { Some(self.0.lock().await.accept().await?.0) })
    }
}

/// Dials from where the attacker is, and counts for the truth.
struct CountingDialer {
    inner: Dialer,
    many_addresses: bool,
    dialled: AtomicU64,
}

impl CountingDialer {
    fn dialled(&self) -> u64 {
        self.dialled.load(Ordering::SeqCst)
    }
}

impl Dial for CountingDialer {
    fn dial(&self) -> BoxFuture<'_, io::Result<BoxStream>> {
        let before = self.dialled.fetch_add(1, Ordering::SeqCst);
        let nth = if self.many_addresses { before } else { 0 };
        let source = attacker_source(nth);
        Box::pin(async move { self.inner.from(source).dial().await })
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
