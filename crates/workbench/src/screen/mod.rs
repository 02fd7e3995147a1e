//! `latchstring solve workbench`: many-time pads read by hand, with the solver's help, in a terminal.
//!
//! The state that keys change is apart from the screen, and both from the terminal and the files:
//!
//! - `session`: ciphertexts, pins and notes, with undo; `draft`: a text that may be pinned next;
//! - `state`: all that the screen shows; `keyboard`: the action of each key on it;
//! - `view`, `panel`, `shade`: the screen;
//! - `solver`: threads that solve and drag, so that no key waits for them;
//! - `source`: hexadecimal, captures, growing captures; `work`: pins and notes in a file;
//! - `terminal`: the terminal, and the loop that brings all of them together.

mod draft;
mod keyboard;
mod letters;
mod panel;
mod session;
mod shade;
mod solver;
mod source;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod view;
mod work;

use std::{
    io::{IsTerminal, stdin, stdout},
    path::{Path, PathBuf},
    sync::mpsc::channel,
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use latchstring_cryptanalysis::{Keystream, Language, Mode, Placement};
use ratatui::crossterm::event;

use crate::keystream::{self, Effort};
use letters::number;
use session::Session;
use source::{Recording, Source};
use state::Workbench;

/// The file to read, and its options.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  latchstring solve workbench intercepted.hex\n  latchstring solve workbench captures/faithful-chat.pcap\n  \
                  latchstring solve workbench --by-hand chat.pcap\n  \
                  latchstring solve workbench session.pcap --follow\n  \
                  latchstring solve workbench --live lo --port 22222\n\
                  The key ? lists all keys. Pins and notes are kept in FILE.workbench.toml in the current folder."
)]
pub struct Arguments {
    /// Read this file: one ciphertext a line, in hexadecimal; or a pcap or pcapng file with a faithful session
    #[arg(required_unless_present = "live")]
    file: Option<PathBuf>,
    /// Start without the solver: only your pins are read, and you move a crib by hand
    #[arg(long, conflicts_with_all = ["mode", "language", "model"])]
    by_hand: bool,
    /// Keep pins and notes in this file [default: FILE.workbench.toml in the current folder]
    #[arg(long, value_name = "FILE")]
    work: Option<PathBuf>,
    /// Read this session of the capture, counted from 1 [default: the one with most messages]
    #[arg(long, value_name = "N")]
    session: Option<usize>,
    /// Read the capture again each second, and add new messages: for a capture that `latchstring capture` is writing
    #[arg(long)]
    follow: bool,
    /// Record from this network interface, and follow the recording
    #[arg(long, value_name = "IFACE", conflicts_with_all = ["file", "follow"])]
    live: Option<String>,
    /// Record only TCP from and to this port (with --live)
    #[arg(long, requires = "live")]
    port: Option<u16>,
    /// Search in this mode for each solution
    #[arg(long, value_enum, default_value = "fast")]
    mode: Effort,
    /// Expect this language of the plaintexts [default: detected]
    #[arg(long, value_parser = Language::NAMES)]
    language: Option<String>,
    /// Use the language model in this file [default: a built-in model]
    #[arg(long, conflicts_with = "language")]
    model: Option<PathBuf>,
}

