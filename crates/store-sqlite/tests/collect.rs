//! Files come out of the messages of a store, while another program writes into it, and nothing is changed.

mod common;

use std::path::Path;

use common::{RECEIVED, account, message};
use latchstring_parcel::{JoinError, Name, Part, PartError, split};
use latchstring_store::{Accounts, StoreError, StoredMessage};
use latchstring_store_sqlite::{
    Sqlite,
    collect::{Collector, Found, LeftAlone},
};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

/// Appends texts of a user, each one second after the other.
async fn say(store: &Sqlite, user: &str, texts: impl IntoIterator<Item = String>) {
    let a = account(user);
    for text in texts {
        let id = 1 + store.last_message_id(&a.user, &a.kid).await.unwrap();
        let message = StoredMessage {
            received_at: Some(RECEIVED + id),
            ..message(id, 0, &text)
        };
        store.append(&a.user, &a.kid, &message).await.unwrap();
    }
}

fn texts(name: &str, bytes: &[u8]) -> Vec<String> {
    let parts = split(Name::new(name).unwrap(), bytes).unwrap();
    parts.texts().collect()
}

async fn collected(path: &Path) -> (Vec<Found>, LeftAlone) {
    let mut found = Vec::new();
    let collector = Collector::open(path).await.unwrap();
    let take = |one| {
        found.push(one);
        Ok::<(), StoreError>(())
    };
    let left = collector.collect(take).await.unwrap();
    (found, left)
}

#[tokio::test]
async fn whole_files_come_out_and_all_else_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let store = Sqlite::create(&path).await.unwrap();
    for user in ["alice", "bob", "carol", "gone"] {
        store.add(&account(user)).await.unwrap();
    }
    let bytes: Vec<u8> = (0..3_300_000_u32).map(|i| (i / 7) as u8).collect();
    let long = texts("long.bin", &bytes);
    assert!(long.len() > 256, "more than are read at once");
    say(&store, "alice", ["hello".to_owned()]).await;
    say(&store, "alice", long.clone()).await;
    say(
        &store,
        "bob",
        [long[1].clone(), "latchstring-file/9".to_owned()],
    )
    .await;
    let mut wrong = texts("wrong", &[1; 12_001]);
    let mut part = Part::parse(&wrong[0]).unwrap().unwrap();
    part.bytes[0] = 2;
    wrong[0] = part.to_string();
    say(
        &store,
        "carol",
        [texts("a.txt", b"one"), texts("a.txt", b"two"), wrong].concat(),
    )
    .await;
    say(&store, "gone", texts("gone.txt", b"gone")).await;
    store.remove(&account("gone").user).await.unwrap();

    // The store is open for writing meanwhile: as with a server that runs.
    let (found, left) = collected(&path).await;
    assert_eq!((left.others, left.removed), (1, 1));
    let [alice, bob, bad, carol @ ..] = &found[..] else {
        panic!("{}", found.len());
    };
    let Found::File(file) = alice else {
        panic!("alice's file is whole");
    };
    assert_eq!(
        (file.sender.user.as_str(), &file.sender.key),
        ("alice", &account("alice").kid)
    );
    assert_eq!(file.head.name().as_str(), "long.bin");
    assert!(file.bytes == bytes);
    let last = 1 + long.len() as u64;
    assert_eq!(file.received_at, [Some(RECEIVED + last)]);
    assert!(file.messages.iter().copied().eq(2..=last));
    let Found::Incomplete { missing, .. } = bob else {
        panic!("{bob:?}");
    };
    assert_eq!(
        (missing[0], missing[1], missing.len()),
        (1, 3, long.len() - 1)
    );
    assert!(matches!(bad, Found::BadPart(bad) if bad.id == 2 && bad.why == PartError::Version));
    let short = |found: &Found| match found {
        Found::File(file) => String::from_utf8(file.bytes.clone()).unwrap(),
        Found::Broken { head, why, .. } => format!("{} {}", head.name(), *why == JoinError::Hash),
        other => panic!("{other:?}"),
    };
    let mut carol: Vec<_> = carol.iter().map(short).collect();
    carol.sort();
    assert_eq!(carol, ["one", "two", "wrong true"]);

    // And it still is: the lock, if any, is gone, and the same comes out of a copy and of a closed store.
    say(&store, "bob", texts("late.txt", b"late")).await;
    let copy = dir.path().join("copy.db");
    store.copy_to(&copy).await.unwrap();
    store.close().await;
    assert_eq!(collected(&path).await.0.len(), found.len() + 1);
    assert_eq!(collected(&copy).await.0.len(), found.len() + 1);
}

#[tokio::test]
async fn a_collection_changes_nothing_and_reads_a_store_of_an_older_version() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let store = Sqlite::create(&path).await.unwrap();
    store.add(&account("alice")).await.unwrap();
    say(&store, "alice", texts("a.txt", b"one")).await;
    store.close().await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut older = options.connect().await.unwrap();
    let script = format!(
        "{} ALTER TABLE messages DROP COLUMN received_at; PRAGMA user_version = 5",
        common::BACK_TO_6
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(script))
        .execute(&mut older)
        .await
        .unwrap();
    older.close().await.unwrap();

    let before = std::fs::read(&path).unwrap();
    let (found, _) = collected(&path).await;
    assert!(matches!(&found[..], [Found::File(file)] if file.received_at == [None]));
    assert_eq!(
        std::fs::read(&path).unwrap(),
        before,
        "it is still of the older version"
    );
    let missing = Collector::open(&dir.path().join("nothing")).await;
    assert!(matches!(missing, Err(StoreError::Missing(_))));
}

#[tokio::test]
async fn an_error_of_the_taker_ends_the_collection() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let store = Sqlite::create(&path).await.unwrap();
    store.add(&account("alice")).await.unwrap();
    say(
        &store,
        "alice",
        [texts("a", b"one"), texts("b", b"two")].concat(),
    )
    .await;
    let mut taken = 0;
    let collector = Collector::open(&path).await.unwrap();
    let full = collector.collect(|_| {
        taken += 1;
        Err(StoreError::Missing("the disk is full".into()))
    });
    assert!(full.await.is_err());
    assert_eq!(taken, 1);
}
