//! `collect` with the real program: whole files in their places, everything else named, nothing overwritten, and no name
//! that leaves the directory.

mod support;

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Component, Path},
};

use latchstring_net::protocol::hardened::message::UserName;
use latchstring_parcel::{Name, split};
use latchstring_store::{Account, Accounts, StoredMessage};
use latchstring_store_sqlite::Sqlite;
use proptest::prelude::*;
use serde_json::Value;
use support::{Home, failure, success};

/// 2026-11-18T11:08:20Z
const BEGAN: u64 = 1_795_000_100;

fn account(user: &str, key: &str) -> Account {
    let spki = format!("the public key {key} of {user}").into_bytes();
    let user = UserName::parse(user).unwrap();
    Account::new(user, spki, "$argon2id$none".to_owned(), 1_795_000_000)
}

/// Stores texts of a user, each one second after the other.
async fn say(home: &Home, from: &Account, texts: impl IntoIterator<Item = String>) {
    let store = Sqlite::open(&home.path("server/accounts.db"))
        .await
        .unwrap();
    let known = store.list().await.unwrap();
    if !known.iter().any(|one| one.user == from.user) {
        store.add(from).await.unwrap();
    }
    for text in texts {
        let id = 1 + store.last_message_id(&from.user, &from.kid).await.unwrap();
        let message = StoredMessage {
            id,
            kind: 0,
            text,
            session: Some([1; 16]),
            received_at: Some(BEGAN + id),
        };
        store.append(&from.user, &from.kid, &message).await.unwrap();
    }
    store.close().await;
}

fn texts(name: &str, bytes: &[u8]) -> Vec<String> {
    let parts = split(Name::new(name).unwrap(), bytes).unwrap();
    parts.texts().collect()
}

/// All files below a directory, by their paths there.
fn below(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for user in fs::read_dir(directory).unwrap() {
        let user = user.unwrap().path();
        for file in fs::read_dir(&user).unwrap() {
            let path = file.unwrap().path();
            let path = path.strip_prefix(directory).unwrap().to_str().unwrap();
            found.insert(path.to_owned());
        }
    }
    found
}

fn read(home: &Home, path: &str) -> String {
    fs::read_to_string(home.path(path)).unwrap()
}

#[tokio::test]
async fn whole_files_are_written_with_their_times_and_everything_else_is_named() {
    let home = Home::new();
    let long = vec![7; 30_000];
    let parts = texts("long.bin", &long);
    let alice = account("alice", "1");
    say(&home, &alice, texts("a.zip", b"answers")).await;
    say(&home, &alice, ["hello".to_owned()]).await;
    say(&home, &alice, parts.clone()).await;
    let bob = account("bob", "1");
    let bad = "latchstring-file/1 nonsense".to_owned();
    say(&home, &bob, [parts[2].clone(), bad]).await;

    let output = home.run(&["collect", "in"]);
    assert_eq!(
        success(&output),
        "alice/a.zip: 7 bytes, received 2026-11-18T11:08:21Z\n\
         alice/long.bin: 30000 bytes, received 2026-11-18T11:08:25Z\n\
         2 new files, 0 as before.\n"
    );
    let notes = String::from_utf8(output.stderr).unwrap();
    for note in [
        "bob/long.bin is incomplete: 2 of 3 parts are missing",
        "Message 2 of bob is not a valid part of a file",
        "Left alone: 1 message of no file, and 0 messages of removed users.",
    ] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    assert_eq!(read(&home, "in/alice/a.zip"), "answers");
    assert_eq!(fs::read(home.path("in/alice/long.bin")).unwrap(), long);
    let time = read(&home, "in/alice/long.bin.received");
    assert_eq!(time, "2026-11-18T11:08:25Z\n");
    for (path, mode) in [
        ("in", 0o700),
        ("in/alice", 0o700),
        ("in/alice/a.zip", 0o600),
        ("in/alice/a.zip.received", 0o600),
    ] {
        let about = fs::metadata(home.path(path)).unwrap();
        assert_eq!(about.mode() & 0o777, mode, "{path}");
    }

    // The rest of a file comes, and the same file a second time: the first time counts.
    say(&home, &bob, parts[..2].to_vec()).await;
    say(&home, &alice, texts("a.zip", b"answers")).await;
    let said = success(&home.run(&["collect", "in"]));
    assert_eq!(
        said,
        "bob/long.bin: 30000 bytes, received 2026-11-18T11:08:24Z\n1 new file, 2 as before.\n"
    );
    let time = read(&home, "in/alice/a.zip.received");
    assert_eq!(time, "2026-11-18T11:08:21Z\n");
    assert_eq!(below(&home.path("in")).len(), 6);
}

