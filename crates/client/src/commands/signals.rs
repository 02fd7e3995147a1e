//! The signals that ask the program to end. Without a handler it would leave the terminal without an echo, and say nothing
//! about the input.
//!
//! A separate thread waits for them. The session may be stuck where it writes to a pipe that nobody reads, and must end
//! all the same.

use std::{
    io,
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use nix::sys::signal::Signal::SIGCONT;
use tokio::{
    runtime, select,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::editor;

/// A session that is not stuck ends within this time.
const PATIENCE: Duration = Duration::from_secs(2);
/// As after every session that ended early.
const ENDED_EARLY: i32 = 5;

/// The signals that came.
pub(super) struct Signals {
    came: UnboundedReceiver<&'static str>,
    goes_on: Arc<AtomicBool>,
}

impl Signals {
    /// Waits for signals from now on.
    pub(super) fn new() -> io::Result<Self> {
        let (tell, came) = unbounded_channel();
        let goes_on = Arc::new(AtomicBool::new(false));
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handlers = {
            let _guard = runtime.enter();
            Handlers::new()?
        };
        let lives = goes_on.clone();
        thread::spawn(move || runtime.block_on(watch(handlers, &tell, &lives)));
        Ok(Self { came, goes_on })
    }

    /// The name of the next signal. Unless [`Signals::go_on`] is called, the program ends soon, in any state. Cancel
    /// safe.
    pub(super) async fn next(&mut self) -> &'static str {
        self.came.recv().await.unwrap_or("a signal")
    }

    /// This signal did not ask for the end.
    pub(super) fn go_on(&self) {
        self.goes_on.store(true, Ordering::Relaxed);
    }
}

/// Hands signals over. After one that was not waved through with [`Signals::go_on`] the program ends: when time is up, or
/// at the next signal.
async fn watch(mut handlers: Handlers, tell: &UnboundedSender<&'static str>, lives: &AtomicBool) {
    let mut signal = handlers.next().await;
    loop {
        let more = match tell.send(signal) {
            Ok(()) => timeout(PATIENCE, handlers.next()).await.ok(),
            Err(_) => None,
        };
        if !lives.swap(false, Ordering::Relaxed) {
            editor::restore_terminal();
            exit(ENDED_EARLY);
        }
        signal = match more {
            Some(signal) => signal,
            None => handlers.next().await,
        };
    }
}

struct Handlers {
    ends: [(Signal, &'static str); 3],
    resumed: Signal,
}

impl Handlers {
    fn new() -> io::Result<Self> {
        let listen = |kind, name| signal(kind).map(|signal| (signal, name));
        Ok(Self {
            ends: [
                listen(SignalKind::interrupt(), "SIGINT")?,
                listen(SignalKind::terminate(), "SIGTERM")?,
                listen(SignalKind::hangup(), "SIGHUP")?,
            ],
            resumed: signal(SignalKind::from_raw(SIGCONT as i32))?,
        })
    }

    /// The next signal that asks for the end.
    async fn next(&mut self) -> &'static str {
        let [(a, int), (b, term), (c, hup)] = &mut self.ends;
        loop {
            select! {
                _ = a.recv() => return int,
                _ = b.recv() => return term,
                _ = c.recv() => return hup,
                _ = self.resumed.recv() => editor::take_terminal_again(),
            }
        }
    }
}
