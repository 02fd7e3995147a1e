//! The cost of an attack for the server, and the time that the server spends on computing.
//!
//! In memory the clock stands still during a computation. Over TCP a fast machine spends microseconds where a small
//! machine spends milliseconds. So the arena's servers take as long for each piece of work as a small machine would.
//! A scene can give them a fast machine.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::future::BoxFuture;
use latchstring_attacker::{Resource, Scene, vantage::BoxStream};
use latchstring_server_core::cost::{CostModel, Work};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use crate::seen::Connection;

/// The work that one connection made the server do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Operations with an RSA key, private or public.
    pub key_operations: u64,
    /// Password hashes.
    pub hashes: u64,
    /// The time at which it was opened.
    opened: Option<Instant>,
    /// For how long it was open.
    open: Duration,
}

impl Spent {
    /// In pieces, or in whole seconds.
    pub fn of(&self, resource: Resource) -> u64 {
        match resource {
            Resource::KeyOperations => self.key_operations,
            Resource::Hashes => self.hashes,
            Resource::Time => self.open.as_secs(),
        }
    }
}

/// Writes down what each connection costs.
#[derive(Clone)]
pub struct CostLog {
    spent: Arc<Mutex<BTreeMap<Connection, Spent>>>,
    fast_machine: bool,
}

/// How long a small machine takes for an operation with a key.
const KEY_OPERATION: Duration = Duration::from_millis(100);
/// How long it takes for a password hash.
const HASH: Duration = Duration::from_millis(100);

impl CostLog {
    /// Of a server in this scene.
    pub fn of(scene: &Scene) -> Self {
        Self {
            spent: Arc::default(),
            fast_machine: scene.fast_machine,
        }
    }

    /// The cost of each connection so far.
    pub fn spent(&self) -> BTreeMap<Connection, Spent> {
        self.spent
            .lock()
            .expect("nobody panicked while counting")
            .clone()
    }

    /// A connection begins.
    pub fn opened(&self, on: Connection) {
        self.entry(on, |spent| spent.opened = Some(Instant::now()));
    }

    /// The connection ends.
    pub fn closed(&self, on: Connection) {
        self.entry(on, |spent| {
            spent.open = spent.opened.map_or(spent.open, |at| at.elapsed())
        });
    }

    fn entry<T>(&self, on: Connection, change: impl FnOnce(&mut Spent) -> T) -> T {
        let mut all = self.spent.lock().expect("nobody panicked while counting");
        change(all.entry(on).or_default())
    }

    /// Counts, and says how long it takes.
    pub fn count(&self, on: Connection, work: Work) -> Duration {
        let takes = self.entry(on, |spent| match work {
            Work::Sign | Work::Verify => {
                spent.key_operations += 1;
                KEY_OPERATION
            }
            Work::Hash => {
                spent.hashes += 1;
                HASH
            }
        });
        match self.fast_machine {
            true => Duration::ZERO,
            false => takes,
        }
    }
}

impl CostModel for CostLog {
    fn spend(&self, on: Connection, work: Work) -> BoxFuture<'_, ()> {
        Box::pin(sleep(self.count(on, work)))
    }
}

/// A stream whose owner owes time: each write waits until that time has passed.
pub struct DelayedStream {
    inner: BoxStream,
    owed: Arc<Mutex<Duration>>,
    paying: Option<Pin<Box<Sleep>>>,
}

impl DelayedStream {
    /// Around a stream; a holder of `owed` adds to the debt.
    pub fn new(inner: BoxStream, owed: Arc<Mutex<Duration>>) -> Self {
        let paying = None;
        Self {
            inner,
            owed,
            paying,
        }
    }

    fn poll_paid(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(paying) = &mut self.paying {
                ready!(paying.as_mut().poll(cx));
                self.paying = None;
            }
            let owed = std::mem::take(&mut *self.owed.lock().expect("nobody panicked over it"));
            if owed.is_zero() {
                return Poll::Ready(());
            }
            self.paying = Some(Box::pin(sleep(owed)));
        }
    }
}

impl AsyncRead for DelayedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for DelayedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        ready!(self.poll_paid(cx));
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(self.poll_paid(cx));
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
