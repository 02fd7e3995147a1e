//! Honest sessions over real TCP, recorded on the way: the source of a student's captures.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use latchstring_attacker::{
    Claim, Run, Scene,
    attacks::retrospective,
    capture::trace::{Side, Trace},
    protocol_faithful::message::UserName,
    vantage::{Wiretap, blank_server},
};
use latchstring_faithful::client;
use rand::{CryptoRng, Rng};

use super::{
    schedule,
    seed::Seed,
    target::{Accounts, Target},
};
use latchstring_arena::{
    against::Against,
    memory::Memory,
    peers::{self, ALICE},
    recorder::{Recorder, Recording, Traces},
    seen::Seen,
    wire::{Dialer, HONEST_SOURCE, Over, Tap, dial_tapped, network},
};

/// Between the server's replies. Our client counts bytes, and the recording is cut where the server sent them.
const REPLY_PAUSE: Duration = Duration::ZERO;

/// The facts of a session, from both ends and from the wire.
pub struct Recorded {
    /// The user who logged in.
    pub user: String,
    /// The messages that the server accepted from that user.
    pub received: Vec<String>,
    against: Against,
    trace: Trace,
    /// Session key and IV, where they exist for everybody to see.
    secrets: Option<([u8; 32], [u8; 8])>,
}

/// The report's server, which draws its keys from this randomness, and its client.
///
/// # Errors
/// When the two do not understand each other.
pub async fn faithful(
    accounts: &Accounts,
    user: &UserName,
    typed: &[String],
    randomness: impl CryptoRng + Send + 'static,
) -> anyhow::Result<Recorded> {
    let target = Target::start(accounts, randomness, REPLY_PAUSE).await?;
    let traces = Traces::default();
    let tap = Tap::new(None, recording(&traces, Against::Faithful));
    let stream = dial_tapped(&Dialer::tcp(target.at()), Over::Tcp, tap.clone()).await?;
    let mut session = client::login(stream, user, &accounts.keys()?.public_key(user)?).await?;
    for (i, text) in typed.iter().enumerate() {
        session.send(text).await?;
        // The next one only when this one was read: two that coalesce would be one message.
        let read = target
            .wait_until(|visits| visits.iter().any(|visit| visit.heard.len() > i))
            .await;
        ensure!(read, "the server has not read message {}", i + 1);
    }
    let secrets = session.secrets();
    let secrets = Some((*secrets.key, *secrets.iv));
    drop(session);
    let visits = target.ended().await;
    let visit = visits
        .into_iter()
        .next()
        .context("the server saw no connection")?;
    Ok(Recorded {
        user: visit.user.context("the server let nobody in")?,
        received: visit.heard,
        against: Against::Faithful,
        trace: taken(&traces),
        secrets,
    })
}

/// `latch/2` between the lab's published keys, with or without all of its defences.
///
/// # Errors
/// When the two do not understand each other.
pub async fn hardened(against: Against, typed: &[String], seed: &Seed) -> anyhow::Result<Recorded> {
    let number = seed.stream("hardened session").next_u64();
    let (listener, dialer) = network(Over::Tcp).await?;
    let server = peers::serve(against, &Scene::PLAIN, (listener, dialer), number.into()).await?;
    let traces = Traces::default();
    let tap = Tap::new(None, recording(&traces, against));
    let stream = dial_tapped(server.dialer(), Over::Tcp, tap.clone()).await?;
    let visit = peers::Visit {
        script: typed.to_vec(),
        lingers: None,
        to_attacker: false,
        number: 1,
        falls_back: false,
        outlives_keys: false,
        memory: Memory::default(),
    };
    let trouble = server.honest_session(stream, &visit).await;
    ensure!(trouble.is_none(), "{}", trouble.unwrap_or_default());
    let heard = |seen| match seen {
        Seen::Received { text, .. } => Some(text),
        _ => None,
    };
    Ok(Recorded {
        user: ALICE.to_owned(),
        received: server
            .finish(1)
            .await
            .into_iter()
            .filter_map(heard)
            .collect(),
        against,
        trace: taken(&traces),
        secrets: None,
    })
}

/// The session that is recorded next.
fn recording(traces: &Traces, against: Against) -> Recording {
    let server = (HONEST_SOURCE, against.port()).into();
    Recorder::to(traces.clone()).connection(HONEST_SOURCE, server)
}

/// The recording of a session that is over.
fn taken(traces: &Traces) -> Trace {
    let mut trace = traces.first();
    trace.closed = true;
    trace
}

