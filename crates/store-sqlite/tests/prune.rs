//! Removing old messages breaks nothing: ids go on, repetitions are known, and messages for the sink stay.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{RECEIVED, account, message};
use latchstring_store::{
    Account, Accounts, Appended, StoreError, StoredMessage, protocol::hardened::message::UserName,
};
use latchstring_store_sqlite::{Keep, Plan, Sqlite};
use sqlx::{Connection, Executor, SqliteConnection};
use tempfile::TempDir;

struct Place {
    _dir: TempDir,
    path: PathBuf,
    store: Sqlite,
    alice: Account,
}

impl Place {
    async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("accounts.db");
        let store = Sqlite::create(&path).await.unwrap();
        let alice = account("alice");
        store.add(&alice).await.unwrap();
        Self {
            _dir: dir,
            path,
            store,
            alice,
        }
    }

    async fn append(&self, of: &Account, message: &StoredMessage) -> Result<Appended, StoreError> {
        self.store.append(&of.user, &of.kid, message).await
    }

    /// Messages of alice, each 10 seconds after the one before.
    async fn say(&self, ids: std::ops::RangeInclusive<u64>) {
        for id in ids {
            self.append(&self.alice, &said(id)).await.unwrap();
        }
    }

    async fn prune(&self, keep: Keep) -> Plan {
        let plan = self.store.plan(&keep, None).await.unwrap();
        self.store.prune(&plan).await.unwrap();
        plan
    }

    async fn ids(&self, of: &Account) -> Vec<u64> {
        let log = self.store.messages(&of.user, &of.kid).await.unwrap();
        log.into_iter().map(|message| message.id).collect()
    }
}

fn said(id: u64) -> StoredMessage {
    StoredMessage {
        received_at: Some(RECEIVED + 10 * id),
        ..message(id, 0, &format!("secret text {id}"))
    }
}

fn last_of_key(n: u64) -> Keep {
    Keep {
        last_of_key: Some(n),
        ..Keep::default()
    }
}

#[tokio::test]
async fn ids_go_on_and_repetitions_of_removed_messages_are_known() {
    let place = Place::new().await;
    let alice = &place.alice;
    place.say(1..=5).await;
    let held = place.store.held(&alice.user, &alice.kid, 2).await.unwrap();
    let plan = place.prune(last_of_key(2)).await;
    assert_eq!((plan.messages(), plan.logs[0].last), (3, 3));
    assert_eq!(place.ids(alice).await, [4, 5]);
    // As before: the last id, what is held, and a repetition.
    let last = place.store.last_message_id(&alice.user, &alice.kid).await;
    assert_eq!(last.unwrap(), 5);
    let now = place.store.held(&alice.user, &alice.kid, 2).await.unwrap();
    assert!(now.is_some());
    assert_eq!(now, held);
    assert_eq!(
        place.append(alice, &said(2)).await.unwrap(),
        Appended::Duplicate
    );
    // The text is gone, and nothing came back.
    let gone = place
        .store
        .message(&alice.user, &alice.kid, 2)
        .await
        .unwrap();
    assert_eq!(gone, None);
    // Another text, or another session, under the same id is no repetition.
    let other = message(2, 0, "another text");
    let elsewhere = StoredMessage {
        session: Some([2; 16]),
        ..said(2)
    };
    for wrong in [other, elsewhere] {
        let refused = place.append(alice, &wrong).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict { id: 2, .. })),
            "{refused:?}"
        );
    }
    let gap = place.append(alice, &said(7)).await;
    assert!(
        matches!(gap, Err(StoreError::Gap { last: 5, .. })),
        "{gap:?}"
    );
    place.say(6..=6).await;
    assert_eq!(place.ids(alice).await, [4, 5, 6]);
}

#[tokio::test]
async fn a_log_that_is_removed_whole_goes_on_after_a_restart() {
    let mut place = Place::new().await;
    place.say(1..=4).await;
    place.prune(last_of_key(0)).await;
    place.store.close().await;
    place.store = Sqlite::open(&place.path).await.unwrap();
    let alice = place.alice.clone();
    assert_eq!(place.ids(&alice).await, [0; 0]);
    assert_eq!(place.store.logs(&alice.user).await.unwrap(), [alice.kid]);
    assert_eq!(
        place.append(&alice, &said(4)).await.unwrap(),
        Appended::Duplicate
    );
    place.say(5..=5).await;
    assert_eq!(place.ids(&alice).await, [5]);
    let again = place.prune(last_of_key(1)).await;
    assert_eq!(again, Plan::default());
}

