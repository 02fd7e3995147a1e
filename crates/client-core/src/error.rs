//! The errors of a connection, by the party to blame.

use std::{fmt, io};

use latchstring_net::{
    protocol::hardened::{Error as ProtocolError, message::Fingerprint, session::CloseCode},
    report::count,
    wire::WireError,
};
use thiserror::Error;

/// The stage of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// `ServerHello`.
    Hello,
    /// `SERVER_AUTH`: the host's key and proof.
    HostProof,
    /// `AUTH_OK` or `AUTH_FAIL`.
    Verdict,
    /// Messages of an open session.
    Session,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hello => "waiting for the server's hello",
            Self::HostProof => "waiting for the host's proof of its key",
            Self::Verdict => "waiting for the answer to the login",
            Self::Session => "in the open session",
        })
    }
}

/// Every error ends the connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The network: nobody answers at the address.
    #[error(
        "cannot reach {address}: {source}; check the address, and that a latchstring-server listens there"
    )]
    Unreachable {
        /// `HOST:PORT`.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The network or the peer: bytes did not come, did not go, or have a length that the state forbids.
    #[error("{stage}: {source}; {}", advice(*.stage, .source))]
    Wire {
        /// When.
        stage: Stage,
        /// What.
        source: WireError,
    },
    /// The peer: it broke the protocol, or a proof failed.
    #[error(
        "{stage}: {source}; the server or an attacker on the path violated the latch/2 protocol: tell the server's operator"
    )]
    Protocol {
        /// When.
        stage: Stage,
        /// What.
        source: ProtocolError,
    },
    /// The peer: it holds another host key. Neither user name nor password was sent.
    #[error(
        "the host key is {presented}, expected was {expected}: somebody may be posing as this server. Neither your user name nor your password was sent. Ask the operator which fingerprint is right"
    )]
    HostKeyMismatch {
        /// The pin.
        expected: Fingerprint,
        /// The key that answered.
        presented: Fingerprint,
    },
    /// The login was refused; the server never says why.
    #[error(
        "the server refused the login. It never says why: check the user name, the password, and that the operator added this very key (latchstring-server user add)"
    )]
    Refused,
    /// The enrolment was refused; the server never says why.
    #[error(
        "the server made no account. It never says why: the invitation may have been used or replaced, or its time may be over (the operator chooses it), or your key may be enrolled already, or your new password may be in a list of breached passwords. If an earlier try broke off you may have an account already: connect. The operator sees the reason in the log, and can invite you again (latchstring-server invite)"
    )]
    NotEnrolled,
    /// The connection ended without an agreed close: messages without an acknowledgement may be lost at the server.
    #[error("the connection ended early; {}", in_doubt(.unacknowledged))]
    Truncated {
        /// Ids of the messages that were sent and not acknowledged.
        unacknowledged: Vec<u64>,
    },
    /// The server closed the session before we did.
    #[error("the server closed the session: {}; {}", reason(*.code), in_doubt(.unacknowledged))]
    Closed {
        /// Why, as it says.
        code: CloseCode,
        /// Ids of the messages that were sent and not acknowledged.
        unacknowledged: Vec<u64>,
    },
    /// The peer did not say a word, not even an answer to pings.
    #[error("the server has been silent for {seconds} s; {}", in_doubt(.unacknowledged))]
    Silent {
        /// How long, in seconds.
        seconds: u64,
        /// Ids of the messages that were sent and not acknowledged.
        unacknowledged: Vec<u64>,
    },
    /// The peer: it hung up before the login, each time.
    #[error(
        "{stage}: the server closed the connection or did not answer in time, at each of {} in {seconds} s. It may be busy, or have too many connections from this address: try again in a minute, or give it longer with --wait. If it goes on, check that this is the port of a latchstring-server", count(*.attempts, "attempt")
    )]
    TurnedAway {
        /// When, at the last attempt.
        stage: Stage,
        /// How many connections were made.
        attempts: u32,
        /// How long that took, in seconds.
        seconds: u64,
    },
    /// Ourselves: a signal asked this program to end.
    #[error("ended by {signal}; {}", in_doubt(.unacknowledged))]
    Stopped {
        /// The signal's name.
        signal: &'static str,
        /// Ids of the messages that were sent and not acknowledged.
        unacknowledged: Vec<u64>,
    },
    /// Ourselves: something that the protocol cannot do was asked for.
    #[error("{0}")]
    Misuse(ProtocolError),
    /// Ourselves: the password is not available or not usable.
    #[error(transparent)]
    Password(#[from] crate::password::PasswordError),
}

impl ClientError {
    /// Sorts a protocol error that came up in `stage`.
    pub(crate) fn protocol(stage: Stage, source: ProtocolError) -> Self {
        match source {
            ProtocolError::HostKeyMismatch {
                expected,
                presented,
            } => Self::HostKeyMismatch {
                expected,
                presented,
            },
            ProtocolError::Misuse(_) | ProtocolError::Sign(_) => Self::Misuse(source),
            _ => Self::Protocol { stage, source },
        }
    }

    /// Whether another session may go better, because the network failed or the server is being restarted.
    pub fn is_worth_another_session(&self) -> bool {
        match self {
            Self::Truncated { .. } | Self::Silent { .. } => true,
            // Two clients that log in again and again would throw each other out for ever.
            Self::Closed { code, .. } => *code != CloseCode::Superseded,
            Self::Wire { stage, source } => {
                *stage == Stage::Session && !matches!(source, WireError::BadLength(_))
            }
            _ => false,
        }
    }

    /// The exit code. It is 3 for a host key mismatch, 4 for a refused login or enrolment, and 5 for an end without an
    /// agreed close. It is 6 for a connection turned away before the login, 7 for a server that cannot be reached, and
    /// else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::HostKeyMismatch { .. } => 3,
            Self::Refused | Self::NotEnrolled => 4,
            Self::Truncated { .. }
            | Self::Closed { .. }
            | Self::Silent { .. }
            | Self::Stopped { .. } => 5,
            Self::TurnedAway { .. } => 6,
            Self::Unreachable { .. } => 7,
            Self::Wire { stage, .. } | Self::Protocol { stage, .. } if *stage == Stage::Session => {
                5
            }
            _ => 1,
        }
    }
}

fn reason(code: CloseCode) -> &'static str {
    match code {
        CloseCode::Done => "it gave no reason",
        CloseCode::Stopping => "it is being stopped",
        CloseCode::Superseded => "the same user and key logged in again elsewhere",
        CloseCode::Conflict => {
            "it holds another message under this number, so another client or computer sends with this key"
        }
    }
}

fn in_doubt(unacknowledged: &[u64]) -> String {
    match unacknowledged {
        [] => "every message that was sent is acknowledged. Connect again to go on".to_owned(),
        [one] => format!("message {one} is not acknowledged. Connect again to send it again"),
        [first, .., last] => format!(
            "{} messages ({first} to {last}) are not acknowledged. Connect again to send them again",
            unacknowledged.len()
        ),
    }
}

fn advice(stage: Stage, source: &WireError) -> &'static str {
    match (stage, source) {
        (Stage::Verdict, WireError::Closed) => {
            "it may be busy, or have too many connections from this address: wait a minute and try again"
        }
        (_, WireError::BadLength(_)) => "is this the port of a latchstring-server?",
        (_, WireError::Deadline { .. }) => "check the network, and that this is the right port",
        _ => "try again, and check that this is the port of a latchstring-server",
    }
}
