//! Users who move from one server to another: all of them, or none.

mod support;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use latchstring_net::{keyfile::public_to_pem, protocol::hardened::signature::Signer};
use latchstring_store::Accounts;
use latchstring_store_sqlite::Sqlite;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::{ALICE, Home, Login, MALLORY, alice_kid, failure, name, program, success};

/// A server with alice, who has two keys.
async fn old_home() -> Home {
    let home = Home::new();
    home.add_alice();
    let pem = public_to_pem(MALLORY.public_key()).unwrap();
    home.write("second.pub.pem", &pem, 0o600);
    success(&home.run(&["user", "key", "add", "alice", "--key", "second.pub.pem"]));
    let store = Sqlite::open(&home.path("server/accounts.db"))
        .await
        .unwrap();
    let (alice, kid) = (name("alice"), alice_kid());
    store.set_failures(&alice, &kid, 2).await.unwrap();
    store.close().await;
    home
}

/// What the old server exports, at a place where the new one can read it.
fn exported(old: &Home, new: &Home) -> String {
    let said = success(&old.run(&["user", "export", "--out", "users.jsonl"]));
    assert!(
        said.contains("Exported 1 users") && said.contains("secret"),
        "{said}"
    );
    let text = fs::read_to_string(old.path("users.jsonl")).unwrap();
    assert_eq!(success(&old.run(&["user", "export"])), text);
    new.write("users.jsonl", &text, 0o600);
    text
}

fn import(home: &Home, options: &[&str]) -> std::process::Output {
    home.run(&[&["user", "import", "users.jsonl"], options].concat())
}

fn line(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap()
}

