//! What a server says of itself, and whom it gives its events to.

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use latchstring_server_core::{
    Event, Limits, Load, Observer, QueueLoad, Tables,
    observer::{FanOut, Purpose},
};
use support::{Login, MALLORY, Recorder, World, assert_saw, rest};
use tokio::io::AsyncWriteExt;

#[tokio::test(start_paused = true)]
async fn a_server_that_nobody_has_connected_to_is_idle() {
    assert_eq!(World::new().await.server.load(), Load::default());
}

#[tokio::test(start_paused = true)]
async fn strangers_tables_and_bytes_are_counted_and_nobody_who_has_left_is() {
    let world = World::new().await;
    let _waiting = world.connect_from(1);
    let (mut gone, served) = world.connect_from(2);
    gone.write_all(b"12345").await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(world.server.load().unauthenticated, 2);
    drop(gone);
    served.await.unwrap();
    let stranger = Login {
        key: MALLORY.clone(),
        ..Login::alice()
    };
    stranger.refused(world.connect_from(3).0).await;
    let before = world.server.load();
    assert_eq!(before.unauthenticated, 1);
    let tables = Tables {
        rates: 3,
        penalties: 1,
        trusted: 0,
        keys: 0,
    };
    assert_eq!(before.tables, tables);
    assert!(before.received > 5 + 1060, "{before:?}");

    let chat = world.open().await;
    let after = world.server.load();
    let tables = Tables {
        rates: 3,
        trusted: 1,
        keys: 1,
        ..tables
    };
    assert_eq!(after.tables, tables);
    let received = after.received - before.received;
    assert!((1060..2000).contains(&received), "{received}");
    assert!(after.sent - before.sent > 1024, "{after:?}");
    chat.close().await;
    assert_eq!(world.server.load().signing, QueueLoad::default());
}

#[tokio::test(start_paused = true)]
async fn several_observers_get_every_event_in_its_order() {
    let (first, second) = (Arc::new(Recorder::default()), Arc::new(Recorder::default()));
    let both = FanOut(vec![first.clone(), second.clone()]);
    let world = World::with(|setup| {
        setup.observer = Arc::new(both);
        setup.limits = Limits {
            max_unauthenticated_per_source: 1,
            ..Limits::default()
        };
    })
    .await;
    let _first = world.connect();
    let mut second_connection = world.connect();
    rest(&mut second_connection).await;
    assert_eq!(first.all().len(), 3);
    assert_eq!(format!("{:?}", first.all()), format!("{:?}", second.all()));
    let why = latchstring_server_core::AdmissionError::UnauthenticatedOfSource;
    assert_saw(&second.last_of(2), &Event::TurnedAway { why });
    assert!(
        world.seen.all().is_empty(),
        "the world's own is not among them"
    );
}

/// Writes down what hashes were computed for.
#[derive(Default)]
struct Hashes(Mutex<Vec<Purpose>>);

impl Observer for Hashes {
    fn event(&self, _: u64, _: &Event) {}

    fn hashed(&self, purpose: Purpose, _: Duration) {
        self.0.lock().unwrap().push(purpose);
    }
}

#[tokio::test(start_paused = true)]
async fn each_password_hash_is_told_and_a_stranger_costs_none() {
    let hashes = Arc::new(Hashes::default());
    let world = World::with(|setup| {
        setup.observer = Arc::new(FanOut(vec![setup.observer.clone(), hashes.clone()]));
    })
    .await;
    let stranger = Login {
        key: MALLORY.clone(),
        ..Login::alice()
    };
    stranger.refused(world.connect()).await;
    assert!(hashes.0.lock().unwrap().is_empty());
    world.open().await.close().await;
    assert_eq!(*hashes.0.lock().unwrap(), [Purpose::Check]);
}
