//! `latchstring solve seed`: the session key of a server that seeds a weak generator, by trying every seed.

use std::{
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use latchstring_capture::{
    self as capture,
    dissect::{self, Protocol},
    trace::Side,
};
use latchstring_cryptanalysis::{
    generators::Generator,
    seeds::{Hit, MOST_FALSE_HITS, SECRETS_LEN, Search, Secrets, Sniffed, Stretch, Test},
};
use latchstring_net::print::note;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    NOTHING_FOUND,
    job::{CtrlC, Job},
};

mod story;

/// The recording, and the seeds to try.
#[derive(Args)]
#[command(
    after_help = "Examples, the second for a server that seeds with milliseconds:\n  \
    latchstring solve seed --capture session.pcap --generator php --from 2019-12-31 --to 2020-01-01\n  \
    latchstring solve seed --capture session.pcap --generator java --unit ms --from '2019-12-31 08:00:00' --to '2019-12-31 08:10:00'\n\n\
    Only the bytes of the client are read. A seed is right if it decrypts them to text, and if hardly any wrong seed would.\n\
    The exit code is 0 if such a seed was found, and 1 otherwise.\n\
    Record a session of such a server with `latchstring weak-server` and `latchstring capture`."
)]
pub struct Arguments {
    /// Read this pcap or pcapng file with a session of the faithful protocol
    #[arg(long, value_name = "FILE")]
    capture: PathBuf,
    /// Read this session of the file, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    session: usize,
    /// Try the seeds of this generator
    #[arg(long, value_name = "G")]
    generator: Generator,
    /// Begin with this seed: a number, or a time (UTC) in the units that the server seeds with
    #[arg(long, value_name = "T1", value_parser = seed_or_time)]
    from: SeedOrTime,
    /// End with this seed
    #[arg(long, value_name = "T2", value_parser = seed_or_time)]
    to: SeedOrTime,
    /// Count times in this unit since 1970, as the server does
    #[arg(long, value_enum, default_value = "s")]
    unit: Unit,
    /// Skip this number of earlier sessions since the server seeded its generator
    #[arg(long, value_name = "N", default_value_t = 0)]
    earlier: usize,
    /// Try one seed after the other, to compare [default: 128 side by side]
    #[arg(long)]
    plain: bool,
    /// Save progress to this file; resume from it if it exists
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Print JSON instead of the story
    #[arg(long)]
    json: bool,
}

/// The unit in which a server counts from 1970 to seed its generator.
#[derive(Clone, Copy, ValueEnum)]
enum Unit {
    /// Seconds
    S,
    /// Milliseconds
    Ms,
    /// Microseconds
    Us,
    /// Nanoseconds
    Ns,
}

impl Unit {
    fn a_second(self) -> u64 {
        match self {
            Self::S => 1,
            Self::Ms => 1_000,
            Self::Us => 1_000_000,
            Self::Ns => 1_000_000_000,
        }
    }

    /// The time that a seed stands for, if there is one that anybody would write down.
    fn time(self, seed: u64) -> Option<String> {
        const YEAR_9999: u64 = 253_402_300_799;
        let (second, rest) = (seed / self.a_second(), seed % self.a_second());
        let since = Duration::new(second, (rest * (1_000_000_000 / self.a_second())) as u32);
        let time = (second <= YEAR_9999).then(|| UNIX_EPOCH + since)?;
        Some(match self {
            Self::S => humantime::format_rfc3339_seconds(time).to_string(),
            _ => humantime::format_rfc3339(time).to_string(),
        })
    }
}

#[derive(Clone, Copy)]
enum SeedOrTime {
    Seed(u64),
    Time(SystemTime),
}

impl SeedOrTime {
    fn seed(self, unit: Unit) -> Result<u64> {
        let time = match self {
            Self::Seed(seed) => return Ok(seed),
            Self::Time(time) => time.duration_since(UNIX_EPOCH)?,
        };
        let units = time.as_nanos() * u128::from(unit.a_second()) / 1_000_000_000;
        u64::try_from(units).context("this time does not fit into 64 bits in the given units")
    }
}

fn seed_or_time(text: &str) -> Result<SeedOrTime, String> {
    if let Ok(seed) = text.parse() {
        return Ok(SeedOrTime::Seed(seed));
    }
    let midnight = format!("{text} 00:00:00");
    let time = humantime::parse_rfc3339_weak(text).or(humantime::parse_rfc3339_weak(&midnight));
    time.map(SeedOrTime::Time).map_err(|_| {
        "give a number, a day like 2019-12-31, or a time like '2019-12-31 08:00:00' (UTC)"
            .to_owned()
    })
}

/// Where a search stopped.
#[derive(Serialize, Deserialize)]
struct Stopped {
    next: u64,
    hits: Vec<u64>,
}

/// The result of a search.
struct Found {
    /// The bytes that the client sent.
    sniffed: Sniffed,
    /// How many seeds were to be tried.
    seeds: u64,
    /// How many were tried, in this run and before it.
    done: u64,
    /// How many were tried in this run, and in what time.
    tried: u64,
    seconds: f64,
    /// The most convincing first.
    hits: Vec<Judged>,
    /// Where to go on, if it was ended.
    next: Option<u64>,
}

impl Found {
    /// Whether a seed was found that cannot well be a wrong one.
    fn sure(&self) -> bool {
        self.hits.first().is_some_and(Judged::sure)
    }
}

/// A seed that makes text of the session.
struct Judged {
    hit: Hit,
    /// How many wrong ones are expected, at most, to do that as well among all seeds of the search.
    false_hits: f64,
}

