//! The two hardened programs, each with the other and with a peer in Python that was written from the protocol's page
//! alone, over TCP on loopback.

#[path = "support/pair.rs"]
mod pair;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use latchstring_tests::{binary, python};
use pair::{Home, Host, OurServer, code, python_server, server_command, succeeds};

#[test]
fn our_client_with_a_python_server() {
    let home = Home::new();
    let mut host = python_server(&home, &[]);
    let (stdout, stderr) = succeeds(home.connect(&host, "id.pem", "pw", "one\nzwei, größer\n"));
    assert_eq!(stdout, "welcome\n");
    assert!(stderr.contains("both ends agree"), "{stderr}");
    assert_eq!(host.process.line("message="), "1 one");
    assert_eq!(host.process.line("message="), "2 zwei, größer");
    host.process.line("closed");
    // Ids go on in the next session.
    succeeds(home.connect(&host, "id.pem", "pw", "three\n"));
    assert_eq!(host.process.line("message="), "3 three");

    home.write("wrong", "wrong");
    assert_eq!(code(&home.connect(&host, "id.pem", "wrong", "")), 4);
    home.keygen("other");
    assert_eq!(code(&home.connect(&host, "other.pem", "pw", "")), 4);
}

/// What both ends make of an answer that never came: 14 and 15, as the page has them.
#[test]
fn our_client_asks_a_python_server_what_it_holds() {
    let home = Home::new();
    let mut host = python_server(&home, &["--vanish", "2"]);
    let cut = home.connect(&host, "id.pem", "pw", "one\ntwo\n");
    assert_eq!(code(&cut), 5);
    assert_eq!(host.process.line("message="), "1 one");
    assert_eq!(host.process.line("message="), "2 two");
    let (_, stderr) = succeeds(home.connect(&host, "id.pem", "pw", "three\n"));
    host.process.line("asked");
    assert!(stderr.contains("held 1 message already"), "{stderr}");
    assert_eq!(host.process.line("message="), "3 three");
}

#[test]
fn our_client_numbers_anew_what_a_python_server_holds_otherwise() {
    let home = Home::new();
    let mut host = python_server(&home, &["--conflict", "2"]);
    let closed = home.connect(&host, "id.pem", "pw", "one\ntwo\nthree\n");
    assert_eq!(code(&closed), 5);
    let said = String::from_utf8(closed.stderr).unwrap();
    assert!(
        said.contains("it holds another message under this number"),
        "{said}"
    );
    assert_eq!(host.process.line("message="), "1 one");
    assert_eq!(host.process.line("message="), "2 said by another client");
    host.process.line("closed");
    let (_, stderr) = succeeds(home.connect(&host, "id.pem", "pw", "four\n"));
    host.process.line("asked");
    assert!(stderr.contains("new numbers, 3 to 4"), "{stderr}");
    for line in ["3 two", "4 three", "5 four"] {
        assert_eq!(host.process.line("message="), line);
    }
}

#[test]
fn our_client_with_our_server() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let (stdout, stderr) =
        succeeds(home.connect(&server.host, "id.pem", "pw", "one\nzwei, größer\n"));
    assert_eq!(stdout, "");
    assert!(stderr.contains("both ends agree"), "{stderr}");
    succeeds(home.connect(&server.host, "id.pem", "pw", "three\n"));
    assert_eq!(server.stored(), "1\tone\n2\tzwei, größer\n3\tthree\n");

    home.write("wrong", "wrong");
    assert_eq!(
        code(&home.connect(&server.host, "id.pem", "wrong", "no\n")),
        4
    );
    home.keygen("other");
    assert_eq!(
        code(&home.connect(&server.host, "other.pem", "pw", "no\n")),
        4
    );
    assert_eq!(server.stored().lines().count(), 3);
}

/// A change that our client makes because it is asked, and changes that the other end begins.
#[test]
fn keys_change_with_a_peer_in_python_at_either_end() {
    let home = Home::new();
    let mut host = python_server(&home, &["--ask"]);
    let mut client = home.start(&host, "id.pem", "pw");
    let mut input = client.stdin.take().unwrap();
    for (text, epoch) in [("one", "2"), ("two", "3"), ("three", "4")] {
        writeln!(input, "{text}").unwrap();
        assert!(host.process.line("message=").ends_with(text));
        assert_eq!(host.process.line("epoch="), epoch);
    }
    drop(input);
    assert!(client.wait().unwrap().success());
    host.process.line("closed");

    let server = OurServer::new(&home);
    let messages = ["one", "two", "three", "--rekey"];
    let (stdout, _) = succeeds(home.python(&server.host, "id.pem", "pw", &messages));
    assert_eq!(stdout, "last=0\nacked=3\nheld=3\nepoch=4\n");
    assert_eq!(server.stored(), "1\tone\n2\ttwo\n3\tthree\n");
}

#[test]
fn a_python_client_with_our_server() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let client =
        |key, password, messages: &[&str]| home.python(&server.host, key, password, messages);
    let (stdout, _) = succeeds(client("id.pem", "pw", &["one", "zwei, größer", ""]));
    assert_eq!(stdout, "last=0\nacked=3\nheld=3\n");
    let long = "x".repeat(16_372);
    let (stdout, _) = succeeds(client("id.pem", "pw", &[&long]));
    assert_eq!(stdout, "last=3\nacked=4\nheld=1\n");
    assert_eq!(
        server.stored(),
        format!("1\tone\n2\tzwei, größer\n3\t\n4\t{long}\n")
    );

    home.write("wrong", "wrong");
    assert_eq!(code(&client("id.pem", "wrong", &["no"])), 4);
    home.keygen("other");
    assert_eq!(code(&client("other.pem", "pw", &["no"])), 4);
    assert_eq!(server.stored().lines().count(), 4);
}