/// An event while the workbench is open.
enum Event {
    /// A key, or a new size of the terminal.
    Terminal(event::Event),
    /// The solver has an answer.
    Solved(solver::Solution),
    /// A crib was dragged.
    Ranked {
        crib: solver::Crib,
        placements: Vec<Placement>,
    },
    /// A source that is followed holds these ciphertexts now.
    Grown(Vec<Vec<u8>>),
    /// Something outside failed, and the work goes on.
    Trouble(String),
    /// The operating system asks the program to end.
    Stop,
    /// A thread ended by a fault of the program.
    Died(&'static str),
}

/// Opens the workbench, until it is left.
///
/// # Errors
/// If there is no terminal, the ciphertexts or the work file cannot be read, or the terminal fails.
pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        stdin().is_terminal() && stdout().is_terminal(),
        "the workbench needs a terminal: run it in one, or use `latchstring solve keystream`"
    );
    let (events, happened) = channel();
    let recorded = arguments
        .live
        .as_ref()
        .map(|_| new_recording())
        .transpose()?;
    let file = recorded.as_ref().map(|file| file.path().to_owned());
    let file = file.or_else(|| arguments.file.clone()).context("no file")?;
    let recording = arguments
        .live
        .as_ref()
        .map(|interface| Recording::start(interface, arguments.port, &file, events.clone()));
    let recording = recording.transpose()?;

    let growing = arguments.follow || arguments.live.is_some();
    let mut source = Source::new(&file, arguments.session, growing);
    let ciphertexts = source.read()?;
    let remarks = source.remarks().join("; ");
    let work = arguments.work.clone().unwrap_or_else(|| work_file(&file));
    let mut bench = opened(arguments, &file, ciphertexts, &work)?;
    if !remarks.is_empty() {
        bench.refuse(remarks);
    }
    if growing {
        source.follow(events.clone());
    }
    let ended = terminal::run(&mut bench, &work, &events, &happened);
    drop(recording);
    if let Some(recorded) = recorded.filter(|_| ended.is_err() || work.exists()) {
        let (_, kept) = recorded.keep()?;
        println!("what was recorded is kept in {}", kept.display());
    }
    ended
}

/// The default file for pins and notes: in the present folder, which belongs to the person. A file beside the capture
/// may belong to another person; it is used only if it was made there before.
fn work_file(file: &Path) -> PathBuf {
    let named = |file: &Path| PathBuf::from(format!("{}.workbench.toml", file.display()));
    let beside = named(file);
    let here = named(Path::new(file.file_name().unwrap_or(file.as_os_str())));
    match !here.exists() && beside.exists() {
        true => beside,
        false => here,
    }
}

fn new_recording() -> Result<tempfile::NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix("latchstring-")
        .suffix(".pcap")
        .tempfile();
    file.context("cannot make a file for the recording")
}

/// The keystream that the pins in a work file tell; `None` if there is no such file.
///
/// # Errors
/// If it is no work file, if it belongs to other ciphertexts, or if its pins do not fit them.
pub fn pinned(work: &Path, ciphertexts: &[Vec<u8>]) -> Result<Option<Keystream>> {
    let Some(loaded) = work::load(work, ciphertexts)? else {
        return Ok(None);
    };
    let mut session = Session::new(ciphertexts.to_vec());
    let resumed = session.resume(loaded.board);
    resumed.with_context(|| format!("{} does not fit the ciphertexts", work.display()))?;
    Ok(Some(session.keystream().clone()))
}

/// A workbench with what is known from the work file, if there is one.
fn opened(
    arguments: &Arguments,
    file: &Path,
    ciphertexts: Vec<Vec<u8>>,
    work: &Path,
) -> Result<Workbench> {
    let loaded = work::load(work, &ciphertexts)?;
    let mut session = Session::new(ciphertexts);
    let mut said = String::new();
    let mut language = arguments.language.clone();
    if let Some(loaded) = loaded {
        let (pins, notes) = (loaded.board.pins.len(), loaded.board.notes.len());
        let (pins, notes) = (number(pins, "pin"), number(notes, "note"));
        said = format!("loaded {pins} and {notes} from {}", work.display());
        let resumed = session.resume(loaded.board);
        resumed.with_context(|| format!("{} does not fit the ciphertexts", work.display()))?;
        language = language.or(loaded.language);
    }
    let own = arguments.model.as_deref().map(keystream::own_model);
    let own = own.transpose()?;
    let language = match own {
        // The solver's thread may outlive this function, so the one model that is read stays until the program ends.
        Some(own) => Some(&*Box::leak(Box::new(own))),
        None => language.as_deref().and_then(Language::named),
    };
    let mode: Mode = arguments.mode.into();
    let mut bench = Workbench::new(file.display().to_string(), session, language, mode);
    bench.by_hand = arguments.by_hand;
    bench.say(said);
    Ok(bench)
}
