//! New keys inside a session: nothing is lost on the way, the old keys open nothing that comes after, and no end can be
//! talked into a change that the protocol does not have.

mod support;

use std::{collections::VecDeque, time::Duration};

use latchstring_protocol::hardened::{
    Error,
    driver::{Driver, Event as Told, Settings},
    message::{Message, Type},
    primitives::Secret,
    record::{Opener, Sealer},
    role::Role,
    session::{CloseCode, Event, KIND_TEXT, KeyLife, Session},
};
use proptest::prelude::*;
use support::{
    Login,
    forger::{Forger, Handshake},
};
use zeroize::Zeroizing;

fn secret(byte: u8) -> Secret {
    Zeroizing::new([byte; 32])
}

fn message(id: u64, text: &str) -> Event {
    Event::Message {
        id,
        kind: KIND_TEXT,
        text: text.to_owned(),
    }
}

fn says(from: &mut Session, to: &mut Session, id: u64, text: &str) {
    let (_, record) = from.send(KIND_TEXT, text).unwrap();
    assert_eq!(to.receive(&record).unwrap(), message(id, text));
}

/// REKEY1 and REKEY2, and the client's REKEY3, which is not delivered.
fn changes(client: &mut Session, server: &mut Session, byte: u8) -> Vec<u8> {
    let offer = client.begin_rekey(&secret(byte)).unwrap();
    assert_eq!(server.receive(&offer).unwrap(), Event::NewKeysWanted);
    assert!(server.owes_answer());
    let answer = server.answer_rekey(&secret(byte + 1)).unwrap();
    let Event::NewKeys { answer } = client.receive(&answer).unwrap() else {
        panic!("the client has no new keys");
    };
    answer.unwrap()
}

#[test]
fn messages_go_on_in_both_directions_while_the_keys_change() {
    let (mut client, mut server) = Login::default().open();
    for round in 0..5 {
        let id = u64::from(round) * 4;
        let offer = client.begin_rekey(&secret(3 + round)).unwrap();
        // Under the old keys on both sides, before and after REKEY1.
        let (_, crossing) = server.send(KIND_TEXT, "before REKEY2").unwrap();
        assert_eq!(server.receive(&offer).unwrap(), Event::NewKeysWanted);
        says(&mut client, &mut server, id + 1, "after REKEY1");
        assert_eq!(
            client.receive(&crossing).unwrap(),
            message(id + 1, "before REKEY2")
        );

        let answer = server.answer_rekey(&secret(33 + round)).unwrap();
        let (_, new) = server.send(KIND_TEXT, "after REKEY2").unwrap();
        says(&mut client, &mut server, id + 2, "before REKEY3");
        let Event::NewKeys { answer } = client.receive(&answer).unwrap() else {
            panic!("no new keys");
        };
        assert_eq!(
            client.receive(&new).unwrap(),
            message(id + 2, "after REKEY2")
        );

        let (_, new) = client.send(KIND_TEXT, "after REKEY3").unwrap();
        let end = server.receive(&answer.unwrap()).unwrap();
        assert_eq!(end, Event::NewKeys { answer: None });
        assert_eq!(
            server.receive(&new).unwrap(),
            message(id + 3, "after REKEY3")
        );
        says(&mut client, &mut server, id + 4, "and on");
        for text in [3, 4] {
            says(&mut server, &mut client, id + text, "and back");
        }
        assert_eq!(
            (client.epoch(), server.epoch()),
            (2 + u32::from(round), 2 + u32::from(round))
        );
        let ack = server.acknowledge(id + 4).unwrap();
        assert_eq!(
            client.receive(&ack).unwrap(),
            Event::Acknowledged { up_to: id + 4 }
        );
        let ack = client.acknowledge(id + 4).unwrap();
        server.receive(&ack).unwrap();
    }
    let close = client.close(CloseCode::Done).unwrap();
    assert!(matches!(server.receive(&close), Ok(Event::Closed { .. })));
}