/// The line that `invite` prints, in a file.
fn invite(server: &OurServer, home: &Home, user: &str) -> (String, PathBuf) {
    let mut invite = server_command(&server.dir, &["invite", user]);
    let (line, _) = succeeds(invite.output().unwrap());
    let path = home.write(&format!("invitation of {user}"), &line);
    (line.trim().to_owned(), path)
}

/// Runs `enrol` as `user` with a key of its own in `name`, which is made if it is not there.
fn enrol(home: &Home, host: &Host, user: &str, name: &str, invitation: &Path) -> Output {
    let mut command = Command::new(binary("latchstring-client"));
    let to = format!("{user}@127.0.0.1:{}", host.port);
    command.args(["enrol", &to, "--dir"]).arg(home.path(name));
    command.arg("--invite-file").arg(invitation);
    command.arg("--password-file").arg(home.path("pw"));
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn an_invitation_makes_one_account_on_a_host_that_needs_no_confirmation() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let (line, path) = invite(&server, &home, "bob");
    let (stdout, stderr) = succeeds(enrol(&home, &server.host, "bob", "bob", &path));
    assert!(stdout.contains("connect bob@127.0.0.1"), "{stdout}");
    assert!(stderr.contains("Made a key"), "{stderr}");

    let mut connect = Command::new(binary("latchstring-client"));
    let to = format!("bob@127.0.0.1:{}", server.host.port);
    connect
        .args(["connect", &to, "--dir"])
        .arg(home.path("bob"));
    connect.arg("--password-file").arg(home.path("pw"));
    succeeds(connect.stdin(Stdio::null()).output().unwrap());

    for (user, name, exit, why) in [
        ("bob", "again", 4, "invite you again"),
        ("carol", "carol", 1, "the invitation is for bob"),
    ] {
        let refused = enrol(&home, &server.host, user, name, &path);
        let said = String::from_utf8(refused.stderr.clone()).unwrap();
        assert_eq!(code(&refused), exit, "{said}");
        assert!(said.contains(why), "{said}");
        let token = line.rsplit(':').next().unwrap();
        assert!(!said.contains(token), "{said}");
    }
}

#[test]
fn only_the_host_of_the_invitation_sees_it() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let (line, _) = invite(&server, &home, "bob");
    let other = format!("SHA256:{}", "A".repeat(43));
    let elsewhere = line.replace(&server.host.fingerprint, &other);
    let path = home.write("elsewhere", &elsewhere);
    let refused = enrol(&home, &server.host, "bob", "bob", &path);
    assert_eq!(code(&refused), 3);
    // Nothing was sent, so the right line still works.
    let path = home.write("right", &line);
    succeeds(enrol(&home, &server.host, "bob", "bob", &path));
}

#[test]
fn a_python_client_enrols_with_our_server() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let (line, _) = invite(&server, &home, "bob");
    let token = line.rsplit(':').next().unwrap();
    home.keygen("bob");
    let python = |token: &[&str]| {
        let mut command = python("hardened_client.py", "cryptography.hazmat");
        command.arg("--key").arg(home.path("bob.pem"));
        command.arg("--password-file").arg(home.path("pw"));
        command.args(["--fingerprint", &server.host.fingerprint]);
        command.args(token);
        command.args(["127.0.0.1", &server.host.port, "bob", "hello"]);
        command.output().unwrap()
    };
    let token = format!("--token={token}");
    assert_eq!(code(&python(&[])), 4, "no account yet");
    assert_eq!(code(&python(&["--token=AAAAAAAAAAAAAAAAAAAAAA"])), 4);
    assert_eq!(succeeds(python(&[&token])).0, "last=0\nacked=1\nheld=1\n");
    assert_eq!(succeeds(python(&[])).0, "last=1\nacked=2\nheld=1\n");
    assert_eq!(code(&python(&[&token])), 4, "used up");
}

#[test]
fn a_server_killed_in_mid_session_stores_every_message_exactly_once() {
    let home = Home::new();
    let mut server = OurServer::new(&home);
    let mut client = home.start(&server.host, "id.pem", "pw");
    let mut input = client.stdin.take().unwrap();
    let mut shown = BufReader::new(client.stderr.take().unwrap()).lines();
    input.write_all(b"one\n").unwrap();
    while shown.next().unwrap().unwrap() != "Stored: 1." {}

    // It holds still, so that the next message is sent and not acknowledged; then it dies.
    server.signal("STOP");
    input.write_all(b"two\n").unwrap();
    let outbox = fs::read_dir(home.path("outbox"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let kept = || fs::read_to_string(outbox.path()).unwrap().contains("two");
    let wait = || std::thread::sleep(Duration::from_millis(5));
    assert!(
        (0..2000).any(|_| kept() || {
            wait();
            false
        }),
        "the message is not in the outbox"
    );
    server.signal("KILL");
    assert_eq!(client.wait().unwrap().code(), Some(5));
    let last: Vec<String> = shown.map(Result::unwrap).collect();
    assert!(
        last.concat().contains("message 2 is not acknowledged"),
        "{last:?}"
    );

    server.restart();
    let (_, stderr) = succeeds(home.connect(&server.host, "id.pem", "pw", "three\n"));
    assert!(stderr.contains("Message 2 is sent again."), "{stderr}");
    assert_eq!(server.stored(), "1\tone\n2\ttwo\n3\tthree\n");
}
