//! The operator's log: one line an event. The events hold no secrets and no texts, so neither does the log.

mod lines;

use std::{
    collections::HashMap,
    env, io,
    net::SocketAddr,
    panic::{self, PanicHookInfo},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use clap::ValueEnum;
use latchstring_server_core::{Event, Observer};
use latchstring_store::StoreError;
use tracing::{debug, error, info, warn};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use self::lines::Lines;

/// How long the end of the program waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The running log. Unwritten lines are written when this is dropped, or lost after a second.
#[must_use = "the last lines are written when it is dropped"]
pub(crate) struct Running(Lines);

impl Running {
    /// Where the lost lines are counted.
    pub(crate) fn lost(&self) -> Lost {
        Lost(self.0.all_lost())
    }
}

/// How many lines of the log were lost since the start.
#[derive(Debug, Clone)]
pub(crate) struct Lost(Arc<AtomicU64>);

impl Lost {
    /// The number.
    pub(crate) fn lines(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.flush(LAST_LINES);
    }
}

/// Starts the log on standard error. `RUST_LOG` chooses the level, for all or for a crate (`info`, the default;
/// `debug` shows each stored message; `info,sqlx=debug`).
///
/// # Errors
/// When the system has no descriptor or no thread left.
pub(crate) fn start(format: LogFormat) -> io::Result<Running> {
    let asked = env::var("RUST_LOG").unwrap_or_default();
    let usual = Targets::new().with_default(LevelFilter::INFO);
    let (levels, wrong) = match asked.trim() {
        "" => (usual, None),
        asked => asked
            .parse()
            .map_or_else(|why| (usual, Some(why)), |levels| (levels, None)),
    };
    let lines = Lines::to_stderr(format)?;
    let log = (tracing_subscriber::fmt())
        .with_max_level(LevelFilter::TRACE)
        .with_writer(lines.clone())
        .with_target(false);
    // It fails only when there is a log already, and then that one serves.
    let _ = match format {
        LogFormat::Human => log.with_ansi(false).finish().with(levels).try_init(),
        LogFormat::Json => {
            let log = log.json().flatten_event(true).finish();
            log.with(levels).try_init()
        }
    };
    if let Some(why) = wrong {
        warn!(asked, %why, "RUST_LOG is not a level; the log is at info");
    }
    // The usual hook writes to the standard error by itself, and would wait for whoever does not read it.
    panic::set_hook(Box::new(log_fault));
    Ok(Running(lines))
}

fn log_fault(fault: &PanicHookInfo<'_>) {
    let at = fault.location().map(ToString::to_string);
    let why = fault.payload_as_str().unwrap_or_default();
    error!(at, why, "a fault in this program; please report it");
}

/// The text of a reason. The log quotes a text, and does not quote what prints itself.
fn text(why: &impl ToString) -> String {
    why.to_string()
}

/// Writes every event to the log, each with the address of its connection, for programs that bar addresses.
#[derive(Default)]
pub(crate) struct Log(Mutex<HashMap<u64, SocketAddr>>);

impl Log {
    /// Where a connection comes from. Each connection has one first event and one last event, so the table does not
    /// grow.
    fn peer(&self, connection: u64, event: &Event) -> SocketAddr {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::Connected { peer } = event {
            peers.insert(connection, *peer);
        }
        let known = match event.is_last() {
            true => peers.remove(&connection),
            false => peers.get(&connection).copied(),
        };
        known.unwrap_or(([0, 0, 0, 0], 0).into())
    }
}

impl Observer for Log {
    fn event(&self, connection: u64, event: &Event) {
        let peer = self.peer(connection, event);
        match event {
            Event::Connected { .. } => info!(connection, %peer, "connected"),
            Event::TurnedAway { why } => {
                warn!(connection, %peer, why = text(why), "turned away");
            }
            Event::HandshakeFailed { why } => {
                info!(connection, %peer, why = text(why), "handshake failed");
            }
            Event::LoginFailed { why } => {
                error!(connection, %peer, why = text(why), "a login could not be checked");
            }
            Event::Refused { user, reason } => {
                warn!(connection, %peer, %user, %reason, "login refused");
            }
            Event::Enrolled { user, kid } => info!(connection, %peer, %user, %kid, "enrolled"),
            Event::WeakKey { user, why } => {
                warn!(connection, %peer, %user, why = text(why), "weak key");
            }
            Event::HashRenewed { user } => {
                info!(connection, %peer, %user, "password hash renewed");
            }
            Event::BreachedPassword { user } => {
                warn!(connection, %peer, %user, "breached password");
            }
            Event::LoggedIn {
                user,
                session_id,
                last_message,
            } => {
                let session = hex::encode(session_id);
                info!(connection, %peer, %user, session, last_message, "logged in");
            }
            Event::NewKeys { user, epoch } => debug!(connection, %peer, %user, epoch, "new keys"),
            Event::Stored { user, id } => debug!(connection, %peer, %user, id, "message stored"),
            Event::Duplicate { user, id } => {
                info!(connection, %peer, %user, id, "message was stored before");
            }
            Event::Closed { user, by, code } => {
                let code = *code as u8;
                info!(connection, %peer, %user, ?by, code, "closed");
            }
            Event::Conflict { user, id } => {
                warn!(connection, %peer, %user, id, "another message has this number; not acknowledged");
            }
            Event::Truncated { user, why } => {
                warn!(connection, %peer, %user, why = text(why), "ended without an agreed close");
            }
            Event::Silent { user, seconds } => {
                warn!(connection, %peer, %user, seconds, "silent; dropped");
            }
            Event::ProtocolError { user, why } => {
                warn!(connection, %peer, %user, why = text(why), "protocol error");
            }
            Event::StoreFailed { user, why } if matches!(**why, StoreError::Undelivered { .. }) => {
                error!(connection, %peer, %user, why = text(why), "message not delivered, not acknowledged");
            }
            Event::StoreFailed { user, why } => {
                error!(connection, %peer, %user, why = text(why), "message not stored, not acknowledged");
            }
            Event::Panicked => {
                error!(connection, %peer, "a fault in this program ended the connection");
            }
        }
    }

    fn cannot_accept(&self, why: &io::Error) {
        error!(%why, "cannot accept a connection; trying again");
    }
}