/// The twin of this test is the attack `memory-dump` against peers that never change their keys.
#[test]
fn the_keys_of_the_login_open_nothing_after_the_change() {
    let (mut client, mut server) = Login::default().open();
    let (handshake, _, auth) = Handshake::new().claim(false);
    let old = |label| Opener::new(&handshake.session_secret(&auth, label), 1);
    let (mut from_client, mut from_server) = (old("ap c2s"), old("ap s2c"));
    let welcome = Sealer::new(&handshake.session_secret(&auth, "ap s2c"), 1)
        .seal(Type::AuthOk, &0_u64.to_be_bytes())
        .unwrap();
    assert!(from_server.open(&welcome).is_ok());
    let (_, record) = client.send(KIND_TEXT, "old").unwrap();
    assert!(from_client.open(&record).is_ok());
    server.receive(&record).unwrap();

    let offer = client.begin_rekey(&secret(3)).unwrap();
    assert_eq!(from_client.open(&offer).unwrap().typ, Type::Rekey1);
    server.receive(&offer).unwrap();
    let answer = server.answer_rekey(&secret(4)).unwrap();
    assert_eq!(from_server.open(&answer).unwrap().typ, Type::Rekey2);
    let Event::NewKeys { answer: Some(end) } = client.receive(&answer).unwrap() else {
        panic!("no new keys");
    };
    assert_eq!(from_client.open(&end).unwrap().typ, Type::Rekey3);
    server.receive(&end).unwrap();
    let (_, record) = client.send(KIND_TEXT, "new").unwrap();
    assert_eq!(
        from_client.open(&record).err(),
        Some(Error::Forged("record tag"))
    );
    let (_, record) = server.send(KIND_TEXT, "new").unwrap();
    assert_eq!(
        from_server.open(&record).err(),
        Some(Error::Forged("record tag"))
    );
}

/// Two changes with the same X25519 values give other keys: the epoch and the old root are in them.
#[test]
fn no_two_epochs_have_the_same_keys() {
    let (mut client, mut server) = Login::default().open();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let end = changes(&mut client, &mut server, 7);
        server.receive(&end).unwrap();
        // The same plaintext with the same number, under the keys of each epoch.
        seen.push(client.ping().unwrap().unwrap());
        let Event::Reply(pong) = server.receive(seen.last().unwrap()).unwrap() else {
            panic!("no answer");
        };
        client.receive(&pong).unwrap();
    }
    let distinct = |n: usize| seen.iter().filter(|record| **record == seen[n]).count() == 1;
    assert!((0..3).all(distinct));
}

fn violation(result: &Result<Event, Error>, what: &str) {
    let is = matches!(result, Err(Error::Violation(why)) if why.contains(what));
    assert!(is, "{what}: {result:?}");
}

#[test]
fn a_change_that_the_protocol_does_not_have_ends_the_session() {
    for (end, says, what) in [
        (
            Role::Client,
            Message::Rekey1([9; 32]),
            "only a client begins",
        ),
        (
            Role::Client,
            Message::Rekey2([9; 32]),
            "an answer to no change",
        ),
        (Role::Client, Message::Rekey3, "the end of no change"),
        (Role::Server, Message::RekeyAsk, "only a server asks"),
        (
            Role::Server,
            Message::Rekey2([9; 32]),
            "an answer to no change",
        ),
        (Role::Server, Message::Rekey3, "the end of no change"),
    ] {
        let mut forger = Forger::against(end, 0);
        let record = forger.say(&says);
        violation(&forger.end.receive(&record), what);
    }
    // A second one before the first is done, whether the server has answered or not.
    for answered in [false, true] {
        let mut forger = Forger::against(Role::Server, 0);
        let offer = forger.say(&Message::Rekey1([9; 32]));
        forger.end.receive(&offer).unwrap();
        if answered {
            forger.end.answer_rekey(&secret(4)).unwrap();
        }
        let again = forger.say(&Message::Rekey1([9; 32]));
        violation(&forger.end.receive(&again), "during another one");
    }
}

/// A point of small order would make the new keys a function of the old ones alone.
#[test]
fn a_value_that_forces_a_zero_secret_is_refused_by_both_ends() {
    let mut forger = Forger::against(Role::Server, 0);
    let offer = forger.say(&Message::Rekey1([0; 32]));
    forger.end.receive(&offer).unwrap();
    let answer = forger.end.answer_rekey(&secret(4));
    assert!(matches!(answer, Err(Error::Forged(_))), "{answer:?}");

    let mut forger = Forger::against(Role::Client, 0);
    forger.end.begin_rekey(&secret(3)).unwrap();
    let answer = forger.say(&Message::Rekey2([0; 32]));
    let end = forger.end.receive(&answer);
    assert!(matches!(end, Err(Error::Forged(_))), "{end:?}");
}

