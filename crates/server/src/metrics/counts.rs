//! What is counted, from the events of the server.

use std::{
    collections::HashMap,
    hash::Hash,
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use latchstring_server_core::{Event, Observer, observer};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::labels::{
    End, Limit, Login, OfEnd, OfLimit, OfOutcome, OfPurpose, OfStored, Outcome, Purpose, Reason,
    Stored,
};

/// The upper ends of the classes of handshake times, in seconds. A login is answered after 0.4 s, or at the next multiple
/// of 0.05 s.
const HANDSHAKE: [f64; 13] = [
    0.005, 0.05, 0.2, 0.4, 0.425, 0.475, 0.525, 0.65, 0.8, 1.0, 2.0, 5.0, 10.0,
];
/// The same for password hashes. Above 0.3 s, logins take longer than the 0.4 s after which they are answered.
const PASSWORD: [f64; 11] = [0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 1.0, 2.5];

/// The time since some moment: a clock that never goes back.
pub(super) type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// Counts events. Every value of every label is there from the start, so that a query finds a zero and not nothing.
pub(super) struct Counts {
    now: Clock,
    /// The connections that are there. Each has one first and one last event, so the table does not grow.
    here: Mutex<HashMap<u64, Connection>>,
    connections: Counter,
    accept_errors: Counter,
    turned_away: Family<OfLimit, Counter>,
    logins: Family<Login, Counter>,
    handshakes: Family<OfOutcome, Histogram>,
    passwords: Family<OfPurpose, Histogram>,
    enrolments: Counter,
    renewed: Counter,
    breached: Counter,
    key_changes: Counter,
    sessions: Gauge,
    ends: Family<OfEnd, Counter>,
    messages: Family<OfStored, Counter>,
    faults: Counter,
}

/// What is known of a connection.
#[derive(Clone, Copy)]
struct Connection {
    began: Duration,
    logged_in: bool,
}

impl Counts {
    /// Nothing yet.
    pub(super) fn new(now: Clock) -> Self {
        Self {
            now,
            here: Mutex::default(),
            connections: Counter::default(),
            accept_errors: Counter::default(),
            turned_away: zeros(Limit::ALL),
            logins: zeros(Reason::ALL),
            handshakes: filled(Outcome::ALL, || Histogram::new(HANDSHAKE)),
            passwords: filled(Purpose::ALL, || Histogram::new(PASSWORD)),
            enrolments: Counter::default(),
            renewed: Counter::default(),
            breached: Counter::default(),
            key_changes: Counter::default(),
            sessions: Gauge::default(),
            ends: zeros(End::ALL),
            messages: zeros(Stored::ALL),
            faults: Counter::default(),
        }
    }

    fn now(&self) -> Duration {
        (self.now)()
    }

    /// Puts all of it into a registry, each with its name and its meaning.
    pub(super) fn register(&self, to: &mut Registry) {
        to.register(
            "connections",
            "Connections since the start",
            self.connections.clone(),
        );
        to.register(
            "accept_errors",
            "Times that the system had no room for another connection",
            self.accept_errors.clone(),
        );
        to.register(
            "connections_turned_away",
            "Connections that were turned away before their first byte, by the limit",
            self.turned_away.clone(),
        );
        to.register(
            "logins",
            "Logins and enrolments, by how they ended and why",
            self.logins.clone(),
        );
        to.register_with_unit(
            "handshake",
            "Time from the connection to the end of the handshake",
            Unit::Seconds,
            self.handshakes.clone(),
        );
        to.register_with_unit(
            "password",
            "Time of a password hash, without the wait in the queue",
            Unit::Seconds,
            self.passwords.clone(),
        );
        to.register(
            "enrolments",
            "Accounts that were made by invitation",
            self.enrolments.clone(),
        );
        to.register(
            "password_hashes_renewed",
            "Password hashes that were made again at the present cost",
            self.renewed.clone(),
        );
        to.register(
            "breached_passwords",
            "Logins with a password that is in the list of breached ones",
            self.breached.clone(),
        );
        to.register(
            "key_changes",
            "Times that a session got new keys",
            self.key_changes.clone(),
        );
        to.register("sessions", "Open sessions", self.sessions.clone());
        to.register(
            "session_ends",
            "Sessions that have ended, by how they ended",
            self.ends.clone(),
        );
        to.register(
            "messages",
            "Messages that have come, by what became of them",
            self.messages.clone(),
        );
        to.register(
            "faults",
            "Connections that a fault in the program ended",
            self.faults.clone(),
        );
    }

    /// What is known of the connection before this event.
    fn connection(&self, connection: u64, event: &Event) -> Option<Connection> {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Connected { .. } => {
                let (began, logged_in) = (self.now(), false);
                here.insert(connection, Connection { began, logged_in });
                None
            }
            Event::LoggedIn { .. } => {
                let known = here.get_mut(&connection)?;
                let before = *known;
                known.logged_in = true;
                Some(before)
            }
            last if last.is_last() => here.remove(&connection),
            _ => here.get(&connection).copied(),
        }
    }

    /// A handshake has come to its end.
    fn login(&self, reason: Reason, connection: Option<Connection>) {
        self.logins.get_or_create(&reason.into()).inc();
        if let Some(Connection { began, .. }) = connection {
            let took = self.now().saturating_sub(began);
            let of = self.handshakes.get_or_create(&reason.outcome().into());
            of.observe(took.as_secs_f64());
        }
    }

    fn message(&self, became: Stored) {
        self.messages.get_or_create(&became.into()).inc();
    }

    fn end_session(&self, event: &Event) {
        self.sessions.dec();
        if let Some(end) = End::of(event) {
            self.ends.get_or_create(&end.into()).inc();
        }
    }
}

