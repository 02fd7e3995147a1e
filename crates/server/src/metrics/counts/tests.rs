//! Events in, text out.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use latchstring_net::{
    hygiene,
    protocol::hardened::{
        handshake::RefusalReason,
        message::{Fingerprint, UserName},
        session::CloseCode,
    },
    wire::WireError,
};
use latchstring_server_core::{
    AdmissionError, HandshakeError, Load, QueueLoad, Tables, TruncationError,
    balancers::HeaderError,
    cost::WorkCount,
    observer::{self, By},
    store::{StoreError, password::PasswordError},
};

use super::*;
use crate::metrics::gauges;

/// Names and an address that nobody would write into a program.
const ALICE: &str = "telling-name-of-alice";
const PEER: &str = "203.0.113.77:4321";

/// Counts with a clock that the test sets, in milliseconds.
struct Bench {
    counts: Counts,
    clock: Arc<AtomicU64>,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::<AtomicU64>::default();
        let time = Arc::clone(&clock);
        let now = move || Duration::from_millis(time.load(Ordering::Relaxed));
        let counts = Counts::new(Box::new(now));
        Self { counts, clock }
    }

    fn text(&self) -> String {
        gauges::text(&gauges::registry(&self.counts, &gauges::Gauges::new(0)))
    }

    /// The value of a series.
    #[track_caller]
    fn value(&self, series: &str) -> f64 {
        value(&self.text(), series)
    }

    fn connect(&self, connection: u64) {
        let peer = PEER.parse().unwrap();
        self.counts.event(connection, &Event::Connected { peer });
    }

    /// A connection that ends in this way after so many milliseconds.
    fn end(&self, connection: u64, after: u64, event: &Event) {
        self.connect(connection);
        self.clock.fetch_add(after, Ordering::Relaxed);
        self.counts.event(connection, event);
    }

    fn log_in(&self, connection: u64) {
        self.end(
            connection,
            400,
            &Event::LoggedIn {
                user: alice(),
                session_id: [7; 16],
                last_message: 0,
            },
        );
    }
}

#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = line.unwrap_or_else(|| panic!("there is no {series} in {text}"));
    value.parse().unwrap()
}

fn alice() -> UserName {
    UserName::parse(ALICE).unwrap()
}

fn failed(why: impl Into<HandshakeError>) -> Event {
    Event::HandshakeFailed {
        why: Arc::new(why.into()),
    }
}

/// One event of each kind, with all reasons that there are.
fn everything(bench: &Bench) {
    let user = alice;
    let refusals = [
        RefusalReason::UnknownUserOrKey,
        RefusalReason::BadKeyProof,
        RefusalReason::WrongPassword,
        RefusalReason::NotInvited,
        RefusalReason::WeakKey,
        RefusalReason::BadPassword,
        RefusalReason::TooSoon,
        RefusalReason::Disabled,
        RefusalReason::UserDisabled,
    ];
    let refused = refusals.map(|reason| Event::Refused {
        user: user(),
        reason,
    });
    let io = || io::Error::other(format!("{PEER} was reset"));
    let failures = [
        failed(WireError::Closed),
        failed(WireError::Deadline { have: 1, need: 2 }),
        failed(WireError::BadLength(7)),
        failed(WireError::Io(io())),
        failed(HandshakeError::SigningBusy),
        failed(HandshakeError::PasswordBusy),
        failed(HandshakeError::Deadline),
        failed(HandshakeError::Superseded),
        failed(HandshakeError::Stopping),
        failed(HeaderError::Missing),
        failed(StoreError::NoSuchUser(user())),
        Event::LoginFailed {
            why: Arc::new(StoreError::UserExists(user()).into()),
        },
        Event::LoginFailed {
            why: Arc::new(PasswordError::Hash(PEER.to_owned()).into()),
        },
        Event::TurnedAway {
            why: AdmissionError::EarlyDrop,
        },
        Event::Panicked,
    ];
    for (connection, event) in (100..).zip(refused.iter().chain(&failures)) {
        bench.end(connection, 10, event);
    }
    bench.counts.cannot_accept(&io());
    in_sessions(bench);
}

