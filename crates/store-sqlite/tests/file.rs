//! The SQLite file: who may read it, two programs at once, and files that are not ours.

mod common;

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use common::{account, message};
use latchstring_store::{Accounts, Appended, Invite, StoreError};
use latchstring_store_sqlite::Sqlite;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("accounts.db");
    (dir, path)
}

/// The error's variant is asserted by the caller; here, that its text names the file.
async fn refusal(path: &Path) -> StoreError {
    let error = Sqlite::open(path).await.expect_err("refused");
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    error
}

/// A store with alice and 200 messages of hers, closed.
async fn filled(path: &Path) {
    let store = Sqlite::create(path).await.expect("created");
    let a = account("alice");
    store.add(&a).await.unwrap();
    for id in 1..=200 {
        let text = "x".repeat(500);
        store
            .append(&a.user, &a.kid, &message(id, 0, &text))
            .await
            .unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_reopening() {
    let (_dir, path) = place();
    filled(&path).await;
    let store = Sqlite::open(&path).await.unwrap();
    assert_eq!(store.list().await.unwrap(), [account("alice")]);
    let a = account("alice");
    assert_eq!(store.last_message_id(&a.user, &a.kid).await.unwrap(), 200);
}

#[tokio::test]
async fn every_file_of_the_store_is_closed_to_others() {
    let (dir, path) = place();
    let store = Sqlite::create(&path).await.unwrap();
    store.add(&account("alice")).await.unwrap();
    let files: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|f| f.unwrap())
        .collect();
    assert_eq!(files.len(), 3, "the file, its log and the log's index");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test]
async fn an_open_file_mode_is_refused() {
    let (_dir, path) = place();
    filled(&path).await;
    for mode in [0o640, 0o604, 0o666] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = refusal(&path).await;
        assert!(matches!(error, StoreError::Permissions { .. }));
        assert!(error.to_string().contains("chmod 600"));
    }
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_made_by_accident() {
    let (dir, path) = place();
    let missing = refusal(&path).await;
    assert!(matches!(missing, StoreError::Missing(_)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    fs::write(&path, "precious").unwrap();
    let exists = Sqlite::create(&path).await.expect_err("refused");
    assert!(matches!(exists, StoreError::FileExists(_)));
    assert_eq!(fs::read(&path).unwrap(), b"precious");

    let nowhere = Sqlite::create(&dir.path().join("no/such/place")).await;
    assert!(matches!(nowhere, Err(StoreError::Io { .. })));
}

#[tokio::test]
async fn foreign_files_are_refused_and_not_touched() {
    let (dir, path) = place();
    for content in [
        &b""[..],
        b"hello",
        &[0; 5000],
        &b"SQLite format 3\0".repeat(400),
    ] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(refusal(&path).await, StoreError::Foreign { .. }));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    assert!(matches!(
        refusal(dir.path()).await,
        StoreError::Foreign { .. }
    ));
}

#[tokio::test]
async fn another_programs_database_is_refused_and_not_touched() {
    let (dir, path) = place();
    sql(&path, "CREATE TABLE accounts (user TEXT)").await;
    let before = fs::read(&path).unwrap();
    assert!(matches!(refusal(&path).await, StoreError::Foreign { .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_dir, path) = place();
    filled(&path).await;
    sql(&path, "PRAGMA user_version = 999").await;
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Newer { found: 999, .. }));
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_brought_up_to_date() {
    let (_dir, path) = place();
    filled(&path).await;
    sql(&path, common::BACK_TO_6).await;
    sql(
        &path,
        "DROP TABLE invites; ALTER TABLE accounts DROP COLUMN failures; ALTER TABLE messages DROP COLUMN session;
         ALTER TABLE messages DROP COLUMN received_at; PRAGMA user_version = 1",
    )
    .await;
    let store = Sqlite::open(&path).await.unwrap();
    let (alice, bob) = (account("alice"), account("bob"));
    let invite = Invite::new(bob.user.clone(), [7; 32], bob.created_at);
    store.invite(&invite).await.unwrap();
    store.enrol(&bob, &[7; 32]).await.unwrap();
    assert_eq!(store.list().await.unwrap(), [alice.clone(), bob]);
    let last = store.last_message_id(&alice.user, &alice.kid).await;
    assert_eq!(last.unwrap(), 200);
    // Nobody knows any more which session brought the old messages, so the text alone tells them from others.
    let old = store.message(&alice.user, &alice.kid, 200).await.unwrap();
    let old = old.unwrap();
    assert_eq!((old.session, old.received_at), (None, None));
    let again = message(200, 0, &"x".repeat(500));
    let again = store.append(&alice.user, &alice.kid, &again).await;
    assert_eq!(again.unwrap(), Appended::Duplicate);
    store
        .set_failures(&alice.user, &alice.kid, 2)
        .await
        .unwrap();
    store.close().await;
    let again = Sqlite::open(&path).await.unwrap();
    assert_eq!(again.failures(&alice.user, &alice.kid).await.unwrap(), 2);
}

#[tokio::test]
async fn a_user_of_the_sixth_schema_keeps_key_password_and_wrong_passwords() {
    let (_dir, path) = place();
    filled(&path).await;
    let alice = account("alice");
    let store = Sqlite::open(&path).await.unwrap();
    store
        .set_failures(&alice.user, &alice.kid, 3)
        .await
        .unwrap();
    store.close().await;
    sql(&path, common::BACK_TO_6).await;
    let store = Sqlite::open(&path).await.unwrap();
    let found = store.find(&alice.user, &alice.kid).await.unwrap();
    assert_eq!(found.as_ref(), Some(&alice));
    assert_eq!(store.failures(&alice.user, &alice.kid).await.unwrap(), 3);
    store.add_key(&alice.user, b"another", 1).await.unwrap();
    let next = message(201, 0, "one more");
    let appended = store.append(&alice.user, &alice.kid, &next).await;
    assert_eq!(appended.unwrap(), Appended::Appended);
}

#[tokio::test]
async fn an_invitation_of_an_older_version_is_still_good_and_can_be_revoked() {
    let (_dir, path) = place();
    filled(&path).await;
    sql(&path, common::BACK_TO_6).await;
    // Of the fourth version: bob's name is there as a hash alone, and the invitation ends at a moment.
    sql(
        &path,
        "DROP TABLE invites;
         CREATE TABLE invites (user_hash BLOB NOT NULL PRIMARY KEY, token_hash BLOB NOT NULL, expires_at INTEGER NOT NULL)
             STRICT, WITHOUT ROWID;
         INSERT INTO invites VALUES (
             x'81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9',
             x'0707070707070707070707070707070707070707070707070707070707070707', 1795086400);
         ALTER TABLE messages DROP COLUMN received_at; PRAGMA user_version = 4",
    )
    .await;
    let store = Sqlite::open(&path).await.unwrap();
    let bob = account("bob");
    let listed = store.invitations(bob.created_at + 1).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].user.as_ref(), listed[0].made_at),
        (None, 1_795_000_000)
    );
    assert_eq!(listed[0].seconds_left, 86_399);
    let good = store.is_invited(&bob.user, &[7; 32], 1_795_086_399).await;
    assert!(good.unwrap());
    store.revoke(&bob.user).await.unwrap();
}

