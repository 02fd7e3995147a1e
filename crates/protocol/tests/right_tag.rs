//! What a peer with the right keys must not do, each under the right record tag: the tag holds strangers off, and these
//! rules hold a peer to the protocol.

mod support;

use latchstring_protocol::hardened::{
    Error,
    handshake::{Claim, ExpectClientAuth, RefusalReason, Verdict},
    message::{Close, Held, Message, ServerAuth, Type},
    primitives::hash,
    record::Sealer,
    role::Role,
    session::{CloseCode, Event, KIND_TEXT, MAX_ID, MAX_QUERIES, MAX_UNACKNOWLEDGED, content},
};
use support::{
    HashVerifier, alice_key,
    forger::{Forger, Handshake},
    ramp,
};

const BOTH: [Role; 2] = [Role::Client, Role::Server];

fn violation<T: std::fmt::Debug>(result: Result<T, Error>, what: &str) {
    let is = matches!(&result, Err(Error::Violation(why)) if why.contains(what));
    assert!(is, "{what}: {result:?}");
}

fn disagreement<T: std::fmt::Debug>(result: Result<T, Error>, what: &str) {
    assert!(
        matches!(result, Err(Error::Disagreement(_))),
        "{what}: {result:?}"
    );
}

fn msg(id: u64, text: &str) -> Message {
    let (kind, text) = (KIND_TEXT, text.to_owned());
    Message::Msg { id, kind, text }
}

/// Both ends have sent three messages from `first` on, and acknowledged two. And the `CLOSE` that is honest then.
fn talked(end: Role) -> (Forger, Close) {
    let mut forger = Forger::against(end, 40);
    let (theirs, ours) = match end {
        Role::Server => (41, 1),
        Role::Client => (1, 41),
    };
    let (mut chain, mut other_chain) = (forger.chain, forger.other_chain);
    for n in 0..3 {
        let record = forger.say(&msg(theirs + n, "theirs"));
        assert!(matches!(
            forger.end.receive(&record),
            Ok(Event::Message { .. })
        ));
        let id = (theirs + n).to_be_bytes();
        chain = hash(&[&chain, &id, &content(KIND_TEXT, "theirs")]);
        let (id, record) = forger.end.send(KIND_TEXT, "ours").unwrap();
        assert_eq!(forger.read(&record), msg(ours + n, "ours"));
        if n < 2 {
            other_chain = hash(&[&other_chain, &id.to_be_bytes(), &content(KIND_TEXT, "ours")]);
        }
    }
    let ack = Message::Ack {
        up_to: ours + 1,
        chain: other_chain,
    };
    let ack = forger.say(&ack);
    assert_eq!(
        forger.end.receive(&ack),
        Ok(Event::Acknowledged { up_to: ours + 1 })
    );
    let ack = forger.end.acknowledge(theirs + 1).unwrap();
    forger.read(&ack);
    let honest = Close {
        code: 0,
        last_sent: theirs + 2,
        last_acked: ours + 1,
        chain,
    };
    (forger, honest)
}

#[test]
fn a_close_that_lies_is_not_agreed_to() {
    for end in BOTH {
        let (mut forger, honest) = talked(end);
        let close = forger.say(&Message::Close(honest));
        let agreed = forger.end.receive(&close);
        assert!(
            matches!(agreed, Ok(Event::Closed { .. })),
            "the control: {agreed:?}"
        );

        let mut other_chain = honest.chain;
        other_chain[31] ^= 1;
        let (more, fewer) = (|n: u64| n + 1, |n: u64| n - 1);
        for (what, lie) in [
            (
                "sent more",
                Close {
                    last_sent: more(honest.last_sent),
                    ..honest
                },
            ),
            (
                "sent fewer",
                Close {
                    last_sent: fewer(honest.last_sent),
                    ..honest
                },
            ),
            (
                "sent nothing",
                Close {
                    last_sent: 0,
                    ..honest
                },
            ),
            (
                "acknowledged more",
                Close {
                    last_acked: more(honest.last_acked),
                    ..honest
                },
            ),
            (
                "acknowledged fewer",
                Close {
                    last_acked: fewer(honest.last_acked),
                    ..honest
                },
            ),
            (
                "other texts",
                Close {
                    chain: other_chain,
                    ..honest
                },
            ),
            (
                "no texts",
                Close {
                    chain: forger.chain,
                    ..honest
                },
            ),
        ] {
            let (mut forger, _) = talked(end);
            let close = forger.say(&Message::Close(lie));
            disagreement(forger.end.receive(&close), what);
        }
    }
}

