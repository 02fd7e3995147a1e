//! What is read from the server when somebody asks: how busy it is, and sums that others keep.

use std::sync::atomic::{AtomicU64, Ordering};

use latchstring_server_core::{Load, cost::WorkCount};
use prometheus_client::{
    encoding::prometheus_text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};

use super::{
    counts::{Counts, zeros},
    labels::{OfQueue, OfTable, OfWork, Queue, Table, Work},
};

/// What each name begins with.
const PREFIX: &str = "latchstring";

/// Sizes and sums at the moment of the last reading.
pub(super) struct Gauges {
    started: Gauge<u64, AtomicU64>,
    unauthenticated: Gauge<u64, AtomicU64>,
    running: Family<OfQueue, Gauge<u64, AtomicU64>>,
    waiting: Family<OfQueue, Gauge<u64, AtomicU64>>,
    tables: Family<OfTable, Gauge<u64, AtomicU64>>,
    work: Family<OfWork, Counter>,
    received: Counter,
    sent: Counter,
    lost: Counter,
}

impl Gauges {
    /// For a server that was started then, in seconds since 1970.
    pub(super) fn new(started: u64) -> Self {
        let gauges = Self {
            started: Gauge::default(),
            unauthenticated: Gauge::default(),
            running: zeros(Queue::ALL),
            waiting: zeros(Queue::ALL),
            tables: zeros(Table::ALL),
            work: zeros(Work::ALL),
            received: Counter::default(),
            sent: Counter::default(),
            lost: Counter::default(),
        };
        gauges.started.set(started);
        gauges
    }

    /// Notes how things stand.
    pub(super) fn read(&self, load: &Load, spent: &WorkCount, lost: u64) {
        self.unauthenticated.set(load.unauthenticated as u64);
        for queue in Queue::ALL {
            let of = match queue {
                Queue::Signing => load.signing,
                Queue::Password => load.hashing,
            };
            let labels = OfQueue::from(*queue);
            self.running.get_or_create(&labels).set(of.running as u64);
            self.waiting.get_or_create(&labels).set(of.waiting as u64);
        }
        for table in Table::ALL {
            let lines = match table {
                Table::Rates => load.tables.rates,
                Table::Penalties => load.tables.penalties,
                Table::Trusted => load.tables.trusted,
                Table::Keys => load.tables.keys,
            };
            let of = self.tables.get_or_create(&(*table).into());
            of.set(lines as u64);
        }
        for work in Work::ALL {
            let of = self.work.get_or_create(&(*work).into());
            raise(&of, spent.of((*work).into()));
        }
        raise(&self.received, load.received);
        raise(&self.sent, load.sent);
        raise(&self.lost, lost);
    }

    fn register(&self, to: &mut Registry) {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        to.register(
            "build",
            "The version of the program; the value is always 1",
            Info::new(version),
        );
        to.register_with_unit(
            "start_time",
            "When the server was started, since 1970",
            Unit::Seconds,
            self.started.clone(),
        );
        to.register(
            "unauthenticated_connections",
            "Connections that are not logged in",
            self.unauthenticated.clone(),
        );
        to.register(
            "queue_running",
            "Signatures and password hashes that are computed at the moment",
            self.running.clone(),
        );
        to.register(
            "queue_waiting",
            "Connections that wait for a signature or a password hash",
            self.waiting.clone(),
        );
        to.register(
            "table_entries",
            "Entries of the tables about sources and keys",
            self.tables.clone(),
        );
        to.register(
            "work",
            "Signatures, checks of signatures and password hashes",
            self.work.clone(),
        );
        to.register_with_unit(
            "received",
            "Bytes from clients, handshakes included",
            Unit::Bytes,
            self.received.clone(),
        );
        to.register_with_unit(
            "sent",
            "Bytes to clients, handshakes included",
            Unit::Bytes,
            self.sent.clone(),
        );
        to.register(
            "log_lines_lost",
            "Lines of the log that could not be written",
            self.lost.clone(),
        );
    }
}

/// A sum that others keep. It only grows.
fn raise(counter: &Counter, to: u64) {
    counter.inner().fetch_max(to, Ordering::Relaxed);
}

/// All metrics of a server.
pub(super) fn registry(counts: &Counts, gauges: &Gauges) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    counts.register(&mut registry);
    gauges.register(&mut registry);
    registry
}

/// The metrics in the text format of Prometheus.
pub(super) fn text(registry: &Registry) -> String {
    let mut text = String::new();
    // A string takes everything.
    let _ = prometheus_text::encode(&mut text, registry);
    text
}
