//! The outbox: each message waits for the sink from the moment at which it is stored, in that order.

mod common;

use std::path::PathBuf;

use common::{account, message};
use latchstring_store::{Account, Accounts, Appended};
use latchstring_store_sqlite::{Sqlite, Waiting};
use tempfile::TempDir;

async fn store() -> (TempDir, PathBuf, Sqlite) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("accounts.db");
    let store = Sqlite::create(&path).await.unwrap().with_outbox();
    (dir, path, store)
}

async fn say(store: &Sqlite, of: &Account, id: u64) -> Appended {
    let message = message(id, 0, &format!("{} {id}", of.user));
    store.append(&of.user, &of.kid, &message).await.unwrap()
}

fn texts(waiting: &[Waiting]) -> Vec<&str> {
    waiting
        .iter()
        .map(|one| one.message.text.as_str())
        .collect()
}

#[tokio::test]
async fn messages_wait_in_the_order_in_which_they_were_stored_until_they_are_delivered() {
    let (_dir, _, store) = store().await;
    let (alice, bob) = (account("alice"), account("bob"));
    store.add(&alice).await.unwrap();
    store.add(&bob).await.unwrap();
    for (of, id) in [(&bob, 1), (&alice, 1), (&bob, 2)] {
        say(&store, of, id).await;
    }
    // A repetition does not wait again.
    assert_eq!(say(&store, &bob, 2).await, Appended::Duplicate);
    let waiting = store.waiting(10).await.unwrap();
    assert_eq!(texts(&waiting), ["bob 1", "alice 1", "bob 2"]);
    assert_eq!(waiting[1].user, alice.user);
    assert_eq!(waiting[1].kid, alice.kid);
    assert_eq!(waiting[1].message, message(1, 0, "alice 1"));
    assert_eq!(
        texts(&store.waiting(2).await.unwrap()),
        ["bob 1", "alice 1"]
    );

    let place = store.place(&alice.user, &alice.kid, 1).await.unwrap();
    assert_eq!(place, Some(waiting[1].place));
    store.delivered(waiting[1].place).await.unwrap();
    assert_eq!(texts(&store.waiting(10).await.unwrap()), ["bob 2"]);
    let place = store.place(&alice.user, &alice.kid, 1).await.unwrap();
    assert_eq!(place, None);
    assert_eq!(store.count_waiting().await.unwrap(), 1);

    // A place is never used twice, also when the outbox was empty in between.
    store.delivered(waiting[2].place).await.unwrap();
    say(&store, &alice, 2).await;
    let later = store.waiting(10).await.unwrap();
    assert!(later[0].place > waiting[2].place);
    // The log itself is as it was.
    let log = store.messages(&bob.user, &bob.kid).await.unwrap();
    assert_eq!(log.len(), 2);
}

#[tokio::test]
async fn messages_of_a_removed_user_still_wait_and_survive_a_restart() {
    let (_dir, path, store) = store().await;
    let alice = account("alice");
    store.add(&alice).await.unwrap();
    say(&store, &alice, 1).await;
    store.remove(&alice.user).await.unwrap();
    store.close().await;
    let store = Sqlite::open(&path).await.unwrap();
    let waiting = store.waiting(10).await.unwrap();
    assert_eq!(texts(&waiting), ["alice 1"]);
    assert_eq!(waiting[0].user, alice.user);
}

#[tokio::test]
async fn without_a_sink_nothing_waits() {
    let (_dir, path, store) = store().await;
    store.close().await;
    let store = Sqlite::open(&path).await.unwrap();
    let alice = account("alice");
    store.add(&alice).await.unwrap();
    say(&store, &alice, 1).await;
    assert_eq!(store.count_waiting().await.unwrap(), 0);
    assert_eq!(store.place(&alice.user, &alice.kid, 1).await.unwrap(), None);
}
