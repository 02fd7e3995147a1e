//! A server is copied while it serves, and comes back from the copy.

mod support;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use nix::sys::signal::Signal;
use support::{Home, failure, success};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_backup_that_is_made_while_the_server_serves_can_be_restored() {
    let home = Home::new();
    home.add_alice();
    success(&home.run(&["invite", "bob"]));
    let serving = home.serve().await;
    let mut chat = home.login().open(serving.connect().await).await;
    chat.say_and_hear_back("before").await;
    let said = success(&home.run(&["backup", "copy"]));
    assert!(said.contains(&home.fingerprint.to_string()), "{said}");
    assert!(said.contains("1 users"), "{said}");
    chat.say_and_hear_back("after").await;
    chat.close().await;

    let copy = home.path("copy");
    assert_eq!(mode(&copy), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&copy).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let expected = if name == "host_key.pub.pem" {
            0o644
        } else {
            0o600
        };
        assert_eq!(mode(&copy.join(&name)), expected, "{name}");
        names.push(name);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "accounts.db",
            "host_key.pem",
            "host_key.pub.pem",
            "server.toml"
        ]
    );
    // A second one does not mix with the first.
    assert!(failure(&home.run(&["backup", "copy"])).contains("does not exist yet"));
    // Nothing is overwritten, and least of all under a server that runs.
    let refused = failure(&home.run(&["restore", "copy"]));
    assert!(refused.contains("cannot restore"), "{refused}");
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.ended().await.0, Some(0));
    let refused = failure(&home.run(&["restore", "copy"]));
    assert!(refused.contains("nothing is overwritten"), "{refused}");

    fs::rename(home.path("server"), home.path("old")).unwrap();
    let said = success(&home.run(&["restore", "copy"]));
    assert!(said.contains(&home.fingerprint.to_string()), "{said}");
    assert!(said.contains("Revoked 1 invitations"), "{said}");
    assert_eq!(success(&home.run(&["invite", "list"])), "");
    assert_eq!(success(&home.run(&["messages", "alice"])), "1\tbefore\n");
    for name in names {
        assert_eq!(
            mode(&home.path("server").join(&name)),
            mode(&copy.join(&name))
        );
    }
    let serving = home.serve().await;
    let chat = home.login().open(serving.connect().await).await;
    assert_eq!(chat.last_message, 1);
    chat.close().await;
}

/// What an operator may have instead of a backup: the directory of a server that was killed, copied as it is.
#[tokio::test]
async fn a_copied_directory_can_be_restored_with_its_newest_commits() {
    let home = Home::new();
    home.add_alice();
    let mut serving = home.serve().await;
    let mut chat = home.login().open(serving.connect().await).await;
    chat.say_and_hear_back("in the log that SQLite writes ahead")
        .await;
    serving.signal(Signal::SIGKILL);
    serving.child.wait().await.unwrap();
    assert!(home.path("server/accounts.db-wal").exists());
    fs::rename(home.path("server"), home.path("copy")).unwrap();
    success(&home.run(&["restore", "copy"]));
    let messages = success(&home.run(&["messages", "alice"]));
    assert_eq!(messages, "1\tin the log that SQLite writes ahead\n");
}

#[test]
fn what_is_no_sound_backup_is_refused_and_leaves_nothing_behind() {
    let home = Home::new();
    home.add_alice();
    success(&home.run(&["backup", "copy"]));
    let restore = || {
        let mut command = support::program(&["restore", "copy", "--dir", "new"]);
        let output = command.current_dir(home.keep.path()).output().unwrap();
        let error = failure(&output);
        assert_eq!(error.lines().count(), 1, "{error}");
        // The lock's file stays, as everywhere.
        let left = fs::read_dir(home.path("new")).into_iter().flatten();
        let left = left.map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name != "accounts.db.lock").collect();
        assert!(left.is_empty(), "{left:?}: {error}");
        error
    };
    let copy = |name: &str| home.path("copy").join(name);
    for (name, open, word) in [
        ("accounts.db", 0o640, "chmod 600"),
        ("host_key.pem", 0o644, "chmod 600"),
        ("server.toml", 0o666, "chmod"),
    ] {
        let private = mode(&copy(name));
        fs::set_permissions(copy(name), Permissions::from_mode(open)).unwrap();
        assert!(restore().contains(word), "{name}");
        fs::set_permissions(copy(name), Permissions::from_mode(private)).unwrap();
    }
    let whole = fs::read(copy("accounts.db")).unwrap();
    let mut spoiled = whole.clone();
    spoiled[8192..12288].fill(0xa5);
    fs::write(copy("accounts.db"), spoiled).unwrap();
    assert!(restore().contains("damaged"));
    fs::write(copy("accounts.db"), &whole[..whole.len() / 2]).unwrap();
    assert!(restore().contains("damaged"));
    fs::remove_file(copy("accounts.db")).unwrap();
    assert!(restore().contains("accounts.db"));
    fs::write(copy("accounts.db"), &whole).unwrap();
    fs::set_permissions(copy("accounts.db"), Permissions::from_mode(0o600)).unwrap();
    // Cut off in the middle: the configuration is written last.
    fs::rename(copy("server.toml"), home.path("aside")).unwrap();
    assert!(restore().contains("no complete backup"));
    fs::rename(home.path("aside"), copy("server.toml")).unwrap();
    // What SQLite would take for a part of the store that is put there.
    fs::create_dir(home.path("new2")).unwrap();
    fs::write(home.path("new2/accounts.db-wal"), "old").unwrap();
    let mut command = support::program(&["restore", "copy", "--dir", "new2"]);
    let output = command.current_dir(home.keep.path()).output().unwrap();
    assert!(failure(&output).contains("accounts.db-wal exists already"));
}
