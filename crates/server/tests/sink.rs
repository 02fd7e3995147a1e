//! Sinks of the real program: each acknowledged message is in the sink once and in order, whatever happens in between.

mod support;

use std::{
    fs::{self, OpenOptions},
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use latchstring_net::protocol::hardened::session::Event as SessionEvent;
use nix::sys::signal::Signal;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use support::{Chat, Home, Serving, failure, rest, seconds, success};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

/// A server with alice and this section `[sink]`.
fn home(sink: &str) -> Home {
    let home = Home::new();
    home.add_alice();
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    assert!(toml.contains("kind = \"store\"\n"), "{toml}");
    // A cheap password: these tests log in often.
    let toml = toml.replace("memory_mib = 64", "memory_mib = 19");
    fs::write(&config, toml.replace("kind = \"store\"\n", sink)).unwrap();
    home
}

const FILE: &str = "kind = \"file\"\npath = \"out/messages.jsonl\"\n";

fn file_home() -> (Home, PathBuf) {
    let home = home(FILE);
    let dir = home.path("server/out");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    (home, dir.join("messages.jsonl"))
}

async fn open(home: &Home, serving: &Serving) -> Chat<TcpStream> {
    home.login().open(serving.connect().await).await
}

/// Serves, with the log in a file.
async fn serve(home: &Home) -> (Serving, PathBuf) {
    let log = home.path("log");
    let file = OpenOptions::new().append(true).create(true).open(&log);
    (home.serve_with(file.unwrap().into()).await, log)
}

async fn ends(mut serving: Serving) {
    serving.signal(Signal::SIGTERM);
    let status = timeout(seconds(20), serving.child.wait()).await;
    assert_eq!(status.expect("it ends").unwrap().code(), Some(0));
}

/// Waits until this is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} does not come");
}

async fn logged(log: &Path, word: &str) {
    let has = || fs::read_to_string(log).unwrap().contains(word);
    until(word, has).await;
}

/// The messages in a file of lines: number and text.
fn lines(path: &Path) -> Vec<(u64, String)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    assert!(
        text.is_empty() || text.ends_with('\n'),
        "half a line: {text}"
    );
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        assert_eq!(line["user"], "alice");
        assert_eq!(line["kind"], 0);
        assert!(line["key"].as_str().unwrap().starts_with("SHA256:"));
        assert!(line["received"].as_str().unwrap().ends_with('Z'));
        (
            line["id"].as_u64().unwrap(),
            line["text"].as_str().unwrap().to_owned(),
        )
    };
    text.lines().map(line).collect()
}

fn ids(path: &Path) -> Vec<u64> {
    lines(path).into_iter().map(|(id, _)| id).collect()
}

#[tokio::test]
async fn an_acknowledged_message_is_in_the_file_also_across_rotations() {
    let (home, file) = file_home();
    let (serving, _) = serve(&home).await;
    let mut chat = open(&home, &serving).await;
    let mut all = Vec::new();
    for round in 1..=5 {
        for n in 1..=10 {
            chat.say_and_hear_back(&format!("{round} {n}")).await;
            // It is there at the acknowledgement, not some time later.
            assert_eq!(lines(&file).last().unwrap().1, format!("{round} {n}"));
            if n == 5 {
                let rotated = file.with_extension(format!("jsonl.{round}"));
                fs::rename(&file, &rotated).unwrap();
                all.extend(ids(&rotated));
                if round % 2 == 0 {
                    // As logrotate does with `create`, and then it tells the server.
                    fs::write(&file, "").unwrap();
                    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
                    serving.signal(Signal::SIGHUP);
                }
            }
        }
    }
    all.extend(ids(&file));
    assert_eq!(all, (1..=50).collect::<Vec<_>>());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    chat.close().await;
    ends(serving).await;
}

