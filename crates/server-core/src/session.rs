//! An open session at the server: store, then acknowledge; ask whether the client is there; end in agreement.

use std::{sync::Arc, time::Duration};

use latchstring_net::{
    link::{Link, LinkError},
    protocol::hardened::{
        driver::{self, Settings},
        message::{Fingerprint, UserName},
        parts::Parts,
        session::{CloseCode, KeyLife},
    },
};
use latchstring_store::{Appended, StoreError, StoredMessage};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    select,
};

use crate::{
    Event, Server,
    error::{ProtocolError, TruncationError},
    login::Login,
    observer::By,
    sessions::Place,
};

const SETTINGS: Settings = Settings {
    ping_every: Duration::from_secs(30),
    close_within: Duration::from_secs(3),
    max_outgoing: 16 * 1024,
    key_life: KeyLife::USUAL,
};

/// A logged-in client on its stream.
pub(crate) struct OpenSession<'a, S, D> {
    server: &'a Server<D>,
    connection: u64,
    user: UserName,
    kid: Fingerprint,
    place: Place,
    link: Link<S, D>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin, D: Parts> OpenSession<'a, S, D> {
    pub(crate) fn new(server: &'a Server<D>, connection: u64, stream: S, login: Login<D>) -> Self {
        let settings = Settings {
            key_life: server.key_life(),
            ..SETTINGS
        };
        Self {
            server,
            connection,
            user: login.user,
            kid: login.kid,
            place: login.place,
            link: Link::new(
                stream,
                login.session,
                settings,
                Arc::clone(&server.setup.entropy),
            ),
        }
    }

    /// Goes on until the session ends; says how it did.
    pub(crate) async fn run(mut self) -> Event {
        let end = match self.talk().await {
            Ok(code) => self.close(code).await,
            Err(end) => end,
        };
        self.link.shutdown().await;
        end
    }

    /// Until the server wants to close (`Ok`), or anything else ends the session (`Err`).
    async fn talk(&mut self) -> Result<CloseCode, Event> {
        loop {
            while let Some(event) = self.link.driver.poll() {
                if let Some(code) = self.on_event(event).await? {
                    return Ok(code);
                }
            }
            // In a fixed order, so that a run with a virtual clock repeats.
            select! {
                biased;
                code = self.place.told_to_close(), if !self.link.driver.is_over() => return Ok(code),
                step = self.link.step() => self.on_step(step)?,
            }
        }
    }

    /// `Ok` with a code when the server wants to close because of what came.
    async fn on_event(&mut self, event: driver::Event) -> Result<Option<CloseCode>, Event> {
        match event {
            driver::Event::Message { id, text, kind } => self.on_message(id, kind, text).await,
            driver::Event::Query { id } => self.on_query(id).await,
            driver::Event::Acknowledged { .. } => Ok(None),
            driver::Event::NewKeys { epoch } => {
                let user = self.user.clone();
                self.server
                    .saw(self.connection, &Event::NewKeys { user, epoch });
                Ok(None)
            }
            driver::Event::Closed { code } => Err(self.agreed(By::Peer, code)),
            driver::Event::Ended => Err(self.agreed(By::Peer, CloseCode::Done)),
            driver::Event::Held { .. } | driver::Event::CloseAgreed => {
                Err(self.broke(ProtocolError::NoQuestion))
            }
        }
    }

    fn on_step(&mut self, step: Result<(), LinkError>) -> Result<(), Event> {
        let Err(why) = step else {
            return Ok(());
        };
        Err(match why {
            LinkError::Write(_) | LinkError::WriteClosed if self.link.driver.is_over() => {
                // The last bytes are a courtesy: the two ends agree whether they arrive or not.
                self.link.driver.cannot_write();
                return Ok(());
            }
            LinkError::Read(why) => self.truncated(TruncationError::Read(why)),
            LinkError::Write(why) => self.truncated(TruncationError::Write(why)),
            LinkError::WriteClosed => self.truncated(TruncationError::WriteClosed),
            LinkError::NoAgreement => self.truncated(TruncationError::NoAgreement),
            LinkError::Wire(why) => self.broke(why),
            LinkError::Protocol(why) => self.broke(why),
            LinkError::Silent { seconds } => Event::Silent {
                user: self.user.clone(),
                seconds,
            },
        })
    }

    /// Durable first, in the store and in the sink, and acknowledged second: if the server fails in between, the client
    /// still has the message.
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
            session: Some(self.link.driver.session().id()),
            received_at: Some((self.server.setup.now)()),
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
        if let Some(code) = self.delivered(id).await? {
            return Ok(Some(code));
        }
        self.server.saw(self.connection, &event);
        let acknowledged = self.link.driver.acknowledge(id);
        acknowledged.map_err(|why| self.broke(why))?;
        Ok(None)
    }

    /// Reports the message that the store holds under this id. So the client can tell its messages from those of
    /// another client with the same key.
    async fn on_query(&mut self, id: u64) -> Result<Option<CloseCode>, Event> {
        let accounts = &self.server.setup.accounts;
        let held = accounts.held(&self.user, &self.kid, id).await;
        let held = held.map_err(|why| self.store_failed(why))?;
        if held.is_some() {
            // The client takes the answer for an acknowledgement.
            if let Some(code) = self.delivered(id).await? {
                return Ok(Some(code));
            }
        }
        let answered = self.link.driver.held(id, held);
        answered.map_err(|why| self.broke(why))?;
        Ok(None)
    }

    /// Waits until the sink has a message. `Some` when the session has to close before that.
    async fn delivered(&mut self, id: u64) -> Result<Option<CloseCode>, Event> {
        let delivery = &self.server.setup.delivery;
        let delivered = select! {
            biased;
            delivered = delivery.delivered(&self.user, &self.kid, id) => delivered,
            code = self.place.told_to_close() => return Ok(Some(code)),
        };
        delivered.map_err(|why| self.store_failed(why))?;
        Ok(None)
    }

    fn store_failed(&self, why: StoreError) -> Event {
        Event::StoreFailed {
            user: self.user.clone(),
            why: Arc::new(why),
        }
    }

    /// Closes from our side. Messages of the client from now on are not stored and not acknowledged: the client still
    /// has them.
    async fn close(&mut self, code: CloseCode) -> Event {
        self.place.stop_storing();
        let now = self.link.now();
        if let Err(why) = self.link.driver.close(code, now) {
            return self.broke(why);
        }
        loop {
            match self.link.driver.poll() {
                Some(driver::Event::CloseAgreed | driver::Event::Closed { .. }) => {
                    return self.agreed(By::Server, code);
                }
                Some(driver::Event::Ended) => return self.agreed(By::Peer, CloseCode::Done),
                // What crossed our CLOSE is neither stored nor answered.
                Some(_) => continue,
                None => {}
            }
            let step = self.link.step().await;
            if let Err(end) = self.on_step(step) {
                return end;
            }
        }
    }

    fn agreed(&self, by: By, code: CloseCode) -> Event {
        let user = self.user.clone();
        Event::Closed { user, by, code }
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