#[tokio::test]
async fn what_is_no_file_and_what_another_user_owns_is_refused_and_nothing_hangs() {
    let (_dir, path) = place();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    fs::remove_dir(&path).unwrap();
    // Only root can give a file away.
    if nix::unistd::Uid::effective().is_root() {
        filled(&path).await;
        std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
        let error = refusal(&path).await.to_string();
        assert!(error.contains("chown 0"), "{error}");
    }
}

#[tokio::test]
async fn a_copy_is_a_store_of_one_moment_and_overwrites_nothing() {
    let (dir, path) = place();
    filled(&path).await;
    let store = Sqlite::open(&path).await.unwrap();
    let copy = dir.path().join("copy's.db");
    store.copy_to(&copy).await.unwrap();
    let alice = account("alice");
    store
        .append(&alice.user, &alice.kid, &message(201, 0, "later"))
        .await
        .unwrap();
    let mode = fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let copied = Sqlite::open(&copy).await.unwrap();
    assert_eq!(copied.list().await.unwrap(), std::slice::from_ref(&alice));
    let last = copied.last_message_id(&alice.user, &alice.kid).await;
    assert_eq!(last.unwrap(), 200);
    let again = store.copy_to(&copy).await;
    assert!(matches!(again, Err(StoreError::FileExists(_))));
    let nowhere = dir.path().join("no/such/place");
    assert!(store.copy_to(&nowhere).await.is_err());
}

#[tokio::test]
async fn damage_is_found_at_the_start() {
    let (_dir, path) = place();
    filled(&path).await;
    let len = fs::metadata(&path).unwrap().len();
    for (at, count) in [(len / 2, 4096), (4096, 64), (len - 4096, 4096)] {
        let whole = fs::read(&path).unwrap();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        let mut old = vec![0; count];
        file.read_exact(&mut old).unwrap();
        let spoiled: Vec<u8> = old.iter().map(|b| !b).collect();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&spoiled).unwrap();
        let error = refusal(&path).await;
        assert!(matches!(error, StoreError::Damaged { .. }), "{at}: {error}");
        fs::write(&path, whole).unwrap();
    }
    OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(len / 2)
        .unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn a_key_swapped_behind_the_programs_back_is_noticed() {
    let (_dir, path) = place();
    filled(&path).await;
    sql(&path, "UPDATE keys SET spki = x'00'").await;
    let store = Sqlite::open(&path).await.unwrap();
    let a = account("alice");
    let found = store.find(&a.user, &a.kid).await;
    assert!(matches!(found, Err(StoreError::Damaged { .. })));
}

#[tokio::test]
async fn two_programs_use_one_file() {
    let (_dir, path) = place();
    let serve = Sqlite::create(&path).await.unwrap();
    let a = account("alice");
    serve.add(&a).await.unwrap();

    let writer = {
        let (serve, a) = (serve.clone(), a.clone());
        tokio::spawn(async move {
            for id in 1..=200 {
                let done = serve.append(&a.user, &a.kid, &message(id, 0, "busy")).await;
                assert_eq!(done.unwrap(), Appended::Appended);
            }
        })
    };
    // Each time what `user add` does: open, add, close.
    for i in 0..20 {
        let admin = Sqlite::open(&path).await.unwrap();
        admin.add(&account(&format!("user{i}"))).await.unwrap();
        admin.close().await;
    }
    writer.await.unwrap();
    let new = account("user19");
    assert_eq!(serve.find(&new.user, &new.kid).await.unwrap(), Some(new));
    assert_eq!(serve.list().await.unwrap().len(), 21);
    assert_eq!(serve.last_message_id(&a.user, &a.kid).await.unwrap(), 200);
}

/// Does to a file what only SQL can do.
async fn sql(path: &Path, statement: &'static str) {
    let options = SqliteConnectOptions::new().filename(path);
    let options = options.create_if_missing(true);
    let mut connection = options.connect().await.expect("opened");
    let done = sqlx::raw_sql(statement).execute(&mut connection).await;
    done.expect("done");
    connection.close().await.expect("closed");
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}
