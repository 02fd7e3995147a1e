//! `latchstring solve keystream`: messages under one keystream, from a file.

use std::{
    fs,
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use latchstring_attacker::cryptanalysis::{
    Byte, Keystream, Language, Mode, Recovered, detect, solve_watched,
};

use super::job::CtrlC;

/// Which messages, and what to do with them.
#[derive(Args)]
#[command(after_help = "Example: latchstring solve keystream intercepted.hex\n\
    The file holds one ciphertext a line, in hexadecimal; the plaintexts are printed one a line.\n\
    A byte that only one message reaches is undetermined and printed as '_'.\n\
    Of two messages, which text is whose is a guess: --json then says of each place how sure its two bytes are as a pair.")]
pub struct Arguments {
    /// One ciphertext a line, in hexadecimal
    file: PathBuf,
    /// Print each byte's confidence too, as JSON
    #[arg(long)]
    json: bool,
    /// How much time it may take; deep for up to five messages unless it is given, fast for more
    #[arg(long, value_enum)]
    mode: Option<Effort>,
    /// The language of the plaintexts; detected unless it is given
    #[arg(long, value_parser = Language::NAMES)]
    language: Option<String>,
    /// A language model of your own instead of a built-in one
    #[arg(long, conflicts_with = "language")]
    model: Option<PathBuf>,
}

/// How much time a solution may take.
#[derive(Clone, Copy, ValueEnum)]
pub enum Effort {
    /// Below a millisecond a byte
    Fast,
    /// Ten to twenty times that
    Deep,
}

/// So many messages are worth the deep mode: with more, the fast one finds as much.
const FEW: usize = 5;

impl From<Effort> for Mode {
    fn from(effort: Effort) -> Self {
        match effort {
            Effort::Fast => Self::Fast,
            Effort::Deep => Self::Deep,
        }
    }
}

/// Runs the command and prints to `out`.
///
/// # Errors
/// If the file cannot be read or is not hexadecimal, or if `out` fails.
pub fn run(arguments: Arguments, out: &mut impl Write) -> Result<ExitCode> {
    let Arguments {
        file,
        json,
        mode,
        language,
        model,
    } = arguments;
    let ciphertexts = read(&file)?;
    let few = ciphertexts.len() <= FEW;
    let mode = mode.map_or(if few { Mode::Deep } else { Mode::Fast }, Mode::from);
    let own = model.as_deref().and_then(own_model);
    let language = match (&own, language) {
        (Some(own), _) => own,
        (None, Some(name)) => Language::named(&name).unwrap_or_else(Language::english),
        (None, None) => detect(&ciphertexts),
    };
    let recovered = watched(&ciphertexts, language, mode)?;
    match json {
        true => print_json(out, language, &recovered)?,
        false => print(out, &recovered)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Solves with a bar on standard error, where that is a terminal, until all is read or somebody presses Ctrl-C.
fn watched(ciphertexts: &[Vec<u8>], language: &Language, mode: Mode) -> Result<Recovered> {
    let ctrl_c = CtrlC::listen()?;
    let style = "{bar:30} {pos} of {len} places, {per_sec}, {eta} left";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?);
    let watch = &mut |at: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(at as u64);
        match ctrl_c.pressed().load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let certain = Keystream::new();
    let recovered = solve_watched(ciphertexts, language, &certain, mode, watch);
    let (at, all) = (bar.position(), bar.length().unwrap_or_default());
    bar.finish_and_clear();
    if at < all {
        eprintln!("ended by Ctrl-C after {at} of {all} places: the rest stays undetermined");
    }
    Ok(recovered)
}

/// A model from a file. If that is none, this says so and the built-in ones have to do.
pub(crate) fn own_model(path: &Path) -> Option<Language> {
    let read = fs::read(path).context("cannot be read");
    let model = read.and_then(|file| Ok(Language::read(&file)?));
    let complain = |error: &anyhow::Error| {
        eprintln!(
            "{}: {error:#}; a built-in model is used instead",
            path.display()
        );
    };
    model.inspect_err(complain).ok()
}

fn read(file: &Path) -> Result<Vec<Vec<u8>>> {
    let name = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("reading {name}"))?;
    let lines = text.lines().zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim().is_empty());
    let decode = |(line, number): (&str, usize)| {
        let wrong = || {
            format!("line {number} of {name} is not hexadecimal: put one ciphertext on each line")
        };
        hex::decode(line.trim()).with_context(wrong)
    };
    let ciphertexts: Vec<_> = lines.map(decode).collect::<Result<_>>()?;
    let found = ciphertexts.len();
    ensure!(
        found >= 2,
        "{name} holds {found} ciphertext: two under one keystream are needed"
    );
    Ok(ciphertexts)
}

/// One plaintext a line; a line feed inside one would begin another, so it becomes a question mark.
pub(crate) fn print(out: &mut impl Write, recovered: &Recovered) -> Result<()> {
    let shown = |byte: &Byte| match byte.value {
        None => b'_',
        Some(b'\n') => b'?',
        Some(byte) => byte,
    };
    for message in &recovered.messages {
        let mut line: Vec<u8> = message.iter().map(shown).collect();
        line.push(b'\n');
        out.write_all(&line)?;
    }
    Ok(())
}

fn print_json(out: &mut impl Write, language: &Language, recovered: &Recovered) -> Result<()> {
    let rounded = |confidence: f32| (f64::from(confidence) * 1000.0).round() / 1000.0;
    let messages = recovered.messages.iter().map(|message| {
        let text: Vec<u8> = message
            .iter()
            .map(|byte| byte.value.unwrap_or(b'_'))
            .collect();
        serde_json::json!({
            "text": String::from_utf8_lossy(&text),
            "bytes": message.iter().map(|byte| byte.value).collect::<Vec<_>>(),
            "confidence": message.iter().map(|byte| rounded(byte.confidence)).collect::<Vec<_>>(),
        })
    });
    let messages: Vec<_> = messages.collect();
    let mut all = serde_json::json!({ "language": language.name(), "messages": messages });
    if let [_, _] = &recovered.messages[..] {
        let pairs: Vec<_> = recovered.pairs.iter().copied().map(rounded).collect();
        all["pair_confidence"] = pairs.into();
    }
    writeln!(out, "{all}")?;
    Ok(())
}
