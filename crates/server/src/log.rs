//! The operator's log: one line an event. The events hold no secrets and no texts, so neither does the log.

use clap::ValueEnum;
use tracing::{debug, error, info, warn};
use tracing_subscriber::EnvFilter;

use crate::{Event, Observer};

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts the log on standard error. `RUST_LOG` chooses the level (default: info; debug shows each stored message).
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = (tracing_subscriber::fmt())
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    // It fails only when there is a log already, and then that one serves.
    let _ = match format {
        LogFormat::Human => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Writes every event to the log.
pub(crate) struct Log;

impl Observer for Log {
    fn event(&self, connection: u64, event: &Event) {
        match event {
            Event::Connected { peer } => info!(connection, %peer, "connected"),
            Event::TurnedAway { why } => warn!(connection, why, "turned away"),
            Event::HandshakeFailed { why } => info!(connection, why, "handshake failed"),
            Event::Refused { user, reason } => warn!(connection, %user, %reason, "login refused"),
            Event::Enrolled { user, kid } => info!(connection, %user, %kid, "enrolled"),
            Event::WeakKey { user, why } => warn!(connection, %user, why, "weak key"),
            Event::LoggedIn {
                user,
                session_id,
                last_message,
            } => {
                let session = hex::encode(session_id);
                info!(connection, %user, session, last_message, "logged in");
            }
            Event::Stored { user, id } => debug!(connection, %user, id, "message stored"),
            Event::Duplicate { user, id } => {
                info!(connection, %user, id, "message was stored before");
            }
            Event::Conflict { user, id } => {
                warn!(connection, %user, id, "another message has this number; not acknowledged");
            }
            Event::Closed { user, by, code } => {
                let code = *code as u8;
                info!(connection, %user, ?by, code, "closed");
            }
            Event::Truncated { user, why } => {
                warn!(connection, %user, why, "ended without an agreed close");
            }
            Event::Silent { user, seconds } => warn!(connection, %user, seconds, "silent; dropped"),
            Event::ProtocolError { user, why } => warn!(connection, %user, why, "protocol error"),
            Event::StoreFailed { user, why } => {
                error!(connection, %user, why, "message not stored, not acknowledged");
            }
            Event::Panicked => error!(connection, "a fault in this program ended the connection"),
        }
    }
}
