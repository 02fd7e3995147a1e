//! A file goes to a real `latchstring-server` with the real client, and comes out of its store: also when either of them is
//! killed in the middle, when the disk is full, and for two users at once.

#[path = "support/pair.rs"]
mod pair;

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use latchstring_net::protocol::hardened::primitives::hash;
use latchstring_store_sqlite::collect::{Collector, File, Found, LeftAlone};
use latchstring_tests::{binary, python};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pair::{Home, OurServer, code, server_command, succeeds};
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::Value;

const MEBIBYTE: usize = 1 << 20;
/// Its parts.
const PARTS: usize = 88;
/// The bytes of a record with a whole part in it.
const RECORD: u64 = 16_420;
/// The client's bytes until it is logged in.
const LOGIN: u64 = 74 + 1060;

/// Bytes that no compression and no repetition make equal.
fn content(seed: u8, length: usize) -> Vec<u8> {
    let mut block = [seed; 32];
    let mut bytes = Vec::new();
    while bytes.len() < length {
        block = hash(&[&block]);
        bytes.extend(block);
    }
    bytes.truncate(length);
    bytes
}

fn file(home: &Home, name: &str, bytes: &[u8]) -> PathBuf {
    let path = home.path(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// `send-file` at a port and with a pin that may be others than the server's.
fn command(home: &Home, user: &str, port: &str, pin: &str, file: &Path) -> Command {
    let mut command = Command::new(binary("latchstring-client"));
    command
        .arg("send-file")
        .arg(format!("{user}@127.0.0.1:{port}"));
    command.arg(file).args(["--fingerprint", pin, "--dir"]);
    command.arg(home.0.path());
    command.arg("--password-file").arg(home.path("pw"));
    command.stdin(Stdio::null());
    command
}

fn send(home: &Home, server: &OurServer, file: &Path) -> Output {
    let (port, pin) = (&server.host.port, &server.host.fingerprint);
    command(home, "alice", port, pin, file).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What is in the store, which a server may have open.
fn collected(server: &OurServer) -> (Vec<Found>, LeftAlone) {
    let path = server.dir.join("accounts.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut found = Vec::new();
        let collector = Collector::open(&path).await.unwrap();
        let take = |one| {
            found.push(one);
            Ok::<(), latchstring_store_sqlite::StoreError>(())
        };
        let left = collector.collect(take).await.unwrap();
        (found, left)
    })
}

/// The only thing in the store.
fn only_file(server: &OurServer) -> File {
    match &collected(server).0[..] {
        [Found::File(file)] => file.clone(),
        other => panic!(
            "{} things: {:?}",
            other.len(),
            other.iter().map(short).collect::<Vec<_>>()
        ),
    }
}

fn short(found: &Found) -> String {
    match found {
        Found::File(file) => format!("{} of {}", file.head.name(), file.sender.user),
        Found::Incomplete { missing, .. } => format!("{} parts are missing", missing.len()),
        other => format!("{other:?}"),
    }
}

fn stored(server: &OurServer) -> usize {
    server.stored().lines().count()
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs()
}

fn receipt(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_file_of_a_mebibyte_arrives_and_its_receipt_names_what_the_store_holds() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let bytes = content(1, MEBIBYTE);
    let path = file(&home, "answers.zip", &bytes);
    let began = now();
    let (said, _) = succeeds(send(&home, &server, &path));
    let found = only_file(&server);
    assert_eq!(
        (found.sender.user.as_str(), found.head.name().as_str()),
        ("alice", "answers.zip")
    );
    assert!(found.bytes == bytes);
    assert_eq!(stored(&server), PARTS);
    let at = found.received_at[0].unwrap();
    assert!(
        found.received_at.len() == 1 && (began..=now()).contains(&at),
        "{at}"
    );

    let receipt = receipt(&home.path("answers.zip.receipt.json"));
    let sha256 = hex::encode(hash(&[&bytes]));
    assert_eq!(receipt["sha256"], sha256);
    assert_eq!(receipt["host_key"], server.host.fingerprint);
    assert_eq!(receipt["user_key"], found.sender.key.to_string());
    let ids = receipt["parts"].as_array().unwrap().iter();
    let ids: Vec<u64> = ids.map(|part| part["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, found.messages);
    assert!(
        said.contains(&sha256) && said.contains("receipt.json"),
        "{said}"
    );
    assert!(!home.path("answers.zip.sending").exists());

    // The same file once more is one file with two times, and the first receipt stays.
    succeeds(send(&home, &server, &path));
    assert_eq!(only_file(&server).received_at.len(), 2);
    assert!(home.path("answers.zip.receipt-2.json").exists());
    // What `connect` says afterwards follows, and nobody is warned of another client.
    let (_, said) = succeeds(home.connect(&server.host, "id.pem", "pw", "hello\n"));
    assert!(!said.contains("Warning"), "{said}");
    assert_eq!(collected(&server).1.others, 1);
}

/// Somebody in the middle who passes so many bytes of the client on, and then no more.
fn stalls_after(bytes: u64, server: &OurServer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let to = format!("127.0.0.1:{}", server.host.port);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&to) else {
                return;
            };
            let (mut up, mut sink) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut (&mut up).take(bytes), &mut sink));
            thread::spawn(move || {
                let (mut server, mut client) = (server, client);
                let _ = std::io::copy(&mut server, &mut client);
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    });
    port
}

fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if happened() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

/// Sends a mebibyte, and kills the server with SIGKILL when it has stored 30 parts and the half of another is on its way.
fn killed_in_the_middle(home: &Home, server: &mut OurServer, path: &Path) {
    let port = stalls_after(LOGIN + 30 * RECORD + RECORD / 2, server);
    let client = command(home, "alice", &port, &server.host.fingerprint, path)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let acknowledged = |n| {
        let journal = fs::read_to_string(home.path("answers.zip.sending")).unwrap_or_default();
        journal.contains(&format!("\"part\":{n},"))
    };
    wait_until("the client has heard of part 30", || acknowledged(30));
    assert!(!acknowledged(31));
    server.signal("KILL");
    let output = client.wait_with_output().unwrap();
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("30 of 88 parts"), "{said}");
    assert!(said.contains("Run the same command again"), "{said}");
    server.restart();
    assert_eq!(stored(server), 30);
    let (found, _) = collected(server);
    assert!(
        matches!(&found[..], [Found::Incomplete { missing, .. }] if missing.len() == PARTS - 30)
    );
}

