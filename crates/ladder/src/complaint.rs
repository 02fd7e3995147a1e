//! Why an end of a connection gave it up, and how sessions end.

use serde::Serialize;
use thiserror::Error;

/// What one end holds against the other. Nothing of it travels: the connection just ends.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
pub enum Complaint {
    /// Bytes that no honest peer of this rung sends.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// A tag that is not the one of these bytes.
    #[error("the tag is wrong: the frame was changed, or made without the key")]
    BadTag,
    /// Another number than the next one.
    #[error("frame {came} came where frame {expected} was due")]
    OutOfOrder {
        /// The number that was due.
        expected: u64,
        /// The number that came.
        came: u32,
    },
    /// The other end acknowledges another message than the last one.
    #[error("the answer does not acknowledge the message that waits for it")]
    WrongAnswer,
    /// The other end states another number of texts than arrived.
    #[error("the close states {stated} texts, and {held} arrived")]
    WrongCount {
        /// What the close says.
        stated: u32,
        /// What arrived.
        held: u32,
    },
    /// The host's key is not the pinned one.
    #[error("the host's key is not the pinned one")]
    WrongHostKey,
    /// The host's signature is not over this transcript.
    #[error("the host's signature is wrong")]
    BadHostSignature,
    /// The other end's X25519 value forces a zero secret.
    #[error("the X25519 value forces a zero secret")]
    ZeroSecret,
    /// The connection ended without a close.
    #[error("the connection ended without a close")]
    Truncated,
    /// The connection ended while a text waited for its answer, or the answer did not come in time.
    #[error("a text was not answered")]
    Unanswered,
    /// The other end was too slow.
    #[error("the other end was too slow")]
    TooSlow,
}

/// Why a login fails. On rungs 6 and 7 the server says it; on all others the answer holds no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize)]
pub enum Refusal {
    /// Bytes that are no login of this rung.
    #[error("these bytes are no login")]
    NotALogin,
    /// No user of this name; below rung 6: no key decrypts the login to its owner's name.
    #[error("no such user")]
    UnknownName,
    /// The signature is not by the user's key over this transcript.
    #[error("the signature is wrong")]
    BadSignature,
    /// Another password.
    #[error("the password is wrong")]
    WrongPassword,
    /// Rung 8: the key was used for too many wrong passwords.
    #[error("the key is disabled after 10 wrong passwords")]
    Disabled,
}

impl Refusal {
    /// The byte that stands for it on rungs 6 and 7.
    pub fn byte(self) -> u8 {
        match self {
            Self::NotALogin => 0,
            Self::UnknownName => 1,
            Self::BadSignature => 2,
            Self::WrongPassword => 3,
            Self::Disabled => 4,
        }
    }
}

/// How a session ended, as one end sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Ending {
    /// The login was refused.
    Refused(Option<u8>),
    /// Rungs 0 to 3: the connection just ended, and nothing says whether that was meant.
    Left,
    /// Rungs 0 to 3: the text `change()`.
    Change,
    /// Rungs 0 to 3: the text `quit()`, which ends the server too.
    Quit,
    /// From rung 4 on: both ends stated the end.
    Closed,
    /// This end gave the connection up.
    Complained(Complaint),
}

impl Ending {
    /// Whether this end noticed that something is wrong.
    pub fn is_complaint(&self) -> bool {
        matches!(self, Self::Complained(_) | Self::Refused(_))
    }
}
