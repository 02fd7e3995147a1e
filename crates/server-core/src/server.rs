//! The parts of a server.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use latchstring_net::{
    entropy::Entropy,
    protocol::hardened::{
        defence::Defence,
        full::Full,
        parts::Parts,
        session::KeyLife,
        signature::{Signer, Verifier},
    },
};
use latchstring_store::Accounts;
use tokio::{sync::watch, time::Instant};

use crate::{
    Event, Limits, Observer, PasswordCheck,
    admission::Admission,
    cost::{CostModel, Work},
    delivery::Delivery,
    enrol::Enrolment,
    failures::FailurePolicy,
    hashing::HashingPool,
    load::{Load, Tables},
    lookup::Lookup,
    sessions::Sessions,
    signing::SigningPool,
    throttle::Throttle,
    traffic::Traffic,
};

/// The parts of a server. The deployed program brings constant-time RSA, the operating system's randomness, argon2id
/// and a file; the lab brings its own.
pub struct Setup<D = Full> {
    /// The host key.
    pub host: Arc<dyn Signer>,
    /// Checks the users' signatures.
    pub verifier: Arc<dyn Verifier>,
    /// Accounts and messages.
    pub accounts: Arc<dyn Accounts>,
    /// Knows which messages the sink has.
    pub delivery: Arc<dyn Delivery>,
    /// Finds the account that a login is for.
    pub lookup: Arc<dyn Lookup>,
    /// Decides against whom a login without the key is held.
    pub failures: Arc<dyn FailurePolicy>,
    /// Decides who may become a user.
    pub enrolment: Arc<dyn Enrolment>,
    /// Makes and compares hashes of passwords.
    pub passwords: Arc<dyn PasswordCheck>,
    /// The time of day: seconds since 1970, for what is good until a day and hour.
    pub now: fn() -> u64,
    /// Fresh randomness for each connection: 64 bytes, asked for when its hello is here, and 16 for a new password.
    pub entropy: Arc<dyn Entropy>,
    /// How long a handshake may take: [`crate::HANDSHAKE_DEADLINE`].
    pub handshake_deadline: Duration,
    /// How much the server takes on at first; [`Server::set_limits`] changes it.
    pub limits: Limits,
    /// Gets the cost of logins.
    pub cost_model: Arc<dyn CostModel>,
    /// Gets the events.
    pub observer: Arc<dyn Observer>,
    /// [`Full`], except in the lab.
    pub defences: D,
}

/// A server, on no stream yet: [`crate::serve_connection`] puts it on one, [`crate::listener::serve`] on a TCP port.
pub struct Server<D = Full> {
    pub(crate) setup: Setup<D>,
    pub(crate) signing: SigningPool,
    pub(crate) hashing: HashingPool,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) throttle: Throttle,
    pub(crate) admission: Arc<Admission>,
    pub(crate) traffic: Traffic,
    stopping: watch::Sender<bool>,
    connections: AtomicU64,
    /// Connections at the same time.
    max_connections: AtomicUsize,
    /// Seconds until a session changes its keys.
    rekey_seconds: AtomicUsize,
}

impl<D: Parts> Server<D> {
    /// A server that nobody has connected to.
    pub fn new(setup: Setup<D>) -> Arc<Self> {
        Arc::new(Self {
            signing: SigningPool::new(Arc::clone(&setup.host), &setup.limits),
            hashing: HashingPool::new(
                Arc::clone(&setup.passwords),
                Arc::clone(&setup.observer),
                &setup.limits,
            ),
            sessions: Arc::default(),
            throttle: Throttle::new(Instant::now()),
            admission: Arc::new(Admission::new(&setup.limits)),
            traffic: Traffic::default(),
            stopping: watch::Sender::new(false),
            connections: AtomicU64::new(0),
            max_connections: AtomicUsize::new(setup.limits.max_connections),
            rekey_seconds: AtomicUsize::new(setup.limits.rekey_seconds),
            setup,
        })
    }

    /// Takes on more or less from now on. Connections that are there stay, and what is under way is finished under the
    /// old limits.
    pub fn set_limits(&self, limits: &Limits) {
        (self.max_connections).store(limits.max_connections, Ordering::Relaxed);
        (self.rekey_seconds).store(limits.rekey_seconds, Ordering::Relaxed);
        self.admission.set_limits(limits);
        self.signing.set_limits(limits);
        self.hashing.set_limits(limits);
    }

    /// How busy the server is.
    pub fn load(&self) -> Load {
        let (unauthenticated, tables) = self.admission.load();
        let keys = self.throttle.keys();
        Load {
            unauthenticated,
            signing: self.signing.load(),
            hashing: self.hashing.load(),
            tables: Tables { keys, ..tables },
            received: self.traffic.received(),
            sent: self.traffic.sent(),
        }
    }

    pub(crate) fn max_connections(&self) -> usize {
        self.max_connections.load(Ordering::Relaxed)
    }

    /// How long the keys of a session serve that begins now.
    pub(crate) fn key_life(&self) -> KeyLife {
        let seconds = self.rekey_seconds.load(Ordering::Relaxed);
        KeyLife {
            time: Duration::from_secs(seconds as u64),
            ..KeyLife::USUAL
        }
    }

    /// Tells every session to close, and ends every handshake. The stop is final.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn keeps(&self, defence: Defence) -> bool {
        self.setup.defences.keeps(defence)
    }

    pub(crate) async fn spend(&self, connection: u64, work: Work) {
        self.setup.cost_model.spend(connection, work).await;
    }

    /// A random number. Chance decides only where it is crowded, so randomness is asked for only there.
    pub(crate) fn below_a_hundred(&self) -> u8 {
        let mut bytes = [0; 8];
        self.setup.entropy.fill(&mut bytes);
        (u64::from_be_bytes(bytes) % 100) as u8
    }

    pub(crate) fn cannot_accept(&self, why: &io::Error) {
        self.setup.observer.cannot_accept(why);
    }

    pub(crate) fn saw(&self, connection: u64, event: &Event) {
        self.setup.observer.event(connection, event);
    }
}
