//! Sends a file as messages, each part exactly once, over as many sessions as it takes: see `docs/src/files.md`.
//!
//! The server is asked which parts it holds, whatever the journal says. An earlier session may have broken while a part was
//! on its way. Such a part is either in the server's store, or it is sent now. All parts go through the outbox, as every
//! message of this user and key does. So ids go on without gaps.

use std::collections::{BTreeMap, HashMap, VecDeque};

use latchstring_net::protocol::hardened::{
    full::Full,
    message::Held,
    parts::Parts as ProtocolParts,
    session::{KIND_TEXT, content},
};
use latchstring_parcel::{Head, Part, Parts};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    connection::{Connection, Event as Heard},
    delivery::{Delivery, DeliveryError, Event},
    error::ClientError,
    journal::{Journal, JournalError},
    outbox::{Outbox, Owner},
    receipt::Receipt,
};

/// Parts that are on their way at the same time: some 1 MiB.
const WINDOW: usize = 64;

/// Why a file was not sent, or not all of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The connection, the peer or the outbox.
    #[error(
        "{stored} of {count} parts of the file are stored: {source}. Run the same command again to send the rest"
    )]
    Delivery {
        /// Parts that are stored.
        stored: usize,
        /// All parts.
        count: usize,
        /// Why.
        source: DeliveryError,
    },
    /// Ourselves: a signal asked this program to end.
    #[error(
        "ended by {signal}; {stored} of {count} parts of the file are stored. Run the same command again to send the rest"
    )]
    Stopped {
        /// The signal's name.
        signal: &'static str,
        /// Parts that are stored.
        stored: usize,
        /// All parts.
        count: usize,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The server holds less than when the journal began.
    #[error(
        "the server holds messages up to {last}, but held messages up to {after} when {journal} was begun: its store was lost or set back. Ask the operator; to send the whole file again, delete the journal"
    )]
    ServerForgot {
        /// The last message at the server.
        last: u64,
        /// The last message at the beginning.
        after: u64,
        /// The journal.
        journal: String,
    },
}

impl SendError {
    /// Whether another session may go better; see [`DeliveryError::is_worth_another_session`].
    pub fn is_worth_another_session(&self) -> bool {
        match self {
            Self::Delivery { source, .. } => source.is_worth_another_session(),
            _ => false,
        }
    }

    /// The exit code of a program that ends with this error; see [`ClientError::exit_code`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Delivery {
                source: DeliveryError::Client(error),
                ..
            } => error.exit_code(),
            Self::Stopped { .. } => 5,
            _ => 1,
        }
    }
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Parts that the server has acknowledged.
    pub stored: usize,
    /// All parts.
    pub count: usize,
}

/// A file and its journal.
pub struct FileSender<'a> {
    parts: &'a Parts<'a>,
    texts: Vec<String>,
    journal: &'a mut Journal,
    /// Seconds since 1970.
    now: fn() -> u64,
}

impl<'a> FileSender<'a> {
    /// Prepares the parts of a file.
    pub fn new(parts: &'a Parts<'a>, journal: &'a mut Journal, now: fn() -> u64) -> Self {
        Self {
            texts: parts.texts().collect(),
            parts,
            journal,
            now,
        }
    }

    /// Sends every part that the server does not hold, waits until all are acknowledged and the close is agreed. `host`
    /// is the server's `HOST:PORT`, for the receipt. `tell` hears how far it is, after each acknowledgement.
    ///
    /// The outbox must be that of the connection's host, user and key. Messages that wait in it go out first.
    ///
    /// # Errors
    /// [`SendError`]: run it again on a new connection.
    pub async fn send<S, D>(
        mut self,
        mut connection: Connection<S, D>,
        outbox: Outbox,
        host: &str,
        mut tell: impl FnMut(Progress),
    ) -> Result<Receipt, SendError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        D: ProtocolParts,
    {
        let owner = outbox.owner().clone();
        self.settle(&mut connection, &owner).await?;
        tell(self.progress());
        let delivery =
            Delivery::begin(connection, outbox).map_err(|why| self.failed(why.into()))?;
        let mut sending = Sending {
            file: self,
            delivery,
            on_the_way: VecDeque::new(),
            to_send: VecDeque::new(),
        };
        sending.run(&mut tell).await?;
        let journal = &sending.file.journal;
        Ok(Receipt::new(
            sending.file.head(),
            &owner,
            host,
            journal.stored().values(),
        ))
    }

    fn head(&self) -> &Head {
        self.parts.head()
    }

    fn progress(&self) -> Progress {
        Progress {
            stored: self.journal.stored().len(),
            count: self.texts.len(),
        }
    }