#[test]
fn a_server_that_is_killed_in_the_middle_gets_every_part_once() {
    let home = Home::new();
    let mut server = OurServer::new(&home);
    let bytes = content(2, MEBIBYTE);
    let path = file(&home, "answers.zip", &bytes);
    killed_in_the_middle(&home, &mut server, &path);
    let (_, said) = succeeds(send(&home, &server, &path));
    assert!(said.contains("holds 30 already"), "{said}");
    assert!(only_file(&server).bytes == bytes);
    assert_eq!(stored(&server), PARTS, "nothing is doubled");
    let receipt = receipt(&home.path("answers.zip.receipt.json"));
    assert_eq!(receipt["parts"].as_array().unwrap().len(), PARTS);
    assert!(!home.path("answers.zip.sending").exists());
}

/// The twin: the same without the journal. So the test above can fail.
#[test]
fn without_the_journal_the_same_parts_are_stored_twice() {
    let home = Home::new();
    let mut server = OurServer::new(&home);
    let bytes = content(2, MEBIBYTE);
    let path = file(&home, "answers.zip", &bytes);
    killed_in_the_middle(&home, &mut server, &path);
    fs::remove_file(home.path("answers.zip.sending")).unwrap();
    succeeds(send(&home, &server, &path));
    let found = only_file(&server);
    assert!(found.bytes == bytes && found.received_at.len() == 1);
    assert!(stored(&server) >= PARTS + 30, "{}", stored(&server));
}

#[test]
fn a_client_that_is_asked_to_end_says_how_far_the_file_is() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let bytes = content(9, MEBIBYTE);
    let path = file(&home, "answers.zip", &bytes);
    let port = stalls_after(LOGIN + 20 * RECORD, &server);
    let client = command(&home, "alice", &port, &server.host.fingerprint, &path)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("20 parts are stored", || stored_now(&server) == 20);
    let pid = Pid::from_raw(client.id().try_into().unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    let output = client.wait_with_output().unwrap();
    let said = stderr(&output);
    assert_eq!(code(&output), 5, "{said}");
    assert!(said.contains("ended by SIGTERM; "), "{said}");
    assert!(said.contains(" of 88 parts"), "{said}");
    succeeds(send(&home, &server, &path));
    assert!(only_file(&server).bytes == bytes);
    assert_eq!(stored(&server), PARTS);
}