#[tokio::test]
async fn a_program_reads_the_same_as_json() {
    let home = Home::new();
    let alice = account("alice", "1");
    let half = texts("half.bin", &[1; 13_000]);
    say(&home, &alice, texts("a.zip", b"answers")).await;
    say(&home, &alice, [half[0].clone()]).await;
    let said = success(&home.run(&["collect", "--json", "in"]));
    let said: Vec<Value> = (said
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>())
    .unwrap();
    let [incomplete, file, end] = &said[..] else {
        panic!("{said:?}")
    };
    assert_eq!(incomplete["found"], "incomplete");
    assert_eq!(incomplete["missing"], serde_json::json!([2]));
    assert_eq!(file["found"], "file");
    assert_eq!(file["path"], "alice/a.zip");
    assert_eq!(file["received"], "2026-11-18T11:08:21Z");
    assert_eq!(file["messages"], serde_json::json!([1]));
    assert_eq!(file["new"], true);
    assert_eq!((&end["found"], &end["new"]), (&"end".into(), &1.into()));
}

#[tokio::test]
async fn two_contents_under_one_name_are_both_kept_and_keep_their_names() {
    let home = Home::new();
    let alice = account("alice", "1");
    // The hash of the second one is the smaller one, so the order is that of the times.
    say(&home, &alice, texts("a.zip", b"one")).await;
    say(&home, &alice, texts("a.zip", b"two")).await;
    success(&home.run(&["collect", "in"]));
    let second = "3fc4ccfe745870e2-a.zip";
    let check = || {
        assert_eq!(read(&home, "in/alice/a.zip"), "one");
        assert_eq!(read(&home, &format!("in/alice/{second}")), "two");
        let time = read(&home, &format!("in/alice/{second}.received"));
        assert_eq!(time, "2026-11-18T11:08:22Z\n");
        assert_eq!(below(&home.path("in")).len(), 4);
    };
    check();
    let again = success(&home.run(&["collect", "in"]));
    assert_eq!(again, "0 new files, 2 as before.\n");
    check();
    // An old key and a new one: one file, with the time at which it came first.
    let store = Sqlite::open(&home.path("server/accounts.db"))
        .await
        .unwrap();
    store.remove(&alice.user).await.unwrap();
    store.close().await;
    let renewed = account("alice", "2");
    say(&home, &renewed, ["hello".to_owned(), "again".to_owned()]).await;
    say(&home, &renewed, texts("a.zip", b"one")).await;
    let again = success(&home.run(&["collect", "in"]));
    assert_eq!(again, "0 new files, 2 as before.\n");
    check();
}

#[tokio::test]
async fn nothing_that_exists_is_overwritten() {
    let home = Home::new();
    let alice = account("alice", "1");
    say(&home, &alice, texts("a.zip", b"one")).await;
    say(&home, &alice, texts("b.zip", b"two")).await;
    for dir in ["in", "in/alice"] {
        fs::create_dir(home.path(dir)).unwrap();
        fs::set_permissions(home.path(dir), Permissions::from_mode(0o700)).unwrap();
    }
    // The operator's own file, a link in the place of another, and a wrong time.
    home.write("in/alice/a.zip", "mine", 0o600);
    home.write("outside", "kept", 0o600);
    symlink(
        home.path("outside"),
        home.path("in/alice/7692c3ad3540bb80-a.zip"),
    )
    .unwrap();
    home.write("in/alice/b.zip.received", "1999-01-01T00:00:00Z\n", 0o600);
    let output = home.run(&["collect", "in"]);
    let error = failure(&output);
    for note in [
        "alice/a.zip was not collected: a.zip and 7692c3ad3540bb80-a.zip in in/alice have other contents",
        "b.zip.received does not say 2026-11-18T11:08:22Z; move it away",
        "2 files were not collected",
    ] {
        assert!(error.contains(note), "{note}: {error}");
    }
    assert_eq!(read(&home, "in/alice/a.zip"), "mine");
    assert_eq!(read(&home, "outside"), "kept");
    // What is in the way is moved away, and the same command does the rest.
    fs::remove_file(home.path("in/alice/a.zip")).unwrap();
    fs::remove_file(home.path("in/alice/b.zip.received")).unwrap();
    success(&home.run(&["collect", "in"]));
    assert_eq!(read(&home, "in/alice/a.zip"), "one");
    assert_eq!(read(&home, "in/alice/b.zip"), "two");
    let time = read(&home, "in/alice/b.zip.received");
    assert_eq!(time, "2026-11-18T11:08:22Z\n");
}

