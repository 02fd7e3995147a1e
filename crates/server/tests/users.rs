//! The users of a server, as the operator changes them while it runs: several keys, disabled, locked out.

mod support;

use latchstring_net::{
    keyfile::public_to_pem,
    protocol::hardened::{message::Fingerprint, signature::Signer},
};
use latchstring_store::Accounts;
use latchstring_store_sqlite::Sqlite;
use nix::sys::signal::Signal;
use support::{Home, Login, MALLORY, Serving, alice_kid, failure, name, rest, success};

/// The other computer of alice has mallory's key.
fn home_with_two_keys() -> (Home, String) {
    let home = Home::new();
    home.add_alice();
    let pem = public_to_pem(MALLORY.public_key()).unwrap();
    home.write("second.pub.pem", &pem, 0o600);
    let said = success(&home.run(&["user", "key", "add", "alice", "--key", "second.pub.pem"]));
    let kid = Fingerprint::of(MALLORY.public_key()).to_string();
    assert!(said.contains(&kid), "{said}");
    (home, kid)
}

fn second(home: &Home) -> Login {
    Login {
        key: MALLORY.clone(),
        ..home.login()
    }
}

async fn says(login: &Login, serving: &Serving, text: &str) {
    let mut chat = login.open(serving.connect().await).await;
    chat.say_and_hear_back(text).await;
    chat.close().await;
}

async fn log_of(serving: Serving) -> String {
    serving.signal(Signal::SIGTERM);
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(0), "{log}");
    log
}

#[tokio::test]
async fn a_user_logs_in_from_two_computers_and_a_lost_one_is_shut_out() {
    let (home, kid) = home_with_two_keys();
    let list = success(&home.run(&["user", "list"]));
    assert_eq!(list.lines().count(), 2, "{list}");
    let serving = home.serve().await;
    says(&home.login(), &serving, "from the office").await;
    says(&second(&home), &serving, "from home").await;
    let messages = success(&home.run(&["messages", "alice"]));
    assert!(messages.contains("1\tfrom the office\n") && messages.contains("1\tfrom home\n"));

    let mut open = second(&home).open(serving.connect().await).await;
    success(&home.run(&["user", "key", "remove", "alice", &kid]));
    second(&home).refused(serving.connect().await).await;
    open.say("nobody takes this").await;
    rest(&mut open.stream).await;
    says(&home.login(), &serving, "still from the office").await;
    let last = failure(&home.run(&["user", "key", "remove", "alice", &alice_kid().to_string()]));
    assert!(
        last.contains("only key") && last.contains("user disable"),
        "{last}"
    );

    let shown = success(&home.run(&["user", "show", "alice"]));
    assert!(shown.contains("messages 2, wrong passwords 0"), "{shown}");
    assert!(!shown.contains(&kid), "{shown}");
    // What the lost computer had sent is still there, also without the user.
    success(&home.run(&["user", "remove", "alice"]));
    let messages = success(&home.run(&["messages", "alice", "--json"]));
    assert_eq!(messages.lines().count(), 3, "{messages}");
    for line in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            message["received"].as_str().unwrap().ends_with('Z'),
            "{line}"
        );
    }
    let nobody = failure(&home.run(&["messages", "bob"]));
    assert!(nobody.contains("no user bob"), "{nobody}");
}

#[tokio::test]
async fn a_disabled_user_learns_no_more_than_a_stranger_and_can_be_enabled() {
    let home = Home::new();
    home.add_alice();
    let serving = home.serve().await;
    let mut open = home.login().open(serving.connect().await).await;
    open.say_and_hear_back("before").await;
    success(&home.run(&["user", "disable", "alice"]));
    open.say("after").await;
    rest(&mut open.stream).await;
    let stranger = Login {
        user: name("nobody"),
        ..home.login()
    };
    let refused = home.login().refused(serving.connect().await).await;
    let unknown = stranger.refused(serving.connect().await).await;
    assert_eq!(refused.len(), unknown.len());
    let list = success(&home.run(&["user", "list"]));
    assert!(list.trim_end().ends_with("\tdisabled"), "{list}");
    let shown = success(&home.run(&["user", "show", "alice", "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["disabled"], true);

    success(&home.run(&["user", "enable", "alice"]));
    says(&home.login(), &serving, "again").await;
    let messages = success(&home.run(&["messages", "alice"]));
    assert_eq!(messages, "1\tbefore\n2\tagain\n");
    let log = log_of(serving).await;
    assert!(log.contains("the user is disabled"), "{log}");
    let nobody = failure(&home.run(&["user", "disable", "bob"]));
    assert!(nobody.contains("no user bob"), "{nobody}");
}

#[tokio::test]
async fn a_user_who_is_locked_out_is_unlocked_with_the_same_password() {
    let home = Home::new();
    home.add_alice();
    let path = home.path("server/accounts.db");
    let store = Sqlite::open(&path).await.unwrap();
    let (alice, kid) = (name("alice"), alice_kid());
    store.set_failures(&alice, &kid, 100).await.unwrap();
    let serving = home.serve().await;
    home.login().refused(serving.connect().await).await;
    let shown = success(&home.run(&["user", "show", "alice"]));
    assert!(shown.contains("wrong passwords 100, locked"), "{shown}");
    success(&home.run(&["user", "unlock", "alice"]));
    says(&home.login(), &serving, "in").await;
    let _ = log_of(serving).await;
}

#[test]
fn a_key_that_is_bad_or_there_already_is_refused() {
    let (home, _) = home_with_two_keys();
    for (key, says) in [
        ("second.pub.pem", "already"),
        ("server/host_key.pub.pem", "host's own key"),
        ("nothing.pem", "nothing.pem"),
    ] {
        let why = failure(&home.run(&["user", "key", "add", "alice", "--key", key]));
        assert!(why.contains(says), "{key}: {why}");
    }
    let nobody = failure(&home.run(&["user", "key", "add", "bob", "--key", "second.pub.pem"]));
    assert!(nobody.contains("user add"), "{nobody}");
}