#[test]
fn a_close_code_that_does_not_exist_ends_the_session() {
    for code in 0..=255 {
        for end in BOTH {
            let (mut forger, honest) = talked(end);
            let close = forger.say(&Message::Close(Close { code, ..honest }));
            let answer = forger.end.receive(&close);
            match (end, code) {
                (_, 0) | (Role::Client, 1..=3) => {
                    let said = CloseCode::from_byte(code).unwrap();
                    assert!(matches!(answer, Ok(Event::Closed { code, .. }) if code == said));
                }
                (Role::Server, 1..=3) => violation(answer, "only a server"),
                _ => violation(answer, "does not exist"),
            }
        }
    }
}

#[test]
fn an_agreement_to_no_close_is_refused() {
    for end in BOTH {
        let mut forger = Forger::against(end, 0);
        let agreement = forger.say(&Message::CloseAck);
        violation(forger.end.receive(&agreement), "CLOSE_ACK without a CLOSE");
    }
}

#[test]
fn nothing_but_an_agreement_follows_the_peers_close() {
    let ask = [Message::Query(1), Message::Ping(1), msg(1, "x")];
    for end in BOTH {
        for after in &ask {
            let mut forger = Forger::against(end, 0);
            let chain = forger.chain;
            let close = Close {
                code: 0,
                last_sent: 0,
                last_acked: 0,
                chain,
            };
            let close = forger.say(&Message::Close(close));
            forger.end.receive(&close).unwrap();
            let after = forger.say(after);
            violation(forger.end.receive(&after), "after CLOSE");
        }
    }
}

#[test]
fn a_pong_without_its_ping_is_refused() {
    for end in BOTH {
        let mut forger = Forger::against(end, 0);
        let pong = forger.say(&Message::Pong(1));
        violation(forger.end.receive(&pong), "PONG without its PING");

        let mut forger = Forger::against(end, 0);
        let Message::Ping(first) = ping(&mut forger) else {
            panic!()
        };
        let pong = forger.say(&Message::Pong(first + 1));
        violation(forger.end.receive(&pong), "PONG without its PING");

        let mut forger = Forger::against(end, 0);
        let Message::Ping(first) = ping(&mut forger) else {
            panic!()
        };
        let pong = forger.say(&Message::Pong(first));
        assert_eq!(forger.end.receive(&pong), Ok(Event::Pong));
        let again = forger.say(&Message::Pong(first));
        violation(forger.end.receive(&again), "PONG without its PING");
    }
}

fn ping(forger: &mut Forger) -> Message {
    let record = forger.end.ping().unwrap().expect("no question is open");
    forger.read(&record)
}

/// Otherwise the answer to one question would pass for that to every later one.
#[test]
fn each_ping_has_a_number_of_its_own() {
    for end in BOTH {
        let mut forger = Forger::against(end, 0);
        let mut seen = Vec::new();
        for _ in 0..5 {
            let Message::Ping(number) = ping(&mut forger) else {
                panic!()
            };
            assert!(!seen.contains(&number), "{number} again");
            seen.push(number);
            let pong = forger.say(&Message::Pong(number));
            assert_eq!(forger.end.receive(&pong), Ok(Event::Pong));
        }
        ping(&mut forger);
        let late = forger.say(&Message::Pong(seen[0]));
        violation(forger.end.receive(&late), "PONG without its PING");
    }
}

