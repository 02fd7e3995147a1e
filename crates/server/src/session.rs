//! An open session at the server: store, then acknowledge; ask whether the client is there; end in agreement.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use latchstring_net::{
    protocol::hardened::{
        defence::Defence,
        message::{Fingerprint, Held, UserName},
        parts::Parts,
        session::{self, CloseCode, Session, content},
    },
    wire::{RECORD_DEADLINE, RecordReader, WireError, write_all_within},
};
use latchstring_store::{Appended, StoreError, StoredMessage};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    select,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    Event, Server,
    error::{ProtocolError, TruncationError},
    login::Login,
    observer::By,
    sessions::Place,
};

/// After this long without a word from the client it is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(30);
/// After this many such times in a row the connection is dropped.
const SILENT_INTERVALS: u32 = 3;
/// The client must agree to a close of ours within this time.
const CLOSE_DEADLINE: Duration = Duration::from_secs(3);
/// While this many bytes wait to be taken by the client, nothing more is read from it.
const MAX_OUTGOING: usize = 16 * 1024;

/// A logged-in client on its stream.
pub(crate) struct OpenSession<'a, S, D> {
    server: &'a Server<D>,
    connection: u64,
    user: UserName,
    kid: Fingerprint,
    session: Session<D>,
    place: Place,
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    records: RecordReader,
    /// Records that are sealed and not written yet.
    outgoing: VecDeque<u8>,
    next_check: Instant,
    silent: u32,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin, D: Parts> OpenSession<'a, S, D> {
    pub(crate) fn new(server: &'a Server<D>, connection: u64, stream: S, login: Login<D>) -> Self {
        let (reader, writer) = split(stream);
        Self {
            server,
            connection,
            user: login.user,
            kid: login.kid,
            session: login.session,
            place: login.place,
            reader,
            writer,
            records: RecordReader::default(),
            outgoing: VecDeque::new(),
            next_check: Instant::now() + PING_EVERY,
            silent: 0,
        }
    }

    /// Goes on until the session ends; says how it did.
    pub(crate) async fn run(mut self) -> Event {
        let end = match self.talk().await {
            Ok(code) => self.close(code).await,
            Err(end) => end,
        };
        let _ = self.writer.shutdown().await;
        end
    }

    /// Until the server wants to close (`Ok`), or anything else ends the session (`Err`).
    async fn talk(&mut self) -> Result<CloseCode, Event> {
        let allowed = self.server.setup.defences.lengths();
        loop {
            // In a fixed order, so that a run with a virtual clock repeats. Writing comes before reading: a client that
            // sends without end must still get its acknowledgements.
            select! {
                biased;
                code = self.place.told_to_close() => return Ok(code),
                wrote = self.writer.write_buf(&mut self.outgoing), if !self.outgoing.is_empty() => {
                    self.on_written(wrote)?;
                }
                record = self.records.read(&mut self.reader, allowed, None),
                    if self.outgoing.len() < MAX_OUTGOING =>
                {
                    if let Some(code) = self.on_record(record).await? {
                        return Ok(code);
                    }
                }
                () = sleep_until(self.next_check) => self.on_silence()?,
            }
        }
    }

    /// `Ok` with a code when the server wants to close because of what came.
    async fn on_record(
        &mut self,
        record: Result<Option<Vec<u8>>, WireError>,
    ) -> Result<Option<CloseCode>, Event> {
        self.silent = 0;
        self.next_check = Instant::now() + PING_EVERY;
        match self.receive(record)? {
            session::Event::Message { id, text, kind } => self.on_message(id, kind, text).await,
            session::Event::Query { id } => self.on_query(id).await.map(|()| None),
            session::Event::Reply(answer) => {
                self.outgoing.extend(answer);
                Ok(None)
            }
            session::Event::Acknowledged { .. }
            | session::Event::Pong
            | session::Event::TooLate => Ok(None),
            session::Event::Closed { code, answer } => {
                self.outgoing.extend(answer);
                Err(self.agreed(By::Peer, code).await)
            }
            session::Event::Held { .. } | session::Event::CloseAgreed => {
                Err(self.broke(ProtocolError::NoQuestion))
            }
        }
    }

    /// Durable first, acknowledged second: whatever happens in between, the client still has the message.
    async fn on_message(
        &mut self,
        id: u64,
        kind: u8,
        text: String,
    ) -> Result<Option<CloseCode>, Event> {
        let message = StoredMessage {
            id,
            kind,
            text,
            session: Some(self.session.id()),
        };
        let accounts = &self.server.setup.accounts;
        let appended = accounts.append(&self.user, &self.kid, &message).await;
        let user = self.user.clone();
        let event = match appended {
            Ok(Appended::Appended) => Event::Stored { user, id },
            Ok(Appended::Duplicate) => Event::Duplicate { user, id },
            Err(StoreError::Conflict { .. }) => {
                self.server
                    .saw(self.connection, &Event::Conflict { user, id });
                return Ok(Some(CloseCode::Conflict));
            }
            Err(why) => return Err(self.store_failed(why)),
        };
        self.server.saw(self.connection, &event);
        let ack = self.session.acknowledge(id).map_err(|e| self.broke(e))?;
        self.outgoing.extend(ack);
        Ok(None)
    }

    /// Says what the store holds under this id, so that the client can tell its own messages from those of another
    /// client with the same key.
    async fn on_query(&mut self, id: u64) -> Result<(), Event> {
        let accounts = &self.server.setup.accounts;
        let found = accounts.message(&self.user, &self.kid, id).await;
        let found = found.map_err(|why| self.store_failed(why))?;
        let held = found.map(|message| Held {
            session: message.session.unwrap_or_default(),
            content: content(message.kind, &message.text),
        });
        let answer = self.session.held(id, held).map_err(|e| self.broke(e))?;
        self.outgoing.extend(answer);
        Ok(())
    }

    fn store_failed(&self, why: StoreError) -> Event {
        Event::StoreFailed {
            user: self.user.clone(),
            why: Arc::new(why),
        }
    }

    fn on_written(&self, wrote: io::Result<usize>) -> Result<(), Event> {
        match wrote {
            Ok(1..) => Ok(()),
            Ok(0) => Err(self.truncated(TruncationError::WriteClosed)),
            Err(why) => Err(self.truncated(TruncationError::Write(why))),
        }
    }

    fn on_silence(&mut self) -> Result<(), Event> {
        self.silent += 1;
        if self.silent == SILENT_INTERVALS {
            return Err(Event::Silent {
                user: self.user.clone(),
                seconds: (PING_EVERY * SILENT_INTERVALS).as_secs(),
            });
        }
        self.next_check += PING_EVERY;
        let ping = self.session.ping().map_err(|e| self.broke(e))?;
        self.outgoing.extend(ping.into_iter().flatten());
        Ok(())
    }

    /// Closes from our side. What the client sends from now on is not stored and not acknowledged: it still has it.
    async fn close(&mut self, code: CloseCode) -> Event {
        self.place.stop_storing();
        match self.session.close(code) {
            Ok(record) => self.outgoing.extend(record),
            Err(why) => return self.broke(why),
        }
        match timeout(CLOSE_DEADLINE, self.drain(code)).await {
            Ok(end) => end,
            Err(_) => self.truncated(TruncationError::NoAgreement),
        }
    }

    async fn drain(&mut self, code: CloseCode) -> Event {
        loop {
            let received = select! {
                biased;
                wrote = self.writer.write_buf(&mut self.outgoing), if !self.outgoing.is_empty() => {
                    self.on_written(wrote).map(|()| None)
                }
                record = self.records.read(&mut self.reader, self.server.setup.defences.lengths(), None) => {
                    self.receive(record).map(Some)
                }
            };
            match received {
                Ok(Some(session::Event::CloseAgreed)) => {
                    return self.agreed(By::Server, code).await;
                }
                Ok(Some(session::Event::Closed { answer, .. })) => {
                    self.outgoing.extend(answer);
                    return self.agreed(By::Server, code).await;
                }
                // What crossed our CLOSE is neither stored nor answered.
                Ok(_) => {}
                Err(end) => return end,
            }
        }
    }

    /// The last bytes are a courtesy: the two ends agree whether they arrive or not.
    async fn agreed(&mut self, by: By, code: CloseCode) -> Event {
        let rest = self.outgoing.make_contiguous();
        let _ = write_all_within(&mut self.writer, rest, RECORD_DEADLINE).await;
        let user = self.user.clone();
        Event::Closed { user, by, code }
    }

    fn receive(
        &mut self,
        record: Result<Option<Vec<u8>>, WireError>,
    ) -> Result<session::Event, Event> {
        match record {
            Ok(Some(record)) => self.session.receive(&record).map_err(|e| self.broke(e)),
            Ok(None) if !self.server.keeps(Defence::AuthenticatedClose) => {
                let (user, by, code) = (self.user.clone(), By::Peer, CloseCode::Done);
                Err(Event::Closed { user, by, code })
            }
            Ok(None) => Err(self.truncated(TruncationError::Read(WireError::Closed))),
            Err(why @ (WireError::Closed | WireError::Truncated { .. } | WireError::Io(_))) => {
                Err(self.truncated(TruncationError::Read(why)))
            }
            Err(why) => Err(self.broke(why)),
        }
    }

    fn truncated(&self, why: TruncationError) -> Event {
        Event::Truncated {
            user: self.user.clone(),
            why: Arc::new(why),
        }
    }

    fn broke(&self, why: impl Into<ProtocolError>) -> Event {
        Event::ProtocolError {
            user: self.user.clone(),
            why: Arc::new(why.into()),
        }
    }
}
