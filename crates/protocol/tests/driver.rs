//! A session is driven by bytes and by a clock that is made of numbers.

mod support;

use std::time::Duration;

use latchstring_protocol::hardened::{
    Error,
    driver::{Broken, Driver, Event, Settings},
    session::{CloseCode, KIND_TEXT, KeyLife},
};
use support::*;

const SETTINGS: Settings = Settings {
    ping_every: Duration::from_secs(30),
    close_within: Duration::from_secs(10),
    max_outgoing: 16 * 1024,
    key_life: KeyLife::USUAL,
};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Client and server at second 0.
fn pair(settings: Settings) -> (Driver, Driver) {
    let (client, server) = Login::default().open();
    let driver = |session| Driver::new(session, settings, at(0));
    (driver(client), driver(server))
}

/// Writes all that waits at one end.
fn written(driver: &mut Driver) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !driver.outgoing().is_empty() {
        bytes.extend(driver.outgoing());
        driver.written(driver.outgoing().len());
    }
    bytes
}

/// Hands the bytes in, so many at a time, and takes the events between.
fn hand_in(driver: &mut Driver, bytes: &[u8], step: usize, now: Duration) -> Vec<Event> {
    let mut events = Vec::new();
    for chunk in bytes.chunks(step) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let taken = driver.received(rest, now).unwrap();
            rest = &rest[taken..];
            let event = driver.poll();
            assert!(taken > 0 || event.is_some(), "it goes on");
            events.extend(event);
        }
    }
    events
}

/// Carries all that one end has to write to the other.
fn carry(from: &mut Driver, to: &mut Driver, now: Duration) -> Vec<Event> {
    let bytes = written(from);
    hand_in(to, &bytes, 1 << 20, now)
}

fn message(id: u64, text: &str) -> Event {
    let text = text.to_owned();
    let kind = KIND_TEXT;
    Event::Message { id, kind, text }
}

#[test]
fn messages_come_in_order_however_the_stream_cuts_them() {
    for step in [1, 7, 100, 1 << 20] {
        let (mut client, mut server) = pair(SETTINGS);
        let texts: Vec<String> = (1..=20).map(|n| "x".repeat(n * 40)).collect();
        for text in &texts {
            client.send(KIND_TEXT, text).unwrap();
        }
        let bytes = written(&mut client);
        let heard = hand_in(&mut server, &bytes, step, at(1));
        let said = (1..).zip(&texts).map(|(id, text)| message(id, text));
        assert_eq!(heard, said.collect::<Vec<_>>(), "{step} bytes at a time");

        // Nothing is acknowledged before the owner says that it is durable.
        assert!(server.outgoing().is_empty());
        server.acknowledge(20).unwrap();
        let heard = carry(&mut server, &mut client, at(1));
        assert_eq!(heard, [Event::Acknowledged { up_to: 20 }]);
    }
}

#[test]
fn a_question_is_answered_with_what_is_held() {
    let (mut client, mut server) = pair(SETTINGS);
    client.query(7).unwrap();
    let heard = carry(&mut client, &mut server, at(1));
    assert_eq!(heard, [Event::Query { id: 7 }]);
    server.held(7, None).unwrap();
    let heard = carry(&mut server, &mut client, at(1));
    assert_eq!(heard, [Event::Held { id: 7, held: None }]);
}

#[test]
fn a_silent_peer_is_asked_once_and_given_up_after_three_intervals() {
    let (mut client, _) = pair(SETTINGS);
    assert_eq!(client.deadline(), Some(at(30)));
    client.timed_out(at(29)).unwrap();
    assert!(client.outgoing().is_empty(), "it is too early to ask");

    client.timed_out(at(30)).unwrap();
    assert!(!written(&mut client).is_empty());
    assert_eq!(client.deadline(), Some(at(60)));
    client.timed_out(at(60)).unwrap();
    assert!(client.outgoing().is_empty(), "the first question is open");
    let after = at(90);
    assert_eq!(client.timed_out(at(90)), Err(Broken::Silent { after }));
}