impl Judged {
    fn sure(&self) -> bool {
        self.false_hits <= MOST_FALSE_HITS
    }
}

/// Runs the command and prints to `out`.
///
/// # Errors
/// If the capture cannot be read or holds no such session, or if `out` fails.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<ExitCode> {
    let (from, to) = (
        arguments.from.seed(arguments.unit)?,
        arguments.to.seed(arguments.unit)?,
    );
    ensure!(
        from <= to,
        "--from {from} comes after --to {to}: there is no seed between them"
    );
    let seeds = (to - from).saturating_add(1);
    let sniffed = sniff(&arguments.capture, arguments.session)?.among(seeds);
    let found = search(arguments, sniffed, from, to)?;
    story::print(out, arguments, &found)?;
    Ok(match found.sure() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOTHING_FOUND),
    })
}

/// The bytes that the client sent in one session. The server's bytes show only the protocol.
fn sniff(file: &Path, number: usize) -> Result<Sniffed> {
    let name = file.display();
    let contents = capture::read(file)?;
    let session = number
        .checked_sub(1)
        .and_then(|at| contents.sessions.get(at));
    let Some(session) = session else {
        bail!(
            "{name} holds {} TCP sessions, so --session {number} is not there",
            contents.sessions.len()
        );
    };
    let identity = dissect::identify(&session.trace);
    ensure!(
        identity.protocol == Protocol::Faithful,
        "session {number} of {name} is not a faithful session ({identity}): look at it with `latchstring read {name}`"
    );
    if let Some(why) = identity.doubt {
        note(format_args!(
            "session {number} could be a faithful one: {why}"
        ));
    }
    let stretches = session.trace.stretches(Side::Client).into_iter();
    let stretches: Vec<Stretch> = stretches
        .map(|chunks| Stretch::of(chunks.into_iter().map(|chunk| &*chunk.bytes)))
        .collect();
    if stretches.len() > 1 {
        note(format_args!(
            "the capture lacks bytes of the client: what is left is in {} pieces, and messages across them are not read",
            stretches.len()
        ));
    }
    let sniffed = Sniffed::of(stretches);
    ensure!(
        !sniffed.is_empty(),
        "session {number} of {name} has nothing that a client sent, so there is no text to look for: it needs a capture of \
         that direction"
    );
    Ok(sniffed)
}

fn search(arguments: &Arguments, sniffed: Sniffed, from: u64, to: u64) -> Result<Found> {
    let seeds = (to - from).saturating_add(1);
    let search = Search {
        generator: arguments.generator,
        skip: SECRETS_LEN * arguments.earlier,
        plain: arguments.plain,
    };
    let run = json!({
        "command": "solve seed",
        "client_bytes": digest(sniffed.stretches()),
        "generator": arguments.generator.name(),
        "from": from,
        "to": to,
        "earlier": arguments.earlier,
    });
    let file = arguments.resume.as_deref();
    let mut job: Job<Stopped> = Job::begin((seeds, "seeds"), run, file, &CtrlC::listen()?)?;
    let hit = |seed: u64| Hit {
        seed,
        secrets: secrets(&search, seed),
    };
    let before = job.take_up(|stopped| stopped.next.saturating_sub(from));
    if let Some(stopped) = &before {
        let true_of = |seed: &u64| {
            (from..stopped.next).contains(seed) && sniffed.accepts(&hit(*seed).secrets)
        };
        ensure!(
            (from..=to).contains(&stopped.next) && stopped.hits.iter().all(true_of),
            "the file of --resume is damaged, or was changed: its numbers do not fit this search; remove it and begin \
             again"
        );
    }
    let start = before.as_ref().map_or(from, |stopped| stopped.next);
    let before = before.map_or(Vec::new(), |stopped| stopped.hits);
    let began = Instant::now();
    let mut failed = None;
    let outcome = search.run(start..=to, &sniffed, |progress| {
        if !progress.hits.is_empty() {
            job.say(format!("{} found", before.len() + progress.hits.len()));
        }
        let next = start + progress.tried;
        let seeds = progress.hits.iter().map(|hit| hit.seed);
        let hits = before.iter().copied().chain(seeds);
        let stopped = || Stopped {
            next,
            hits: hits.collect(),
        };
        job.at(next - from, stopped).unwrap_or_else(|error| {
            failed = Some(error);
            ControlFlow::Break(())
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    job.end(outcome.next.is_some())?;
    let hits = before.iter().copied().map(hit).chain(outcome.hits);
    let judged = |hit: Hit| Judged {
        false_hits: sniffed.chance(&hit.secrets) * seeds as f64,
        hit,
    };
    let mut hits: Vec<Judged> = hits.map(judged).collect();
    hits.sort_by(|a, b| a.false_hits.total_cmp(&b.false_hits));
    Ok(Found {
        seeds,
        done: (start - from).saturating_add(outcome.tried),
        tried: outcome.tried,
        seconds: began.elapsed().as_secs_f64(),
        hits,
        next: outcome.next,
        sniffed,
    })
}

/// The identity of a session in the file of --resume: a file that has grown may still hold it.
fn digest(stretches: &[Stretch]) -> String {
    let mut hash = Sha256::new();
    for stretch in stretches {
        hash.update((stretch.bytes.len() as u64).to_be_bytes());
        hash.update(&stretch.bytes);
    }
    hex::encode(hash.finalize())
}

fn secrets(search: &Search, seed: u64) -> Secrets {
    let mut stream = search.generator.start(seed);
    stream.fill(&mut vec![0; search.skip]);
    let mut secrets = [0; SECRETS_LEN];
    stream.fill(&mut secrets);
    secrets
}