#[test]
fn a_body_of_another_length_is_malformed() {
    for (end, typ, length) in [
        (Role::Server, Type::Rekey1, 31),
        (Role::Server, Type::Rekey1, 33),
        (Role::Client, Type::Rekey2, 0),
        (Role::Server, Type::Rekey3, 1),
        (Role::Client, Type::RekeyAsk, 1),
    ] {
        let mut forger = Forger::against(end, 0);
        let record = forger.seal(typ, &vec![1; length]);
        let end = forger.end.receive(&record);
        assert!(matches!(end, Err(Error::Malformed(_))), "{typ:?}: {end:?}");
    }
}

#[test]
fn an_end_begins_what_is_its_own_to_begin() {
    let (mut client, mut server) = Login::default().open();
    let misuse = |result: Result<Vec<u8>, Error>| {
        assert!(matches!(result, Err(Error::Misuse(_))), "{result:?}");
    };
    misuse(server.begin_rekey(&secret(1)));
    misuse(client.ask_rekey());
    misuse(client.answer_rekey(&secret(1)));
    misuse(server.answer_rekey(&secret(1)));
    client.begin_rekey(&secret(1)).unwrap();
    misuse(client.begin_rekey(&secret(1)));
    client.close(CloseCode::Done).unwrap();
    server.close(CloseCode::Stopping).unwrap();
    misuse(client.begin_rekey(&secret(1)));
    misuse(server.ask_rekey());
}

/// Nothing follows a CLOSE. Each end closes at each moment of a change, and both still agree on the end.
#[test]
fn a_close_at_any_moment_of_a_change_is_agreed_on() {
    // The client closes after REKEY1: it answers no REKEY2.
    let (mut client, mut server) = Login::default().open();
    let offer = client.begin_rekey(&secret(3)).unwrap();
    let close = client.close(CloseCode::Done).unwrap();
    server.receive(&offer).unwrap();
    let answer = server.answer_rekey(&secret(4)).unwrap();
    let Event::Closed { answer: agreed, .. } = server.receive(&close).unwrap() else {
        panic!("no agreement");
    };
    assert_eq!(
        client.receive(&answer).unwrap(),
        Event::NewKeys { answer: None }
    );
    assert_eq!(client.receive(&agreed).unwrap(), Event::CloseAgreed);

    // The server closes before REKEY1 comes, or after it and before it has answered.
    for heard_first in [false, true] {
        let (mut client, mut server) = Login::default().open();
        let offer = client.begin_rekey(&secret(3)).unwrap();
        if heard_first {
            assert_eq!(server.receive(&offer).unwrap(), Event::NewKeysWanted);
        }
        let close = server.close(CloseCode::Stopping).unwrap();
        if !heard_first {
            assert_eq!(server.receive(&offer).unwrap(), Event::TooLate);
        }
        assert!(!server.owes_answer());
        let Event::Closed { answer, .. } = client.receive(&close).unwrap() else {
            panic!("no agreement");
        };
        assert_eq!(server.receive(&answer).unwrap(), Event::CloseAgreed);
    }

    // The server closes after REKEY2: the client's REKEY3 and CLOSE_ACK still open.
    let (mut client, mut server) = Login::default().open();
    let offer = client.begin_rekey(&secret(3)).unwrap();
    server.receive(&offer).unwrap();
    let answer = server.answer_rekey(&secret(4)).unwrap();
    let close = server.close(CloseCode::Stopping).unwrap();
    let Event::NewKeys { answer: Some(end) } = client.receive(&answer).unwrap() else {
        panic!("no new keys");
    };
    let Event::Closed { answer: agreed, .. } = client.receive(&close).unwrap() else {
        panic!("no agreement");
    };
    assert_eq!(
        server.receive(&end).unwrap(),
        Event::NewKeys { answer: None }
    );
    assert_eq!(server.receive(&agreed).unwrap(), Event::CloseAgreed);

    // A question that crosses the client's close, or its REKEY1, has no answer.
    for closes in [true, false] {
        let (mut client, mut server) = Login::default().open();
        let ask = server.ask_rekey().unwrap();
        match closes {
            true => client.close(CloseCode::Done),
            false => client.begin_rekey(&secret(3)),
        }
        .unwrap();
        assert_eq!(client.receive(&ask).unwrap(), Event::TooLate);
    }
}

