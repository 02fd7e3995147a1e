//! What a server is made of, and the life of one connection.

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use latchstring_net::{
    entropy::Entropy,
    protocol::hardened::{
        defence::Defence,
        full::Full,
        parts::Parts,
        signature::{Signer, Verifier},
    },
};
use latchstring_store::Accounts;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    select,
    sync::watch,
    time::Instant,
};

use crate::{
    Event, Limits, Observer, PasswordCheck,
    admission::{Admission, Stranger},
    enrol::Enrolment,
    error::HandshakeError,
    gate::PasswordGate,
    liability::Liability,
    login::{Caller, Failure, login},
    lookup::Lookup,
    meter::{Meter, Work},
    session::OpenSession,
    sessions::Sessions,
    signing::SigningPool,
    throttle::Throttle,
};

/// What a server is made of. The deployed program brings constant-time RSA, the operating system's randomness, argon2id
/// and a file; the lab brings its own.
pub struct Setup<D = Full> {
    /// The host key.
    pub host: Arc<dyn Signer>,
    /// Checks the users' signatures.
    pub verifier: Arc<dyn Verifier>,
    /// Accounts and messages.
    pub accounts: Arc<dyn Accounts>,
    /// Finds the account that a login is for.
    pub lookup: Arc<dyn Lookup>,
    /// Decides against whom a login without the key is held.
    pub liability: Arc<dyn Liability>,
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
    /// Is told what logins cost.
    pub meter: Arc<dyn Meter>,
    /// Is told what happens.
    pub observer: Arc<dyn Observer>,
    /// [`Full`], for whatever is not the lab.
    pub defences: D,
}

/// A server, on no stream yet: [`serve_connection`] puts it on one, [`crate::listener::serve`] on a TCP port.
pub struct Server<D = Full> {
    pub(crate) setup: Setup<D>,
    pub(crate) signing: SigningPool,
    pub(crate) gate: PasswordGate,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) throttle: Throttle,
    pub(crate) admission: Arc<Admission>,
    stopping: watch::Sender<bool>,
    connections: AtomicU64,
    /// Connections at the same time.
    max_connections: AtomicUsize,
}

impl<D: Parts> Server<D> {
    /// A server that nobody has connected to.
    pub fn new(setup: Setup<D>) -> Arc<Self> {
        Arc::new(Self {
            signing: SigningPool::new(Arc::clone(&setup.host), &setup.limits),
            gate: PasswordGate::new(Arc::clone(&setup.passwords), &setup.limits),
            sessions: Arc::default(),
            throttle: Throttle::new(Instant::now()),
            admission: Arc::new(Admission::new(&setup.limits)),
            stopping: watch::Sender::new(false),
            connections: AtomicU64::new(0),
            max_connections: AtomicUsize::new(setup.limits.max_connections),
            setup,
        })
    }

    /// Takes on more or less from now on. Connections that are there stay, and what is under way is finished under the
    /// old limits.
    pub fn set_limits(&self, limits: &Limits) {
        (self.max_connections).store(limits.max_connections, Ordering::Relaxed);
        self.admission.set_limits(limits);
        self.signing.set_limits(limits);
        self.gate.set_limits(limits);
    }

    pub(crate) fn max_connections(&self) -> usize {
        self.max_connections.load(Ordering::Relaxed)
    }

    /// Tells every session to close, and ends every handshake. There is no way back.
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
        self.setup.meter.spend(connection, work).await;
    }

    /// A random number. Chance decides only where it is crowded, so randomness is asked for only there.
    fn below_a_hundred(&self) -> u8 {
        let mut bytes = [0; 8];
        self.setup.entropy.fill(&mut bytes);
        (u64::from_be_bytes(bytes) % 100) as u8
    }

    pub(crate) fn saw(&self, connection: u64, event: &Event) {
        self.setup.observer.event(connection, event);
    }
}

/// Serves one client from its first byte to its last. Returns when the connection has ended, however it did: all that
/// there is to know goes to the observer, and a panic ends this connection alone.
///
/// Whoever is not logged in makes the server hold at most 8 KiB: this future (2 KiB), the transcript (1.3 kB), and at any
/// one time either the answer (at most 4.2 kB, for a host key of 4096 bits) or the record of the login (at most 4.1 kB) or
/// what was inside it. Opening a record takes as much again, but nothing else happens meanwhile.
pub fn serve_connection<S, D>(
    server: Arc<Server<D>>,
    stream: S,
    peer: SocketAddr,
) -> impl Future<Output = ()> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    D: Parts + Clone,
{
    // Numbered and given a place now, not when the future is first polled: the order is that of arrival.
    let connection = server.next_connection();
    server.saw(connection, &Event::Connected { peer });
    let roll = || server.below_a_hundred();
    let admitted = (server.admission).admit(peer.ip(), Instant::now(), roll);
    async move {
        let life = async {
            match admitted {
                Ok(stranger) => whole_life(&server, connection, stream, peer, stranger).await,
                Err(why) => server.saw(connection, &Event::TurnedAway { why }),
            }
        };
        if AssertUnwindSafe(life).catch_unwind().await.is_err() {
            server.saw(connection, &Event::Panicked);
        }
    }
}

async fn whole_life<S, D>(
    server: &Server<D>,
    connection: u64,
    mut stream: S,
    peer: SocketAddr,
    stranger: Stranger,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    D: Parts + Clone,
{
    let mut stopping = server.stopping();
    let source = peer.ip();
    let caller = Caller { connection, source };
    let outcome = select! {
        biased;
        _ = stopping.wait_for(|yes| *yes) => Err(HandshakeError::Stopping.into()),
        outcome = login(server, caller, &mut stream) => outcome,
    };
    let end = match outcome {
        Ok(login) => {
            drop(stranger);
            server.admission.trust(source, Instant::now());
            let event = Event::LoggedIn {
                user: login.user.clone(),
                session_id: login.session.id(),
                last_message: login.last_message,
            };
            server.saw(connection, &event);
            // On the heap, so that strangers do not pay for the room that a session needs.
            let session = OpenSession::new(server, connection, stream, login);
            let end = Box::pin(session.run()).await;
            server.admission.trust(source, Instant::now());
            return server.saw(connection, &end);
        }
        Err(Failure::Refused { user, reason }) => Event::Refused { user, reason },
        Err(Failure::Handshake(why)) if why.is_ours() => Event::LoginFailed { why: why.into() },
        Err(Failure::Handshake(why)) => Event::HandshakeFailed { why: why.into() },
    };
    let _ = stream.shutdown().await;
    server.saw(connection, &end);
}