/// At moments that nobody chose, the server or the client is killed.
#[test]
fn whoever_is_killed_and_whenever_every_part_is_stored_once() {
    let home = Home::new();
    let mut server = OurServer::new(&home);
    let bytes = content(3, MEBIBYTE);
    let path = file(&home, "answers.zip", &bytes);
    for round in 0..6 {
        let (port, pin) = (&server.host.port, &server.host.fingerprint);
        let mut client = command(&home, "alice", port, pin, &path)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = || stored_now(&server) > round * 9;
        wait_until("some parts are stored", || {
            begun() || client.try_wait().unwrap().is_some()
        });
        match round % 2 {
            0 => server.signal("KILL"),
            _ => kill(
                Pid::from_raw(client.id().try_into().unwrap()),
                Signal::SIGKILL,
            )
            .unwrap(),
        }
        let _ = client.wait().unwrap();
        if round % 2 == 0 {
            server.restart();
        }
        if home.path("answers.zip.receipt.json").exists() {
            break;
        }
    }
    if !home.path("answers.zip.receipt.json").exists() {
        succeeds(send(&home, &server, &path));
    }
    assert!(only_file(&server).bytes == bytes);
    assert_eq!(stored(&server), PARTS);
}

/// How many parts the running server has stored.
fn stored_now(server: &OurServer) -> usize {
    match &collected(server).0[..] {
        [Found::Incomplete { missing, .. }] => PARTS - missing.len(),
        [Found::File(_)] => PARTS,
        _ => 0,
    }
}

#[test]
fn a_wrong_host_key_gets_nothing() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let path = file(&home, "answers.zip", b"my answers");
    let wrong = format!("SHA256:{}", "A".repeat(43));
    let output = command(&home, "alice", &server.host.port, &wrong, &path)
        .output()
        .unwrap();
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert_eq!(stored(&server), 0);
    for left in ["answers.zip.sending", "answers.zip.receipt.json", "outbox"] {
        let empty = fs::read_dir(home.path(left)).map_or(0, Iterator::count);
        assert!(!home.path(left).is_file() && empty <= 1, "{left}");
    }
    // With the right one it goes.
    succeeds(send(&home, &server, &path));
    assert_eq!(stored(&server), 1);
}

/// No file that the server writes may be longer than this.
fn limit_files(server: &OurServer, bytes: Option<u64>) {
    let pid = i32::try_from(server.host.process.child.id()).unwrap();
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(rustix::process::Pid::from_raw(pid), Resource::Fsize, limit).unwrap();
}

#[test]
fn a_full_store_is_reported_and_the_rest_is_sent_when_there_is_room() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let bytes = content(4, MEBIBYTE);
    let path = file(&home, "answers.zip", &bytes);
    limit_files(&server, Some(400_000));
    let output = send(&home, &server, &path);
    let said = stderr(&output);
    assert_eq!(code(&output), 5, "{said}");
    assert!(
        said.contains(" of 88 parts") && said.contains("Run the same command again"),
        "{said}"
    );
    assert!(!home.path("answers.zip.receipt.json").exists());
    let before = stored(&server);
    assert!((1..PARTS).contains(&before), "{before}");
    limit_files(&server, None);
    succeeds(send(&home, &server, &path));
    assert!(only_file(&server).bytes == bytes);
    assert_eq!(stored(&server), PARTS);
}

