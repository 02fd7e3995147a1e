//! Servers with guessable session keys, each broken from a capture of real TCP: `latchstring weak-server` serves the
//! faithful client over loopback, what passes between the two is recorded, and `latchstring solve seed` reads it from
//! what the client sent.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use latchstring_arena::keys::Seeded;
use latchstring_attacker::{
    capture::{Chunk, Side, Trace, write_sessions},
    cryptanalysis::generators::Generator,
    protocol_faithful::message::{QUIT, UserName},
};
use latchstring_faithful::{client, keys::KeyDir};
use latchstring_tests::{binary, interrupt};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
};

/// When the servers were started: 2019-12-31 13:14:15 UTC.
const STARTED: u64 = 1_577_798_055;
const TYPED: [&str; 3] = [
    "the meeting is at noon, room 17",
    "bring the red folder",
    QUIT,
];

/// A weak server on a port of its own choice, and what it prints.
fn serve(
    folder: &Path,
    generator: Generator,
    seed: u64,
) -> (Child, BufReader<ChildStdout>, SocketAddr) {
    let mut server = Command::new(binary("latchstring"))
        .args([
            "weak-server",
            "--port",
            "0",
            "--generator",
            generator.name(),
        ])
        .args(["--seed", &seed.to_string()])
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut prints = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    prints.read_line(&mut line).unwrap();
    let port = line
        .rsplit(|c: char| !c.is_ascii_digit())
        .find(|part| !part.is_empty());
    let port = port.and_then(|port| port.parse().ok());
    let port = port.unwrap_or_else(|| panic!("no port in {line:?}"));
    (server, prints, (Ipv4Addr::LOCALHOST, port).into())
}

/// Waits until the server has printed this message. It reads once a message: what comes before that is one with it.
fn wait_for(prints: &mut impl BufRead, text: &str) {
    let mut lines = prints.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains(text)), "{text:?} is lost");
}

/// Somebody on the path who writes down what passes.
struct Tap {
    at: SocketAddr,
    trace: Arc<Mutex<Trace>>,
}

impl Tap {
    async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let client = (Ipv4Addr::LOCALHOST, 50_000).into();
        let trace = Arc::new(Mutex::new(Trace::new(client, server)));
        let shared = trace.clone();
        tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(server).await.unwrap();
            server.set_nodelay(true).unwrap();
            let ((hear_client, tell_client), (hear_server, tell_server)) =
                (client.into_split(), server.into_split());
            tokio::join!(
                pass_on(hear_client, tell_server, Side::Client, &shared),
                pass_on(hear_server, tell_client, Side::Server, &shared),
            );
        });
        Self { at, trace }
    }
}

async fn pass_on(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    side: Side,
    trace: &Mutex<Trace>,
) {
    let mut buffer = [0; 2048];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer[..n].to_vec();
        {
            let mut trace = trace.lock().unwrap();
            let at = Duration::from_millis(trace.chunks.len() as u64);
            trace.chunks.push(Chunk {
                from: side,
                at,
                bytes,
            });
        }
        to.write_all(&buffer[..n]).await.unwrap();
    }
}

/// A session of alice with a weak server, over real TCP, as a capture file.
async fn record(file: &Path, generator: Generator, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyDir::open(folder.path()).unwrap();
    let alice = UserName::parse("alice").unwrap();
    let key = keys
        .generate(&alice, &mut Seeded::new(1, "the menu").into_rng())
        .unwrap();
    let (mut server, mut prints, at) = serve(folder.path(), generator, seed);
    let tap = Tap::before(at).await;

    let stream = TcpStream::connect(tap.at).await.unwrap();
    let mut session = client::login(stream, &alice, &key.public_key())
        .await
        .unwrap();
    for text in TYPED {
        session.send(text).await.unwrap();
        if text != QUIT {
            wait_for(&mut prints, text);
        }
    }
    assert!(server.wait().unwrap().success(), "quit() ends the server");
    let trace = tap.trace.lock().unwrap().clone();
    write_sessions(file, &[trace], Duration::from_secs(seed)).unwrap();
}

