//! Users of another server: all of them, or none.

#[allow(dead_code, reason = "messages are for the other tests")]
mod common;

use common::{account, name};
use latchstring_store::{Account, Accounts, Invite, StoreError};
use latchstring_store_sqlite::Sqlite;
use tempfile::TempDir;

async fn store() -> (TempDir, Sqlite) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Sqlite::create(&dir.path().join("accounts.db")).await;
    (dir, store.expect("created"))
}

/// A second key of a user.
fn second_key(user: &str) -> Account {
    let first = account(user);
    let spki = b"the key of another computer".to_vec();
    Account::new(first.user, spki, first.password_hash, first.created_at)
}

#[tokio::test]
async fn users_come_with_keys_counters_and_state_and_revoke_invitations() {
    let (_dir, store) = store().await;
    let invite = Invite::new(name("bob"), [1; 32], 1_795_000_000);
    store.invite(&invite).await.expect("invited");
    let bob = Account {
        disabled: true,
        ..account("bob")
    };
    let users = [(account("alice"), 3), (second_key("alice"), 0), (bob, 100)];
    store.import(&users).await.expect("imported");
    let mut wanted: Vec<_> = users.iter().map(|(account, _)| account.clone()).collect();
    wanted.sort_by_key(|account| (account.user.to_string(), account.kid.0));
    assert_eq!(store.list().await.expect("a list"), wanted);
    for (account, failures) in &users {
        let counted = store.failures(&account.user, &account.kid).await;
        assert_eq!(counted.expect("a count"), *failures);
    }
    let invitations = store.invitations(1_795_000_000).await;
    assert!(invitations.expect("a list").is_empty());
}

#[tokio::test]
async fn an_import_that_meets_an_existing_user_or_a_key_twice_changes_nothing() {
    let (_dir, store) = store().await;
    store.add(&account("bob")).await.expect("added");
    let before = store.list().await.expect("a list");
    let invite = Invite::new(name("alice"), [1; 32], 1_795_000_000);
    store.invite(&invite).await.expect("invited");
    let exists = store
        .import(&[(account("alice"), 0), (account("bob"), 0)])
        .await;
    assert!(matches!(exists, Err(StoreError::UserExists(user)) if user == name("bob")));
    let twice = store
        .import(&[(account("alice"), 0), (account("alice"), 0)])
        .await;
    assert!(matches!(twice, Err(StoreError::KeyExists(user)) if user == name("alice")));
    assert_eq!(store.list().await.expect("a list"), before);
    let invitations = store.invitations(1_795_000_000).await;
    assert_eq!(invitations.expect("a list").len(), 1, "it holds");
}