/// One of two ends, with what it has sent and what of that has arrived.
struct End {
    session: Session,
    sent: VecDeque<(Vec<u8>, Option<u64>)>,
    heard: u64,
}

impl End {
    fn new(session: Session) -> Self {
        let sent = VecDeque::new();
        Self {
            session,
            sent,
            heard: 0,
        }
    }

    fn say(&mut self) {
        let (id, record) = self.session.send(KIND_TEXT, "said").unwrap();
        self.sent.push_back((record, Some(id)));
    }

    /// Delivers the oldest record to the other end, which answers what has to be answered.
    fn deliver(&mut self, to: &mut Self, byte: u8) {
        let Some((record, id)) = self.sent.pop_front() else {
            return;
        };
        let answer = match to.session.receive(&record).unwrap() {
            Event::Message { id: came, .. } => {
                to.heard += 1;
                assert_eq!((Some(came), came), (id, to.heard));
                None
            }
            Event::NewKeysWanted => Some(to.session.answer_rekey(&secret(byte)).unwrap()),
            Event::NewKeysAsked => Some(to.session.begin_rekey(&secret(byte)).unwrap()),
            Event::NewKeys { answer } => answer,
            Event::TooLate => None,
            other => panic!("{other:?}"),
        };
        to.sent.extend(answer.map(|record| (record, None)));
    }
}

proptest::proptest! {
    /// Whatever is said meanwhile, whoever asks, and however slowly either direction moves.
    #[test]
    fn no_order_of_events_loses_a_message_or_a_change(steps in prop::collection::vec((0..6_u8, 1..255_u8), 0..120)) {
        let (client, server) = Login::default().open();
        let (mut client, mut server) = (End::new(client), End::new(server));
        let mut said = [0, 0];
        for (step, byte) in steps {
            match step {
                0 => (client.say(), said[0] += 1).0,
                1 => (server.say(), said[1] += 1).0,
                2 => client.deliver(&mut server, byte),
                3 => server.deliver(&mut client, byte),
                4 if !client.session.is_changing_keys() => {
                    let offer = client.session.begin_rekey(&secret(byte)).unwrap();
                    client.sent.push_back((offer, None));
                }
                5 if !server.session.is_changing_keys() => {
                    server.sent.push_back((server.session.ask_rekey().unwrap(), None));
                }
                _ => {}
            }
        }
        while !client.sent.is_empty() || !server.sent.is_empty() {
            client.deliver(&mut server, 7);
            server.deliver(&mut client, 9);
        }
        assert_eq!([server.heard, client.heard], said);
        assert_eq!(client.session.epoch(), server.session.epoch());
        assert!(!client.session.is_changing_keys() && !server.session.is_changing_keys());
    }
}

// ----------------------------------------------------------------------------------------------------- the driver

const LIFE: KeyLife = KeyLife {
    records: 10,
    bytes: 5000,
    time: Duration::from_secs(900),
};

const SETTINGS: Settings = Settings {
    ping_every: Duration::from_secs(30),
    close_within: Duration::from_secs(10),
    max_outgoing: 1 << 20,
    key_life: LIFE,
};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn drivers(client: Settings, server: Settings) -> (Driver, Driver) {
    let (one, other) = Login::default().open();
    (
        Driver::new(one, client, at(0)),
        Driver::new(other, server, at(0)),
    )
}

/// Carries bytes and hands secrets in until nothing moves any more; what each end was told.
fn settle(client: &mut Driver, server: &mut Driver, now: Duration) -> [Vec<Told>; 2] {
    let mut told = [Vec::new(), Vec::new()];
    loop {
        let mut moved = false;
        for end in [&mut *client, &mut *server] {
            if end.wants_secret() {
                end.new_keys(&secret(0x5a)).unwrap();
                moved = true;
            }
        }
        moved |= carry(client, server, &mut told[1], now);
        moved |= carry(server, client, &mut told[0], now);
        if !moved {
            return told;
        }
    }
}

fn carry(from: &mut Driver, to: &mut Driver, told: &mut Vec<Told>, now: Duration) -> bool {
    let mut bytes = Vec::new();
    while !from.outgoing().is_empty() {
        bytes.extend(from.outgoing());
        from.written(from.outgoing().len());
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let taken = to.received(rest, now).unwrap();
        rest = &rest[taken..];
        if let Some(event) = to.poll() {
            if let Told::Message { id, .. } = event {
                to.acknowledge(id).unwrap();
            }
            told.push(event);
        }
    }
    !bytes.is_empty()
}