    /// Finds out which parts the server holds.
    async fn settle<S, D>(
        &mut self,
        connection: &mut Connection<S, D>,
        owner: &Owner,
    ) -> Result<(), SendError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        D: ProtocolParts,
    {
        let last = connection.last_message();
        let after = self.journal.begin(self.parts.head(), owner, last)?;
        if last < after {
            return Err(SendError::ServerForgot {
                last,
                after,
                journal: self.journal.path().display().to_string(),
            });
        }
        let answers = ask(connection, after + 1..=last).await;
        let answers = answers.map_err(|why| self.failed(why.into()))?;
        let numbers: HashMap<[u8; 32], u32> = (self.texts.iter())
            .zip(1..)
            .map(|(text, number)| (content(KIND_TEXT, text), number))
            .collect();
        let mut held = BTreeMap::new();
        for (id, answer) in (after + 1..).zip(answers) {
            if let Some(number) = answer.and_then(|answer| numbers.get(&answer.content)) {
                held.entry(*number).or_insert(id);
            }
        }
        Ok(self.journal.confirm(&held, (self.now)())?)
    }

    fn failed(&self, source: DeliveryError) -> SendError {
        let Progress { stored, count } = self.progress();
        SendError::Delivery {
            stored,
            count,
            source,
        }
    }
}

/// Asks the server what it holds under each of these ids.
async fn ask<S, D>(
    connection: &mut Connection<S, D>,
    mut ids: impl Iterator<Item = u64>,
) -> Result<Vec<Option<Held>>, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: ProtocolParts,
{
    let (mut answers, mut asked) = (Vec::new(), 0);
    loop {
        while connection.may_query()
            && let Some(id) = ids.next()
        {
            connection.query(id)?;
            asked += 1;
        }
        if answers.len() == asked {
            return Ok(answers);
        }
        match connection.event().await? {
            Heard::Held { held, .. } => answers.push(held),
            Heard::Message { id, .. } => connection.acknowledge(id)?,
            Heard::Acknowledged { .. } | Heard::CloseAgreed => {}
            Heard::Closed { code } => {
                let unacknowledged = Vec::new();
                return Err(ClientError::Closed {
                    code,
                    unacknowledged,
                });
            }
        }
    }
}

/// A file on its way.
struct Sending<'a, S, D = Full> {
    file: FileSender<'a>,
    delivery: Delivery<S, D>,
    /// Parts that wait for their acknowledgement: the id of the message and the number of the part, lowest id first.
    on_the_way: VecDeque<(u64, u32)>,
    to_send: VecDeque<u32>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, D: ProtocolParts> Sending<'_, S, D> {
    async fn run(&mut self, tell: &mut impl FnMut(Progress)) -> Result<(), SendError> {
        let (mut settled, mut closing) = (false, false);
        loop {
            if settled {
                self.fill()?;
            }
            if self.to_send.is_empty() && self.delivery.is_done() && !closing {
                let begun = self.delivery.begin_close();
                begun.map_err(|why| self.file.failed(why.into()))?;
                closing = true;
            }
            let event = self.delivery.event().await;
            match event.map_err(|why| self.file.failed(why))? {
                Event::Settled(_) => {
                    self.plan();
                    settled = true;
                }
                Event::Stored { up_to } => {
                    self.stored(up_to)?;
                    tell(self.file.progress());
                }
                // A server may say something. There is nobody to show it to, and it is not about the file.
                Event::Message { id, .. } => {
                    let told = self.delivery.acknowledge(id);
                    told.map_err(|why| self.file.failed(why.into()))?;
                }
                Event::CloseAgreed => return Ok(()),
                Event::Closed { .. } if closing => return Ok(()),
                Event::Closed { code } => {
                    let unacknowledged = self.delivery.unacknowledged();
                    let closed = ClientError::Closed {
                        code,
                        unacknowledged,
                    };
                    return Err(self.file.failed(closed.into()));
                }
            }
        }
    }

    /// Parts that waited in the outbox are on their way again. All that the server does not hold is sent after them.
    fn plan(&mut self) {
        let head = self.file.head();
        let waiting = self.delivery.outbox().waiting();
        self.on_the_way = waiting
            .filter_map(|(id, text)| {
                let part = Part::parse(text).ok().flatten()?;
                (part.head == *head).then_some((id, part.number))
            })
            .collect();
        let stored = self.file.journal.stored();
        let is_on_the_way = |number| self.on_the_way.iter().any(|(_, part)| *part == number);
        self.to_send = (1..=head.count())
            .filter(|number| !stored.contains_key(number) && !is_on_the_way(*number))
            .collect();
    }

    /// Sends as many parts as may be on their way.
    fn fill(&mut self) -> Result<(), SendError> {
        while self.on_the_way.len() < WINDOW
            && self.delivery.has_room()
            && let Some(number) = self.to_send.pop_front()
        {
            let text = &self.file.texts[number as usize - 1];
            let id = self.delivery.send(text);
            let id = id.map_err(|why| self.file.failed(why))?;
            self.on_the_way.push_back((id, number));
        }
        Ok(())
    }

    fn stored(&mut self, up_to: u64) -> Result<(), SendError> {
        let now = (self.file.now)();
        while let Some((id, number)) = self
            .on_the_way
            .front()
            .copied()
            .filter(|one| one.0 <= up_to)
        {
            self.on_the_way.pop_front();
            self.file.journal.note(number, id, now)?;
        }
        Ok(())
    }
}
