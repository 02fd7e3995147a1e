//! The client: a login and its session.

use std::{io, time::Duration};

use latchstring_protocol_faithful::{
    Error as ProtocolError,
    handshake::ExpectReplies,
    keys::{PublicKey, SessionSecrets},
    message::{REPLIES_LEN, UserName},
    record::Sealer,
};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::sleep,
};

/// How long the client looks whether the server is still there.
const LOOK: Duration = Duration::from_millis(1);

/// Why a login or a message failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server ended the connection instead of an answer.
    #[error(
        "the server closed the connection: it has no user {user} with this key; generate keys in the directory that \
         the server uses (option 2)"
    )]
    Refused {
        /// The user who wanted to log in.
        user: UserName,
    },
    /// The server is gone.
    #[error("the server is gone {when}: {why}; start it, and log in again")]
    Lost {
        /// How far we had come.
        when: &'static str,
        /// The error of the system.
        why: io::Error,
    },
    /// The bytes to send or the received bytes do not fit this protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
}

/// Logs in. The public key is enough.
///
/// Reads exactly 66 bytes, in however many pieces they come, and waits for them without a deadline.
///
/// # Errors
/// [`ClientError::Refused`] when the server ends the connection without a byte, [`ClientError::Lost`] when it ends it
/// later, [`ClientError::Protocol`] when it speaks something else.
pub async fn login<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    user: &UserName,
    key: &PublicKey,
) -> Result<Session<S>, ClientError> {
    let (expect_replies, login) = ExpectReplies::start(user, key)?;
    let when = "before it answered";
    (stream.write_all(&login).await).map_err(|why| ClientError::Lost { when, why })?;
    let replies = read_replies(&mut stream, user).await?;
    let secrets = expect_replies.replies(&replies)?;
    Ok(Session {
        stream,
        sealer: Sealer::new(&secrets),
        secrets,
    })
}

async fn read_replies<S: AsyncRead + Unpin>(
    stream: &mut S,
    user: &UserName,
) -> Result<[u8; REPLIES_LEN], ClientError> {
    let (mut replies, mut have) = ([0; REPLIES_LEN], 0);
    while have < REPLIES_LEN {
        let read = stream.read(&mut replies[have..]).await;
        have += match read {
            Ok(n) if n > 0 => n,
            _ if have == 0 => return Err(ClientError::Refused { user: user.clone() }),
            end => {
                return Err(ClientError::Lost {
                    when: "before it sent all of the session key and the IV",
                    why: end.err().unwrap_or_else(ended),
                });
            }
        };
    }
    Ok(replies)
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection")
}

/// An open session: from client to server only.
pub struct Session<S> {
    stream: S,
    sealer: Sealer,
    secrets: SessionSecrets,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Sends one message and returns its ciphertext. Nobody acknowledges it.
    ///
    /// # Errors
    /// [`ClientError::Protocol`] when the text has 0 bytes or more than 1024, [`ClientError::Lost`] when the server is
    /// gone.
    pub async fn send(&mut self, text: &str) -> Result<Vec<u8>, ClientError> {
        let record = self.sealer.seal(text.as_bytes())?;
        let lost = |why| ClientError::Lost {
            when: "and did not get this message",
            why,
        };
        self.still_there().await.map_err(lost)?;
        self.stream.write_all(&record).await.map_err(lost)?;
        self.stream.flush().await.map_err(lost)?;
        Ok(record)
    }

    /// TCP takes the first message to a server that has closed without complaint. The server never speaks in a session,
    /// so looking whether there is an end to read finds that out. The look takes a moment: only then has the runtime asked
    /// the system what has happened on the socket since it last did.
    async fn still_there(&mut self) -> io::Result<()> {
        let mut byte = [0; 1];
        tokio::select! {
            biased;
            read = self.stream.read(&mut byte) => match read? {
                0 => Err(ended()),
                _ => Ok(()), // Whatever it says, nobody asked.
            },
            () = sleep(LOOK) => Ok(()),
        }
    }

    /// The secrets that the server sent in clear.
    pub fn secrets(&self) -> &SessionSecrets {
        &self.secrets
    }

    /// Gives the connection back.
    pub fn into_inner(self) -> S {
        self.stream
    }
}
