//! `latchstring solve factor`: the primes of RSA keys that were badly made or are short.

use std::{
    fs,
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use dashu_int::ops::BitTest;
use indicatif::{ProgressBar, ProgressStyle};
use latchstring_attacker::{
    cryptanalysis::rsa::{
        Effort, Factored, QuadraticSieve, Relation, Shared, Sieved, UBig, factor, shared_primes,
    },
    protocol::faithful::keys::PublicKey,
};
use rsa::{
    BoxedUint, RsaPrivateKey,
    pkcs1::{EncodeRsaPrivateKey, LineEnding},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    NOTHING_FOUND,
    job::{CtrlC, Job},
};

/// All keys of the lab have this public exponent.
const EXPONENT: u32 = 65_537;

/// Which keys, and what to do with what is found.
#[derive(Args)]
#[command(
    after_help = "Examples, the second for a key of 256 bits, which takes some minutes:\n  \
    latchstring solve factor client.keys/*.pub\n  \
    latchstring solve factor 0x87a1... --resume sieve.json\n\n\
    Of several keys it is first looked whether they share primes (batch GCD). Each key alone is tried by trial division,\n\
    Fermat, Pollard p-1 and Pollard rho; one of up to 260 bits falls to the quadratic sieve, however it was made."
)]
pub struct Arguments {
    /// Public keys: PEM files, or moduli as numbers (decimal, or hexadecimal after 0x)
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
    /// Write the private keys that are found into this folder, as PEM
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Minutes a key instead of seconds
    #[arg(long)]
    thorough: bool,
    /// For one key: keep in this file how far the quadratic sieve is, and go on from there
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Print JSON instead of the story
    #[arg(long)]
    json: bool,
}

struct Key {
    name: String,
    n: UBig,
}

/// Runs the command and prints to `out`.
///
/// # Errors
/// If an argument is no key, if a file cannot be read or written, or if `out` fails.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> Result<ExitCode> {
    let keys = arguments.keys.iter().map(|key| read(key));
    let keys: Vec<Key> = keys.collect::<Result<_>>()?;
    ensure!(
        arguments.resume.is_none() || keys.len() == 1,
        "--resume is for one key, and these are {}: give one of them",
        keys.len()
    );
    let moduli: Vec<UBig> = keys.iter().map(|key| key.n.clone()).collect();
    let bar = bar(keys.len())?;
    bar.set_message("looking for shared primes");
    let shared = shared_primes(&moduli);
    bar.set_message("each alone");
    let ctrl_c = CtrlC::listen()?;
    let mut found = 0;
    for (tried, (key, shared)) in (1..).zip(keys.iter().zip(shared)) {
        let twice = matches!(shared, Shared::Whole);
        let factored = match shared {
            Shared::Prime(factored) => Some(factored),
            Shared::No | Shared::Whole => alone(&key.n, arguments, &ctrl_c)?,
        };
        bar.suspend(|| match arguments.json {
            true => Ok(writeln!(out, "{}", as_json(key, factored.as_ref()))?),
            false => print(out, key, factored.as_ref(), twice),
        })?;
        bar.inc(1);
        if let (Some(folder), Some(factored)) = (&arguments.out, &factored) {
            write_private_key(folder, key, factored)?;
        }
        found += usize::from(factored.is_some());
        if tried < keys.len() && ctrl_c.pressed().load(Ordering::SeqCst) {
            eprintln!(
                "ended by Ctrl-C after {}: {} of {} keys are left",
                key.name,
                keys.len() - tried,
                keys.len()
            );
            break;
        }
    }
    bar.finish_and_clear();
    Ok(match found {
        0 => ExitCode::from(NOTHING_FOUND),
        _ => ExitCode::SUCCESS,
    })
}

/// On standard error, and only where that is a terminal. The sieve of a single key has a bar of its own.
fn bar(keys: usize) -> Result<ProgressBar> {
    if keys == 1 {
        return Ok(ProgressBar::hidden());
    }
    let style = "{spinner} {bar:30} {pos} of {len} keys, {elapsed}, {eta} left, {msg}";
    let bar = ProgressBar::new(keys as u64).with_style(ProgressStyle::with_template(style)?);
    bar.enable_steady_tick(Duration::from_millis(200));
    Ok(bar)
}