impl Observer for Counts {
    fn event(&self, connection: u64, event: &Event) {
        let known = self.connection(connection, event);
        let in_session = known.is_some_and(|known| known.logged_in);
        match event {
            Event::Connected { .. } => _ = self.connections.inc(),
            Event::TurnedAway { why } => {
                _ = self
                    .turned_away
                    .get_or_create(&Limit::from(*why).into())
                    .inc();
            }
            Event::HandshakeFailed { why } | Event::LoginFailed { why } => {
                self.login((&**why).into(), known);
            }
            Event::Refused { reason, .. } => self.login((*reason).into(), known),
            Event::LoggedIn { .. } => {
                self.login(Reason::None, known);
                self.sessions.inc();
            }
            Event::Enrolled { .. } => _ = self.enrolments.inc(),
            Event::HashRenewed { .. } => _ = self.renewed.inc(),
            // Counted as refused: that event follows.
            Event::WeakKey { .. } => {}
            Event::BreachedPassword { .. } => _ = self.breached.inc(),
            Event::NewKeys { .. } => _ = self.key_changes.inc(),
            Event::Stored { .. } => self.message(Stored::New),
            Event::Duplicate { .. } => self.message(Stored::Duplicate),
            Event::Conflict { .. } => self.message(Stored::Conflict),
            Event::StoreFailed { why, .. } => self.message((&**why).into()),
            Event::Panicked => {
                self.faults.inc();
                if !in_session {
                    self.login(Reason::Fault, known);
                }
            }
            Event::Closed { .. }
            | Event::Truncated { .. }
            | Event::Silent { .. }
            | Event::ProtocolError { .. } => {}
        }
        if event.is_last() && in_session {
            self.end_session(event);
        }
    }

    fn cannot_accept(&self, _: &io::Error) {
        self.accept_errors.inc();
    }

    fn hashed(&self, purpose: observer::Purpose, took: Duration) {
        let of = self.passwords.get_or_create(&Purpose::from(purpose).into());
        of.observe(took.as_secs_f64());
    }
}

/// A family with a zero for each of these.
pub(super) fn zeros<L, S, M>(values: &[L]) -> Family<S, M>
where
    L: Copy + Into<S>,
    S: Clone + Eq + Hash + EncodeLabelSet,
    M: Default,
{
    filled(values, M::default)
}

fn filled<L, S, M>(values: &[L], make: fn() -> M) -> Family<S, M>
where
    L: Copy + Into<S>,
    S: Clone + Eq + Hash + EncodeLabelSet,
{
    let family = Family::new_with_constructor(make);
    for value in values {
        drop(family.get_or_create(&(*value).into()));
    }
    family
}

#[cfg(test)]
mod tests;
