//! `latchstring solve keystream`: messages under one keystream, from a file.

use std::{
    collections::HashMap,
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use latchstring_cryptanalysis::{
    Byte, Evidence, Keystream, Language, Mode, Recovered, detect, solve_watched,
};
use latchstring_net::{print::note, terminal::visible_bytes};
use serde_json::json;

use super::{
    NOTHING_FOUND,
    input::{Input, Line},
    job::CtrlC,
};

/// The messages, and the action on them.
#[derive(Args)]
#[command(after_help = "Example: latchstring solve keystream intercepted.hex\n\
    The file holds one ciphertext a line, in hexadecimal; the plaintexts are printed one a line.\n\
    Spaces, colons, 0x and \\x may stand between the digits; # begins a comment; - is the standard input; .gz is unpacked.\n\
    A byte that only one message reaches is undetermined and printed as '_'.\n\
    Of two messages, the order is a guess: --json then gives the confidence of each pair of bytes.\n\
    Text that chance could give as well is not printed, and the exit code is 1.")]
pub struct Arguments {
    /// Read this file: one ciphertext a line, in hexadecimal; - for the standard input
    file: PathBuf,
    /// Print JSON, with the confidence of each byte
    #[arg(long)]
    json: bool,
    /// Search in this mode [default: deep for up to five messages, fast for more]
    #[arg(long, value_enum)]
    mode: Option<Effort>,
    /// Expect this language of the plaintexts [default: detected]
    #[arg(long, value_parser = Language::NAMES)]
    language: Option<String>,
    /// Use the language model in this file [default: a built-in model]
    #[arg(long, conflicts_with = "language")]
    model: Option<PathBuf>,
}

/// How much time a solution may take.
#[derive(Clone, Copy, ValueEnum)]
pub enum Effort {
    /// Less than a millisecond for each byte
    Fast,
    /// Ten to twenty times as long as fast
    Deep,
}

/// The most messages that are worth the deep mode: with more, the fast one finds as much.
const FEW: usize = 5;

impl From<Effort> for Mode {
    fn from(effort: Effort) -> Self {
        match effort {
            Effort::Fast => Self::Fast,
            Effort::Deep => Self::Deep,
        }
    }
}

/// Runs the command and prints to `out`, which is a `terminal` or not.
///
/// # Errors
/// If the file cannot be read or is not hexadecimal, or if `out` fails.
pub fn run(arguments: Arguments, out: &mut impl Write, terminal: bool) -> Result<ExitCode> {
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
    let own = model.as_deref().map(own_model).transpose()?;
    let language = match (&own, language) {
        (Some(own), _) => own,
        (None, Some(name)) => Language::named(&name).unwrap_or_else(Language::english),
        (None, None) => detect(&ciphertexts),
    };
    let (recovered, ended) = watched(&ciphertexts, language, mode)?;
    let evidence = Evidence::of(&ciphertexts, &recovered, &[], language);
    let readable = evidence.is_convincing();
    match (json, readable) {
        (true, _) => print_json(out, language, &recovered, evidence)?,
        (false, true) => print(out, &recovered, terminal)?,
        (false, false) => {}
    }
    if !readable {
        note(format_args!(
            "nothing readable: under no keystream do the {} messages read like text ({}) better than chance does ({})",
            ciphertexts.len(),
            language.name(),
            evidence.in_words()
        ));
        note(match ended {
            true => "the search was ended before its end, so this is no result: let it run",
            false => {
                "perhaps they are too short, not under one keystream, not whole from its first byte on, or no text"
            }
        });
        return Ok(ExitCode::from(NOTHING_FOUND));
    }
    Ok(ExitCode::SUCCESS)
}

/// Solves with a bar on standard error, where that is a terminal, until all is read or Ctrl-C is pressed. Also returns
/// whether Ctrl-C was pressed.
fn watched(ciphertexts: &[Vec<u8>], language: &Language, mode: Mode) -> Result<(Recovered, bool)> {
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
        note(format_args!(
            "ended by Ctrl-C after {at} of {all} places: the rest stays undetermined"
        ));
    }
    Ok((recovered, at < all))
}

/// A model from a file.
///
/// # Errors
/// If the file cannot be read or is no model: another one in its place would answer another question.
pub(crate) fn own_model(path: &Path) -> Result<Language> {
    let file = Input::read(path)?;
    Language::read(&file.bytes).with_context(|| format!("cannot use {}", file.name))
}

fn read(file: &Path) -> Result<Vec<Vec<u8>>> {
    let input = Input::read(file)?;
    let name = &input.name;
    let lines = input.hexadecimal()?;
    let found = lines.len();
    ensure!(
        found >= 2,
        "{name} holds {found} ciphertext{}: two under one keystream are needed",
        if found == 1 { "" } else { "s" }
    );
    let repeated = repeated(&lines);
    ensure!(
        found - repeated.len() >= 2,
        "all {found} ciphertexts of {name} are the same: under one keystream so are their texts, and nothing else follows. \
         Two different ones are needed"
    );
    for (line, first) in repeated {
        note(format_args!(
            "line {line} of {name} is the same ciphertext as line {first}: the same text, and it tells nothing new"
        ));
    }
    Ok(lines.into_iter().map(|line| line.bytes).collect())
}

/// The lines that hold what an earlier one holds, each with the number of that.
fn repeated(lines: &[Line]) -> Vec<(usize, usize)> {
    let mut first: HashMap<&[u8], usize> = HashMap::new();
    let mut repeated = Vec::new();
    for line in lines {
        let before = *first.entry(&line.bytes).or_insert(line.number);
        if before != line.number {
            repeated.push((line.number, before));
        }
    }
    repeated
}

/// One plaintext a line; a line feed inside one would begin another, so it becomes a question mark. A terminal gets no byte
/// that could steer it.
pub(crate) fn print(out: &mut impl Write, recovered: &Recovered, terminal: bool) -> Result<()> {
    let shown = |byte: &Byte| match byte.value {
        None => b'_',
        Some(b'\n') => b'?',
        Some(byte) => byte,
    };
    for message in &recovered.messages {
        let line: Vec<u8> = message.iter().map(shown).collect();
        match terminal {
            true => out.write_all(visible_bytes(&line).as_bytes())?,
            false => out.write_all(&line)?,
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn print_json(
    out: &mut impl Write,
    language: &Language,
    recovered: &Recovered,
    evidence: Evidence,
) -> Result<()> {
    let rounded = |confidence: f32| (f64::from(confidence) * 1000.0).round() / 1000.0;
    let messages = recovered.messages.iter().map(|message| {
        let text: Vec<u8> = message
            .iter()
            .map(|byte| byte.value.unwrap_or(b'_'))
            .collect();
        json!({
            "text": String::from_utf8_lossy(&text),
            "bytes": message.iter().map(|byte| byte.value).collect::<Vec<_>>(),
            "confidence": message.iter().map(|byte| rounded(byte.confidence)).collect::<Vec<_>>(),
        })
    });
    let readable = evidence.is_convincing();
    let messages: Vec<_> = messages.filter(|_| readable).collect();
    let mut all = json!({
        "language": language.name(),
        "readable": readable,
        "by_chance": evidence.chance(),
        "messages": messages,
    });
    if readable && recovered.messages.len() == 2 {
        let pairs: Vec<_> = recovered.pairs.iter().copied().map(rounded).collect();
        all["pair_confidence"] = pairs.into();
    }
    writeln!(out, "{all}")?;
    Ok(())
}