#[tokio::test]
async fn of_the_oldest_removed_messages_nothing_is_kept_and_then_the_client_numbers_anew() {
    let place = Place::new().await;
    let alice = &place.alice;
    place.say(1..=1100).await;
    place.prune(last_of_key(10)).await;
    let oldest = place.append(alice, &said(76)).await;
    assert!(
        matches!(oldest, Err(StoreError::Conflict { id: 76, .. })),
        "{oldest:?}"
    );
    let held = place.store.held(&alice.user, &alice.kid, 76).await.unwrap();
    assert_eq!(held, None);
    // 1024 messages may wait at a client.
    for id in [77, 1090, 1091, 1100] {
        assert_eq!(
            place.append(alice, &said(id)).await.unwrap(),
            Appended::Duplicate,
            "{id}"
        );
    }
    place.say(1101..=1101).await;
}

#[tokio::test]
async fn rules_by_time_number_and_size_remove_the_oldest_of_all_keys() {
    for (keep, alice_keeps, bob_keeps) in [
        (
            Keep {
                since: Some(RECEIVED + 30),
                ..Keep::default()
            },
            vec![3, 4, 5],
            vec![1, 2],
        ),
        (
            Keep {
                messages: Some(3),
                ..Keep::default()
            },
            vec![5],
            vec![1, 2],
        ),
        (
            // "secret text 5" has 13 bytes, and each of bob's messages 100.
            Keep {
                bytes: Some(213 + 13),
                ..Keep::default()
            },
            vec![4, 5],
            vec![1, 2],
        ),
        (
            Keep {
                bytes: Some(213 + 12),
                ..Keep::default()
            },
            vec![5],
            vec![1, 2],
        ),
        (last_of_key(1), vec![5], vec![2]),
        (Keep::default(), vec![1, 2, 3, 4, 5], vec![1, 2]),
    ] {
        let place = Place::new().await;
        let bob = account("bob");
        place.store.add(&bob).await.unwrap();
        place.say(1..=5).await;
        for id in [1, 2] {
            let late = StoredMessage {
                received_at: Some(RECEIVED + 100 + id),
                ..message(id, 0, &"b".repeat(100))
            };
            place.append(&bob, &late).await.unwrap();
        }
        place.prune(keep).await;
        assert_eq!(place.ids(&place.alice).await, alice_keeps, "{keep:?}");
        assert_eq!(place.ids(&bob).await, bob_keeps, "{keep:?}");
    }
}

#[tokio::test]
async fn only_the_messages_of_the_named_user_are_removed_also_when_the_user_is_gone() {
    let place = Place::new().await;
    let bob = account("bob");
    place.store.add(&bob).await.unwrap();
    place.say(1..=2).await;
    place.append(&bob, &said(1)).await.unwrap();
    place.store.remove(&bob.user).await.unwrap();
    let keep = last_of_key(0);
    let plan = place.store.plan(&keep, Some(&bob.user)).await.unwrap();
    assert_eq!((plan.messages(), plan.logs[0].user.clone()), (1, None));
    place.store.prune(&plan).await.unwrap();
    assert_eq!(place.ids(&bob).await, [0; 0]);
    assert_eq!(place.ids(&place.alice).await, [1, 2]);
    let nobody = UserName::parse("nobody").unwrap();
    let plan = place.store.plan(&keep, Some(&nobody)).await.unwrap();
    assert_eq!(plan, Plan::default());
}

/// A clock that was ahead, and messages of a version that noted no times.
#[tokio::test]
async fn a_wrong_time_in_the_middle_keeps_no_message_longer_and_removes_none_earlier() {
    let place = Place::new().await;
    let times = [None, Some(10), Some(9_000_000), None, Some(20), Some(500)];
    for (id, received_at) in (1..).zip(times) {
        let odd = StoredMessage {
            received_at,
            ..said(id)
        };
        place.append(&place.alice, &odd).await.unwrap();
    }
    for (since, keeps) in [
        (10, vec![1, 2, 3, 4, 5, 6]),
        (15, vec![3, 4, 5, 6]),
        (21, vec![6]),
        (501, vec![]),
    ] {
        let keep = Keep {
            since: Some(since),
            ..Keep::default()
        };
        place.prune(keep).await;
        assert_eq!(place.ids(&place.alice).await, keeps, "{since}");
    }
}

#[tokio::test]
async fn messages_that_came_at_no_known_time_are_old_for_a_number_and_not_for_a_time() {
    let place = Place::new().await;
    for id in 1..=3 {
        let timeless = StoredMessage {
            received_at: None,
            ..said(id)
        };
        place.append(&place.alice, &timeless).await.unwrap();
    }
    let late = Keep {
        since: Some(u64::MAX),
        ..Keep::default()
    };
    assert_eq!(place.prune(late).await, Plan::default());
    let few = Keep {
        messages: Some(1),
        ..Keep::default()
    };
    place.prune(few).await;
    assert_eq!(place.ids(&place.alice).await, [3]);
}