/// One of them with an account from an invitation.
#[test]
fn two_users_send_at_the_same_time() {
    let (alice, bob) = (Home::new(), Home::new());
    let server = OurServer::new(&alice);
    let (port, pin) = (&server.host.port, &server.host.fingerprint);
    let invite = server_command(&server.dir, &["invite", "bob"])
        .output()
        .unwrap();
    bob.write("invitation", &succeeds(invite).0);
    let mut enrol = Command::new(binary("latchstring-client"));
    enrol
        .arg("enrol")
        .arg(format!("bob@127.0.0.1:{port}"))
        .arg("--dir")
        .arg(bob.0.path());
    enrol.arg("--invite-file").arg(bob.path("invitation"));
    enrol.arg("--password-file").arg(bob.path("pw"));
    succeeds(enrol.output().unwrap());
    let (hers, his) = (content(5, MEBIBYTE), content(6, MEBIBYTE / 2));
    let (one, two) = (file(&alice, "a.zip", &hers), file(&bob, "a.zip", &his));
    let start = |home, user, path| {
        let mut command = command(home, user, port, pin, path);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let both = [start(&alice, "alice", &one), start(&bob, "bob", &two)];
    for client in both {
        succeeds(client.wait_with_output().unwrap());
    }
    let (found, _) = collected(&server);
    let [Found::File(first), Found::File(second)] = &found[..] else {
        panic!("{:?}", found.iter().map(short).collect::<Vec<_>>());
    };
    assert_eq!(
        (first.sender.user.as_str(), second.sender.user.as_str()),
        ("alice", "bob")
    );
    assert!(first.bytes == hers && second.bytes == his);
}

/// The program in Python that was written from the page: what it prints for these lines.
fn python_parts(arguments: &[&str], input: &[u8]) -> String {
    let mut child = python("file_parts.py", "base64")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writes = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writes.join().unwrap().unwrap();
    succeeds(output).0
}

/// A part is one line, so a client that knows nothing of files can send one.
#[test]
fn a_client_that_knows_nothing_of_files_sends_one_and_other_texts_are_left_alone() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let bytes = content(7, 30_000);
    let lines = python_parts(&["split", "by-hand.bin"], &bytes);
    let mut texts: Vec<&str> = lines.lines().collect();
    texts.reverse();
    texts.insert(1, "hello");
    texts.push("latchstring-file/1 but no part");
    succeeds(home.python(&server.host, "id.pem", "pw", &texts));
    let (found, left) = collected(&server);
    assert_eq!((found.len(), left.others), (2, 1));
    assert!(matches!(&found[0], Found::File(file) if file.bytes == bytes));
    assert!(matches!(&found[1], Found::BadPart(bad) if bad.id == 5));
}

#[test]
fn a_program_that_was_written_from_the_page_joins_what_our_client_sends() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let bytes = content(8, 100_000);
    succeeds(home.connect(&server.host, "id.pem", "pw", "hello\n"));
    succeeds(send(&home, &server, &file(&home, "answers.zip", &bytes)));
    succeeds(home.connect(&server.host, "id.pem", "pw", "latchstring-file/2\n"));
    let stored = server.stored();
    let texts = stored.lines().map(|line| line.split_once('\t').unwrap().1);
    let texts: String = texts.map(|text| format!("{text}\n")).collect();
    let said = python_parts(&["join", home.0.path().to_str().unwrap()], texts.as_bytes());
    let sha256 = hex::encode(hash(&[&bytes]));
    assert_eq!(said, format!("{sha256} answers.zip 0\nother=1\nbad=1\n"));
    let joined = fs::read(home.path(&format!("{sha256}-answers.zip"))).unwrap();
    assert!(joined == bytes);
}

#[test]
fn a_file_that_cannot_be_sent_is_refused_before_the_login() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let long = home.path("long.bin");
    fs::File::create(&long)
        .unwrap()
        .set_len((16 << 20) + 1)
        .unwrap();
    for (path, why) in [
        (file(&home, "empty", b""), "the file is empty"),
        (long, "at most 16777216"),
        (file(&home, "my answers.zip", b"x"), "--name"),
        (home.path("nothing"), "cannot read"),
        (home.0.path().to_owned(), "it is a directory"),
    ] {
        let output = send(&home, &server, &path);
        let said = stderr(&output);
        assert_eq!(code(&output), 1, "{said}");
        assert!(said.contains(why), "{why}: {said}");
        assert!(
            !home
                .0
                .path()
                .join(format!("{}.sending", path.display()))
                .exists()
        );
    }
    assert_eq!(stored(&server), 0);
    let (port, pin) = (&server.host.port, &server.host.fingerprint);
    let mut named = command(&home, "alice", port, pin, &home.path("my answers.zip"));
    succeeds(named.args(["--name", "answers.zip"]).output().unwrap());
    assert_eq!(only_file(&server).head.name().as_str(), "answers.zip");
}
