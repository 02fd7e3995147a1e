//! The real program: its files, its commands, SIGTERM, and `kill -9` in mid-stream.

mod support;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use latchstring_net::{
    keyfile::public_to_pem,
    protocol::hardened::{
        message::{Fingerprint, Invite},
        session::{CloseCode, Event as SessionEvent},
        signature::Signer,
    },
};
use nix::sys::signal::Signal;
use support::{
    ALICE, Chat, Home, Login, MALLORY, PASSWORD, failure, program, rest, seconds, success,
};
use tokio::net::TcpStream;

#[test]
fn init_makes_private_files_and_overwrites_nothing() {
    let home = Home::new();
    let mode = |name: &str| {
        let about = fs::metadata(home.path(name)).unwrap();
        about.permissions().mode() & 0o777
    };
    assert_eq!(mode("server"), 0o700);
    for name in ["server.toml", "host_key.pem", "accounts.db"] {
        assert_eq!(mode(&format!("server/{name}")), 0o600, "{name}");
    }
    let public = fs::read(home.path("server/host_key.pub.pem")).unwrap();
    let spki = latchstring_net::keyfile::public_from_pem(&public).unwrap();
    assert_eq!(Fingerprint::of(&spki), home.fingerprint);

    let key = fs::read(home.path("server/host_key.pem")).unwrap();
    assert!(failure(&home.run(&["init"])).contains("exists already"));
    for name in ["server.toml", "accounts.db", "host_key.pub.pem"] {
        fs::remove_file(home.path(&format!("server/{name}"))).unwrap();
    }
    let error = failure(&home.run(&["init"]));
    assert!(error.contains("host_key.pem exists already"), "{error}");
    assert_eq!(fs::read(home.path("server/host_key.pem")).unwrap(), key);
}

/// It left half a server, in whose place no second try could make a whole one; or a signal ended it without a line.
#[test]
fn a_server_that_cannot_be_written_leaves_nothing_and_says_why() {
    let home = Home::new();
    let dir = home.path("full");
    // In units of 512 or of 1024 bytes, as the shell likes: within the key, and within the store.
    for limit in [1, 6, 16] {
        let line = format!("ulimit -f {limit}; exec \"$@\"");
        let init = [
            env!("CARGO_BIN_EXE_latchstring-server"),
            "--dir",
            dir.to_str().unwrap(),
            "init",
        ];
        let output = std::process::Command::new("sh")
            .args(["-c", &line, "sh"])
            .args(init)
            .output();
        let error = failure(&output.unwrap());
        assert!(error.contains("cannot "), "{error}");
        let left: Vec<_> = fs::read_dir(&dir).unwrap().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }
    success(
        &program(&["--dir", dir.to_str().unwrap(), "init"])
            .output()
            .unwrap(),
    );
}

#[test]
fn every_command_shows_an_example() {
    for command in [
        &[][..],
        &["init"],
        &["serve"],
        &["user"],
        &["user", "add"],
        &["user", "list"],
        &["user", "remove"],
        &["user", "passwd"],
        &["user", "export"],
        &["user", "import"],
        &["fingerprint"],
        &["pepper"],
        &["pepper", "new"],
        &["pepper", "show"],
        &["invite"],
        &["invite", "list"],
        &["invite", "revoke"],
        &["messages"],
        &["collect"],
    ] {
        let help = program(&[command, &["--help"]].concat()).output().unwrap();
        let help = success(&help);
        assert!(help.contains("Example"), "{command:?}: {help}");
        assert!(help.contains("latchstring-server.d"), "{command:?}: {help}");
    }
}

