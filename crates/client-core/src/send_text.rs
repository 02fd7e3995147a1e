//! One message to the server, over as many sessions as it takes, and what the server said about it.
//!
//! The message goes through the outbox, as every message of this user and key does. So after a cut the server is asked
//! whether it holds the message, and it is stored once.

use latchstring_net::protocol::hardened::{
    message::MAX_TEXT, parts::Parts as ProtocolParts, primitives::hash,
};
use serde::Serialize;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    connection::Connection,
    delivery::{Delivery, DeliveryError, Event},
    dial::DialError,
    error::ClientError,
    outbox::{Outbox, Owner},
    receipt::utc,
    redial::Redial,
};

/// The version of the format.
pub const FORMAT: &str = "latchstring-message-receipt/1";

/// Why a message was not sent, or not acknowledged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendTextError {
    /// No message has this length.
    #[error(
        "the message has {0} bytes, and a message has 1 to {MAX_TEXT}; send a longer text as a file, with --file"
    )]
    Length(usize),
    /// There was no session. The message is nowhere.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// A session began, and ended before the message was in the outbox.
    #[error("{0}. The message was not sent: run the same command again")]
    NotKept(DeliveryError),
    /// Ourselves: a signal asked this program to end.
    #[error("ended by {0}. The message was not sent: run the same command again")]
    Stopped(&'static str),
    /// The message is in the outbox and not acknowledged.
    #[error(
        "{why}. The message waits in the outbox, and the next send or connect delivers it: do not send it again"
    )]
    Kept {
        /// Why.
        why: String,
        /// The exit code of the reason.
        code: u8,
    },
}

impl SendTextError {
    /// The exit code of a program that ends with this error; see [`ClientError::exit_code`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Length(_) => 2,
            Self::Dial(error) => error.exit_code(),
            Self::NotKept(DeliveryError::Client(error)) => error.exit_code(),
            Self::NotKept(DeliveryError::Outbox(_)) => 1,
            Self::Stopped(_) => 5,
            // A host with another key, or a refused login, is the more important news.
            Self::Kept {
                code: code @ 3..=4, ..
            } => *code,
            Self::Kept { .. } => 5,
        }
    }

    /// Whether the message is in the outbox, so that nobody has to send it again.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }
}

/// What the server has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageReceipt {
    /// [`FORMAT`].
    pub format: &'static str,
    /// The number of the message at the server.
    pub id: u64,
    /// SHA-256 of the text.
    pub sha256: String,
    /// Its length in bytes.
    pub length: usize,
    /// The sender.
    pub user: String,
    /// The fingerprint of the sender's key.
    pub user_key: String,
    /// The server: `HOST:PORT`.
    pub host: String,
    /// The fingerprint of the server's key.
    pub host_key: String,
    /// When the acknowledgement came, by the sender's clock, in UTC (RFC 3339).
    pub acknowledged: String,
}

/// A message on its way.
#[derive(Debug)]
pub struct Message<'t> {
    text: &'t str,
    /// Its number, once it is in the outbox.
    id: Option<u64>,
    is_stored: bool,
    owner: Option<Owner>,
}

/// A session that ended before the message was acknowledged.
#[derive(Debug)]
pub struct Broken {
    /// The outbox, unless it is what failed.
    pub outbox: Option<Outbox>,
    /// Why.
    pub why: DeliveryError,
}

impl<'t> Message<'t> {
    /// A message with this text.
    ///
    /// # Errors
    /// [`SendTextError::Length`].
    pub fn new(text: &'t str) -> Result<Self, SendTextError> {
        match text.len() {
            1..=MAX_TEXT => Ok(Self {
                text,
                id: None,
                is_stored: false,
                owner: None,
            }),
            bytes => Err(SendTextError::Length(bytes)),
        }
    }

    /// Its number, once it is in the outbox. It may change in a later session.
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    /// Whether it is in the outbox or at the server.
    pub fn is_kept(&self) -> bool {
        self.id.is_some()
    }

    /// The error for a signal that ended the program.
    pub fn stopped(&self, signal: &'static str) -> SendTextError {
        match self.is_kept() {
            false => SendTextError::Stopped(signal),
            true => SendTextError::Kept {
                code: 5,
                why: format!("ended by {signal}"),
            },
        }
    }

