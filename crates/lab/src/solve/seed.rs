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
use latchstring_attacker::{
    capture::{
        self,
        dissect::{self, Protocol},
    },
    cryptanalysis::{
        brute_force::{Cost, Prices, Round, counting_energy},
        generators::Generator,
        seeds::{Hit, SECRETS_LEN, Search, Secrets, Sniffed, keystream_blocks},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    NOTHING_FOUND,
    job::{CtrlC, Job},
};

/// What was recorded, and which seeds to try.
#[derive(Args)]
#[command(
    after_help = "Examples, the second for a server that seeds with milliseconds:\n  \
    latchstring solve seed --capture session.pcap --generator php --from 2019-12-31 --to 2020-01-01\n  \
    latchstring solve seed --capture session.pcap --generator java --unit ms --from '2019-12-31 08:00:00' --to '2019-12-31 08:10:00'\n\n\
    Only what the client sent is looked at. A seed is right when it decrypts all of it to text.\n\
    Record a session of such a server with `latchstring weak-server` and `latchstring capture`."
)]
pub struct Arguments {
    /// A pcap or pcapng file with a session of the faithful protocol
    #[arg(long, value_name = "FILE")]
    capture: PathBuf,
    /// Which of the sessions in the file, from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    session: usize,
    /// The server's generator
    #[arg(long, value_name = "G", value_parser = generator)]
    generator: Generator,
    /// The first seed: a number, or a time (UTC) in the units that the server seeds with
    #[arg(long, value_name = "T1", value_parser = seed_or_time)]
    from: SeedOrTime,
    /// The last seed
    #[arg(long, value_name = "T2", value_parser = seed_or_time)]
    to: SeedOrTime,
    /// The units since 1970 that the server seeds with
    #[arg(long, value_enum, default_value = "s")]
    unit: Unit,
    /// How many sessions the server has had since it seeded its generator, before this one
    #[arg(long, value_name = "N", default_value_t = 0)]
    earlier: usize,
    /// Try one seed after the other instead of 128 side by side, to compare
    #[arg(long)]
    plain: bool,
    /// Keep in this file how far the search is, and go on from there
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Print JSON instead of the story
    #[arg(long)]
    json: bool,
}

/// What a server counts since 1970 to seed its generator.
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

/// A generator by its name on the command line.
pub(crate) fn generator(text: &str) -> Result<Generator, String> {
    text.parse()
        .map_err(|e: <Generator as std::str::FromStr>::Err| e.to_string())
}

/// Where a search stopped.
#[derive(Serialize, Deserialize)]
struct Stopped {
    next: u64,
    hits: Vec<u64>,
}

/// What a search came to.
struct Found {
    /// The client's messages, in order.
    ciphertexts: Vec<Vec<u8>>,
    /// How many seeds were to be tried.
    seeds: u64,
    /// How likely a wrong seed is to pass for right.
    chance: f64,
    /// How many were tried in this run, and in what time.
    tried: u64,
    seconds: f64,
    hits: Vec<Hit>,
    /// Where to go on, if it was ended.
    next: Option<u64>,
}

impl Found {
    /// What a hit makes of the messages.
    fn texts(&self, hit: &Hit) -> Vec<String> {
        let text = |ciphertext: &Vec<u8>| {
            let decrypted = Sniffed::new([ciphertext.clone()])
                .decrypt(&hit.secrets)
                .concat();
            String::from_utf8_lossy(&decrypted).into_owned()
        };
        self.ciphertexts.iter().map(text).collect()
    }
}

/// Runs the command and prints to `out`.
///
/// # Errors
/// If the capture cannot be read or holds no such session, or if `out` fails.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<ExitCode> {
    let ciphertexts = sniff(&arguments.capture, arguments.session)?;
    let (from, to) = (
        arguments.from.seed(arguments.unit)?,
        arguments.to.seed(arguments.unit)?,
    );
    ensure!(
        from <= to,
        "--from {from} comes after --to {to}: there is no seed between them"
    );
    let found = search(arguments, ciphertexts, from, to)?;
    let price = Price::of_all_keys();
    match arguments.json {
        true => print_json(out, arguments, &found, &price)?,
        false => print(out, arguments, &found, &price)?,
    }
    Ok(match found.hits.is_empty() {
        true => ExitCode::from(NOTHING_FOUND),
        false => ExitCode::SUCCESS,
    })
}

/// The client's messages of one session; what the server said tells the protocol alone.
fn sniff(file: &Path, number: usize) -> Result<Vec<Vec<u8>>> {
    let name = file.display();
    let sessions = capture::read(file)?.sessions;
    let session = number.checked_sub(1).and_then(|at| sessions.get(at));
    let Some(session) = session else {
        bail!(
            "{name} holds {} TCP sessions, so --session {number} is not there",
            sessions.len()
        );
    };
    let identity = dissect::identify(&session.trace);
    ensure!(
        identity.protocol == Protocol::Faithful,
        "session {number} of {name} is not a faithful session ({identity}): look at it with `latchstring read {name}`"
    );
    let messages = dissect::faithful(&session.trace).messages;
    ensure!(
        !messages.is_empty(),
        "session {number} of {name} has no messages of the faithful protocol: look at it with `latchstring read {name}`"
    );
    Ok(messages)
}