fn solve(capture: &Path, generator: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("latchstring"));
    command.args(["solve", "seed", "--generator", generator, "--capture"]);
    command
        .arg(capture)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_generator_is_broken_from_what_the_client_sent() {
    let folder = tempfile::tempdir().unwrap();
    let day = ["--from", "2019-12-31", "--to", "2020-01-01", "--json"];
    for generator in Generator::ALL {
        let file = folder
            .path()
            .join(format!("{generator}.pcap").replace('*', ""));
        record(&file, generator, STARTED).await;
        let output = solve(&file, generator.name(), &day).output().unwrap();
        let found = json(&output);
        assert_eq!(output.status.code(), Some(0), "{generator}");
        assert_eq!(
            found["hits"].as_array().unwrap().len(),
            1,
            "{generator}: {found}"
        );
        let hit = &found["hits"][0];
        assert_eq!(
            (&hit["seed"], &hit["time"]),
            (&STARTED.into(), &"2019-12-31T13:14:15Z".into())
        );
        assert_eq!(hit["messages"], serde_json::json!(TYPED));
        assert_eq!(found["tried"], 86_401);
        assert!(found["all_keys"]["years_of_one_core"].as_f64().unwrap() > 1e50);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_generator_and_another_day_find_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.pcap");
    record(&file, Generator::PhpMtRand, STARTED).await;
    for (generator, from, to) in [
        ("python", "2019-12-31", "2020-01-01"),
        ("php", "2020-01-01", "2020-01-02"),
    ] {
        let output = solve(&file, generator, &["--from", from, "--to", to])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.contains("no seed makes text") && said.contains("2^256"),
            "{said}"
        );
    }
}

#[test]
fn ctrl_c_ends_a_search_and_the_file_takes_it_up_again() {
    let capture = latchstring_tests::workspace().join("captures/seeded-keys.pcapng");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("search");
    let kept = file.to_str().unwrap();
    // One seed after the other, which takes some ten seconds: time enough to end it.
    let to = "2020-01-01";
    let range = [
        "--from",
        "2019-12-01",
        "--to",
        to,
        "--resume",
        kept,
        "--json",
    ];
    let mut search = solve(&capture, "python", &range);
    let search = search.arg("--plain").spawn().unwrap();
    interrupt(search.id());
    let output = search.wait_with_output().unwrap();
    let ended = json(&output);
    let next = ended["ended_before"]
        .as_u64()
        .expect("it was ended before its end");
    assert!(String::from_utf8_lossy(&output.stderr).contains("goes on"));

    assert_eq!(output.status.code(), Some(1), "nothing was found yet");
    let (kept_text, ended_next) = (fs::read_to_string(&file).unwrap(), next);
    let forged = folder.path().join("forged");

    // Another search does not go on from there.
    let other = ["--from", "2019-12-02", "--to", to, "--resume", kept];
    let refused = solve(&capture, "python", &other).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another run"));

    let resumed = json(&solve(&capture, "python", &range).output().unwrap());
    let (first, all) = (
        ended["tried"].as_u64().unwrap(),
        ended["seeds"].as_u64().unwrap(),
    );
    // What is not true of the search is not believed: a place outside of it, and a seed that makes no text.
    for (next, hits) in [
        (u64::MAX, "[]"),
        (0, "[]"),
        (next, "[1575158401]"),
        (next, "[7]"),
    ] {
        let text = kept_text.replacen(
            &format!("\"next\":{}", ended_next),
            &format!("\"next\":{next}"),
            1,
        );
        let text = text.replacen("\"hits\":[]", &format!("\"hits\":{hits}"), 1);
        assert_ne!(text, kept_text);
        fs::write(&forged, text).unwrap();
        let mut range = range;
        range[5] = forged.to_str().unwrap();
        let refused = solve(&capture, "python", &range).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(
            said.contains("its numbers do not fit this search"),
            "{said}"
        );
    }
    assert_eq!(resumed["tried"].as_u64().unwrap(), all - first);
    assert_eq!(next, 1_575_158_400 + first);
    assert_eq!(resumed["hits"].as_array().unwrap().len(), 1);
    assert!(
        !fs::exists(&file).unwrap(),
        "all is done: nothing is left to go on from"
    );
}

#[test]
fn what_cannot_be_searched_is_said() {
    let capture = latchstring_tests::workspace().join("captures/seeded-keys.pcapng");
    let said = |arguments: &[&str]| {
        let output = solve(&capture, "php", arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&["--from", "9", "--to", "3"]).contains("no seed between"));
    assert!(said(&["--from", "noon", "--to", "3"]).contains("a day like 2019-12-31"));
    assert!(said(&["--from", "1", "--to", "3", "--session", "99"]).contains("--session 99"));
}