#[test]
fn any_record_of_the_peer_begins_the_count_again() {
    let (mut client, mut server) = pair(SETTINGS);
    client.timed_out(at(30)).unwrap();
    client.timed_out(at(60)).unwrap();
    assert_eq!(carry(&mut client, &mut server, at(61)), []);
    assert_eq!(server.deadline(), Some(at(91)), "a ping counts too");
    // The answer is no event: the owner has nothing to do.
    assert_eq!(carry(&mut server, &mut client, at(62)), []);
    assert_eq!(client.deadline(), Some(at(92)));
    client.timed_out(at(92)).unwrap();
    client.timed_out(at(122)).unwrap();
    client.ping_every(at(1), at(123));
    assert_eq!(client.deadline(), Some(at(124)));
}

#[test]
fn a_close_is_agreed_on_in_time_or_the_session_is_broken() {
    let (mut client, mut server) = pair(SETTINGS);
    client.close(CloseCode::Done, at(5)).unwrap();
    assert!(!client.has_room() && !client.may_query());
    assert_eq!(client.deadline(), Some(at(15)));

    // What crosses the close does not prolong it, and is not acknowledged.
    server.send(KIND_TEXT, "late").unwrap();
    let heard = carry(&mut server, &mut client, at(14));
    assert_eq!(heard, [message(1, "late")]);
    written(&mut client);
    client.acknowledge(1).unwrap();
    assert!(client.outgoing().is_empty());
    client.timed_out(at(14)).unwrap();
    assert_eq!(client.timed_out(at(15)), Err(Broken::NoAgreement));
}

#[test]
fn a_peers_close_is_told_once_the_answer_is_written_and_then_nothing_is_left() {
    let code = CloseCode::Done;
    let (mut client, mut server) = pair(SETTINGS);
    client.close(code, at(1)).unwrap();
    let close = written(&mut client);
    let close = close.as_slice();
    assert_eq!(server.received(&close[..4], at(1)), Ok(4));
    assert_eq!(server.received(&close[4..], at(1)), Ok(close.len() - 4));

    assert!(server.is_over() && !server.is_done());
    assert_eq!(server.poll(), None, "the answer is not written");
    assert_eq!((server.room(), server.deadline()), (0, Some(at(6))));
    let answer = written(&mut server);
    assert_eq!(server.poll(), Some(Event::Closed { code }));
    assert!(server.is_done());
    assert_eq!((server.poll(), server.deadline()), (None, None));
    assert!(matches!(server.send(KIND_TEXT, "?"), Err(Error::Misuse(_))));
    assert!(matches!(server.close(code, at(2)), Err(Error::Misuse(_))));

    let heard = hand_in(&mut client, &answer, 1, at(2));
    assert_eq!(heard, [Event::CloseAgreed]);
    assert!(client.is_done());
}

#[test]
fn an_answer_that_cannot_be_written_does_not_keep_the_close_back() {
    let code = CloseCode::Stopping;
    for write_fails in [true, false] {
        let (mut client, mut server) = pair(SETTINGS);
        server.close(code, at(1)).unwrap();
        let close = written(&mut server);
        client.received(&close[..4], at(1)).unwrap();
        client.received(&close[4..], at(1)).unwrap();
        assert_eq!(client.poll(), None);
        match write_fails {
            true => client.cannot_write(),
            false => client.timed_out(at(6)).unwrap(),
        }
        assert_eq!(client.poll(), Some(Event::Closed { code }));
    }
}

#[test]
fn two_closes_that_cross_are_an_agreement() {
    let (mut client, mut server) = pair(SETTINGS);
    client.close(CloseCode::Done, at(1)).unwrap();
    server.close(CloseCode::Stopping, at(1)).unwrap();
    let (from_client, from_server) = (written(&mut client), written(&mut server));
    for (driver, bytes) in [(&mut client, from_server), (&mut server, from_client)] {
        driver.received(&bytes[..4], at(2)).unwrap();
        driver.received(&bytes[4..], at(2)).unwrap();
        // The time for the last bytes is not longer than that for the close.
        assert_eq!(driver.deadline(), Some(at(7)));
        written(driver);
        assert!(matches!(driver.poll(), Some(Event::Closed { .. })));
    }
}