fn search(arguments: &Arguments, ciphertexts: Vec<Vec<u8>>, from: u64, to: u64) -> Result<Found> {
    let sniffed = Sniffed::new(ciphertexts.clone());
    let seeds = (to - from).saturating_add(1);
    let search = Search {
        generator: arguments.generator,
        skip: SECRETS_LEN * arguments.earlier,
        plain: arguments.plain,
    };
    let run = json!({
        "command": "solve seed",
        "capture": hex::encode(Sha256::digest(std::fs::read(&arguments.capture)?)),
        "session": arguments.session,
        "generator": arguments.generator.name(),
        "from": from,
        "to": to,
        "earlier": arguments.earlier,
    });
    let file = arguments.resume.as_deref();
    let mut job: Job<Stopped> = Job::begin((seeds, "seeds"), run, file, &CtrlC::listen()?)?;
    let before = job.take_up(|stopped| stopped.next - from);
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
    let again = |seed: u64| Hit {
        seed,
        secrets: secrets(&search, seed),
    };
    Ok(Found {
        ciphertexts,
        seeds,
        chance: sniffed.chance(),
        hits: before.into_iter().map(again).chain(outcome.hits).collect(),
        tried: outcome.tried,
        seconds: began.elapsed().as_secs_f64(),
        next: outcome.next,
    })
}

fn secrets(search: &Search, seed: u64) -> Secrets {
    let mut stream = search.generator.start(seed);
    stream.fill(&mut vec![0; search.skip]);
    let mut secrets = [0; SECRETS_LEN];
    stream.fill(&mut secrets);
    secrets
}

/// What it would be to try keys instead of seeds.
struct Price {
    keys_a_second: f64,
    all: Cost,
}

impl Price {
    /// From how many AES-256 keys one core of this machine tries in a second, measured now.
    fn of_all_keys() -> Self {
        const TIME: Duration = Duration::from_millis(200);
        let mut candidates = [[0; SECRETS_LEN]; 128];
        let (began, mut tried) = (Instant::now(), 0u64);
        while began.elapsed() < TIME {
            for (candidate, key) in candidates.iter_mut().zip(tried..) {
                candidate[..8].copy_from_slice(&key.to_le_bytes());
            }
            std::hint::black_box(keystream_blocks(&candidates));
            tried += candidates.len() as u64;
        }
        let keys_a_second = tried as f64 / began.elapsed().as_secs_f64();
        let all = Cost::of_keys(256, keys_a_second, &Prices::RENTED_CORE);
        Self { keys_a_second, all }
    }
}

fn print(out: &mut impl Write, arguments: &Arguments, found: &Found, price: &Price) -> Result<()> {
    writeln!(
        out,
        "listened: {} messages of session {} in {}; nothing that the server said is looked at",
        found.ciphertexts.len(),
        arguments.session,
        arguments.capture.display()
    )?;
    writeln!(
        out,
        "tried: {} of {} seeds of {}, {} a second",
        found.tried,
        found.seeds,
        arguments.generator,
        Round(found.tried as f64 / found.seconds)
    )?;
    writeln!(
        out,
        "a wrong seed makes text of the longest message once in {}, so expect {} false hits",
        Round(1.0 / found.chance),
        Round(found.chance * found.seeds as f64)
    )?;
    if let Some(next) = found.next {
        writeln!(out, "ended before seed {next}")?;
    }
    for hit in &found.hits {
        print_hit(out, arguments.unit, found, hit)?;
    }
    if found.hits.is_empty() {
        writeln!(
            out,
            "no seed makes text of the messages: the generator, the time or the unit is another"
        )?;
    }
    writeln!(
        out,
        "\nOf a server with a good generator, all 2^256 keys would have to be tried. One core of this machine tries {} a \
         second:\nthat is {} years of it, {} kWh, and {} dollars at 4 cents an hour. Merely to count so far takes {} J \
         at 3 K;\nthe sun gives 1.2e34 J a year.",
        Round(price.keys_a_second),
        Round(price.all.years_on(1.0)),
        Round(price.all.kilowatt_hours),
        Round(price.all.money),
        Round(counting_energy(256, 3.0))
    )?;
    Ok(())
}

fn print_hit(out: &mut impl Write, unit: Unit, found: &Found, hit: &Hit) -> Result<()> {
    let time = unit.time(hit.seed);
    let time = time.map_or(String::new(), |time| format!(" ({time})"));
    let (key, iv) = hit.secrets.split_at(32);
    writeln!(out, "\nseed {}{time}", hit.seed)?;
    writeln!(out, "  session key {}", hex::encode(key))?;
    writeln!(out, "  IV          {}", hex::encode(iv))?;
    for text in found.texts(hit) {
        writeln!(out, "  {text:?}")?;
    }
    Ok(())
}

fn print_json(
    out: &mut impl Write,
    arguments: &Arguments,
    found: &Found,
    price: &Price,
) -> Result<()> {
    let hits = found.hits.iter().map(|hit| {
        let (key, iv) = hit.secrets.split_at(32);
        json!({
            "seed": hit.seed,
            "time": arguments.unit.time(hit.seed),
            "key": hex::encode(key),
            "iv": hex::encode(iv),
            "messages": found.texts(hit),
        })
    });
    let all = json!({
        "generator": arguments.generator.name(),
        "seeds": found.seeds,
        "tried": found.tried,
        "seconds": found.seconds,
        "ended_before": found.next,
        "chance_of_a_false_hit": found.chance,
        "hits": hits.collect::<Vec<_>>(),
        "all_keys": {
            "keys_a_second_on_one_core": price.keys_a_second,
            "years_of_one_core": price.all.years_on(1.0),
            "kilowatt_hours": price.all.kilowatt_hours,
        },
    });
    writeln!(out, "{all:#}")?;
    Ok(())
}
