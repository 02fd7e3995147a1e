//! Peppers that come, change and go missing, and breached passwords of users who have an account.

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use latchstring_net::protocol::hardened::handshake::RefusalReason;
use latchstring_server_core::{Argon2id, Event, PasswordRules, config::Passwords, pepper};
use latchstring_store::{
    Account, Accounts,
    password::{Cost, pepper_of},
};
use support::{ALICE, Login, PASSWORD, World, account, alice_kid, assert_saw, name, rest};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

/// A directory with the peppers `old` and `new`.
struct Peppers(TempDir);

impl Peppers {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, first) in [("old", 0_u8), ("new", 100)] {
            let path = dir.path().join(name);
            fs::write(&path, (0..32).map(|i| first + i).collect::<Vec<_>>()).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn id(&self, name: &str) -> String {
        pepper::load_one(&self.path(name)).unwrap().id().to_owned()
    }

    fn rules(&self, names: &[&str]) -> PasswordRules {
        let settings = Passwords {
            cost: Cost::new(19, 2).unwrap(),
            pepper_files: names.iter().map(|name| self.path(name)).collect(),
            ..Passwords::default()
        };
        PasswordRules::load(&settings).unwrap()
    }
}

/// A server with these peppers; its hashes can be told to use others.
async fn world(peppers: &Peppers, names: &[&str]) -> (World, Arc<Argon2id>) {
    let passwords = Arc::new(Argon2id::with(peppers.rules(names)));
    let set = passwords.clone();
    (
        World::with(move |setup| setup.passwords = set).await,
        passwords,
    )
}

async fn alice(world: &World) -> Account {
    let found = world.store.find(&name("alice"), &alice_kid()).await;
    found.unwrap().unwrap()
}

async fn pepper_of_alice(world: &World) -> Option<String> {
    pepper_of(&alice(world).await.password_hash).unwrap()
}

fn renewals(world: &World) -> usize {
    let all = world.seen.all().into_iter();
    all.filter(|(_, event)| matches!(event, Event::HashRenewed { .. }))
        .count()
}

async fn logs_in(world: &World) {
    world.open().await.close().await;
}

#[tokio::test]
async fn each_login_brings_a_hash_to_the_newest_pepper() {
    let peppers = Peppers::new();
    let (world, passwords) = world(&peppers, &[]).await;
    logs_in(&world).await;
    assert_eq!(pepper_of_alice(&world).await, None);
    assert_eq!(renewals(&world), 1, "for its cost");

    passwords.set_rules(peppers.rules(&["old"]));
    logs_in(&world).await;
    assert_eq!(pepper_of_alice(&world).await, Some(peppers.id("old")));
    logs_in(&world).await;
    assert_eq!(renewals(&world), 2, "and then it stays");

    passwords.set_rules(peppers.rules(&["new", "old"]));
    logs_in(&world).await;
    assert_eq!(pepper_of_alice(&world).await, Some(peppers.id("new")));
    // Nobody needs the old one any more.
    passwords.set_rules(peppers.rules(&["new"]));
    logs_in(&world).await;
    assert_eq!(renewals(&world), 3);
}

#[tokio::test]
async fn a_missing_pepper_is_the_servers_failure_and_no_wrong_password() {
    let peppers = Peppers::new();
    let (world, passwords) = world(&peppers, &["old"]).await;
    logs_in(&world).await;
    for known in [&[][..], &["new"]] {
        passwords.set_rules(peppers.rules(known));
        let mut stream = world.connect();
        let (proven, _) = Login::hello(&mut stream).await;
        let auth = Login::alice().auth(proven).1;
        stream.write_all(&auth).await.unwrap();
        assert!(rest(&mut stream).await.is_empty(), "no AUTH_FAIL");
        let (_, last) = world.seen.all().pop().unwrap();
        let Event::LoginFailed { why } = last else {
            panic!("{last:?}");
        };
        let why = why.to_string();
        let id = peppers.id("old");
        assert!(why.contains(&id) && why.contains("pepper_file"), "{why}");
        let counted = world.store.failures(&name("alice"), &alice_kid()).await;
        assert_eq!(counted.unwrap(), 0);
    }
    passwords.set_rules(peppers.rules(&["old"]));
    logs_in(&world).await;
}

#[tokio::test]
async fn a_wrong_password_is_wrong_with_a_pepper_too() {
    let peppers = Peppers::new();
    let (world, _) = world(&peppers, &["old"]).await;
    logs_in(&world).await;
    let wrong = Login {
        password: "a wrong password".to_owned(),
        ..Login::alice()
    };
    wrong.refused(world.connect()).await;
    let (user, reason) = (name("alice"), RefusalReason::WrongPassword);
    assert_saw(&world.seen.last_of(2), &Event::Refused { user, reason });
    let counted = world.store.failures(&name("alice"), &alice_kid()).await;
    assert_eq!(counted.unwrap(), 1);
}

#[tokio::test]
async fn a_breached_password_of_a_user_lets_in_and_is_told_to_the_operator() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("list");
    fs::write(&list, "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:10434004\n").unwrap();
    let settings = Passwords {
        cost: Cost::new(19, 2).unwrap(),
        breached: Some(list),
        ..Passwords::default()
    };
    let rules = PasswordRules::load(&settings).unwrap();
    let hash = rules.hash(b"password", [1; 16]).unwrap();
    assert!(rules.allow(b"password").is_err() && rules.allow(PASSWORD.as_bytes()).is_ok());
    let world = World::with(|setup| setup.passwords = Arc::new(Argon2id::with(rules))).await;
    let mut bob = account("bob", &ALICE);
    bob.password_hash = hash;
    world.store.add(&bob).await.unwrap();
    let login = Login {
        user: name("bob"),
        password: "password".to_owned(),
        ..Login::alice()
    };
    login.open(world.connect()).await.close().await;
    let told =
        |event: &Event| matches!(event, Event::BreachedPassword { user } if *user == name("bob"));
    assert!(world.seen.of(1).iter().any(told), "{:?}", world.seen.of(1));
    // A good password, and a wrong one that is in the list, say nothing.
    logs_in(&world).await;
    let wrong = Login {
        password: "password".to_owned(),
        ..Login::alice()
    };
    wrong.refused(world.connect()).await;
    let told = |event: &Event| matches!(event, Event::BreachedPassword { .. });
    assert!(!world.seen.of(2).iter().chain(&world.seen.of(3)).any(told));
}
