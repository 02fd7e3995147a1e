//! A message is acknowledged only when the sink has it, too.

mod support;

use std::sync::Arc;

use latchstring_net::protocol::hardened::{
    message::{Fingerprint, UserName},
    session::{CloseCode, Event as SessionEvent},
};
use latchstring_server_core::{Event, delivery::Delivery};
use latchstring_store::{Answer, StoreError};
use support::{World, assert_saw, name, seconds};
use tokio::{
    io::AsyncWriteExt,
    sync::watch,
    time::{Instant, timeout},
};

/// A sink that has the messages up to a number, and waits for the others for half a minute.
struct UpTo(watch::Receiver<u64>);

impl Delivery for UpTo {
    fn delivered<'a>(&'a self, user: &'a UserName, _: &'a Fingerprint, id: u64) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut up_to = self.0.clone();
            let delivered = timeout(seconds(30), up_to.wait_for(|up_to| *up_to >= id)).await;
            let undelivered = || StoreError::Undelivered {
                user: user.clone(),
                id,
                why: "the test says so".to_owned(),
            };
            delivered.map(drop).map_err(|_| undelivered())
        })
    }
}

async fn world() -> (World, watch::Sender<u64>) {
    let (sink, up_to) = watch::channel(0);
    let world = World::with(|setup| setup.delivery = Arc::new(UpTo(up_to))).await;
    (world, sink)
}

fn stored(world: &World) -> usize {
    let all = world.seen.all();
    let stored = |event: &Event| matches!(event, Event::Stored { .. });
    all.iter().filter(|(_, event)| stored(event)).count()
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_waits_for_the_sink() {
    let (world, sink) = world().await;
    let mut chat = world.open().await;
    chat.say("one").await;
    chat.say("two").await;
    let early = timeout(seconds(5), chat.hear()).await;
    assert!(early.is_err(), "{early:?}");
    // The store has the first one, which is what the sink gets.
    assert_eq!((world.stored().await.len(), stored(&world)), (1, 0));
    sink.send_replace(1);
    let up_to = 1;
    assert_eq!(
        chat.hear().await,
        Some(SessionEvent::Acknowledged { up_to })
    );
    let early = timeout(seconds(5), chat.hear()).await;
    assert!(early.is_err(), "{early:?}");
    sink.send_replace(2);
    let up_to = 2;
    assert_eq!(
        chat.hear().await,
        Some(SessionEvent::Acknowledged { up_to })
    );
    chat.close().await;
}

#[tokio::test(start_paused = true)]
async fn without_the_sink_a_session_ends_and_a_repetition_is_acknowledged_later() {
    let (world, sink) = world().await;
    let mut chat = world.open().await;
    chat.say("one").await;
    assert_eq!(chat.hear().await, None, "no acknowledgement");
    let end = world.seen.last_of(1);
    let Event::StoreFailed { why, .. } = end else {
        panic!("{end:?}");
    };
    assert!(
        matches!(*why, StoreError::Undelivered { id: 1, .. }),
        "{why}"
    );

    let mut chat = world.open().await;
    assert_eq!(chat.last_message, 1, "it is stored");
    let question = chat.session.query(1).unwrap();
    chat.stream.write_all(&question).await.unwrap();
    let early = timeout(seconds(5), chat.hear()).await;
    assert!(
        early.is_err(),
        "the answer would be an acknowledgement: {early:?}"
    );
    sink.send_replace(1);
    let answer = chat.hear().await;
    assert!(
        matches!(answer, Some(SessionEvent::Held { held: Some(_), .. })),
        "{answer:?}"
    );
    // What was never stored is not waited for.
    let question = chat.session.query(9).unwrap();
    chat.stream.write_all(&question).await.unwrap();
    let answer = chat.hear().await;
    assert!(
        matches!(answer, Some(SessionEvent::Held { held: None, .. })),
        "{answer:?}"
    );
    assert_eq!(world.stored().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_the_sink_and_acknowledges_nothing() {
    let (world, _sink) = world().await;
    let mut chat = world.open().await;
    chat.say("one").await;
    tokio::time::sleep(seconds(1)).await;
    let began = Instant::now();
    world.server.stop();
    assert_eq!(chat.until_closed().await, CloseCode::Stopping);
    assert!(began.elapsed() < seconds(1));
    assert_eq!(chat.hear().await, None);
    let (user, code) = (name("alice"), CloseCode::Stopping);
    let by = latchstring_server_core::observer::By::Server;
    assert_saw(&world.seen.last_of(1), &Event::Closed { user, by, code });
    assert_eq!(stored(&world), 0);
}