#[test]
fn nothing_is_read_while_too_much_waits_to_be_written() {
    let (mut client, mut server) = pair(Settings {
        max_outgoing: 200,
        ..SETTINGS
    });
    for _ in 0..5 {
        client.query(1).unwrap();
    }
    // The client's own limit does not keep it from speaking, only from hearing.
    assert_eq!(client.room(), 0);
    let questions = written(&mut client);
    let mut rest = &questions[..];
    loop {
        let taken = server.received(rest, at(1)).unwrap();
        rest = &rest[taken..];
        match server.poll() {
            Some(Event::Query { id }) => server.held(id, None).unwrap(),
            None if taken == 0 => break,
            event => assert_eq!(event, None),
        }
    }
    assert_eq!((server.room(), server.outgoing().len()), (0, 200));
    assert_eq!(rest.len(), questions.len() - 200);

    // A record that has begun is not late while nobody reads it.
    server.written(100);
    assert_eq!(server.received(&rest[..1], at(2)), Ok(1));
    server.send(KIND_TEXT, "").unwrap();
    assert_eq!((server.room(), server.deadline()), (0, Some(at(31))));
    server.timed_out(at(20)).unwrap();
    written(&mut server);
    assert_eq!((server.room(), server.deadline()), (3, Some(at(7))));
}

#[test]
fn nothing_is_read_while_an_event_waits() {
    let (mut client, mut server) = pair(SETTINGS);
    client.send(KIND_TEXT, "one").unwrap();
    client.send(KIND_TEXT, "two").unwrap();
    let bytes = written(&mut client);
    assert_eq!(server.received(&bytes, at(1)), Ok(4));
    assert_eq!(server.received(&bytes[4..], at(1)), Ok(96));
    assert_eq!(server.received(&bytes[100..], at(1)), Ok(0));
    assert_eq!(server.poll(), Some(message(1, "one")));
    assert_eq!(server.room(), 4);
}

#[test]
fn a_record_that_has_begun_must_be_whole_in_time() {
    let (mut client, mut server) = pair(SETTINGS);
    client.send(KIND_TEXT, "slow").unwrap();
    let bytes = written(&mut client);
    server.received(&bytes[..4], at(3)).unwrap();
    server.received(&bytes[4..9], at(7)).unwrap();
    assert_eq!(server.deadline(), Some(at(8)));
    server.timed_out(at(7)).unwrap();
    let slow = Broken::Slow { have: 9, need: 100 };
    assert_eq!(server.timed_out(at(8)), Err(slow));
}

#[test]
fn a_stream_that_ends_without_a_close_is_cut_short() {
    let (mut client, mut server) = pair(SETTINGS);
    assert_eq!(server.ended(), Err(Broken::Closed));
    client.send(KIND_TEXT, "cut").unwrap();
    let bytes = written(&mut client);
    server.received(&bytes[..4], at(1)).unwrap();
    server.received(&bytes[4..50], at(1)).unwrap();
    let (have, need) = (50, 100);
    assert_eq!(server.ended(), Err(Broken::Truncated { have, need }));
}

#[test]
fn what_is_no_record_breaks_the_session() {
    let (_, mut server) = pair(SETTINGS);
    let refused = server.received(&[0, 0, 0, 7, 1], at(1));
    assert_eq!(refused, Err(Broken::BadLength(7)));

    let (mut client, mut server) = pair(SETTINGS);
    client.send(KIND_TEXT, "changed").unwrap();
    let mut bytes = written(&mut client);
    bytes[50] ^= 1;
    server.received(&bytes[..4], at(1)).unwrap();
    let forged = Broken::Protocol(Error::Forged("record tag"));
    assert_eq!(server.received(&bytes[4..], at(1)), Err(forged));
    assert_eq!(server.poll(), None);
}
