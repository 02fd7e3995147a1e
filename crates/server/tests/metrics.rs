//! The metrics of the program: what they count, what they never name, and that nobody can use them against the server.

mod support;

use std::{fs, sync::Arc};

use latchstring_net::{
    protocol::hardened::{
        message::{Fingerprint, Invite},
        signature::Signer,
    },
    wire::read_record,
};
use nix::sys::signal::Signal;
use support::{
    ALICE, Home, Impostor, Login, MALLORY, Monitored, PASSWORD, ask, deployed, failure, name,
    names, promtool_says, rest, seconds, success, there_is_a_promtool,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep},
};
use zeroize::Zeroizing;

const USER: &str = "zaphod";
const NEWCOMER: &str = "trillian";
const STRANGER: &str = "marvin";

fn home() -> Home {
    let home = Home::new();
    let add = ["user", "add", USER, "--key", "alice.pub.pem"];
    success(&home.run(&[&add[..], &["--password-file", "password"]].concat()));
    home
}

fn login(home: &Home) -> Login {
    Login {
        user: name(USER),
        ..home.login()
    }
}

/// Makes an account by an invitation, and hangs up once it is logged in.
async fn enrol(home: &Home, served: &Monitored) {
    let invite: Invite = success(&home.run(&["invite", NEWCOMER])).parse().unwrap();
    let mut stream = served.serving.connect().await;
    let (proven, _) = Login::hello(&mut stream).await;
    let trusted = proven.pinned(&home.fingerprint).unwrap();
    let password = Zeroizing::new(PASSWORD.as_bytes().to_vec());
    let enrol = trusted.enrol(&invite.user, &**MALLORY, &password, &invite.token);
    let (_, record) = enrol.unwrap();
    stream.write_all(&record).await.unwrap();
    let answer = read_record(&mut stream, &[64], None).await.unwrap();
    assert!(answer.is_some());
}

/// A session with two messages, an enrolment, and a refusal of each kind that a client can cause at once.
async fn a_busy_day(home: &Home, served: &Monitored) {
    let mut chat = login(home).open(served.serving.connect().await).await;
    chat.say_and_hear_back("a text of a message").await;
    chat.say_and_hear_back("another one").await;
    enrol(home, served).await;
    let wrong = Login {
        password: "a wrong password".to_owned(),
        ..login(home)
    };
    let unknown = Login {
        user: name(STRANGER),
        ..login(home)
    };
    let unproven = Login {
        key: Arc::new(Impostor),
        ..login(home)
    };
    for refused in [wrong, unknown, unproven] {
        refused.refused(served.serving.connect().await).await;
    }
    drop(served.serving.connect().await);
    served.reaches("latchstring_sessions", 1.0).await;
    chat.close().await;
    served.reaches("latchstring_sessions", 0.0).await;
}

#[tokio::test]
async fn logins_sessions_messages_bytes_and_times_are_counted_and_nobody_is_named() {
    let home = home();
    let served = home.serve_monitored().await;
    assert_eq!(served.value("latchstring_received_bytes_total").await, 0.0);
    a_busy_day(&home, &served).await;
    for (series, expected) in [
        ("logins_total{outcome=\"accepted\",reason=\"none\"}", 2.0),
        (
            "logins_total{outcome=\"refused\",reason=\"wrong_password\"}",
            1.0,
        ),
        ("logins_total{outcome=\"refused\",reason=\"no_key\"}", 2.0),
        ("logins_total{outcome=\"failed\",reason=\"hung_up\"}", 1.0),
        ("handshake_seconds_count{outcome=\"accepted\"}", 2.0),
        (
            "handshake_seconds_bucket{outcome=\"accepted\",le=\"0.2\"}",
            0.0,
        ),
        ("password_seconds_count{purpose=\"check\"}", 2.0),
        ("password_seconds_count{purpose=\"store\"}", 1.0),
        ("work_total{work=\"sign\"}", 5.0),
        ("work_total{work=\"hash\"}", 3.0),
        ("enrolments_total", 1.0),
        ("messages_total{result=\"stored\"}", 2.0),
        ("session_ends_total{end=\"closed_by_client\"}", 1.0),
        ("session_ends_total{end=\"truncated\"}", 1.0),
        ("unauthenticated_connections", 0.0),
        ("queue_waiting{queue=\"password\"}", 0.0),
        ("table_entries{table=\"connection_rates\"}", 1.0),
        ("table_entries{table=\"trusted_sources\"}", 1.0),
        ("table_entries{table=\"penalties\"}", 1.0),
        ("log_lines_lost_total", 0.0),
        ("faults_total", 0.0),
    ] {
        served
            .reaches(&format!("latchstring_{series}"), expected)
            .await;
    }
    // Four logins of 1060 bytes, an enrolment of 4132, and two messages; see the protocol's page.
    let received = served.value("latchstring_received_bytes_total").await;
    assert!(
        (4.0 * 1060.0 + 4132.0..20_000.0).contains(&received),
        "{received}"
    );
    assert!(served.value("latchstring_sent_bytes_total").await > 5.0 * 1024.0);
    nobody_is_named(&home, &served.scrape().await);
    assert_eq!(
        promtool_says(&["check", "metrics"], &served.scrape().await),
        ""
    );
}