fn new_keys(told: &[Told]) -> usize {
    let is = |event: &&Told| matches!(event, Told::NewKeys { .. });
    told.iter().filter(is).count()
}

#[test]
fn the_usual_life_of_keys_is_the_protocols() {
    let usual = (1 << 20, 256 << 20, at(15 * 60));
    assert_eq!(
        (
            KeyLife::USUAL.records,
            KeyLife::USUAL.bytes,
            KeyLife::USUAL.time
        ),
        usual
    );
}

#[test]
fn after_a_quarter_of_an_hour_either_end_sees_to_new_keys() {
    let patient = Settings {
        key_life: KeyLife {
            time: at(1_000_000),
            ..LIFE
        },
        ping_every: at(10_000),
        ..SETTINGS
    };
    let watchful = Settings {
        key_life: LIFE,
        ..patient
    };
    for (of_client, of_server) in [
        (watchful, patient),
        (patient, watchful),
        (watchful, watchful),
    ] {
        let (mut client, mut server) = drivers(of_client, of_server);
        let deadlines = [client.deadline(), server.deadline()];
        assert!(deadlines.contains(&Some(at(900))), "{deadlines:?}");
        for now in [899, 900] {
            client.timed_out(at(now)).unwrap();
            server.timed_out(at(now)).unwrap();
            let told = settle(&mut client, &mut server, at(now));
            let expected = usize::from(now == 900);
            assert_eq!(
                [new_keys(&told[0]), new_keys(&told[1])],
                [expected; 2],
                "at {now} s"
            );
        }
        // And again, a quarter of an hour after that.
        let deadlines = [client.deadline(), server.deadline()];
        assert!(deadlines.contains(&Some(at(1800))), "{deadlines:?}");
    }
}

#[test]
fn many_records_or_many_bytes_of_either_direction_bring_new_keys_and_lose_nothing() {
    for (texts, size) in [(40, 1), (8, 4000)] {
        for from_client in [true, false] {
            let (mut client, mut server) = drivers(SETTINGS, SETTINGS);
            let mut heard = 0;
            let mut changes = [0, 0];
            for n in 1..=texts {
                let from = if from_client {
                    &mut client
                } else {
                    &mut server
                };
                from.send(KIND_TEXT, &"x".repeat(size)).unwrap();
                let told = settle(&mut client, &mut server, at(n));
                let is = |event: &&Told| matches!(event, Told::Message { .. });
                heard += told.iter().flatten().filter(is).count() as u64;
                changes[0] += new_keys(&told[0]);
                changes[1] += new_keys(&told[1]);
            }
            assert_eq!(heard, texts);
            assert!(changes[0] >= 3 && changes[0] == changes[1], "{changes:?}");
            let epochs = [client.session().epoch(), server.session().epoch()];
            assert_eq!(epochs, [changes[0] as u32 + 1; 2]);
        }
    }
}

/// Few records in a short time: no change at all. A change for each record would be a change for nothing.
#[test]
fn a_short_session_keeps_its_keys() {
    let (mut client, mut server) = drivers(SETTINGS, SETTINGS);
    for n in 1..=4 {
        client.send(KIND_TEXT, "x").unwrap();
        let told = settle(&mut client, &mut server, at(n));
        assert_eq!(new_keys(&told[0]) + new_keys(&told[1]), 0);
    }
    assert_eq!((client.session().epoch(), server.session().epoch()), (1, 1));
}

/// Closing stops everything else: an end that has closed asks for nothing, and waits for nothing but the agreement.
#[test]
fn an_end_that_has_closed_begins_no_change() {
    let (mut client, mut server) = drivers(SETTINGS, SETTINGS);
    client.close(CloseCode::Done, at(899)).unwrap();
    client.ask_for_keys().unwrap();
    assert!(!client.wants_secret());
    assert_eq!(client.deadline(), Some(at(909)));
    server.ask_for_keys().unwrap();
    let told = settle(&mut client, &mut server, at(900));
    assert_eq!(told[0], [Told::CloseAgreed]);
    assert!(matches!(server.poll(), Some(Told::Closed { .. })));
    assert!(client.is_done() && server.is_done());
}
