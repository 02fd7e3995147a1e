//! An open session loses nothing, repeats nothing, and ends only when both ends agree.

mod support;

use latchstring_protocol::hardened::{
    Error,
    message::MAX_TEXT,
    record::BUCKETS,
    session::{CloseCode, Event, KIND_TEXT, MAX_UNACKNOWLEDGED},
};
use support::*;

fn message(id: u64, text: &str) -> Event {
    Event::Message {
        id,
        kind: KIND_TEXT,
        text: text.to_owned(),
    }
}

/// What a program hands to the reader of its socket: with none, or with others, a session could not go on.
#[test]
fn a_session_names_the_lengths_that_its_records_may_have() {
    let (client, server) = Login::default().open();
    assert_eq!(client.lengths(), BUCKETS);
    assert_eq!(server.lengths(), BUCKETS);
}

#[test]
fn messages_are_numbered_acknowledged_and_closed() {
    let (mut client, mut server) = Login {
        last_message: 41,
        ..Login::default()
    }
    .open();
    for (id, text) in [(42, "hello"), (43, ""), (44, "h\u{e9}llo")] {
        let (sent, record) = client.send(KIND_TEXT, text).unwrap();
        assert_eq!(sent, id);
        assert_eq!(server.receive(&record).unwrap(), message(id, text));
    }
    assert_eq!(client.unacknowledged().collect::<Vec<_>>(), [42, 43, 44]);
    let ack = server.acknowledge(43).unwrap();
    assert_eq!(
        client.receive(&ack).unwrap(),
        Event::Acknowledged { up_to: 43 }
    );
    let ack = server.acknowledge(44).unwrap();
    client.receive(&ack).unwrap();
    let close = client.close(CloseCode::Done).unwrap();
    let Event::Closed {
        code: CloseCode::Done,
        answer,
    } = server.receive(&close).unwrap()
    else {
        panic!()
    };
    assert_eq!(client.receive(&answer).unwrap(), Event::CloseAgreed);
    assert!(client.send(KIND_TEXT, "more").is_err());
}

#[test]
fn both_directions_carry_messages() {
    let (mut client, mut server) = Login::default().open();
    let (_, record) = server.send(KIND_TEXT, "welcome").unwrap();
    assert_eq!(client.receive(&record).unwrap(), message(1, "welcome"));
    let ack = client.acknowledge(1).unwrap();
    assert_eq!(
        server.receive(&ack).unwrap(),
        Event::Acknowledged { up_to: 1 }
    );
}

#[test]
fn a_record_comes_back_to_its_sender_as_a_forgery() {
    let (mut client, _) = Login::default().open();
    let (_, record) = client.send(KIND_TEXT, "reflect me").unwrap();
    assert_eq!(client.receive(&record), Err(Error::Forged("record tag")));
}

#[test]
fn a_dropped_record_is_noticed_at_the_next_one() {
    let (mut client, mut server) = Login::default().open();
    client.send(KIND_TEXT, "lost").unwrap();
    let (_, record) = client.send(KIND_TEXT, "second").unwrap();
    assert_eq!(server.receive(&record), Err(Error::Forged("record tag")));
}

#[test]
fn a_close_with_something_missing_is_not_agreed_to() {
    let (mut client, mut server) = Login::default().open();
    let (_, record) = client.send(KIND_TEXT, "one").unwrap();
    server.receive(&record).unwrap();
    // Received and never acknowledged: the client does not take that for an end.
    let close = client.close(CloseCode::Done).unwrap();
    let Event::Closed { answer, .. } = server.receive(&close).unwrap() else {
        panic!()
    };
    assert!(matches!(
        client.receive(&answer),
        Err(Error::Disagreement(_))
    ));
    assert_eq!(client.unacknowledged().collect::<Vec<_>>(), [1]);
}

#[test]
fn nothing_follows_a_close() {
    let (mut client, mut server) = Login::default().open();
    let close = server.close(CloseCode::Stopping).unwrap();
    assert!(matches!(
        client.receive(&close),
        Ok(Event::Closed {
            code: CloseCode::Stopping,
            ..
        })
    ));
    let record = server.ping().unwrap().unwrap();
    assert!(matches!(client.receive(&record), Err(Error::Violation(_))));
}

#[test]
fn pings_are_answered_once() {
    let (mut client, mut server) = Login::default().open();
    let ping = client.ping().unwrap().unwrap();
    assert!(client.ping().unwrap().is_none(), "one question at a time");
    let Event::Reply(pong) = server.receive(&ping).unwrap() else {
        panic!()
    };
    assert_eq!(client.receive(&pong).unwrap(), Event::Pong);
    assert!(client.ping().unwrap().is_some());
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let (mut client, _) = Login::default().open();
    assert!(client.acknowledge(1).is_err());
    assert!(client.send(KIND_TEXT, &"x".repeat(MAX_TEXT + 1)).is_err());
    for _ in 0..MAX_UNACKNOWLEDGED {
        client.send(KIND_TEXT, "x").unwrap();
    }
    assert!(
        client.send(KIND_TEXT, "x").is_err(),
        "the outbox is bounded"
    );
}
