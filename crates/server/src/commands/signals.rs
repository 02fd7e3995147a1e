//! Signals: which ones stop the server, which one reloads the configuration, and which ones it only notes. Without this
//! most of them would kill it without a line.

use std::{future::poll_fn, io, task::Poll};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The action that a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// SIGTERM from a service manager, SIGINT or SIGQUIT from a keyboard.
    Stop,
    /// SIGHUP: read the configuration again. Also sent when the terminal is closed, and then there is nothing new in it.
    Reload,
    /// Nothing that this program knows.
    Nothing,
}

/// SIGXFSZ: a file has reached the limit on its size. The write fails as well, which is how it is noticed.
const FILE_TOO_LARGE: i32 = nix::sys::signal::Signal::SIGXFSZ as i32;

/// Name, number, action.
fn table() -> [(&'static str, SignalKind, Asks); 8] {
    [
        ("SIGTERM", SignalKind::terminate(), Asks::Stop),
        ("SIGINT", SignalKind::interrupt(), Asks::Stop),
        ("SIGQUIT", SignalKind::quit(), Asks::Stop),
        ("SIGHUP", SignalKind::hangup(), Asks::Reload),
        ("SIGUSR1", SignalKind::user_defined1(), Asks::Nothing),
        ("SIGUSR2", SignalKind::user_defined2(), Asks::Nothing),
        ("SIGALRM", SignalKind::alarm(), Asks::Nothing),
        (
            "SIGXFSZ",
            SignalKind::from_raw(FILE_TOO_LARGE),
            Asks::Nothing,
        ),
    ]
}

/// Receives them from when it is made.
pub(super) struct Signals(Vec<(&'static str, Signal, Asks)>);

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(super) fn new() -> io::Result<Self> {
        let listening = table().into_iter().map(|(name, kind, asks)| {
            let signal = signal(kind)?;
            Ok((name, signal, asks))
        });
        Ok(Self(listening.collect::<io::Result<_>>()?))
    }

    /// The next one: its name, and what it asks for.
    pub(super) async fn next(&mut self) -> (&'static str, Asks) {
        poll_fn(|context| {
            for (name, signal, asks) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return Poll::Ready((*name, *asks));
                }
            }
            Poll::Pending
        })
        .await
    }
}
