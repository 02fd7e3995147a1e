//! The grader is right about both: every honest server of ours passes, and every false repair fails with a message that a
//! student can use.

mod flawed;

use std::cell::Cell;

use flawed::{Flaw, Through, WrongOrder, door};
use latchstring_arena::{DEFAULT_SEED, verdict::Outcome};
use latchstring_ladder::{
    Idea, Rung,
    accounts::{Accounts, Door},
    attack::Attack,
    attacks, cast, folder,
    grade::{Finding, Promise, server, server_on},
    network::Memory,
    run::run_at,
    serve::serve,
    server::Server,
};

fn rung(number: u8) -> Rung {
    Rung::new(number).unwrap()
}

fn accounts(rung: Rung) -> Accounts {
    let keys = tempfile::tempdir().unwrap();
    folder::write(rung, keys.path()).unwrap();
    folder::server(rung, keys.path()).unwrap().1
}

fn honest(rung: Rung) -> Server {
    of(rung, Box::new(accounts(rung)))
}

fn of(rung: Rung, door: Box<dyn Door>) -> Server {
    let host = rung.has(Idea::Exchange).then(cast::host);
    Server::new(rung, host, door, cast::rng(7, "graded server"))
}

/// What the grader says of an honest server with a flaw in front.
fn findings(rung: Rung, flaw: Flaw) -> Vec<Finding> {
    let network = Memory::new(of(rung, door(flaw, accounts(rung))));
    let through = Through {
        network: &network,
        rung,
        flaw,
        dialled: Cell::new(0),
    };
    server_on(rung, &through, DEFAULT_SEED)
}

fn texts(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| format!("{finding}\n"));
    lines.collect()
}

#[test]
fn every_honest_server_passes_in_memory_with_any_seed() {
    for rung in Rung::spoken() {
        for seed in [1, 2] {
            let network = Memory::new(honest(rung));
            let found = server_on(rung, &network, seed);
            assert!(found.is_empty(), "rung {rung}: {}", texts(&found));
        }
    }
}

#[test]
fn an_honest_server_passes_over_tcp() {
    for number in [2, 6] {
        let rung = rung(number);
        let listening = serve(
            rung,
            honest(rung),
            latchstring_attacker::net::loopback::Loopback::v4(0),
            |_| (),
        )
        .unwrap();
        let found = server(rung, listening.address(), DEFAULT_SEED);
        assert!(found.is_empty(), "rung {rung}: {}", texts(&found));
        listening.stop();
    }
}

#[test]
fn a_server_that_closes_every_connection_serves_nobody_and_so_withstands_nothing() {
    for number in [1, 3, 6] {
        let found = findings(rung(number), Flaw::ClosesAll);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].promise, Promise::Session);
        assert!(
            found[0]
                .to_string()
                .starts_with("expected: an honest client logs in")
        );
    }
}

