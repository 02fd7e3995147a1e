//! The decisions of a server: the ground truth of every verdict, in the arena and in the labs.
//!
//! Each decision is a typed value. A verdict compares values, never words, so that a message can be worded better and
//! no verdict changes.

use std::fmt;

use latchstring_attacker::{
    protocol::hardened::handshake::RefusalReason, protocol_faithful::handshake,
};
use latchstring_faithful::server::LoginRefusal;
use latchstring_server_core::AdmissionError;

/// The number of a connection to the server: 1 is the honest user's, all others are the attacker's.
pub type Connection = u64;

/// The honest user's connection.
pub const HONEST: Connection = 1;

/// One thing that the server believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A connection has come. No server of the lab logs that to its operator as an event of a user.
    Connected {
        /// The connection.
        on: Connection,
    },
    /// The report's server has found the key of this user; its replies are not sent yet. The server logs nothing here.
    Recognised {
        /// Where.
        on: Connection,
        /// The name that the login decrypts to.
        user: String,
    },
    /// It let a user in.
    LoggedIn {
        /// Where.
        on: Connection,
        /// The user, to the server's belief.
        user: String,
    },
    /// It did not let a user in.
    Refused {
        /// Where.
        on: Connection,
        /// The reason in its own log.
        why: Refusal,
    },
    /// It took this for a message of that user.
    Received {
        /// Where.
        on: Connection,
        /// The user, to the server's belief.
        user: String,
        /// The words.
        text: String,
    },
    /// A connection came to its end.
    Ended {
        /// The connection.
        on: Connection,
        /// How.
        how: Ending,
    },
}

/// Why a login was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// By the report's server.
    Faithful(LoginRefusal),
    /// By ours.
    Hardened {
        /// The name in the login.
        user: String,
        /// The reason.
        reason: RefusalReason,
    },
}

impl Refusal {
    /// Whether nothing but the password was wrong: then the server has looked at it.
    pub fn is_wrong_password(&self) -> bool {
        let Self::Hardened { reason, .. } = self else {
            return false;
        };
        *reason == RefusalReason::WrongPassword
    }

    /// Whether the client has sent nothing at all: then there was no login to refuse.
    pub fn is_of_silence(&self) -> bool {
        *self == Self::Faithful(handshake::RefusalReason::SentNothing.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faithful(why) => write!(f, "{why}"),
            Self::Hardened { user, reason } => write!(f, "{user}: {reason}"),
        }
    }
}

/// How a connection came to its end, to the server's belief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Both ends have said that they are done, and agree on what was said.
    Agreed,
    /// The client said `change()`: the report's way to end a session.
    Changed,
    /// The client said `quit()`: the report's server ends, too.
    Quit,
    /// The connection was gone, which the report's server takes for the end of the session.
    Vanished,
    /// The report's server has refused the login.
    LoginRefused,
    /// Our server has refused the login.
    Refused,
    /// Our server has taken no more connections; with the limit.
    TurnedAway(AdmissionError),
    /// The client was silent for this many seconds.
    Silent(u64),
    /// The server ended the connection because of an error of the client, of the wire or of its store. The words are
    /// those of its log, for a reader alone: no verdict looks at them.
    Failed(String),
    /// The server's program has a fault.
    Panicked,
}

impl Ending {
    /// Whether the server takes this for the end of the conversation, and has nothing to complain about.
    pub fn is_without_complaint(&self) -> bool {
        matches!(self, Self::Agreed | Self::Changed | Self::Vanished)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agreed => "both ends agree",
            Self::Changed => "the client sent change()",
            Self::Quit => "the client sent quit(), and the server stops",
            Self::Vanished => "the client sent neither change() nor quit()",
            Self::LoginRefused => "the login was refused",
            Self::Refused => "refused",
            Self::TurnedAway(limit) => return write!(f, "turned away: {limit}"),
            Self::Silent(seconds) => {
                return write!(f, "the client was silent for {seconds} seconds");
            }
            Self::Failed(why) => why,
            Self::Panicked => "a bug in the server's program",
        })
    }
}

impl Seen {
    /// On which connection.
    pub fn on(&self) -> Connection {
        match self {
            Self::Connected { on }
            | Self::Recognised { on, .. }
            | Self::LoggedIn { on, .. }
            | Self::Refused { on, .. }
            | Self::Received { on, .. }
            | Self::Ended { on, .. } => *on,
        }
    }

    /// Whether the server logs it.
    pub fn is_logged(&self) -> bool {
        !matches!(self, Self::Connected { .. } | Self::Recognised { .. })
    }

    /// The event, in words.
    pub fn what(&self) -> String {
        match self {
            Self::Connected { .. } => "a client connected".to_owned(),
            Self::Recognised { user, .. } => format!("the login is {user}'s"),
            Self::LoggedIn { user, .. } => format!("let {user} in"),
            Self::Refused { why, .. } => format!("refused: {why}"),
            Self::Received { user, text, .. } => format!("{user} says \"{text}\""),
            Self::Ended { how, .. } => format!("ended: {how}"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server, on connection {}: {}", self.on(), self.what())
    }
}
