//! `latchstring solve factor`: the primes of RSA keys that were badly made or are short.

use std::{
    collections::HashMap, io::Write, path::PathBuf, process::ExitCode, sync::atomic::Ordering,
    time::Duration,
};

use anyhow::{Result, ensure};
use clap::Args;
use dashu_int::ops::BitTest;
use indicatif::{ProgressBar, ProgressStyle};
use latchstring_cryptanalysis::rsa::{
    Effort, Factored, Shared, UBig, factor, factor_fully, shared_primes, wiener,
};
use latchstring_net::print::note;

use super::{NOTHING_FOUND, input::Input, job::CtrlC};
use keys::{Key, Keys};
use story::Outcome;

mod formats;
mod keys;
mod private;
mod sieve;
mod story;
#[cfg(test)]
mod tests;

/// The public exponent of nearly all keys, and of all of the lab.
const EXPONENT: u32 = 65_537;
/// The limit on lines about input that was not understood.
const COMPLAINTS: usize = 20;

/// The keys, and the action on the results.
#[derive(Args)]
#[command(
    after_help = "Examples, the second for a key of 256 bits, which takes some minutes:\n  \
    latchstring solve factor client.keys/*.pub\n  \
    latchstring solve factor 0x87a1... --resume sieve.json\n  \
    latchstring solve factor --gcd-only ~/.ssh/known_hosts certificates.pem jwks.json\n\n\
    A file may hold any number of keys: PEM or DER (public keys, certificates, requests, private keys), OpenSSH, JWK, and\n\
    numbers, one a line, also as \"n = ...\" and \"e = ...\". - is the standard input; .gz is unpacked.\n\
    Several keys are first searched for shared primes (batch GCD). Then the program tries each key alone: trial division,\n\
    Fermat, Wiener, Pollard p-1 and Pollard rho. The quadratic sieve factors every key of up to 260 bits.\n\
    The exit code is 0 when a factor was found and 1 when none was."
)]
pub struct Arguments {
    /// Read these files with public keys, or these moduli as numbers (decimal, or hexadecimal after 0x)
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
    /// Write the private keys into this folder, as PEM [default: write none]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Use this public exponent for moduli that are given as numbers [default: 65537]
    #[arg(long, value_name = "E", value_parser = exponent)]
    exponent: Option<UBig>,
    /// Look only for shared primes
    #[arg(long)]
    gcd_only: bool,
    /// Spend minutes on each key [default: seconds]
    #[arg(long)]
    thorough: bool,
    /// Save progress of the quadratic sieve to this file; resume from it if it exists (for one key)
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Print JSON instead of the story, one object a key
    #[arg(long)]
    json: bool,
}

fn exponent(text: &str) -> Result<UBig, String> {
    formats::number(text)
        .ok_or_else(|| "give a number: decimal, or hexadecimal after 0x".to_owned())
}

/// A modulus, and its exponent where the form of the key has one.
pub type Numbers = (UBig, Option<UBig>);

/// The keys that `input` holds, and a line for each part that is no key.
///
/// # Errors
/// If the input as a whole cannot be understood.
pub fn keys(input: &Input) -> Result<(Vec<Numbers>, Vec<String>)> {
    let mut all = Keys::default();
    all.bytes(input)?;
    let keys = all.keys.into_iter().map(|key| (key.n, key.e));
    Ok((keys.collect(), all.refused))
}

/// Runs the command and prints to `out`.
///
/// # Errors
/// If an argument is no key, if a file cannot be read or written, or if `out` fails.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<ExitCode> {
    let Keys { keys, refused } = Keys::read(&arguments.keys)?;
    complain(&refused);
    ensure!(
        arguments.resume.is_none() || keys.len() == 1,
        "--resume is for one key, and these are {}: give one of them",
        keys.len()
    );
    if let Some(folder) = &arguments.out {
        for key in &keys {
            private::path(folder, key)?;
        }
    }
    let mut run = Run {
        arguments,
        bar: bar(keys.len())?,
        ctrl_c: CtrlC::listen()?,
        found: 0,
        same: same(&keys),
    };
    let (beside, mut alone) = run.shared(&keys);
    for (key, factored) in beside {
        run.tell(out, key, Some(factored))?;
    }
    if arguments.gcd_only {
        run.bar.finish_and_clear();
        if run.found == 0 {
            note(format_args!("no two of {} keys share a prime", keys.len()));
        }
        if !run.same.is_empty() {
            note(format_args!(
                "{} have the modulus of an earlier key",
                run.same.len()
            ));
        }
        alone.clear();
    }
    let left = alone.len();
    for (tried, key) in (1..).zip(alone) {
        run.tell(out, key, None)?;
        if tried < left && run.ctrl_c.pressed().load(Ordering::SeqCst) {
            note(format_args!(
                "ended by Ctrl-C after {}: {} of {} keys are left",
                key.name,
                left - tried,
                keys.len()
            ));
            break;
        }
    }
    run.bar.finish_and_clear();
    Ok(match run.found {
        0 => ExitCode::from(NOTHING_FOUND),
        _ => ExitCode::SUCCESS,
    })
}