fn nobody_is_named(home: &Home, text: &str) {
    let kids =
        [ALICE.public_key(), MALLORY.public_key()].map(|key| Fingerprint::of(key).to_string());
    let host = home.fingerprint.to_string();
    let log = fs::read_to_string(home.path("monitored.log")).unwrap();
    for (secret, in_log) in [
        (USER, true),
        (NEWCOMER, true),
        (STRANGER, true),
        ("127.0.0.1", true),
        ("SHA256", true),
        (&host, true),
        (&kids[0], false),
        (&kids[1], true),
        (PASSWORD, false),
        ("a text of", false),
    ] {
        assert!(!text.contains(secret), "{secret} is in {text}");
        // The same search finds a name where there are names.
        assert_eq!(log.contains(secret), in_log, "{secret}: {log}");
    }
}

#[tokio::test]
async fn without_the_section_there_are_no_metrics_and_with_it_only_the_page() {
    let home = home();
    let serving = home.serve().await;
    serving.signal(Signal::SIGTERM);
    let (_, log) = serving.ended().await;
    assert!(
        log.contains("listening") && !log.contains("serving metrics"),
        "{log}"
    );

    let served = home.serve_monitored().await;
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404"),
        (
            "GET /server.toml HTTP/1.1\r\nHost: a\r\n\r\n",
            "HTTP/1.1 404",
        ),
        ("PUT /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405"),
        ("latch/2\n\r\n\r\n", "HTTP/1.1 400"),
    ] {
        let answer = ask(served.metrics, request).await;
        assert!(answer.starts_with(status), "{request}: {answer}");
    }
    // And the port of the logins serves no page.
    let answer = ask(
        served.serving.address,
        "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .await;
    assert!(!answer.contains("HTTP"), "{answer}");
}

/// Clients that stay, and say nothing or half of something.
async fn flood(served: &Monitored) -> Vec<TcpStream> {
    let mut flood = Vec::new();
    for n in 0..400 {
        let mut stream = TcpStream::connect(served.metrics).await.unwrap();
        let said = ["", "GET /metrics HTTP/1.1\r\nX: ", "\u{0}\u{1}garbage"][n % 3];
        let _ = stream.write_all(said.as_bytes()).await;
        flood.push(stream);
    }
    flood
}