fn in_sessions(bench: &Bench) {
    let user = alice;
    let ends = [
        Event::Closed {
            user: user(),
            by: By::Peer,
            code: CloseCode::Done,
        },
        Event::Truncated {
            user: user(),
            why: Arc::new(TruncationError::WriteClosed),
        },
        Event::Silent {
            user: user(),
            seconds: 60,
        },
        Event::StoreFailed {
            user: user(),
            why: Arc::new(StoreError::NoSuchUser(user())),
        },
        Event::StoreFailed {
            user: user(),
            why: Arc::new(StoreError::Undelivered {
                user: user(),
                id: 9,
                why: format!("{PEER} does not answer"),
            }),
        },
        Event::Panicked,
    ];
    let kid = Fingerprint::of(b"a key");
    for (connection, end) in (200..).zip(&ends) {
        let id = connection;
        bench.log_in(connection);
        for event in [
            Event::Enrolled { user: user(), kid },
            Event::WeakKey {
                user: user(),
                why: hygiene::check(b"no key", []).unwrap_err(),
            },
            Event::HashRenewed { user: user() },
            Event::BreachedPassword { user: user() },
            Event::NewKeys {
                user: user(),
                epoch: 2,
            },
            Event::Stored { user: user(), id },
            Event::Duplicate { user: user(), id },
            Event::Conflict { user: user(), id },
        ] {
            bench.counts.event(connection, &event);
        }
        bench.counts.event(connection, end);
    }
}

#[test]
fn each_login_is_counted_once_by_its_outcome_and_its_reason() {
    let bench = Bench::new();
    everything(&bench);
    for (outcome, reason, times) in [
        ("accepted", "none", 6.0),
        // Two reasons of the log in one: see `Reason::NoKey`.
        ("refused", "no_key", 2.0),
        ("refused", "wrong_password", 1.0),
        ("refused", "locked_out", 1.0),
        ("failed", "hung_up", 1.0),
        ("failed", "too_slow", 2.0),
        ("failed", "protocol", 1.0),
        ("failed", "connection_lost", 1.0),
        ("failed", "removed", 1.0),
        ("failed", "balancer", 1.0),
        ("failed", "other", 0.0),
        ("error", "store", 1.0),
        ("error", "password_hash", 1.0),
        ("error", "fault", 1.0),
    ] {
        let series =
            format!("latchstring_logins_total{{outcome=\"{outcome}\",reason=\"{reason}\"}}");
        assert_eq!(bench.value(&series), times, "{series}");
    }
    // Two of them ended by a fault: one before its login, and one in its session.
    assert_eq!(bench.value("latchstring_faults_total"), 2.0);
    let turned_away = "latchstring_connections_turned_away_total{limit=\"early_drop\"}";
    assert_eq!(bench.value(turned_away), 1.0);
    assert_eq!(bench.value("latchstring_connections_total"), 30.0);
    assert_eq!(bench.value("latchstring_accept_errors_total"), 1.0);
}

#[test]
fn sessions_and_messages_are_counted_and_an_ended_session_is_not_open() {
    let bench = Bench::new();
    everything(&bench);
    assert_eq!(bench.value("latchstring_sessions"), 0.0);
    assert_eq!(bench.value("latchstring_breached_passwords_total"), 6.0);
    assert_eq!(bench.value("latchstring_key_changes_total"), 6.0);
    for (end, times) in [
        ("closed_by_client", 1.0),
        ("closed_by_server", 0.0),
        ("truncated", 1.0),
        ("silent", 1.0),
        ("store", 2.0),
        ("fault", 1.0),
    ] {
        let series = format!("latchstring_session_ends_total{{end=\"{end}\"}}");
        assert_eq!(bench.value(&series), times, "{series}");
    }
    for (result, times) in [
        ("stored", 6.0),
        ("duplicate", 6.0),
        ("conflict", 6.0),
        ("failed", 1.0),
        ("undelivered", 1.0),
    ] {
        let series = format!("latchstring_messages_total{{result=\"{result}\"}}");
        assert_eq!(bench.value(&series), times, "{series}");
    }
    bench.log_in(1);
    bench.log_in(2);
    assert_eq!(bench.value("latchstring_sessions"), 2.0);
    assert!(
        bench.counts.here.lock().unwrap().len() == 2,
        "it forgets whoever is gone"
    );
}