#[test]
fn ids_go_up_by_one_and_kinds_exist() {
    for (id, kind, what) in [
        (0, KIND_TEXT, "go up by one"),
        (40, KIND_TEXT, "go up by one"),
        (42, KIND_TEXT, "go up by one"),
        (u64::MAX, KIND_TEXT, "go up by one"),
        (41, 1, "unknown kind"),
    ] {
        let mut forger = Forger::against(Role::Server, 40);
        let text = "x".to_owned();
        let record = forger.say(&Message::Msg { id, kind, text });
        violation(forger.end.receive(&record), what);
    }
}

#[test]
fn an_acknowledgement_that_lies_is_not_believed() {
    for end in BOTH {
        let open = || {
            let mut forger = Forger::against(end, 0);
            let (id, record) = forger.end.send(KIND_TEXT, "ours").unwrap();
            forger.read(&record);
            let chain = hash(&[
                &forger.other_chain,
                &id.to_be_bytes(),
                &content(KIND_TEXT, "ours"),
            ]);
            (forger, id, chain)
        };
        let (mut forger, id, chain) = open();
        let ack = forger.say(&Message::Ack { up_to: id, chain });
        forger.end.receive(&ack).unwrap();
        let ack = forger.say(&Message::Ack { up_to: id, chain });
        violation(forger.end.receive(&ack), "does not wait");

        for up_to in [0, 2, u64::MAX] {
            let (mut forger, _, chain) = open();
            let ack = forger.say(&Message::Ack { up_to, chain });
            violation(forger.end.receive(&ack), "does not wait");
        }
        let (mut forger, id, mut chain) = open();
        chain[0] ^= 1;
        let ack = forger.say(&Message::Ack { up_to: id, chain });
        disagreement(forger.end.receive(&ack), "another text");
    }
}

#[test]
fn a_message_of_the_handshake_is_refused_in_an_open_session() {
    for end in BOTH {
        for typ in [
            Type::ServerAuth,
            Type::ClientAuth,
            Type::Enrol,
            Type::AuthOk,
            Type::AuthFail,
        ] {
            let mut forger = Forger::against(end, 0);
            let record = forger.seal(typ, &0_u64.to_be_bytes());
            violation(forger.end.receive(&record), "another state");
        }
    }
}

#[test]
fn what_may_be_open_at_a_time_is_bounded() {
    let mut forger = Forger::against(Role::Server, 0);
    for id in 1..=MAX_UNACKNOWLEDGED as u64 {
        let record = forger.say(&msg(id, "x"));
        forger.end.receive(&record).unwrap();
    }
    let record = forger.say(&msg(MAX_UNACKNOWLEDGED as u64 + 1, "x"));
    violation(forger.end.receive(&record), "too many messages");

    let mut forger = Forger::against(Role::Server, 0);
    for id in 0..MAX_QUERIES as u64 {
        let record = forger.say(&Message::Query(id));
        assert_eq!(forger.end.receive(&record), Ok(Event::Query { id }));
    }
    let record = forger.say(&Message::Query(0));
    violation(forger.end.receive(&record), "too many questions");

    let mut forger = Forger::against(Role::Client, 0);
    for id in 0..MAX_QUERIES as u64 {
        forger.end.query(id).unwrap();
    }
    assert!(matches!(forger.end.query(0), Err(Error::Misuse(_))));
}

const SOME: Held = Held {
    session: [1; 16],
    content: [2; 32],
};

#[test]
fn only_a_client_asks_and_only_a_server_answers() {
    let mut client = Forger::against(Role::Client, 0);
    let query = client.say(&Message::Query(1));
    violation(client.end.receive(&query), "only a client asks");
    let mut server = Forger::against(Role::Server, 0);
    let held = server.say(&Message::Held { id: 1, held: None });
    violation(server.end.receive(&held), "no question");
    let mut server = Forger::against(Role::Server, 0);
    assert!(server.end.query(1).is_err());
    assert!(Forger::against(Role::Client, 0).end.held(1, None).is_err());
    assert!(server.end.held(1, None).is_err(), "nobody asked");
    for id in [7, 8] {
        let query = server.say(&Message::Query(id));
        server.end.receive(&query).unwrap();
    }
    assert!(server.end.held(8, None).is_err(), "not the oldest question");
    for id in [7, 8] {
        let record = server.end.held(id, Some(SOME)).unwrap();
        assert_eq!(
            server.read(&record),
            Message::Held {
                id,
                held: Some(SOME)
            }
        );
    }
    assert!(server.end.held(8, None).is_err(), "answered already");
}