#[tokio::test]
async fn messages_that_come_all_at_once_while_the_file_is_renamed_are_each_there_once() {
    let (home, file) = file_home();
    let (serving, _) = serve(&home).await;
    let mut chat = open(&home, &serving).await;
    for n in 1..=200 {
        chat.say(&format!("text {n}")).await;
    }
    let (mut rotated, mut acknowledged) = (Vec::new(), 0);
    while acknowledged < 200 {
        match timeout(seconds(20), chat.hear()).await.unwrap() {
            Some(SessionEvent::Acknowledged { up_to }) => acknowledged = up_to,
            other => panic!("{other:?}"),
        }
        if file.exists() && rotated.len() < 8 {
            let to = file.with_extension(format!("jsonl.{}", rotated.len()));
            fs::rename(&file, &to).unwrap();
            rotated.push(to);
        }
    }
    chat.close().await;
    ends(serving).await;
    let all = rotated.iter().chain([&file]).flat_map(|path| ids(path));
    assert_eq!(all.collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
    assert!(rotated.len() > 1, "{rotated:?}");
}

/// The client sends it again: it takes the server's answer to a question for an acknowledgement, so that waits, too.
#[tokio::test]
async fn a_directory_that_vanishes_holds_up_acknowledgements_until_it_is_back() {
    let (home, file) = file_home();
    let (serving, log) = serve(&home).await;
    let mut chat = open(&home, &serving).await;
    chat.say_and_hear_back("one").await;
    let (dir, away) = (home.path("server/out"), home.path("server/away"));
    fs::rename(&dir, &away).unwrap();
    chat.say("two").await;
    let early = timeout(seconds(1), chat.hear()).await;
    assert!(early.is_err(), "acknowledged without the sink: {early:?}");
    logged(&log, "the sink takes no message; trying again").await;
    // The session ends: a client must not wait for ever.
    assert_eq!(timeout(seconds(20), chat.hear()).await.unwrap(), None);
    logged(&log, "message not delivered, not acknowledged").await;

    let mut chat = open(&home, &serving).await;
    assert_eq!(chat.last_message, 2);
    let question = chat.session.query(2).unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut chat.stream, &question)
        .await
        .unwrap();
    let early = timeout(seconds(1), chat.hear()).await;
    assert!(
        early.is_err(),
        "said to be held without the sink: {early:?}"
    );
    fs::rename(&away, &dir).unwrap();
    match timeout(seconds(20), chat.hear()).await.unwrap() {
        Some(SessionEvent::Held {
            id: 2,
            held: Some(_),
        }) => {}
        other => panic!("{other:?}"),
    }
    logged(&log, "the sink works again").await;
    chat.say_and_hear_back("three").await;
    let texts = lines(&file).into_iter().map(|(_, text)| text);
    assert_eq!(texts.collect::<Vec<_>>(), ["one", "two", "three"]);
    chat.close().await;
    ends(serving).await;
}

#[tokio::test]
async fn a_full_disk_tears_no_line_and_loses_none() {
    let (home, file) = file_home();
    let (serving, log) = serve(&home).await;
    let mut chat = open(&home, &serving).await;
    // JSON writes each of these bytes in six. So this file gets longer than those of the store, which must still be
    // written while this one is full.
    let long = "\u{1}".repeat(16_000);
    for _ in 0..60 {
        chat.say_and_hear_back(&long).await;
    }
    let length = fs::metadata(&file).unwrap().len();
    for of_store in ["server/accounts.db", "server/accounts.db-wal"] {
        let of_store = fs::metadata(home.path(of_store)).unwrap().len();
        assert!(length > of_store + 100_000, "{length} {of_store}");
    }
    let pid = Pid::from_raw(serving.child.id().unwrap().try_into().unwrap());
    let limit = |current| Rlimit {
        current,
        maximum: None,
    };
    // Half a line fits.
    prlimit(pid, Resource::Fsize, limit(Some(length + 50_000))).unwrap();
    chat.say(&long).await;
    logged(&log, "the sink takes no message; trying again").await;
    assert_eq!(ids(&file).len(), 60, "no half line is left");
    prlimit(pid, Resource::Fsize, limit(None)).unwrap();
    let up_to = 61;
    let heard = timeout(seconds(20), chat.hear()).await.unwrap();
    assert_eq!(heard, Some(SessionEvent::Acknowledged { up_to }));
    assert_eq!(ids(&file), (1..=61).collect::<Vec<_>>());
    chat.close().await;
    ends(serving).await;
}

/// A script that takes messages: each run appends the line to `taken`, after it has failed as often as `failures` says.
fn script(home: &Home, body: &str) -> PathBuf {
    let text = format!("#!/bin/sh\ncd {}\n{body}\n", home.keep.path().display());
    home.write("take", &text, 0o755)
}

fn command_home(body: &str) -> Home {
    let home = home("kind = \"command\"\ncommand = [\"@\"]\n");
    let script = script(&home, body);
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    fs::write(&config, toml.replace('@', &script.display().to_string())).unwrap();
    home
}

#[tokio::test]
async fn a_command_that_fails_twice_gets_the_message_again_and_then_it_is_acknowledged() {
    let home = command_home("echo >> tries; [ $(wc -l < tries) -gt 2 ] || exit 7\ncat >> taken");
    let (serving, log) = serve(&home).await;
    let mut chat = open(&home, &serving).await;
    chat.say_and_hear_back("one").await;
    chat.say_and_hear_back("two").await;
    let tries = fs::read_to_string(home.path("tries")).unwrap();
    assert_eq!(tries.lines().count(), 4);
    let taken = lines(&home.path("taken"));
    assert_eq!(taken, [(1, "one".to_owned()), (2, "two".to_owned())]);
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("the exit code 7"), "{log}");
    assert!(log.contains("the sink works again"), "{log}");
    chat.close().await;
    ends(serving).await;
}

/// What a command's exit code promises is all there is: without it there is no acknowledgement.
#[tokio::test]
async fn a_command_that_never_takes_a_message_ends_the_session_without_an_acknowledgement() {
    let home = command_home("exit 1");
    let (serving, log) = serve(&home).await;
    let mut chat = open(&home, &serving).await;
    chat.say("one").await;
    assert!(rest(&mut chat.stream).await.is_empty());
    logged(&log, "message not delivered, not acknowledged").await;
    // It is stored, and waits.
    assert_eq!(success(&home.run(&["messages", "alice"])), "1\tone\n");
    let found = success(&home.run(&["check"]));
    assert!(found.contains("1 messages wait for the sink"), "{found}");
    ends(serving).await;
    script(&home, "cat >> taken");
    let (serving, _) = serve(&home).await;
    until("the message", || !lines(&home.path("taken")).is_empty()).await;
    ends(serving).await;
}