#[tokio::test]
async fn a_user_logs_in_to_the_new_server_with_the_same_password_and_both_keys() {
    let (old, new) = (old_home().await, Home::new());
    success(&old.run(&["user", "disable", "alice"]));
    exported(&old, &new);
    let mode = fs::metadata(old.path("users.jsonl"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(failure(&old.run(&["user", "export", "--out", "users.jsonl"])).contains("users.jsonl"));
    success(&new.run(&["invite", "alice"]));

    let said = success(&import(&new, &["--dry-run"]));
    assert!(
        said.starts_with("Nothing was changed") && said.contains("1 users with 2 keys"),
        "{said}"
    );
    assert_eq!(success(&new.run(&["user", "list"])), "");
    let said = success(&import(&new, &[]));
    assert!(said.starts_with("Added 1 users with 2 keys"), "{said}");
    assert_eq!(success(&new.run(&["invite", "list"])), "");
    assert_eq!(
        success(&new.run(&["user", "list"])),
        success(&old.run(&["user", "list"]))
    );
    let shown = success(&new.run(&["user", "show", "alice"]));
    assert_eq!(
        shown,
        success(&old.run(&["user", "show", "alice"])),
        "also what is counted"
    );
    assert!(
        shown.contains("wrong passwords 2") && shown.contains("disabled"),
        "{shown}"
    );

    success(&new.run(&["user", "enable", "alice"]));
    let serving = new.serve().await;
    for key in [ALICE.clone(), MALLORY.clone()] {
        let login = Login { key, ..new.login() };
        let mut chat = login.open(serving.connect().await).await;
        chat.say_and_hear_back("moved").await;
        chat.close().await;
    }
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.ended().await.0, Some(0));
}

#[test]
fn hashes_on_a_terminal_are_warned_of_and_hashes_in_a_pipe_are_not() {
    let home = Home::new();
    home.add_alice();
    let export = ["user", "export", "--dir", "server"];
    let mut command = program(&export);
    command.current_dir(home.keep.path());
    let mut terminal = rexpect::session::spawn_command(command, Some(20_000)).unwrap();
    terminal.exp_string("Warning: ").unwrap();
    terminal.exp_string("--out FILE").unwrap();
    terminal.exp_string("$argon2id$").unwrap();
    let piped = home.run(&["user", "export"]);
    assert!(piped.stderr.is_empty(), "{piped:?}");
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_added_twice() {
    let (old, new) = (old_home().await, Home::new());
    let text = exported(&old, &new);
    success(&import(&new, &[]));
    let before = success(&new.run(&["user", "export"]));
    let why = failure(&import(&new, &[]));
    assert!(
        why.contains("line 1") && why.contains("--skip-existing"),
        "{why}"
    );
    let said = success(&import(&new, &["--skip-existing"]));
    assert!(
        said.contains("Added 0 users") && said.contains("skipped 1 users"),
        "{said}"
    );
    assert_eq!(success(&new.run(&["user", "export"])), before);

    let empty = Home::new();
    empty.write("users.jsonl", &format!("{text}\n{text}"), 0o600);
    let why = failure(&import(&empty, &[]));
    assert!(why.contains("line 3: alice is in line 1 too"), "{why}");
    fs::set_permissions(empty.path("users.jsonl"), Permissions::from_mode(0o644)).unwrap();
    assert!(failure(&import(&empty, &[])).contains("chmod 600"));
    assert_eq!(success(&empty.run(&["user", "list"])), "");
}

#[test]
fn a_list_of_names_becomes_a_file_for_each() {
    let home = Home::new();
    home.write(
        "class.csv",
        "user,mail\nalice,a@example.org\nbob,b@example.org\n",
        0o644,
    );
    let many = [
        "invite",
        "--from",
        "class.csv",
        "--out",
        "invitations",
        "--expires",
        "1h",
    ];
    let said = success(&home.run(&many));
    assert!(said.contains("Invited 2 users"), "{said}");
    for user in ["alice", "bob"] {
        let path = home.path(&format!("invitations/{user}.invite"));
        let line = fs::read_to_string(&path).unwrap();
        assert!(
            line.starts_with(&format!("{user}:{}:", home.fingerprint)),
            "{line}"
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(success(&home.run(&["invite", "list"])).lines().count(), 2);
    assert!(failure(&home.run(&many)).contains("not overwritten"));

    home.add_alice();
    fs::remove_dir_all(home.path("invitations")).unwrap();
    let why = failure(&home.run(&many));
    assert!(why.contains("user alice exists already"), "{why}");
    assert!(!home.path("invitations").exists());
    let usage = home.run(&["invite", "--from", "class.csv"]);
    assert_eq!(usage.status.code(), Some(2), "--out is missing");
}

/// The public key in a file of the tests of `net`.
fn test_key(name: &str) -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../net/tests/keys");
    fs::read_to_string(keys.join(name)).unwrap()
}

#[tokio::test]
async fn every_faulty_line_is_named_and_then_nothing_is_imported() {
    let (old, new) = (old_home().await, Home::new());
    let good = line(&exported(&old, &new));
    let user = |user: &str, change: &dyn Fn(&mut Value)| {
        let mut record = good.clone();
        record["user"] = json!(user);
        // One key for each user, or all would have the same.
        record["keys"] = json!([{ "public_key": test_key("openssl-3072.pub.pem") }]);
        change(&mut record);
        record.to_string()
    };
    let key = |file: &str| json!([{ "public_key": test_key(file) }]);
    let hash = good["password_hash"].as_str().unwrap();
    let lines = [
        (good.to_string(), ""),
        ("{".to_owned(), "no line of `user export`"),
        (user("Bob", &|_| {}), "begins with a letter"),
        (user("carol", &|r| r["more"] = json!(1)), "unknown field"),
        (
            user("dave", &|r| {
                r["password_hash"] = json!("$2b$12$abcdefghijkl")
            }),
            "invite this person",
        ),
        (
            user("erin", &|r| {
                r["password_hash"] = json!(hash.replace("m=65536", "m=64"))
            }),
            "less than 19 MiB",
        ),
        (
            user("eve", &|r| {
                r["password_hash"] = json!(hash.replace("p=1", "p=1,keyid=0a0b0c0d"))
            }),
            "pepper 0a0b0c0d",
        ),
        (
            user("frank", &|r| r["created"] = json!("yesterday")),
            "yesterday",
        ),
        (
            user("fred", &|r| r["created"] = json!("2999-01-01T00:00:00Z")),
            "a time of the past",
        ),
        (user("grace", &|r| r["keys"] = json!([])), "has no key"),
        (
            user("heidi", &|r| r["keys"] = key("weak/close-primes.pub.pem")),
            "close to each other",
        ),
        (
            user("ivan", &|r| r["keys"] = key("weak/shared-prime-1.pub.pem")),
            "",
        ),
        (
            user("judy", &|r| r["keys"] = key("weak/shared-prime-2.pub.pem")),
            "shares a prime",
        ),
        (
            user("kim", &|r| r["keys"] = good["keys"].clone()),
            "enrolled already",
        ),
        (
            user("lee", &|r| {
                r["keys"][0]["fingerprint"] = good["keys"][0]["fingerprint"].clone()
            }),
            "has the fingerprint",
        ),
        (user("mike", &|_| {}), ""),
        (user("mike", &|_| {}), "in line 16 too"),
    ];
    let text: Vec<_> = lines.iter().map(|(line, _)| line.clone()).collect();
    new.write("users.jsonl", &text.join("\n"), 0o600);
    for options in [&[][..], &["--dry-run"], &["--skip-existing"]] {
        let why = failure(&import(&new, options));
        for (number, (_, says)) in (1..).zip(&lines) {
            let named = why
                .lines()
                .find(|one| one.contains(&format!(": line {number}: ")));
            match says.is_empty() {
                true => assert_eq!(named, None, "{why}"),
                false => assert!(named.is_some_and(|one| one.contains(says)), "{says}: {why}"),
            }
        }
        let faulty = lines.iter().filter(|(_, says)| !says.is_empty()).count();
        assert!(why.contains(&format!("faulty lines: {faulty}")), "{why}");
        assert_eq!(success(&new.run(&["user", "list"])), "");
    }
    // The others alone are fine.
    let good = lines.iter().filter(|(_, says)| says.is_empty());
    let good: Vec<_> = good.map(|(line, _)| line.clone()).collect();
    new.write("users.jsonl", &good.join("\r\n"), 0o600);
    let said = success(&import(&new, &[]));
    assert!(said.starts_with("Added 3 users with 4 keys"), "{said}");
}