#[tokio::test]
async fn ten_thousand_connections_to_the_metrics_take_nothing_from_the_logins() {
    let home = home();
    let served = home.serve_monitored().await;
    let held = flood(&served).await;
    // What a process holds: its own descriptors, and 16 of these.
    let process = served.serving.child.id().unwrap();
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    assert!(descriptors < 64 + 16, "{descriptors}");
    let began = Instant::now();
    let mut chat = login(&home).open(served.serving.connect().await).await;
    chat.say_and_hear_back("served all the same").await;
    chat.close().await;
    assert!(began.elapsed() < seconds(4), "{:?}", began.elapsed());
    for _ in 0..10_000 {
        drop(TcpStream::connect(served.metrics).await.unwrap());
    }
    drop(held);
    let mut back = String::new();
    for _ in 0..1000 {
        back = ask(served.metrics, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await;
        if back.starts_with("HTTP/1.1 200") {
            break;
        }
        sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(
        back.contains("outcome=\"accepted\",reason=\"none\"} 1\n"),
        "{back}"
    );
}

#[tokio::test]
async fn a_slow_reader_of_the_metrics_does_not_hold_up_the_end() {
    let home = home();
    let mut served = home.serve_monitored().await;
    let mut reader = TcpStream::connect(served.metrics).await.unwrap();
    reader
        .write_all(b"GET /metrics HTTP/1.1\r\n")
        .await
        .unwrap();
    served.serving.signal(Signal::SIGTERM);
    let ended = tokio::time::timeout(seconds(8), served.serving.child.wait()).await;
    assert_eq!(ended.expect("it ends").unwrap().code(), Some(0));
    assert!(rest(&mut reader).await.is_empty());
}

#[tokio::test]
async fn lost_lines_of_the_log_are_counted() {
    let home = home();
    home.configure("[metrics]\nlisten = \"127.0.0.1:0\"");
    // Read as far as the address of the metrics, and no further.
    let (mut reader, log) = std::io::pipe().unwrap();
    let toml = fs::read_to_string(home.path("server/server.toml")).unwrap();
    let toml = toml.replace("connection_burst = 250", "connection_burst = 10000");
    fs::write(home.path("server/server.toml"), toml).unwrap();
    let serving = home.serve_with(log.into()).await;
    let mut read = Vec::new();
    let metrics = loop {
        let mut bytes = [0; 4096];
        let n = std::io::Read::read(&mut reader, &mut bytes).unwrap();
        read.extend(&bytes[..n]);
        let text = String::from_utf8_lossy(&read);
        let line = text
            .lines()
            .find(|line| line.contains("serving metrics") && line.ends_with('}'));
        if let Some(line) = line {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            break line["address"].as_str().unwrap().parse().unwrap();
        }
    };
    let served = Monitored { serving, metrics };
    // A pipe holds 64 KiB, and the writer's queue 4096 lines.
    for _ in 0..3000 {
        drop(served.serving.connect().await);
    }
    served
        .reaches("latchstring_connections_total", 3000.0)
        .await;
    let lost = served.value("latchstring_log_lines_lost_total").await;
    assert!((100.0..6000.0).contains(&lost), "{lost}");
}

/// The line of `check` about the metrics.
fn found(home: &Home) -> Option<String> {
    let output = home.run(&["check"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    lines
        .find(|line| line.contains(" metrics ") || line.contains("[metrics]"))
        .map(str::to_owned)
}

#[tokio::test]
async fn the_check_finds_a_taken_port_an_open_address_and_a_server_that_was_not_restarted() {
    let home = home();
    assert_eq!(
        found(&home),
        None,
        "who wants no metrics hears nothing of them"
    );
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    let with = |listen: &str| {
        fs::write(
            &config,
            format!("{toml}\n[metrics]\nlisten = \"{listen}\"\n"),
        )
        .unwrap();
        found(&home).expect("a finding")
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = with(&address);
    assert!(
        line.starts_with("error") && line.contains("another program listens there"),
        "{line}"
    );
    let why = failure(&home.run(&["serve"]));
    assert!(
        why.contains("cannot serve metrics on") && why.contains("change `listen` in [metrics]"),
        "{why}"
    );
    drop(taken);
    let line = with(&address);
    assert!(line.starts_with("ok") && line.contains("is free"), "{line}");
    for open in ["0.0.0.0:9464", "192.0.2.1:9464"] {
        let line = with(open);
        assert!(
            line.starts_with("error") && line.contains("not a loopback address"),
            "{line}"
        );
    }
    assert!(with("127.0.0.1:0").starts_with("warning"));

    fs::write(&config, &toml).unwrap();
    let serving = home.serve().await;
    let line = with(&address);
    assert!(
        line.starts_with("warning") && line.contains("restart the server"),
        "{line}"
    );
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.ended().await.0, Some(0));
    let served = home.serve().await;
    let line = with(&address);
    assert!(
        line.starts_with("ok") && line.contains(&format!("http://{address}/metrics")),
        "{line}"
    );
    drop(served);
}

#[tokio::test]
async fn a_reload_says_that_the_address_of_the_metrics_needs_a_restart() {
    let home = home();
    let log = home.path("log");
    let serving = home
        .serve_with(fs::File::create(&log).unwrap().into())
        .await;
    home.configure("[metrics]\nlisten = \"127.0.0.1:9464\"");
    serving.signal(Signal::SIGHUP);
    for _ in 0..1000 {
        let text = fs::read_to_string(&log).unwrap();
        if text.contains("these changes need a restart") {
            assert!(text.contains("\"settings\":\"metrics.listen\""), "{text}");
            return;
        }
        sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{}", fs::read_to_string(&log).unwrap());
}

/// So that a passing check says something: it finds a name without a meaning, and a counter without its ending.
#[test]
fn promtool_finds_what_is_wrong_with_metrics() {
    if there_is_a_promtool() {
        let said = promtool_says(&["check", "metrics"], "# TYPE a counter\na 1\n");
        assert!(
            said.contains("no help text") && said.contains("_total"),
            "{said}"
        );
    }
    assert!(deployed("prometheus.yml").exists());
    assert_eq!(names("# HELP a b\na_sum{x=\"y\"} 1\nb 2\n").len(), 2);
}