#[test]
fn an_answer_belongs_to_the_oldest_question() {
    let asked = || {
        let mut forger = Forger::against(Role::Client, 0);
        for id in [5, 6] {
            let record = forger.end.query(id).unwrap();
            assert_eq!(forger.read(&record), Message::Query(id));
        }
        forger
    };
    let mut forger = asked();
    for (id, held) in [(5, Some(SOME)), (6, None)] {
        let record = forger.say(&Message::Held { id, held });
        assert_eq!(forger.end.receive(&record), Ok(Event::Held { id, held }));
    }
    let more = forger.say(&Message::Held { id: 6, held: None });
    violation(forger.end.receive(&more), "no question");
    for id in [6, 0, u64::MAX] {
        let mut forger = asked();
        let wrong = forger.say(&Message::Held { id, held: None });
        violation(forger.end.receive(&wrong), "no question");
    }
    // Half an answer is none.
    let mut forger = asked();
    let body = [&5_u64.to_be_bytes()[..], &[1; 16], &[0; 32]].concat();
    let record = forger.seal(Type::Held, &body);
    assert!(matches!(
        forger.end.receive(&record),
        Err(Error::Malformed(_))
    ));
}

/// What is not answered must not use up a number of the records either: the next one would not open.
#[test]
fn what_crosses_a_close_is_not_answered_and_the_agreement_still_fits() {
    for end in BOTH {
        let mut forger = Forger::against(end, 0);
        let close = forger.end.close(CloseCode::Done).unwrap();
        forger.read(&close);
        let mut crossing = vec![Message::Ping(9)];
        if end == Role::Server {
            crossing.push(Message::Query(9));
        }
        for message in crossing {
            let record = forger.say(&message);
            assert_eq!(forger.end.receive(&record), Ok(Event::TooLate));
        }
        let chain = forger.chain;
        let close = Close {
            code: 0,
            last_sent: 0,
            last_acked: 0,
            chain,
        };
        let close = forger.say(&Message::Close(close));
        let Ok(Event::Closed { answer, .. }) = forger.end.receive(&close) else {
            panic!("both closed");
        };
        assert_eq!(forger.read(&answer), Message::CloseAck);
        assert!(forger.end.query(1).is_err() && forger.end.held(9, None).is_err());
    }
}

#[test]
fn the_numbers_of_messages_end_without_running_over() {
    let mut forger = Forger::against(Role::Client, MAX_ID - 1);
    let (id, record) = forger.end.send(KIND_TEXT, "the last one").unwrap();
    assert_eq!(id, MAX_ID);
    forger.read(&record);
    let error = forger.end.send(KIND_TEXT, "one too many").unwrap_err();
    assert!(matches!(error, Error::Misuse(why) if why.contains("another key")));

    for last in [MAX_ID, u64::MAX - 1, u64::MAX] {
        let mut forger = Forger::against_full_server(last);
        for id in [0, 1, last.wrapping_add(1), u64::MAX] {
            let record = forger.say(&msg(id, "x"));
            violation(forger.end.receive(&record), "go up by one");
            forger = Forger::against_full_server(last);
        }
    }
}

#[test]
fn a_last_id_that_no_message_can_have_is_no_welcome() {
    for (last, good) in [(MAX_ID, true), (MAX_ID + 1, false), (u64::MAX, false)] {
        let (handshake, client, auth) = Handshake::new().claim(false);
        let ap_s = handshake.session_secret(&auth, "ap s2c");
        let welcome = Sealer::new(&ap_s, 1).seal(Type::AuthOk, &last.to_be_bytes());
        match client.verdict(&welcome.unwrap()) {
            Ok(Verdict::Accepted { last_message, .. }) => assert!(good && last_message == last),
            Ok(Verdict::Refused(_)) => panic!("that was a welcome"),
            Err(error) => {
                assert!(!good);
                violation::<()>(Err(error), "2^63 - 1");
            }
        }
    }
}