/// A key from a command line.
fn read(text: &str) -> Result<Key> {
    let digits = text.strip_prefix("0x");
    let radix = if digits.is_some() { 16 } else { 10 };
    if let Ok(n) = UBig::from_str_radix(digits.unwrap_or(text), radix) {
        let name = format!("modulus of {} bits", n.bit_len());
        return Ok(Key { name, n });
    }
    let pem = fs::read_to_string(text).with_context(|| {
        format!("{text:?} is neither a number (decimal, or 0x and hexadecimal) nor a file that can be read")
    })?;
    let key = PublicKey::from_pem_of_any_size(&pem).with_context(|| format!("reading {text}"))?;
    Ok(Key {
        name: text.to_owned(),
        n: UBig::from_be_bytes(&key.modulus()),
    })
}

/// The factors of a key without regard to others.
fn alone(n: &UBig, arguments: &Arguments, ctrl_c: &CtrlC) -> Result<Option<Factored>> {
    let effort = match arguments.thorough {
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
    match factor(n, &cheap) {
        Some(factored) => Ok(Some(factored)),
        None => sieve(n, arguments.resume.as_deref(), ctrl_c),
    }
}

/// What a sieve has done so far, as JSON.
#[derive(Serialize, Deserialize)]
struct Kept {
    steps: u64,
    /// Root in hexadecimal, factors, large prime.
    relations: Vec<(String, Vec<u32>, u64)>,
}

impl From<Sieved> for Kept {
    fn from(sieved: Sieved) -> Self {
        let relations = sieved.relations.into_iter();
        let plain = |relation: Relation| {
            (
                format!("{:x}", relation.root),
                relation.factors,
                relation.large,
            )
        };
        Self {
            steps: sieved.steps,
            relations: relations.map(plain).collect(),
        }
    }
}

impl Kept {
    fn sieved(self) -> Option<Sieved> {
        let relation = |(root, factors, large): (String, Vec<u32>, u64)| {
            let root = UBig::from_str_radix(&root, 16).ok()?;
            Some(Relation {
                root,
                factors,
                large,
            })
        };
        Some(Sieved {
            steps: self.steps,
            relations: self
                .relations
                .into_iter()
                .map(relation)
                .collect::<Option<_>>()?,
        })
    }
}

fn sieve(n: &UBig, file: Option<&Path>, ctrl_c: &CtrlC) -> Result<Option<Factored>> {
    let mut sieve = match QuadraticSieve::new(n) {
        Ok(sieve) => sieve,
        Err(without_sieving) => return Ok(without_sieving),
    };
    let run = json!({ "command": "solve factor", "modulus": n.to_string() });
    let mut job: Job<Kept> = Job::begin((sieve.needed() as u64, "relations"), run, file, ctrl_c)?;
    if let Some(kept) = job.take_up(|kept| kept.relations.len() as u64) {
        let taken_up = kept.sieved().is_some_and(|sieved| sieve.take_up(sieved));
        ensure!(
            taken_up,
            "the file of --resume is damaged: remove it and begin anew"
        );
    }
    loop {
        if let Some(factored) = sieve.step() {
            job.end(false)?;
            return Ok(Some(factored));
        }
        let state = || Kept::from(sieve.sieved());
        if let ControlFlow::Break(()) = job.at(sieve.found() as u64, state)? {
            eprintln!("{} of {} relations found", sieve.found(), sieve.needed());
            job.end(true)?;
            return Ok(None);
        }
    }
}

fn print(out: &mut impl Write, key: &Key, factored: Option<&Factored>, twice: bool) -> Result<()> {
    let name = &key.name;
    let Some(Factored { p, q, method }) = factored else {
        let more = if twice {
            "; the same key is there twice"
        } else {
            ""
        };
        writeln!(out, "{name}: nothing found{more}")?;
        return Ok(());
    };
    writeln!(out, "{name}: {method}\n  p = {p}\n  q = {q}")?;
    if let Some(d) = factored.and_then(|factored| factored.private_exponent(&EXPONENT.into())) {
        writeln!(out, "  d = {d} (for e = {EXPONENT})")?;
    }
    Ok(())
}

fn as_json(key: &Key, factored: Option<&Factored>) -> Value {
    let number = |number: &UBig| number.to_string();
    let d = factored.and_then(|factored| factored.private_exponent(&EXPONENT.into()));
    json!({
        "key": key.name,
        "modulus": number(&key.n),
        "method": factored.map(|factored| factored.method.to_string()),
        "p": factored.map(|factored| number(&factored.p)),
        "q": factored.map(|factored| number(&factored.q)),
        "d": d.as_ref().map(number),
    })
}

/// As PKCS#1, the format of the faithful programs, under the name of the public key without its ending.
fn write_private_key(folder: &Path, key: &Key, factored: &Factored) -> Result<()> {
    let number = |n: &UBig| BoxedUint::from_be_slice_vartime(&n.to_be_bytes());
    let (p, q) = (number(&factored.p), number(&factored.q));
    let private = RsaPrivateKey::from_p_q(p, q, BoxedUint::from(u64::from(EXPONENT)));
    let private = private.map_err(|why| anyhow!("{} gives no private key: {why}", key.name))?;
    let pem = private.to_pkcs1_pem(LineEnding::LF)?;
    let Some(name) = Path::new(&key.name).file_stem() else {
        bail!("{} has no name to write its private key under", key.name);
    };
    let path = folder.join(name);
    ensure!(
        !path.exists(),
        "{} is there already: give another --out",
        path.display()
    );
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(&path, pem.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use latchstring_attacker::cryptanalysis::rsa::next_prime;
    use rsa::pkcs8::EncodePublicKey;

    use super::*;

    /// A prime of 512 bits.
    fn prime(which: u32) -> UBig {
        next_prime(&((UBig::from(3u8) << 510) + (UBig::from(which) << 300)))
    }

    fn public_key(folder: &Path, name: &str, p: &UBig, q: &UBig) -> (String, RsaPrivateKey) {
        let number = |n: &UBig| BoxedUint::from_be_slice_vartime(&n.to_be_bytes());
        let e = BoxedUint::from(u64::from(EXPONENT));
        let key = RsaPrivateKey::from_p_q(number(p), number(q), e).unwrap();
        let path = folder.join(name);
        let pem = key.to_public_key().to_public_key_pem(LineEnding::LF);
        fs::write(&path, pem.unwrap()).unwrap();
        (path.to_str().unwrap().to_owned(), key)
    }

    fn arguments(keys: &[&str], out: Option<PathBuf>) -> Arguments {
        Arguments {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            out,
            thorough: false,
            resume: None,
            json: false,
        }
    }

    fn said(arguments: &Arguments) -> (ExitCode, String) {
        let mut out = Vec::new();
        let code = run(arguments, &mut out).unwrap();
        (code, String::from_utf8(out).unwrap())
    }

    #[test]
    fn of_public_keys_that_were_badly_made_the_private_ones_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let (alice, private) = public_key(folder.path(), "alice.pub", &prime(1), &prime(2));
        let (bob, _) = public_key(folder.path(), "bob.pub", &prime(1), &prime(900));
        let close = next_prime(&(prime(5) + UBig::ONE));
        let (carol, _) = public_key(folder.path(), "carol.pub", &prime(5), &close);
        let out = folder.path().join("found");
        let (_, said) = said(&arguments(&[&alice, &bob, &carol], Some(out.clone())));
        assert_eq!(said.matches("batch GCD").count(), 2, "{said}");
        assert_eq!(said.matches("Fermat").count(), 1, "{said}");
        let written = fs::read_to_string(out.join("alice")).unwrap();
        assert_eq!(written, *private.to_pkcs1_pem(LineEnding::LF).unwrap());
        assert!(out.join("bob").exists() && out.join("carol").exists());
    }

    #[test]
    fn a_sound_key_stays_whole_and_a_short_one_does_not() {
        let (p, q) = (
            prime(0x8123_4567),
            next_prime(&(prime(3) + (UBig::ONE << 509))),
        );
        let sound = (&p * &q).to_string();
        let (code, words) = said(&arguments(&[&sound], None));
        assert_eq!(code, ExitCode::from(NOTHING_FOUND));
        assert!(
            words.contains("modulus of 1024 bits: nothing found"),
            "{words}"
        );
        let short = next_prime(&(UBig::from(3u8) << 62)) * next_prime(&(UBig::from(5u8) << 58));
        let (code, words) = said(&arguments(&[&format!("0x{short:x}")], None));
        assert_eq!(code, ExitCode::SUCCESS, "{words}");
        assert!(words.contains("  p = "), "{words}");
    }

    #[test]
    fn what_is_no_key_is_named() {
        let wrong = run(&arguments(&["no-such-file"], None), &mut Vec::new()).unwrap_err();
        assert!(wrong.to_string().contains("no-such-file"), "{wrong}");
        let mut two = arguments(&["15", "21"], None);
        two.resume = Some("sieve.json".into());
        let wrong = run(&two, &mut Vec::new()).unwrap_err();
        assert!(
            wrong.to_string().contains("--resume is for one key"),
            "{wrong}"
        );
    }
}
