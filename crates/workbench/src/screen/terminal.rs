//! The terminal, and the loop that brings keys, solver, source and files together.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender},
    thread,
};

use anyhow::{Context, Result, bail};
use ratatui::{DefaultTerminal, crossterm::event};
use tokio::signal::unix::{SignalKind, signal};

use super::{Event, shade::Palette, solver, state::Effect, state::Workbench, view, work};
use crate::keystream;

/// Takes the terminal until the workbench is left, and always gives it back.
///
/// # Errors
/// If the terminal fails, or the program is ended by a signal.
pub(super) fn run(
    bench: &mut Workbench,
    work: &Path,
    events: &Sender<Event>,
    happened: &Receiver<Event>,
) -> Result<()> {
    stop_on_signals(events.clone())?;
    // This also makes a panic give the terminal back.
    let mut terminal = ratatui::try_init()
        .inspect_err(|_| ratatui::restore())
        .context("cannot take the terminal")?;
    read_keys(events.clone());
    let ended = play(&mut terminal, bench, work, events, happened);
    ratatui::restore();
    ended
}

fn play(
    terminal: &mut DefaultTerminal,
    bench: &mut Workbench,
    work: &Path,
    events: &Sender<Event>,
    happened: &Receiver<Event>,
) -> Result<()> {
    let palette = Palette::of_environment();
    let (solver, ranker) = solver::start(events);
    loop {
        // A thread that has ended says so itself, with an event.
        if let Some(problem) = bench.question() {
            let _ = solver.send(problem);
        }
        if let Some(crib) = bench.crib() {
            let _ = ranker.send(crib);
        }
        terminal.draw(|frame| view::draw(frame, bench, palette))?;
        // Everything that waits is taken in before the next drawing.
        let first = happened.recv().context("nothing can happen any more")?;
        for event in std::iter::once(first).chain(happened.try_iter()) {
            if take(event, bench, work)? {
                return Ok(());
            }
        }
    }
}

/// Takes one event in. Returns whether the workbench is left.
fn take(event: Event, bench: &mut Workbench, work: &Path) -> Result<bool> {
    match event {
        Event::Terminal(event::Event::Key(key)) => {
            if let Some(effect) = bench.key(key) {
                return Ok(perform(effect, bench, work));
            }
        }
        Event::Terminal(_) => (),
        Event::Solved(solution) => bench.solved(solution),
        Event::Ranked { crib, placements } => bench.ranked(&crib, placements),
        Event::Grown(ciphertexts) => bench.grown(ciphertexts),
        Event::Trouble(why) => bench.refuse(why),
        Event::Stop => {
            rescue(bench, work).context("ended by a signal")?;
            return Ok(true);
        }
        Event::Died(thread) => {
            let fault = format!("the {thread} stopped by a fault of the program");
            rescue(bench, work).context(fault.clone())?;
            bail!("{fault}; nothing is lost, so start again")
        }
    }
    Ok(false)
}

/// Returns whether the workbench is left.
fn perform(effect: Effect, bench: &mut Workbench, work: &Path) -> bool {
    match effect {
        Effect::Quit => return true,
        Effect::Save => drop(save(bench, work)),
        Effect::SaveAndQuit => return save(bench, work),
        Effect::Export(path) => match export(bench, &path) {
            Ok(()) => bench.say(format!("plaintexts written to {}", path.display())),
            Err(error) => bench.refuse(format!("not exported: {error:#}")),
        },
    }
    false
}

/// Returns whether it is saved.
fn save(bench: &mut Workbench, path: &Path) -> bool {
    let written = write(bench, path);
    match &written {
        Ok(()) => {
            bench.session.saved();
            bench.say(format!("saved to {}", path.display()));
        }
        Err(error) => bench.refuse(format!("not saved: {error:#}")),
    }
    written.is_ok()
}

fn write(bench: &Workbench, path: &Path) -> Result<()> {
    let session = &bench.session;
    let language = bench.language().map(|language| language.name());
    work::save(path, session.board(), session.ciphertexts(), language)
}

/// Saves unsaved work to a file beside the work file, if nobody can be asked.
fn rescue(bench: &Workbench, work: &Path) -> Result<()> {
    if !bench.session.unsaved() {
        return Ok(());
    }
    let beside = PathBuf::from(format!("{}.rescued", work.display()));
    write(bench, &beside)?;
    bail!(
        "unsaved work is in {0}: open it with --work {0}",
        beside.display()
    )
}

fn export(bench: &Workbench, path: &Path) -> Result<()> {
    let mut text = Vec::new();
    keystream::print(&mut text, &bench.plaintexts(), false)?;
    work::write(path, &text)
}

/// Waits for keys on a thread, which ends with the program.
fn read_keys(events: Sender<Event>) {
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if events.send(Event::Terminal(event)).is_err() {
                return;
            }
        }
        // The terminal is gone.
        let _ = events.send(Event::Stop);
    });
}

/// Ends the work in an orderly way when the operating system asks for it. (Ctrl-C on the keyboard is a key.)
fn stop_on_signals(events: Sender<Event>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    thread::spawn(move || {
        runtime.block_on(async {
            let asked = [
                SignalKind::interrupt(),
                SignalKind::terminate(),
                SignalKind::hangup(),
            ];
            let Ok(signals) = asked.into_iter().map(signal).collect::<Result<Vec<_>, _>>() else {
                return;
            };
            let waits = signals
                .into_iter()
                .map(|mut signal| Box::pin(async move { signal.recv().await }));
            futures_util::future::select_all(waits).await;
            let _ = events.send(Event::Stop);
        });
    });
    Ok(())
}