#[test]
fn a_host_whose_finished_mac_does_not_fit_is_found_out() {
    for bit in [0, 100, 255] {
        let handshake = Handshake::new();
        let mut auth = ServerAuth::decode(&handshake.server_auth_body()).unwrap();
        auth.finished[bit / 8] ^= 1 << (bit % 8);
        let record = handshake.seal(Role::Server, Type::ServerAuth, &auth.encode());
        let error = handshake.client.server_auth(&record, &HashVerifier).err();
        assert_eq!(error, Some(Error::Forged("finS")), "bit {bit}");
    }
}

#[test]
fn a_client_whose_finished_mac_does_not_fit_holds_no_key() {
    for enrol in [false, true] {
        for bit in [0, 100, 255] {
            let (handshake, _, mut auth) = Handshake::new().claim(enrol);
            auth.finished[bit / 8] ^= 1 << (bit % 8);
            let record = handshake.seal(Role::Client, auth.typ(), &auth.encode());
            let (key, dummy) = (alice_key().0, ramp(13, 422));
            let refusal = match handshake.server.claim(&record) {
                Ok(Claim::Login(one)) => {
                    one.prove_key(Some(&key), Some(&dummy), &HashVerifier).err()
                }
                Ok(Claim::Enrolment(one)) => one.prove_key(&HashVerifier).err(),
                Err(error) => panic!("{error}"),
            };
            let reason = refusal.map(|refusal| refusal.reason());
            assert_eq!(reason, Some(RefusalReason::BadKeyProof), "{enrol} {bit}");
        }
    }
}

fn claimed(server: ExpectClientAuth, record: &[u8]) -> Result<(), Error> {
    server.claim(record).map(drop)
}

#[test]
fn a_login_in_the_type_of_an_enrolment_is_refused_and_so_is_the_reverse() {
    for enrol in [false, true] {
        let (handshake, _, auth) = Handshake::new().claim(enrol);
        let other = match enrol {
            false => Type::Enrol,
            true => Type::ClientAuth,
        };
        let record = handshake.seal(Role::Client, other, &auth.encode());
        violation(claimed(handshake.server, &record), "the mode of another");
        // The control: in its own type it is taken.
        let (handshake, _, auth) = Handshake::new().claim(enrol);
        let record = handshake.seal(Role::Client, auth.typ(), &auth.encode());
        assert_eq!(claimed(handshake.server, &record), Ok(()));
    }
}

/// The way past the whole login that CVE-2018-10933 was: a client says the server's word.
#[test]
fn a_client_that_says_it_is_let_in_is_not_believed() {
    for typ in [
        Type::AuthOk,
        Type::AuthFail,
        Type::ServerAuth,
        Type::Msg,
        Type::Ack,
        Type::Query,
        Type::Held,
        Type::Close,
        Type::CloseAck,
    ] {
        for enrol in [false, true] {
            let (handshake, _, mut auth) = Handshake::new().claim(enrol);
            auth.signature.fill(0);
            auth.finished.fill(0);
            let record = handshake.seal(Role::Client, typ, &auth.encode());
            violation(claimed(handshake.server, &record), "another state");
        }
    }
}

#[test]
fn a_server_that_says_anything_but_a_verdict_is_not_let_on() {
    for typ in [
        Type::ClientAuth,
        Type::ServerAuth,
        Type::Msg,
        Type::Query,
        Type::Held,
        Type::Pong,
        Type::CloseAck,
    ] {
        let (handshake, client, auth) = Handshake::new().claim(false);
        let ap_s = handshake.session_secret(&auth, "ap s2c");
        let record = Sealer::new(&ap_s, 1)
            .seal(typ, &0_u64.to_be_bytes())
            .unwrap();
        violation(client.verdict(&record).map(drop), "another state");
    }
}