impl Recorded {
    /// Every byte that was sent, with drawn times.
    pub fn into_trace(mut self, randomness: &mut impl Rng) -> Trace {
        if self.against == Against::Faithful {
            schedule::cut_replies(&mut self.trace);
        }
        schedule::draw_times(&mut self.trace, randomness);
        self.trace
    }

    /// Sets all that the server said to zero.
    pub fn blank_server(&mut self) {
        self.trace = blank_server(&self.trace);
    }

    /// The parts of the session that are in clear on the wire, found by search: some of `name`, `key`, `messages`, or
    /// `nothing`.
    pub fn in_clear(&self) -> String {
        let wire = [
            self.trace.stream(Side::Client),
            self.trace.stream(Side::Server),
        ];
        let shows = |secret: &[u8]| {
            wire.iter().any(|stream| {
                stream
                    .windows(secret.len().max(1))
                    .any(|part| part == secret)
            })
        };
        let found = [
            ("name", shows(self.user.as_bytes())),
            ("key", self.secrets.is_some_and(|(key, _)| shows(&key))),
            (
                "messages",
                self.received.iter().any(|text| shows(text.as_bytes())),
            ),
        ];
        let found: Vec<&str> = found
            .into_iter()
            .filter(|(_, shown)| *shown)
            .map(|(what, _)| what)
            .collect();
        if found.is_empty() {
            "nothing".to_owned()
        } else {
            found.join(" ")
        }
    }

    /// How much of the messages the attack `retrospective` reads: `all`, `some` or `nothing`. It has this recording, and
    /// later steals every long-term key.
    ///
    /// # Errors
    /// When that attack needs another vantage.
    pub fn read_later(&self) -> anyhow::Result<&'static str> {
        let Run::SniffThenSteal(run) = retrospective::ATTACK.run else {
            bail!("the attack `retrospective` needs more than a recording and stolen keys");
        };
        let report = run(&self.wiretap(), &peers::stolen_files(self.against));
        let whole = |text: &String| text.bytes().map(Some).collect::<Vec<_>>();
        let all: Vec<_> = self.received.iter().map(whole).collect();
        Ok(match report.claim {
            Claim::Read(read) if read == all => "all",
            Claim::Read(_) => "some",
            _ => "nothing",
        })
    }

    fn wiretap(&self) -> Wiretap {
        Wiretap {
            dialect: self.against.dialect(),
            trace: self.trace.clone(),
            directory: Vec::new(),
        }
    }

    /// Facts that are read off the wire.
    pub fn measured(&self) -> Vec<(&'static str, String)> {
        match self.secrets {
            Some((key, iv)) => self.measured_faithful(&key, &iv),
            None => self.measured_hardened(),
        }
    }

    fn measured_faithful(&self, key: &[u8], iv: &[u8]) -> Vec<(&'static str, String)> {
        let mut sent = self
            .trace
            .chunks_from(Side::Client)
            .map(|chunk| &chunk.bytes);
        let login = sent.next().cloned().unwrap_or_default();
        let ciphertexts: Vec<&Vec<u8>> = sent.collect();
        vec![
            ("login.length", login.len().to_string()),
            ("login", hex::encode(login)),
            ("key", hex::encode(key)),
            ("iv", hex::encode(iv)),
            ("keystreams", self.keystreams(&ciphertexts).to_string()),
        ]
    }

    /// The number of different keystreams over the messages, by their first bytes.
    fn keystreams(&self, ciphertexts: &[&Vec<u8>]) -> usize {
        let start = |(text, ciphertext): (&String, &&Vec<u8>)| -> Vec<u8> {
            text.bytes()
                .zip(ciphertext.iter())
                .take(4)
                .map(|(p, c)| p ^ c)
                .collect()
        };
        let mut starts: Vec<Vec<u8>> = self.received.iter().zip(ciphertexts).map(start).collect();
        starts.sort();
        starts.dedup();
        starts.len()
    }

    fn measured_hardened(&self) -> Vec<(&'static str, String)> {
        let wiretap = self.wiretap();
        let lengths = |side| -> Vec<usize> { wiretap.pieces(side).iter().map(Vec::len).collect() };
        // A hello comes first. The client's first record is its login; its messages follow.
        let (client, server) = (lengths(Side::Client), lengths(Side::Server));
        let length = |nth| client.get(nth).copied().unwrap_or_default();
        vec![
            ("hello.length", length(0).to_string()),
            ("client-records", client.len().saturating_sub(1).to_string()),
            ("server-records", server.len().saturating_sub(1).to_string()),
            ("message-record-length", length(2).to_string()),
        ]
    }
}