#[tokio::test]
async fn a_users_directory_that_is_a_link_is_not_followed() {
    let home = Home::new();
    say(&home, &account("alice", "1"), texts("a.zip", b"one")).await;
    fs::create_dir(home.path("in")).unwrap();
    fs::set_permissions(home.path("in"), Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(home.path("outside")).unwrap();
    symlink(home.path("outside"), home.path("in/alice")).unwrap();
    let error = failure(&home.run(&["collect", "in"]));
    assert!(error.contains("in/alice is not a directory"), "{error}");
    assert_eq!(fs::read_dir(home.path("outside")).unwrap().count(), 0);
}

/// A student who hands in late could otherwise send the time, too.
#[tokio::test]
async fn nobody_sends_the_time_at_which_a_file_was_received() {
    let home = Home::new();
    let alice = account("alice", "1");
    let early = b"1999-01-01T00:00:00Z\n";
    say(&home, &alice, texts("a.zip.received", early)).await;
    say(&home, &alice, texts("a.zip.RECEIVED", early)).await;
    say(&home, &alice, texts("a.zip", b"one")).await;
    let error = failure(&home.run(&["collect", "in"]));
    assert!(
        error.contains("names that end with .received hold times"),
        "{error}"
    );
    let time = read(&home, "in/alice/a.zip.received");
    assert_eq!(time, "2026-11-18T11:08:23Z\n");
    assert_eq!(below(&home.path("in")).len(), 2);
}

#[tokio::test]
async fn a_name_that_is_a_path_or_commands_a_terminal_is_no_name() {
    let home = Home::new();
    let good = texts("NAME", b"content").remove(0);
    let names = [
        "../up",
        "../../up",
        "/tmp/up",
        "a/b",
        "..",
        ".",
        ".bashrc",
        "-rf",
        "a\u{1b}[2Jb",
        "a\nb",
        "a\0b",
        "ü",
        "",
    ];
    let texts = names.map(|name| good.replace("NAME", name));
    say(&home, &account("alice", "1"), texts).await;
    let output = home.run(&["collect", "in"]);
    assert_eq!(success(&output), "0 new files, 0 as before.\n");
    let notes = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        notes.matches("is not a valid part of a file").count(),
        names.len()
    );
    assert!(!notes.contains('\u{1b}'), "{notes:?}");
    assert_eq!(fs::read_dir(home.path("in")).unwrap().count(), 0);
    assert!(!home.path("up").exists());
}

proptest! {
    /// What the grammars of names let through is a file in the directory of its user, whatever the text was.
    #[test]
    fn every_name_is_a_plain_file_in_the_directory_of_its_user(
        user in "\\PC{0,3}|[a-z./_-]{0,34}|[\\x00-\\x7f]{0,5}",
        name in "\\PC{0,3}|[a-zA-Z0-9./_-]{0,102}|[\\x00-\\x7f]{0,5}",
    ) {
        let (Ok(user), Ok(name)) = (UserName::parse(&user), Name::new(&name)) else {
            return Ok(());
        };
        let path = Path::new(user.as_str()).join(name.as_str());
        let parts: Vec<Component<'_>> = path.components().collect();
        let plain = [user.as_str(), name.as_str()].map(|part| Component::Normal(part.as_ref()));
        prop_assert_eq!(parts, plain);
        for part in [user.as_str(), name.as_str()] {
            prop_assert!(part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'));
            prop_assert!(!part.starts_with(['.', '-']));
        }
    }
}
