//! The sinks: where messages go besides the store.
//!
//! * `line`: a message as one line of JSON, the same for every sink;
//! * `file`: a file that may be rotated at any time;
//! * `command`: a program that is started for each message;
//! * `syslog`: the machine's log.
//!
//! A sink gets the first messages of the outbox, in order, and says how many of them it has. It gets the others again.

mod command;
mod file;
mod line;
mod syslog;

use latchstring_server_core::config;
use latchstring_store_sqlite::Waiting;

use self::{command::CommandSink, file::FileSink, syslog::SyslogSink};

/// Where messages go besides the store.
#[derive(Debug)]
pub(crate) enum Sink {
    File(FileSink),
    Command(CommandSink),
    Syslog(SyslogSink),
}

impl Sink {
    /// The sink of a configuration, and nothing of it opened yet; `None` when the store is enough.
    pub(crate) fn new(config: &config::Sink) -> Option<Self> {
        match config {
            config::Sink::Store => None,
            config::Sink::File { path } => Some(Self::File(FileSink::new(path))),
            config::Sink::Command { command } => Some(Self::Command(CommandSink::new(command))),
            config::Sink::Syslog { path } => Some(Self::Syslog(SyslogSink::new(path))),
        }
    }

    /// How many messages it takes at once.
    pub(crate) fn at_most(&self) -> u32 {
        match self {
            Self::File(_) => 256,
            // Each has a result of its own.
            Self::Command(_) | Self::Syslog(_) => 1,
        }
    }

    /// Delivers the first messages of the outbox. Returns how many of them the sink has now, at least one.
    ///
    /// # Errors
    /// Why the sink has not even the first one. It may have a part of it, which the next call repairs.
    pub(crate) fn deliver(&mut self, messages: &[Waiting]) -> anyhow::Result<usize> {
        match self {
            Self::File(file) => file.deliver(messages),
            Self::Command(command) => command.deliver(&messages[0]).map(|()| 1),
            Self::Syslog(syslog) => syslog.deliver(&messages[0]).map(|()| 1),
        }
    }

    /// Lets go of what it holds open.
    pub(crate) fn reopen(&mut self) {
        match self {
            Self::File(file) => file.close(),
            Self::Syslog(syslog) => syslog.close(),
            Self::Command(_) => {}
        }
    }
}