#[test]
fn what_a_server_cannot_work_with_is_refused_in_a_clear_line() {
    let home = Home::new();
    let serve = || failure(&home.run(&["serve"]));
    let key = home.path("server/host_key.pem");
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    assert!(serve().contains("chmod 600"));
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    fs::rename(&key, home.path("aside")).unwrap();
    let error = serve();
    assert!(
        error.contains("no host key") && error.contains("init --dir"),
        "{error}"
    );
    nix::unistd::mkfifo(&key, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let error = serve();
    assert!(error.contains("pipe"), "{error}");
    fs::rename(home.path("aside"), &key).unwrap();

    let toml = fs::read_to_string(home.path("server/server.toml")).unwrap();
    home.write("server/server.toml", &format!("{toml}\nports = 1\n"), 0o600);
    let error = serve();
    assert!(error.contains("ports") && error.contains("line"), "{error}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let other = toml.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    home.write("server/server.toml", &other, 0o600);
    assert!(serve().contains("another program"));

    home.write("server/server.toml", &toml, 0o600);
    fs::write(home.path("server/accounts.db"), "not a database").unwrap();
    assert!(serve().contains("accounts.db"));
    fs::remove_file(home.path("server/accounts.db")).unwrap();
    assert!(serve().contains("latchstring-server init"));
    let nowhere = program(&["serve", "--dir", "/nonexistent"])
        .output()
        .unwrap();
    assert!(failure(&nowhere).contains("latchstring-server init"));
}

#[test]
fn users_are_added_listed_changed_and_removed() {
    let home = Home::new();
    let kid = Fingerprint::of(ALICE.public_key());
    assert!(home.add_alice().contains(&kid.to_string()));
    assert_eq!(
        success(&home.run(&["user", "list"])),
        format!("alice\t{kid}\n")
    );
    let again = ["user", "add", "alice", "--key", "alice.pub.pem"];
    assert!(failure(&home.run(&again)).contains("exists already"));
    let passwd = |name| ["user", "passwd", name, "--password-file", "password"];
    success(&home.run(&passwd("alice")));
    assert!(failure(&home.run(&passwd("bob"))).contains("no user bob"));
    success(&home.run(&["user", "remove", "alice"]));
    assert!(failure(&home.run(&["user", "remove", "alice"])).contains("no user alice"));
    assert_eq!(success(&home.run(&["user", "list"])), "");
}

#[test]
fn bad_keys_and_passwords_are_refused_clearly() {
    let home = Home::new();
    home.write("short", "1234567\n", 0o600);
    home.write("open", PASSWORD, 0o644);
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../net/tests/keys");
    let (small, private) = (
        format!("{keys}/openssl-2048.pub.pem"),
        format!("{keys}/openssl-3072.pem"),
    );
    let exponent = format!("{keys}/openssl-3072-e3.pub.pem");
    let weak = format!("{keys}/weak/close-primes.pub.pem");
    for (key, password, word) in [
        (small.as_str(), "password", "2048 bits"),
        (&private, "password", "PRIVATE KEY"),
        (&exponent, "password", "65537"),
        (&weak, "password", "so close to each other"),
        ("server/host_key.pub.pem", "password", "host's own key"),
        ("password", "password", "not PEM"),
        ("missing.pem", "password", "missing.pem"),
        ("alice.pub.pem", "short", "at least 8"),
        ("alice.pub.pem", "open", "chmod 600"),
        ("alice.pub.pem", "missing", "missing"),
    ] {
        let add = [
            "user",
            "add",
            "alice",
            "--key",
            key,
            "--password-file",
            password,
        ];
        let error = failure(&home.run(&add));
        assert!(error.contains(word), "{key} {password}: {error}");
    }
    // Nobody to ask, and no way to say it on the command line.
    let ask = ["user", "add", "alice", "--key", "alice.pub.pem"];
    assert!(failure(&home.run(&ask)).contains("--password-file"));
    let name = home.run(&["user", "add", "../alice", "--key", "alice.pub.pem"]);
    assert_eq!(name.status.code(), Some(2));
    assert_eq!(success(&home.run(&["user", "list"])), "");
}

#[test]
fn an_invitation_is_one_line_that_names_user_and_host() {
    let home = Home::new();
    let output = home.run(&["invite", "alice"]);
    let line = success(&output);
    assert_eq!(line.lines().count(), 1, "{line}");
    let invite: Invite = line.parse().unwrap();
    assert_eq!(invite.user.as_str(), "alice");
    assert_eq!(invite.host, home.fingerprint);
    let advice = String::from_utf8(output.stderr).unwrap();
    assert!(advice.contains("alice@"), "{advice}");

    let other: Invite = success(&home.run(&["invite", "alice"])).parse().unwrap();
    assert_ne!(other.token, invite.token);
    home.add_alice();
    let error = failure(&home.run(&["invite", "alice"]));
    assert!(error.contains("exists already"), "{error}");
    assert_eq!(home.run(&["invite", "../x"]).status.code(), Some(2));
}

#[test]
fn invitations_are_listed_revoked_and_last_as_long_as_said() {
    let home = Home::new();
    success(&home.run(&["invite", "alice"]));
    let bob = home.run(&["invite", "bob", "--expires", "1h"]);
    let advice = String::from_utf8(bob.stderr).unwrap();
    assert!(advice.contains("once, for 1h"), "{advice}");
    for time in ["59s", "31d", "tomorrow", "-1h", "0s", ""] {
        let refused = home.run(&["invite", "carol", "--expires", time]);
        assert_eq!(refused.status.code(), Some(2), "{time}");
    }
    // The names of the two commands are names that a user may have.
    let mut named = program(&["invite", "--dir", "server", "--", "list"]);
    success(&named.current_dir(home.keep.path()).output().unwrap());
    success(&home.run(&["invite", "help"]));
    let list = || success(&home.run(&["invite", "list"]));
    let names = |list: &str| {
        let names = list.lines().map(|line| line.split('\t').next().unwrap());
        names.collect::<Vec<_>>().join(" ")
    };
    let listed = list();
    assert_eq!(names(&listed), "alice bob help list");
    let columns: Vec<_> = listed.lines().nth(1).unwrap().split('\t').collect();
    let [_, made, expires, "open"] = columns[..] else {
        panic!("{listed}");
    };
    let time = |text| humantime::parse_rfc3339(text).unwrap();
    let lasts = time(expires).duration_since(time(made)).unwrap();
    assert!(lasts.abs_diff(seconds(3600)) <= seconds(60), "{listed}");

    success(&home.run(&["invite", "revoke", "list"]));
    let gone = failure(&home.run(&["invite", "revoke", "list"]));
    assert!(gone.contains("invite list"), "{gone}");
    // An account that never was, and one that was made by hand meanwhile: no line is left that could make it again.
    let said = success(&home.run(&["user", "remove", "bob"]));
    assert!(said.contains("invitation is revoked"), "{said}");
    home.add_alice();
    success(&home.run(&["user", "remove", "alice"]));
    assert_eq!(names(&list()), "help");
}

#[tokio::test]
async fn users_come_and_go_while_the_server_runs() {
    let home = Home::new();
    let serving = home.serve().await;
    home.login().refused(serving.connect().await).await;
    home.add_alice();
    let mut chat = home.login().open(serving.connect().await).await;
    chat.say_and_hear_back("hello\x1b[2J").await;
    chat.close().await;
    let messages = success(&home.run(&["messages", "alice"]));
    assert_eq!(messages, "1\thello\\u{1b}[2J\n", "a terminal is safe");

    home.write("other", "another good password", 0o600);
    success(&home.run(&["user", "passwd", "alice", "--password-file", "other"]));
    home.login().refused(serving.connect().await).await;
    let new = Login {
        password: "another good password".to_owned(),
        ..home.login()
    };
    new.open(serving.connect().await).await.close().await;
    success(&home.run(&["user", "remove", "alice"]));
    new.refused(serving.connect().await).await;

    serving.signal(Signal::SIGTERM);
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(0));
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
    for word in [
        "logged in",
        "login refused",
        "wrong password",
        "no such user",
    ] {
        assert!(log.contains(word), "{word}: {log}");
    }
    for secret in [PASSWORD, "another good password", "hello"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn sigterm_and_sigint_close_every_session_and_exit_with_0() {
    let home = Home::new();
    home.add_alice();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let serving = home.serve().await;
        let mut chat = home.login().open(serving.connect().await).await;
        chat.say_and_hear_back("kept").await;
        let mut half = serving.connect().await;
        let _proven = Login::hello(&mut half).await;
        let began = Instant::now();
        serving.signal(signal);
        assert_eq!(chat.until_closed().await, CloseCode::Stopping);
        assert!(rest(&mut half).await.is_empty());
        assert_eq!(serving.ended().await.0, Some(0));
        assert!(began.elapsed() < Duration::from_secs(4));
    }
    let messages = success(&home.run(&["messages", "alice"]));
    assert_eq!(messages, "1\tkept\n2\tkept\n");
}

#[tokio::test]
async fn the_program_dumps_no_core() {
    let home = Home::new();
    let serving = home.serve().await;
    let limits = format!("/proc/{}/limits", serving.child.id().unwrap());
    let limits = fs::read_to_string(limits).unwrap();
    let core = limits.lines().find(|l| l.starts_with("Max core file size"));
    let words: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"]);
}

/// Sends messages as fast as it can until the connection breaks; the last id that was acknowledged.
async fn talk_until_it_breaks(mut chat: Chat<TcpStream>) -> u64 {
    use tokio::io::AsyncWriteExt;
    let mut acknowledged = chat.last_message;
    loop {
        if chat.session.unacknowledged().count() < 50 {
            let text = format!("text of {}", acknowledged_next(&chat, acknowledged));
            let (_, record) = chat.session.send(0, &text).unwrap();
            if chat.stream.write_all(&record).await.is_err() {
                break;
            }
            continue;
        }
        match chat.hear().await {
            Some(SessionEvent::Acknowledged { up_to }) => acknowledged = up_to,
            Some(other) => panic!("{other:?}"),
            None => break,
        }
    }
    // What the server said before it died may still be there.
    while let Some(SessionEvent::Acknowledged { up_to }) = chat.hear().await {
        acknowledged = up_to;
    }
    acknowledged
}

/// The id that the next message will get.
fn acknowledged_next(chat: &Chat<TcpStream>, acknowledged: u64) -> u64 {
    acknowledged + chat.session.unacknowledged().count() as u64 + 1
}

#[tokio::test]
async fn after_kill_9_every_acknowledged_message_is_there_once() {
    let home = Home::new();
    home.add_alice();
    let mut acknowledged = 0;
    for milliseconds in [40, 90, 170, 260] {
        let mut serving = home.serve().await;
        let chat = home.login().open(serving.connect().await).await;
        assert!(
            chat.last_message >= acknowledged,
            "what was acknowledged is there"
        );
        let talking = tokio::spawn(talk_until_it_breaks(chat));
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        serving.signal(Signal::SIGKILL);
        serving.child.wait().await.unwrap();
        acknowledged = talking.await.unwrap();
    }
    assert!(acknowledged > 10, "{acknowledged}");
    let messages = success(&home.run(&["messages", "alice"]));
    let mut count = 0;
    for (id, line) in (1u64..).zip(messages.lines()) {
        assert_eq!(line, format!("{id}\ttext of {id}"));
        count = id;
    }
    assert!(count >= acknowledged, "{count} of {acknowledged}");
}

#[test]
fn the_prompt_asks_twice_and_shows_nothing() {
    let home = Home::new();
    let ask = |first: &str, second: &str| {
        let mut add = program(&[
            "user",
            "add",
            "alice",
            "--key",
            "alice.pub.pem",
            "--dir",
            "server",
        ]);
        add.current_dir(home.keep.path());
        let mut terminal = rexpect::session::spawn_command(add, Some(20_000)).unwrap();
        terminal.exp_string("New password: ").unwrap();
        terminal.send_line(first).unwrap();
        terminal.exp_string("The same again: ").unwrap();
        terminal.send_line(second).unwrap();
        let shown = terminal.exp_eof().unwrap();
        assert!(!shown.contains("a good password"), "{shown}");
        shown
    };
    let shown = ask("a good password", "a good passwort");
    assert!(shown.contains("differ"), "{shown}");
    assert_eq!(success(&home.run(&["user", "list"])), "");
    let shown = ask("a good password", "a good password");
    assert!(shown.contains("Added alice"), "{shown}");
}

#[test]
fn another_key_is_another_log() {
    // A user who was removed and added with a new key starts at message 1 again; see the kid in the store.
    let home = Home::new();
    home.add_alice();
    success(&home.run(&["user", "remove", "alice"]));
    let pem = public_to_pem(MALLORY.public_key()).unwrap();
    home.write("alice.pub.pem", &pem, 0o600);
    let said = home.add_alice();
    assert!(said.contains(&Fingerprint::of(MALLORY.public_key()).to_string()));
    assert_eq!(success(&home.run(&["messages", "alice"])), "");
}

/// Two servers that number messages on one store would each acknowledge what the other one keeps.
#[tokio::test]
async fn a_store_has_one_server_by_whatever_name_it_is_reached() {
    let home = Home::new();
    home.add_alice();
    let serving = home.serve().await;
    // Another configuration, another port, another path.
    let text = fs::read_to_string(home.path("server/server.toml")).unwrap();
    let database = home.path("link/accounts.db");
    std::os::unix::fs::symlink(home.path("server"), home.path("link")).unwrap();
    let other = text
        .replace("\"accounts.db\"", &format!("{:?}", database.display()))
        .replace(
            "\"host_key.pem\"",
            &format!("{:?}", home.path("server/host_key.pem")),
        );
    home.write("other.toml", &other, 0o600);
    for more in [&[][..], &["--config", "other.toml"]] {
        let second = home.run(&[&["serve"], more].concat());
        let said = String::from_utf8(second.stderr).unwrap();
        assert_eq!(second.status.code(), Some(1), "{said}");
        assert!(second.stdout.is_empty(), "it never listened");
        let process = format!("process {}", serving.child.id().unwrap());
        for needle in [
            "accounts.db",
            "another latchstring-server",
            &process,
            "stop that server",
        ] {
            assert!(said.contains(needle), "{needle} is missing in {said}");
        }
    }
    // The operator's other commands work meanwhile.
    success(&home.run(&["user", "list"]));
    success(&home.run(&["messages", "alice"]));
    let mut chat = home.login().open(serving.connect().await).await;
    chat.say_and_hear_back("still one server").await;
    // No lock outlives its server.
    serving.signal(Signal::SIGKILL);
    serving.ended().await;
    home.serve().await;
}
