//! Open sessions in memory with a virtual clock: nothing acknowledged is lost, and every end is told from the others.

mod support;

use latchstring_net::protocol::hardened::{
    Error,
    message::{Held, MAX_TEXT},
    session::{CloseCode, Event as SessionEvent, content},
};
use latchstring_server_core::{Event, ProtocolError, Setup, observer::By};
use latchstring_store::{Accounts, Appended, StoredMessage};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha20Rng};
use support::{Login, World, alice_kid, assert_saw, name, rest, seconds};
use tokio::{
    io::AsyncWriteExt,
    task::yield_now,
    time::{Instant, sleep},
};
use zeroize::Zeroizing;

fn is_forged(why: &ProtocolError) -> bool {
    matches!(why, ProtocolError::Protocol(Error::Forged("record tag")))
}

fn ended(world: &World, connection: u64) -> Event {
    world.seen.last_of(connection)
}

#[tokio::test(start_paused = true)]
async fn messages_are_stored_once_acknowledged_and_numbered_over_all_sessions() {
    let world = World::new().await;
    let longest = "x".repeat(MAX_TEXT);
    let texts = ["hello", "", "grüße", &longest, "pay bob 10"];
    for part in [&texts[..3], &texts[3..]] {
        let mut chat = world.open().await;
        for text in part {
            chat.say_and_hear_back(text).await;
        }
        chat.close().await;
    }
    let stored: Vec<_> = world.stored().await;
    let expected = (1..).zip(texts);
    assert!(stored.iter().map(|m| (m.id, m.text.as_str())).eq(expected));
    assert!(stored.iter().all(|m| m.received_at == Some(support::NOW)));

    let user = name("alice");
    let closed = Event::Closed {
        user: user.clone(),
        by: By::Peer,
        code: CloseCode::Done,
    };
    assert_saw(&ended(&world, 1), &closed);
    let ids = |connection| {
        let events = world.seen.of(connection).into_iter();
        let ids = events.filter_map(|event| match event {
            Event::Stored { id, .. } => Some(id),
            _ => None,
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!((ids(1), ids(2)), (vec![1, 2, 3], vec![4, 5]));
    let continued = |event: &Event| {
        matches!(
            event,
            Event::LoggedIn {
                last_message: 3,
                ..
            }
        )
    };
    assert!(world.seen.of(2).iter().any(continued));
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_acknowledged_to_the_last() {
    let world = World::new().await;
    let mut chat = world.open().await;
    for i in 0..500 {
        chat.say(&format!("message {i}")).await;
    }
    while chat.session.unacknowledged().next().is_some() {
        chat.hear().await.expect("an acknowledgement");
    }
    chat.close().await;
    assert_eq!(world.stored().await.len(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_asked_and_dropped_after_90_seconds() {
    let world = World::new().await;
    let mut chat = world.open().await;
    let began = Instant::now();
    assert!(matches!(chat.hear().await, Some(SessionEvent::Reply(_))));
    assert_eq!(began.elapsed(), seconds(30), "the first ping");
    assert_eq!(chat.hear().await, None);
    assert_eq!(began.elapsed(), seconds(90));
    let user = name("alice");
    assert_saw(&ended(&world, 1), &Event::Silent { user, seconds: 90 });
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays() {
    let world = World::new().await;
    let mut chat = world.open().await;
    let began = Instant::now();
    for _ in 0..20 {
        let Some(SessionEvent::Reply(pong)) = chat.hear().await else {
            panic!("no ping");
        };
        chat.stream.write_all(&pong).await.unwrap();
    }
    assert_eq!(began.elapsed(), seconds(600));
    chat.say_and_hear_back("still here").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_gets_new_keys_when_their_time_is_up_and_goes_on() {
    let quick = |setup: &mut Setup| setup.limits.rekey_seconds = 20;
    let world = World::with(quick).await;
    let mut chat = world.open().await;
    let began = Instant::now();
    for epoch in 2..5 {
        assert_eq!(chat.hear().await, Some(SessionEvent::NewKeysAsked));
        assert_eq!(began.elapsed(), seconds(20 * (u64::from(epoch) - 1)));
        let offer = chat
            .session
            .begin_rekey(&Zeroizing::new([epoch as u8; 32]))
            .unwrap();
        chat.stream.write_all(&offer).await.unwrap();
        let Some(SessionEvent::NewKeys { answer: Some(end) }) = chat.hear().await else {
            panic!("no new keys");
        };
        chat.stream.write_all(&end).await.unwrap();
        chat.say_and_hear_back("still here").await;
        let user = name("alice");
        let new_keys = |event: &Event| matches!(event, Event::NewKeys { user: of, epoch: now } if *of == user && *now == epoch);
        assert!(world.seen.of(1).iter().any(new_keys), "epoch {epoch}");
    }
    chat.close().await;
    assert_eq!(world.stored().await.len(), 3);
}

/// A client that never changes its keys is not cut off: the old ones still serve, up to their hard limit.
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_the_question_for_new_keys_is_asked_once() {
    let quick = |setup: &mut Setup| setup.limits.rekey_seconds = 20;
    let world = World::with(quick).await;
    let mut chat = world.open().await;
    assert_eq!(chat.hear().await, Some(SessionEvent::NewKeysAsked));
    for _ in 0..20 {
        let Some(SessionEvent::Reply(pong)) = chat.hear().await else {
            panic!("no ping");
        };
        chat.stream.write_all(&pong).await.unwrap();
    }
    chat.say_and_hear_back("still here").await;
}

#[tokio::test(start_paused = true)]
async fn the_server_answers_pings() {
    let world = World::new().await;
    let mut chat = world.open().await;
    let ping = chat.session.ping().unwrap().expect("a first ping");
    chat.stream.write_all(&ping).await.unwrap();
    assert_eq!(chat.hear().await, Some(SessionEvent::Pong));
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_is_told_from_a_closed_one() {
    for cut_inside_a_record in [false, true] {
        let world = World::new().await;
        let (stream, served) = world.connect_from(1);
        let mut chat = Login::alice().open(stream).await;
        chat.say_and_hear_back("kept").await;
        if cut_inside_a_record {
            let (_, record) = chat.session.send(0, "lost").unwrap();
            chat.stream.write_all(&record[..50]).await.unwrap();
        }
        drop(chat);
        served.await.unwrap();
        assert!(matches!(ended(&world, 1), Event::Truncated { .. }));
        assert_eq!(world.stored().await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_has_begun_must_be_complete_in_5_seconds() {
    let world = World::new().await;
    let mut chat = world.open().await;
    let (_, record) = chat.session.send(0, "slow").unwrap();
    let began = Instant::now();
    chat.stream.write_all(&record[..50]).await.unwrap();
    assert!(rest(&mut chat.stream).await.is_empty());
    assert_eq!(began.elapsed(), seconds(5));
    assert!(matches!(ended(&world, 1), Event::ProtocolError { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_newer_login_takes_the_place_of_the_older() {
    let world = World::new().await;
    let mut older = world.open().await;
    older.say_and_hear_back("one").await;
    let mut newer = world.open().await;
    assert_eq!(newer.last_message, 1);
    // Too late: the newer session numbers the messages now.
    older.say("two, said by the older").await;
    newer.say_and_hear_back("two, said by the newer").await;
    assert_eq!(older.until_closed_with_doubt().await, CloseCode::Superseded);
    newer.close().await;
    let texts: Vec<_> = (world.stored().await.into_iter()).map(|m| m.text).collect();
    assert_eq!(texts, ["one", "two, said by the newer"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_older_session_does_not_hold_the_newer_up() {
    let world = World::new().await;
    let _dead = world.open().await; // it never reads again
    let began = Instant::now();
    let mut newer = world.open().await;
    assert!(began.elapsed() < seconds(1));
    sleep(seconds(5)).await;
    assert!(matches!(ended(&world, 1), Event::Truncated { .. }));
    newer.say_and_hear_back("mine").await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_every_session_and_every_handshake() {
    let world = World::new().await;
    let mut chat = world.open().await;
    chat.say_and_hear_back("kept").await;
    let mut half = world.connect();
    let _proven = Login::hello(&mut half).await;
    let began = Instant::now();
    world.server.stop();
    assert_eq!(chat.until_closed().await, CloseCode::Stopping);
    assert!(rest(&mut half).await.is_empty());
    assert!(rest(&mut chat.stream).await.is_empty());
    assert_eq!(began.elapsed(), seconds(0));
    let (user, code) = (name("alice"), CloseCode::Stopping);
    let by = By::Server;
    assert_saw(&ended(&world, 1), &Event::Closed { user, by, code });
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_client_that_never_agrees() {
    let world = World::new().await;
    let (stream, served) = world.connect_from(1);
    let _mute = Login::alice().open(stream).await;
    let began = Instant::now();
    world.server.stop();
    served.await.unwrap();
    assert_eq!(began.elapsed(), seconds(3));
    assert!(matches!(ended(&world, 1), Event::Truncated { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_stored_is_not_acknowledged() {
    let world = World::new().await;
    let mut chat = world.open().await;
    chat.say_and_hear_back("kept").await;
    world.store.remove(&name("alice")).await.unwrap();
    chat.say("said by nobody").await;
    assert_eq!(chat.hear().await, None, "no acknowledgement");
    assert!(matches!(ended(&world, 1), Event::StoreFailed { .. }));
}

/// What another server on the same store, or an operator's script, would do.
async fn stored_elsewhere(world: &World, id: u64, text: &str, session: Option<[u8; 16]>) {
    let message = StoredMessage {
        id,
        kind: 0,
        text: text.to_owned(),
        session,
        received_at: None,
    };
    let (user, kid) = (name("alice"), alice_kid());
    let appended = world.store.append(&user, &kid, &message).await;
    assert_eq!(appended.unwrap(), Appended::Appended);
}

#[tokio::test(start_paused = true)]
async fn another_message_under_a_taken_number_is_never_acknowledged() {
    for theirs in ["theirs", "mine"] {
        let world = World::new().await;
        let mut chat = world.open().await;
        chat.say_and_hear_back("first").await;
        stored_elsewhere(&world, 2, theirs, Some([9; 16])).await;
        let id = chat.say("mine").await;
        assert_eq!(chat.until_closed_with_doubt().await, CloseCode::Conflict);
        assert_eq!(chat.session.unacknowledged().collect::<Vec<_>>(), [id]);
        let conflict = |event: &Event| matches!(event, Event::Conflict { id: n, .. } if *n == id);
        assert!(world.seen.of(1).iter().any(conflict));
        let texts: Vec<_> = (world.stored().await.into_iter()).map(|m| m.text).collect();
        assert_eq!(texts, ["first", theirs]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_very_same_message_is_acknowledged_again_and_not_stored_again() {
    let world = World::new().await;
    let mut chat = world.open().await;
    let session = chat.session.id();
    // The store was so slow to answer that it was asked twice.
    stored_elsewhere(&world, 1, "mine", Some(session)).await;
    chat.say_and_hear_back("mine").await;
    let user = name("alice");
    assert_saw(&world.seen.last_of(1), &Event::Duplicate { user, id: 1 });
    assert_eq!(world.stored().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_can_tell_its_own_messages_from_those_of_another() {
    let world = World::new().await;
    stored_elsewhere(&world, 1, "before sessions were kept", None).await;
    let mut one = world.open().await;
    one.say_and_hear_back("said by both").await;
    let first = one.session.id();
    one.close().await;
    let mut two = world.open().await;
    two.say_and_hear_back("said by both").await;
    let second = two.session.id();
    assert_ne!(first, second);

    let held = |session, text: &str| {
        let content = content(0, text);
        Some(Held { session, content })
    };
    let asked = [
        (2, held(first, "said by both")),
        (3, held(second, "said by both")),
        (1, held([0; 16], "before sessions were kept")),
        (0, None),
        (4, None),
        (u64::MAX, None),
    ];
    // All questions at once: the answers come in their order.
    for (id, _) in asked {
        let query = two.session.query(id).unwrap();
        two.stream.write_all(&query).await.unwrap();
    }
    for (id, held) in asked {
        assert_eq!(two.hear().await, Some(SessionEvent::Held { id, held }));
    }
    two.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_question_that_crosses_the_servers_close_changes_nothing() {
    let world = World::new().await;
    let mut chat = world.open().await;
    world.server.stop();
    let query = chat.session.query(1).unwrap();
    let ping = chat.session.ping().unwrap().unwrap();
    chat.stream
        .write_all(&[query, ping].concat())
        .await
        .unwrap();
    // It closes too, and the server's agreement must be the next record that it gets.
    let close = chat.session.close(CloseCode::Done).unwrap();
    chat.stream.write_all(&close).await.unwrap();
    let closed = chat.hear().await;
    assert!(matches!(
        closed,
        Some(SessionEvent::Closed {
            code: CloseCode::Stopping,
            ..
        })
    ));
    assert_eq!(chat.hear().await, Some(SessionEvent::CloseAgreed));
    assert_eq!(chat.hear().await, None);
    let (user, code) = (name("alice"), CloseCode::Stopping);
    let by = By::Server;
    assert_saw(&ended(&world, 1), &Event::Closed { user, by, code });
}

#[tokio::test(start_paused = true)]
async fn a_new_password_counts_from_the_next_login_on() {
    let world = World::new().await;
    let mut chat = world.open().await;
    let other = "$argon2id$v=19$m=64,t=1,p=1$BwcHBwcHBwcHBwcHBwcHBw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    world
        .store
        .set_password(&name("alice"), other)
        .await
        .unwrap();
    chat.say_and_hear_back("still open").await;
    assert_eq!(Login::alice().refused(world.connect()).await.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_dropped_and_holds_little() {
    let world = World::new().await;
    let mut chat = world.open().await;
    // Messages whose acknowledgements nobody reads. What the wire (64 KiB each way) and the server (16 KiB) hold of them
    // is less than the 1,024 that the protocol would let us send.
    let began = Instant::now();
    let mut sent = 0;
    let text = "x".repeat(1000);
    while let Ok((_, record)) = chat.session.send(0, &text) {
        let written = tokio::time::timeout(seconds(1), chat.stream.write_all(&record));
        if !matches!(written.await, Ok(Ok(()))) {
            break;
        }
        sent += 1;
    }
    assert!(
        (800..950).contains(&sent),
        "the server stops reading: {sent}"
    );
    sleep(seconds(100)).await;
    assert!(
        matches!(ended(&world, 1), Event::Silent { .. }),
        "{:?}",
        ended(&world, 1)
    );
    assert!(began.elapsed() > seconds(90));
}

/// Every single change of a record in flight is noticed, and what came before it stays.
#[tokio::test(start_paused = true)]
async fn a_changed_replayed_or_reflected_record_ends_the_session() {
    for attack in ["change", "replay", "reflect", "drop"] {
        let world = World::new().await;
        let mut chat = world.open().await;
        let (_, first) = chat.session.send(0, "pay bob 10").unwrap();
        let (_, mut second) = chat.session.send(0, "pay bob 20").unwrap();
        let ack = {
            chat.stream.write_all(&first).await.unwrap();
            latchstring_net::wire::read_record(&mut chat.stream, &[64], None).await
        };
        let ack = ack.unwrap().expect("an acknowledgement");
        match attack {
            "change" => second[20] ^= 1,
            "replay" => second = first,
            "reflect" => second = ack,
            _ => second = chat.session.send(0, "pay bob 30").unwrap().1,
        }
        chat.stream.write_all(&second).await.unwrap();
        assert!(rest(&mut chat.stream).await.is_empty(), "{attack}");
        let end = ended(&world, 1);
        assert!(
            matches!(&end, Event::ProtocolError { why, .. } if is_forged(why)),
            "{attack}: {end:?}"
        );
        assert_eq!(world.stored().await.len(), 1, "{attack}");
    }
}

/// Random bytes at every stage: the server closes, and never by a fault of its own.
#[tokio::test(start_paused = true)]
async fn random_bytes_at_any_stage_do_no_harm() {
    let world = World::new().await;
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for round in 0..200_u32 {
        let stage = round % 5;
        let mut garbage = vec![0; rng.random_range(1..3000)];
        rng.fill_bytes(&mut garbage);
        // A few connections from each source: so many from one would be turned away.
        let (mut stream, served) = world.connect_from((round / 5) as u8);
        match stage {
            0 => {}
            1 => stream.write_all(b"latch/2\n\x02\x00").await.unwrap(),
            2 => _ = Login::hello(&mut stream).await,
            3 => {
                _ = Login::hello(&mut stream).await;
                stream.write_all(&1056u32.to_be_bytes()).await.unwrap();
            }
            _ => {
                stream = Login::alice().open(stream).await.stream;
                let buckets = [96u32, 288, 1056, 4128, 16_416];
                let length = buckets[rng.random_range(0..5)];
                stream.write_all(&length.to_be_bytes()).await.unwrap();
            }
        }
        let _ = stream.write_all(&garbage).await;
        let _ = stream.shutdown().await;
        rest(&mut stream).await;
        served.await.unwrap();
        yield_now().await;
    }
    for (connection, event) in world.seen.all() {
        assert!(!matches!(event, Event::Panicked), "connection {connection}");
    }
    assert_eq!(
        world
            .store
            .last_message_id(&name("alice"), &alice_kid())
            .await
            .unwrap(),
        0
    );
    world.open().await.say_and_hear_back("all is well").await;
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> support::Chat<S> {
    /// As `until_closed`, for a client that has messages in doubt.
    async fn until_closed_with_doubt(&mut self) -> CloseCode {
        match self.hear().await {
            Some(SessionEvent::Closed { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }
}
