//! The next session after one that broke off: the same user and key, and no question a second time.

use std::time::Duration;

use tokio::net::TcpStream;
use zeroize::Zeroizing;

use crate::{
    connection::Connection,
    dial::{Dial, DialError},
    outbox::Outbox,
};

/// A login that can be made again.
pub struct Redial<'a> {
    dial: Dial<'a>,
    /// How long to come again after a cut.
    total: Duration,
    password: Option<Zeroizing<Vec<u8>>>,
    is_cut: bool,
}

impl<'a> Redial<'a> {
    /// Comes again for so long after the first of several cuts; not at all after a `total` of zero.
    pub fn new(dial: Dial<'a>, total: Duration) -> Self {
        Self {
            dial,
            total,
            password: None,
            is_cut: false,
        }
    }

    /// `HOST:PORT` of the server.
    pub fn host_port(&self) -> String {
        self.dial.address.host_port()
    }

    /// Logs in and opens the outbox; see [`Dial::log_in`]. A person is asked only the first time.
    ///
    /// # Errors
    /// [`DialError`]: final.
    pub async fn log_in(&mut self) -> Result<(Connection<TcpStream>, Outbox), DialError> {
        self.dial.log_in_keeping(&mut self.password).await
    }

    /// Logs in again for a caller that has kept the outbox of the session before, locked.
    ///
    /// # Errors
    /// [`DialError`]: final.
    pub async fn again(&mut self) -> Result<Connection<TcpStream>, DialError> {
        self.dial.log_in_again(&mut self.password).await
    }

    /// Waits before the next login. `false` when the time is up, so that the error of the session is the last word.
    pub async fn wait(&mut self) -> bool {
        if !self.is_cut {
            self.dial.retry = self.dial.retry.after_a_cut(self.total);
            self.is_cut = true;
        }
        let person = self.dial.person;
        let waiting = |why, wait, attempt| person.waiting(why, wait, attempt);
        self.dial.retry.pause(waiting).await
    }

    /// The server has stored something: the time after the next cut counts from that cut.
    pub fn made_progress(&mut self) {
        self.is_cut = false;
    }
}