#[tokio::test]
async fn a_syslog_gets_each_message() {
    let home = home("kind = \"syslog\"\npath = \"log\"\n");
    let service = UnixDatagram::bind(home.path("server/log")).unwrap();
    let (serving, _) = serve(&home).await;
    let mut chat = open(&home, &serving).await;
    chat.say_and_hear_back("one").await;
    let mut bytes = [0; 2048];
    let length = service.recv(&mut bytes).unwrap();
    let text = std::str::from_utf8(&bytes[..length]).unwrap();
    assert!(text.contains("\"text\":\"one\""), "{text}");
    chat.close().await;
    ends(serving).await;
}

/// Sends until the server dies; what it acknowledged.
async fn send_until_killed(home: &Home, serving: &mut Serving, rng: &mut ChaCha8Rng) -> u64 {
    let mut chat = open(home, serving).await;
    let mut acknowledged = chat.last_message;
    let kill_at = acknowledged + rng.random_range(1..30);
    for n in 1..=60 {
        chat.say(&format!("text {}", chat.last_message + n)).await;
    }
    while let Some(event) = chat.hear().await {
        let SessionEvent::Acknowledged { up_to } = event else {
            panic!("{event:?}");
        };
        acknowledged = up_to;
        if up_to >= kill_at {
            sleep(Duration::from_micros(rng.random_range(0..4000))).await;
            // SIGKILL; what is still on its way is read below.
            let _ = serving.child.start_kill();
        }
    }
    let _ = serving.child.wait().await;
    acknowledged
}

#[tokio::test]
async fn after_kill_9_every_acknowledged_message_is_in_the_file_once_and_in_order() {
    let (home, file) = file_home();
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut rotated = Vec::new();
    for round in 0..12 {
        let (mut serving, _) = serve(&home).await;
        let acknowledged = send_until_killed(&home, &mut serving, &mut rng).await;
        let there: Vec<u64> = (rotated.iter().chain([&file]))
            .flat_map(|path: &PathBuf| whole_ids(path))
            .collect();
        assert!(
            there.len() as u64 >= acknowledged,
            "round {round}: {there:?}"
        );
        if round % 3 == 0 {
            // A rotation before the server has looked at what it left.
            let to = file.with_extension(format!("jsonl.{round:02}"));
            fs::rename(&file, &to).unwrap();
            rotated.push(to);
        }
    }
    // What still waits comes with the next start.
    let (serving, _) = serve(&home).await;
    let chat = open(&home, &serving).await;
    let last = chat.last_message;
    let all = || -> Vec<u64> {
        let files = rotated.iter().chain([&file]);
        files.flat_map(|path| whole_ids(path)).collect()
    };
    until("the rest", || all().len() as u64 >= last).await;
    // Every line is whole now.
    let files = rotated.iter().chain([&file]);
    let there: Vec<u64> = files.flat_map(|path| ids(path)).collect();
    assert_eq!(there, (1..=last).collect::<Vec<_>>());
    chat.close().await;
    ends(serving).await;
}

/// The messages of the whole lines: a killed server may leave half of one.
fn whole_ids(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let id = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        line["id"].as_u64().unwrap()
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(id).collect()
}

#[tokio::test]
async fn a_check_names_what_is_wrong_with_the_sink() {
    let home = home(FILE);
    let missing = failure_text(&home);
    assert!(
        missing.contains("error    sink") && missing.contains("mkdir -m 700"),
        "{missing}"
    );
    fs::create_dir(home.path("server/out")).unwrap();
    let exposed = fs::Permissions::from_mode(0o777);
    fs::set_permissions(home.path("server/out"), exposed).unwrap();
    let found = failure_text(&home);
    assert!(found.contains("can be changed by other users"), "{found}");
    fs::set_permissions(home.path("server/out"), fs::Permissions::from_mode(0o700)).unwrap();
    let found = success(&home.run(&["check"]));
    assert!(found.contains("ok       sink"), "{found}");
}

fn failure_text(home: &Home) -> String {
    let output = home.run(&["check"]);
    failure(&output);
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn without_a_sink_a_server_serves_and_names_messages_that_wait_for_an_earlier_one() {
    let home = command_home("exit 1");
    let (serving, _) = serve(&home).await;
    let mut chat = open(&home, &serving).await;
    chat.say("one").await;
    assert!(rest(&mut chat.stream).await.is_empty());
    ends(serving).await;
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    let (toml, _) = toml.split_once("[sink]").unwrap();
    fs::write(&config, toml).unwrap();
    let serving = home.serve_with(Stdio::piped()).await;
    let mut chat = open(&home, &serving).await;
    chat.say_and_hear_back("two").await;
    chat.close().await;
    serving.signal(Signal::SIGTERM);
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(0));
    assert!(log.contains("messages wait for a sink"), "{log}");
}