/// The flaw, a rung on which it is tried, the promise that it breaks, and words of the message.
const FALSE_REPAIRS: [(Flaw, u8, Promise, &str); 23] = [
    (
        Flaw::RefusesInSilence,
        6,
        Promise::Refusal,
        "without the frame that says so",
    ),
    (
        Flaw::EndsAtLong,
        1,
        Promise::Lengths,
        "ended before change()",
    ),
    (
        Flaw::NumberInOneByte,
        1,
        Promise::ManyTexts,
        "an open connection after change()",
    ),
    (
        Flaw::NumberInOneByte,
        1,
        Promise::Withstands("keystream-reuse"),
        "an open connection after the text change()",
    ),
    (
        Flaw::CountsForItself,
        1,
        Promise::Withstands("keystream-reuse"),
        "an open connection after the text change()",
    ),
    (
        Flaw::NumberInOneByte,
        2,
        Promise::ManyTexts,
        "256 of 300 texts answered",
    ),
    (
        Flaw::RefusesAlice,
        3,
        Promise::Names,
        "the login was refused",
    ),
    (Flaw::OnlyAlice, 3, Promise::Names, "the login was refused"),
    (Flaw::DropsLong, 2, Promise::Lengths, "texts answered"),
    (
        Flaw::AnswersAtRandom,
        2,
        Promise::ManyTexts,
        "texts answered",
    ),
    (
        Flaw::AnyTag,
        2,
        Promise::Withstands("bit-flip"),
        "an answer as to a text",
    ),
    (
        Flaw::TagTooLate,
        2,
        Promise::Withstands("bit-flip"),
        "then the connection ended",
    ),
    (
        Flaw::Modulo256,
        3,
        Promise::Withstands("reorder"),
        "an answer as to a text",
    ),
    (
        Flaw::AnyNumber,
        3,
        Promise::Withstands("message-replay"),
        "an answer as to a text",
    ),
    (
        Flaw::AnyNumber,
        4,
        Promise::Withstands("drop"),
        "an answer as to a text",
    ),
    (
        Flaw::AnySignature,
        6,
        Promise::Withstands("impersonate"),
        "a welcome",
    ),
    (
        Flaw::AnySignature,
        6,
        Promise::Withstands("relay"),
        "a welcome",
    ),
    (
        Flaw::AnyPassword,
        7,
        Promise::Withstands("stolen-key"),
        "a welcome",
    ),
    (Flaw::OnePassword, 7, Promise::Names, "refused"),
    (
        Flaw::AnybodysPassword,
        7,
        Promise::Withstands("stolen-key"),
        "a welcome",
    ),
    (
        Flaw::NeverCounts,
        8,
        Promise::Withstands("online-guessing"),
        "a welcome",
    ),
    (
        Flaw::NoCap,
        8,
        Promise::Withstands("hog"),
        "64 of 64 stay open",
    ),
    (
        Flaw::OneReadOneMessage,
        2,
        Promise::SlowNetwork,
        "the login was refused",
    ),
];

#[test]
fn each_false_repair_breaks_its_promise_with_a_message_for_its_author() {
    for (flaw, number, promise, words) in FALSE_REPAIRS {
        let found = findings(rung(number), flaw);
        let told = found.iter().find(|finding| finding.promise == promise);
        let Some(told) = told.or_else(|| {
            found
                .iter()
                .find(|finding| finding.promise == Promise::Session)
        }) else {
            panic!("{flaw:?} passes: {}", texts(&found));
        };
        let message = told.to_string();
        assert!(
            message.starts_with("expected: ") && message.contains(words),
            "{flaw:?}: {message}"
        );
        // What was tried stays the grader's.
        assert!(
            !message.contains("alice") && !message.contains("nnnn"),
            "{message}"
        );
    }
}

fn attack(id: &str) -> &'static Attack {
    attacks::find(id).unwrap()
}

/// The twins of the two attacks that rung 7 never lets work: against a server that looks at the password first.
#[test]
fn a_server_that_checks_the_password_before_the_signature_falls_to_both_attacks() {
    for rung in [rung(7), rung(8)] {
        for id in ["argon2-exhaustion", "lockout"] {
            let right = run_at(
                attack(id),
                rung,
                1,
                Box::new(Accounts::new(cast::accounts(rung))),
            );
            assert_eq!(right.verdict.outcome, Outcome::Held, "{id}");
            let door = WrongOrder::new(cast::accounts(rung));
            let wrong = run_at(attack(id), rung, 1, Box::new(door));
            assert_eq!(
                wrong.verdict.outcome,
                Outcome::Broke,
                "{id}: {}",
                wrong.verdict.statement
            );
        }
        let door = WrongOrder::new(accounts(rung).users().to_vec());
        let network = Memory::new(of(rung, Box::new(door)));
        let found = server_on(rung, &network, DEFAULT_SEED);
        assert!(
            found
                .iter()
                .any(|finding| finding.promise == Promise::Withstands("lockout")),
            "{}",
            texts(&found)
        );
    }
}

/// The unmended server: its answers are those of the rung below.
#[test]
fn the_server_of_the_rung_below_fails() {
    for number in 1..9 {
        let network = Memory::new(honest(rung(number - 1)));
        let found = server_on(rung(number), &network, DEFAULT_SEED);
        assert!(!found.is_empty(), "rung {number}");
    }
}

#[test]
fn a_reflected_frame_passes_where_both_directions_have_one_key() {
    let found = findings(rung(2), Flaw::TakesItsOwnFrames);
    assert!(
        found
            .iter()
            .any(|finding| finding.promise == Promise::Withstands("reflection")),
        "{}",
        texts(&found)
    );
}