    /// Logs in as often as it takes, and returns once the server has acknowledged the message. `hear` hears everything
    /// that happens on the way; a message of the server is acknowledged afterwards.
    ///
    /// # Errors
    /// [`SendTextError`].
    pub async fn send(
        &mut self,
        mut redial: Redial<'_>,
        now: fn() -> u64,
        mut hear: impl FnMut(&Event),
    ) -> Result<MessageReceipt, SendTextError> {
        let (mut connection, mut outbox) = redial.log_in().await?;
        loop {
            let broken = match self.session(connection, outbox, &mut hear).await {
                Ok(()) => return Ok(self.receipt(redial.host_port(), now())),
                Err(broken) => broken,
            };
            let Some(kept) = broken
                .outbox
                .filter(|_| broken.why.is_worth_another_session())
            else {
                return Err(self.failed(broken.why));
            };
            if !redial.wait().await {
                return Err(self.failed(broken.why));
            }
            let again = redial.again().await;
            connection = again.map_err(|why| self.not_again(why))?;
            outbox = kept;
        }
    }

    /// One session, to its end. An error after the acknowledgement is none: the server holds the message.
    ///
    /// # Errors
    /// [`Broken`].
    pub async fn session<S, D>(
        &mut self,
        connection: Connection<S, D>,
        outbox: Outbox,
        hear: &mut impl FnMut(&Event),
    ) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        D: ProtocolParts,
    {
        self.owner = Some(outbox.owner().clone());
        let mut delivery = Delivery::begin(connection, outbox).map_err(|why| Broken {
            outbox: None,
            why: why.into(),
        })?;
        match self.until_the_end(&mut delivery, hear).await {
            Err(why) if !self.is_stored => Err(Broken {
                outbox: Some(delivery.into_outbox()),
                why,
            }),
            _ => Ok(()),
        }
    }

    async fn until_the_end<S, D>(
        &mut self,
        delivery: &mut Delivery<S, D>,
        hear: &mut impl FnMut(&Event),
    ) -> Result<(), DeliveryError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        D: ProtocolParts,
    {
        let mut closing = false;
        loop {
            if self.id.is_none() && delivery.has_room() {
                self.id = Some(delivery.send(self.text)?);
            }
            if self.is_stored && delivery.is_done() && !closing {
                delivery.begin_close()?;
                closing = true;
            }
            let event = delivery.event().await?;
            hear(&event);
            match event {
                Event::Settled(_) => self.find_again(delivery.outbox()),
                Event::Stored { up_to } => self.is_stored |= self.id.is_some_and(|id| id <= up_to),
                Event::Message { id, .. } => delivery.acknowledge(id)?,
                Event::CloseAgreed => return Ok(()),
                Event::Closed { code } => {
                    let unacknowledged = delivery.unacknowledged();
                    let closed = ClientError::Closed {
                        code,
                        unacknowledged,
                    };
                    return Err(closed.into());
                }
            }
        }
    }

    /// After a cut, the server has said which of the waiting messages it holds. This one was the last of them, and may
    /// have another number now.
    fn find_again(&mut self, outbox: &Outbox) {
        if self.id.is_none() {
            return;
        }
        match outbox.waiting().last() {
            Some((id, text)) if text == self.text => self.id = Some(id),
            _ => self.is_stored = true,
        }
    }

    fn receipt(&self, host: String, now: u64) -> MessageReceipt {
        let owner = self.owner.as_ref();
        let said = |part: fn(&Owner) -> String| owner.map(part).unwrap_or_default();
        MessageReceipt {
            format: FORMAT,
            id: self.id.unwrap_or_default(),
            sha256: hex::encode(hash(&[self.text.as_bytes()])),
            length: self.text.len(),
            user: said(|owner| owner.user.to_string()),
            user_key: said(|owner| owner.key.to_string()),
            host,
            host_key: said(|owner| owner.host.to_string()),
            acknowledged: utc(now),
        }
    }

    /// A login that failed: the first one, or one after a cut.
    fn not_again(&self, why: DialError) -> SendTextError {
        match self.is_kept() {
            false => SendTextError::Dial(why),
            true => SendTextError::Kept {
                code: why.exit_code(),
                why: why.to_string(),
            },
        }
    }

    fn failed(&self, why: DeliveryError) -> SendTextError {
        match (self.is_kept(), &why) {
            (false, _) => SendTextError::NotKept(why),
            (true, DeliveryError::Client(error)) => SendTextError::Kept {
                code: error.exit_code(),
                why: why.to_string(),
            },
            (true, DeliveryError::Outbox(_)) => SendTextError::Kept {
                code: 1,
                why: why.to_string(),
            },
        }
    }
}