#[tokio::test]
async fn a_message_that_waits_for_the_sink_stays_and_so_do_those_after_it() {
    let mut place = Place::new().await;
    place.store = place.store.clone().with_outbox();
    place.say(1..=4).await;
    let waiting = place.store.waiting(10).await.unwrap();
    place.store.delivered(waiting[1].place).await.unwrap();
    place.prune(last_of_key(0)).await;
    assert_eq!(place.ids(&place.alice).await, [3, 4]);
    let texts: Vec<_> = (place.store.waiting(10).await.unwrap().into_iter())
        .map(|one| one.message.text)
        .collect();
    assert_eq!(texts, ["secret text 3", "secret text 4"]);
    place.store.delivered(u64::MAX).await.unwrap();
    place.prune(last_of_key(0)).await;
    assert_eq!(place.ids(&place.alice).await, [0; 0]);
}

fn holds(path: &Path, text: &str) -> bool {
    let with_log = ["", "-wal"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        fs::read(name).unwrap_or_default()
    });
    let text = text.as_bytes();
    (with_log.iter()).any(|bytes| bytes.windows(text.len()).any(|part| part == text))
}

async fn fill(place: &Place) -> u64 {
    for id in 1..=300 {
        let long = StoredMessage {
            text: format!("secret text {id} {}", "x".repeat(10_000)),
            ..said(id)
        };
        place.append(&place.alice, &long).await.unwrap();
    }
    place.store.close().await;
    fs::metadata(&place.path).unwrap().len()
}

#[tokio::test]
async fn the_texts_are_gone_from_the_disk_and_their_room_is_given_back() {
    let mut place = Place::new().await;
    let full = fill(&place).await;
    assert!(full > 3_000_000 && holds(&place.path, "secret text 7 "));
    place.store = Sqlite::open(&place.path).await.unwrap();
    place.prune(last_of_key(1)).await;
    assert!(place.store.shrink().await.unwrap());
    let small = fs::metadata(&place.path).unwrap().len();
    assert!(small < 200_000, "{small} of {full}");
    for id in 1..=299 {
        assert!(!holds(&place.path, &format!("secret text {id} ")), "{id}");
    }
    assert!(holds(&place.path, "secret text 300 "));
    place.store.check().await.unwrap();
}

#[tokio::test]
async fn a_store_of_an_earlier_version_gives_room_back_once_it_is_rebuilt() {
    let mut place = Place::new().await;
    fill(&place).await;
    let address = format!("sqlite://{}", place.path.display());
    let mut connection = SqliteConnection::connect(&address).await.unwrap();
    for sql in [
        "PRAGMA journal_mode = DELETE",
        "PRAGMA auto_vacuum = NONE",
        "VACUUM",
    ] {
        connection.execute(sql).await.unwrap();
    }
    connection.close().await.unwrap();
    place.store = Sqlite::open(&place.path).await.unwrap();
    let full = fs::metadata(&place.path).unwrap().len();
    place.prune(last_of_key(1)).await;
    assert!(!place.store.shrink().await.unwrap());
    let same = fs::metadata(&place.path).unwrap().len();
    assert!(same >= full, "{same} of {full}");
    place.store.rebuild().await.unwrap();
    let small = fs::metadata(&place.path).unwrap().len();
    assert!(small < 200_000, "{small} of {full}");
    place.store.close().await;
    place.store = Sqlite::open(&place.path).await.unwrap();
    assert!(place.store.shrink().await.unwrap());
    assert_eq!(place.ids(&place.alice).await, [300]);
}

#[tokio::test]
async fn messages_come_while_others_are_removed() {
    let place = Place::new().await;
    place.say(1..=2000).await;
    let server = Sqlite::open(&place.path).await.unwrap();
    let (alice, keep) = (place.alice.clone(), last_of_key(10));
    let plan = place.store.plan(&keep, None).await.unwrap();
    let sending = tokio::spawn(async move {
        for id in 2001..=2040 {
            let done = server.append(&alice.user, &alice.kid, &said(id)).await;
            assert_eq!(done.unwrap(), Appended::Appended);
        }
    });
    place.store.prune(&plan).await.unwrap();
    sending.await.unwrap();
    let expected: Vec<_> = (1991..=2040).collect();
    assert_eq!(place.ids(&place.alice).await, expected);
    place.store.check().await.unwrap();
}