/// Names what was not understood.
fn complain(refused: &[String]) {
    for complaint in refused.iter().take(COMPLAINTS) {
        note(format_args!("left out: {complaint}"));
    }
    if refused.len() > COMPLAINTS {
        note(format_args!(
            "left out: {} more",
            refused.len() - COMPLAINTS
        ));
    }
}

/// For each key (by its number) whose modulus an earlier one has, which that is.
fn same(keys: &[Key]) -> HashMap<usize, String> {
    let mut first: HashMap<&UBig, &Key> = HashMap::new();
    let mut same = HashMap::new();
    for key in keys {
        let other = *first.entry(&key.n).or_insert(key);
        if other.number != key.number {
            same.insert(key.number, format!("key {}, {}", other.number, other.name));
        }
    }
    same
}

/// On standard error, and only where that is a terminal. The sieve of a single key has a separate bar.
fn bar(keys: usize) -> Result<ProgressBar> {
    if keys == 1 {
        return Ok(ProgressBar::hidden());
    }
    let style = "{spinner} {bar:30} {pos} of {len} keys, {elapsed}, {eta} left, {msg}";
    let bar = ProgressBar::new(keys as u64).with_style(ProgressStyle::with_template(style)?);
    bar.enable_steady_tick(Duration::from_millis(200));
    Ok(bar)
}

/// One run over all keys.
struct Run<'a> {
    arguments: &'a Arguments,
    bar: ProgressBar,
    ctrl_c: CtrlC,
    found: usize,
    same: HashMap<usize, String>,
}

impl Run<'_> {
    /// The keys that share a prime with another one, and those that are left.
    fn shared<'k>(&self, keys: &'k [Key]) -> (Vec<(&'k Key, Factored)>, Vec<&'k Key>) {
        self.bar.set_message("looking for shared primes");
        let moduli: Vec<UBig> = keys.iter().map(|key| key.n.clone()).collect();
        let (mut beside, mut alone) = (Vec::new(), Vec::new());
        for (key, shared) in keys.iter().zip(shared_primes(&moduli)) {
            match shared {
                Shared::Prime(factored) => beside.push((key, factored)),
                Shared::No | Shared::Whole => alone.push(key),
            }
        }
        self.bar.set_message("each alone");
        (beside, alone)
    }

    /// Factors a key, with what is known of it, and prints what came out.
    fn tell(&mut self, out: &mut impl Write, key: &Key, first: Option<Factored>) -> Result<()> {
        let outcome = self.outcome(key, first)?;
        self.found += usize::from(outcome.found());
        let json = self.arguments.json;
        self.bar.suspend(|| -> Result<()> {
            match json {
                true => writeln!(out, "{}", outcome.as_json())?,
                false => outcome.print(out)?,
            }
            // Whoever waits for the rest has this at once.
            Ok(out.flush()?)
        })?;
        self.bar.inc(1);
        self.write(&outcome)
    }

    fn outcome<'k>(&self, key: &'k Key, first: Option<Factored>) -> Result<Outcome<'k>> {
        let given = key.e.clone().or(self.arguments.exponent.clone());
        let assumed = given.is_none();
        let e = given.unwrap_or_else(|| EXPONENT.into());
        let mut failed = None;
        let whole = factor_fully(&key.n, first, |part| {
            if self.arguments.gcd_only {
                return None;
            }
            let weak = wiener(part, &e).filter(|_| *part == key.n && !assumed);
            let split = weak.map_or_else(
                || self.alone(part, *part == key.n),
                |weak| Ok(Some(weak.factors)),
            );
            split.unwrap_or_else(|error| {
                failed = Some(error);
                None
            })
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(Outcome {
                d: whole.private_exponent(&e),
                same_as: self.same.get(&key.number).cloned(),
                key,
                whole,
                e,
                assumed,
            }),
        }
    }

    /// Two factors of a number without regard to others.
    fn alone(&self, n: &UBig, resumes: bool) -> Result<Option<Factored>> {
        let effort = match self.arguments.thorough {
            true => Effort::THOROUGH,
            false => Effort::QUICK,
        };
        if n.bit_len() > Effort::THOROUGH.sieve_bits {
            return Ok(factor(n, &effort));
        }
        // The cheap methods say more when they work: that the primes were badly chosen, and not only that the key is short.
        let cheap = Effort {
            sieve_bits: 0,
            ..Effort::QUICK
        };
        let file = self.arguments.resume.as_deref().filter(|_| resumes);
        match factor(n, &cheap) {
            Some(factored) => Ok(Some(factored)),
            None => sieve::sieve(n, file, &self.ctrl_c),
        }
    }

    /// Writes the private key, if there is one and it is wanted.
    fn write(&self, outcome: &Outcome<'_>) -> Result<()> {
        let (Some(folder), Ok(d)) = (&self.arguments.out, &outcome.d) else {
            return Ok(());
        };
        match private::pem(&outcome.whole, &outcome.e, d) {
            Ok(pem) => private::write(&private::path(folder, outcome.key)?, &pem),
            Err(why) => {
                note(format_args!("{}: no PEM: {why:#}", outcome.key.name));
                Ok(())
            }
        }
    }
}