#[test]
fn a_handshake_is_timed_from_the_connection_to_its_end() {
    let bench = Bench::new();
    bench.log_in(1);
    bench.clock.fetch_add(60_000, Ordering::Relaxed);
    let reason = RefusalReason::WrongPassword;
    bench.end(
        2,
        450,
        &Event::Refused {
            user: alice(),
            reason,
        },
    );
    let sum = |outcome: &str| {
        bench.value(&format!(
            "latchstring_handshake_seconds_sum{{outcome=\"{outcome}\"}}"
        ))
    };
    assert_eq!(
        sum("accepted"),
        0.4,
        "a session is no part of the handshake"
    );
    assert_eq!(sum("refused"), 0.45);
    let within = |seconds: &str| {
        let labels = format!("{{outcome=\"refused\",le=\"{seconds}\"}}");
        bench.value(&format!("latchstring_handshake_seconds_bucket{labels}"))
    };
    assert_eq!(
        [within("0.425"), within("0.475"), within("+Inf")],
        [0.0, 1.0, 1.0]
    );
    bench
        .counts
        .hashed(observer::Purpose::Check, Duration::from_millis(130));
    assert_eq!(
        bench.value("latchstring_password_seconds_sum{purpose=\"check\"}"),
        0.13
    );
    assert_eq!(
        bench.value("latchstring_password_seconds_count{purpose=\"store\"}"),
        0.0
    );
}

#[test]
fn no_name_no_address_and_no_key_is_in_the_text() {
    let bench = Bench::new();
    everything(&bench);
    let (text, kid) = (bench.text(), Fingerprint::of(b"a key").to_string());
    for secret in [
        ALICE,
        "telling",
        "203.0.113",
        "4321",
        &kid,
        "SHA256",
        "was reset",
    ] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    // The search finds what is there.
    assert!(text.contains("refused"));
}

#[test]
fn every_value_of_every_label_is_there_from_the_start() {
    let (before, after) = (Bench::new(), Bench::new());
    everything(&after);
    let series = |bench: &Bench| -> std::collections::BTreeSet<String> {
        let text = bench.text();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect()
    };
    assert_eq!(series(&before), series(&after));
    assert!(series(&before).len() > 100);
}

#[test]
fn what_the_server_says_of_itself_is_shown() {
    let load = Load {
        unauthenticated: 3,
        signing: QueueLoad {
            running: 2,
            waiting: 5,
        },
        hashing: QueueLoad {
            running: 1,
            waiting: 16,
        },
        tables: Tables {
            rates: 11,
            penalties: 12,
            trusted: 13,
            keys: 14,
        },
        received: 1000,
        sent: 2000,
    };
    let (counts, read) = (Bench::new().counts, gauges::Gauges::new(1_795_000_000));
    read.read(&load, &WorkCount::default(), 77);
    let text = gauges::text(&gauges::registry(&counts, &read));
    for (series, expected) in [
        ("latchstring_start_time_seconds", 1_795_000_000.0),
        ("latchstring_unauthenticated_connections", 3.0),
        ("latchstring_queue_waiting{queue=\"signing\"}", 5.0),
        ("latchstring_queue_running{queue=\"password\"}", 1.0),
        ("latchstring_table_entries{table=\"penalties\"}", 12.0),
        (
            "latchstring_table_entries{table=\"password_throttle\"}",
            14.0,
        ),
        ("latchstring_received_bytes_total", 1000.0),
        ("latchstring_sent_bytes_total", 2000.0),
        ("latchstring_log_lines_lost_total", 77.0),
        ("latchstring_work_total{work=\"hash\"}", 0.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    assert!(text.contains("latchstring_build_info{version=\""), "{text}");
}
