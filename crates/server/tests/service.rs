//! The program as a service: what it does when its log cannot be written, when its disk is full, and at signals.

mod support;

use std::{
    fs::{self, OpenOptions},
    io::{self, Read},
    os::unix::net::UnixDatagram,
    process::Stdio,
    time::{Duration, Instant},
};

use latchstring_store::Accounts;
use latchstring_store_sqlite::Sqlite;
use nix::sys::signal::Signal;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use support::{Home, Login, Serving, alice_kid, failure, name, rest, seconds, success};
use tokio::{net::TcpStream, time::sleep};

/// Logs in, and stores a message.
async fn is_served(home: &Home, serving: &Serving) {
    let mut chat = home.login().open(serving.connect().await).await;
    chat.say_and_hear_back("served").await;
    chat.close().await;
}

/// Makes the server log two lines for each of so many connections.
async fn make_it_log(serving: &Serving, connections: usize) {
    for _ in 0..connections {
        drop(serving.connect().await);
    }
    // All of them have come to their end once a later one has.
    let mut last = serving.connect().await;
    let _ = tokio::io::AsyncWriteExt::shutdown(&mut last).await;
    rest(&mut last).await;
}

async fn ends_in_time(mut serving: Serving) {
    let began = Instant::now();
    serving.signal(Signal::SIGTERM);
    let status = tokio::time::timeout(seconds(20), serving.child.wait()).await;
    assert_eq!(status.expect("it ends").unwrap().code(), Some(0));
    assert!(began.elapsed() < seconds(8), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let home = Home::new();
    home.add_alice();
    let (reader, closed) = io::pipe().unwrap();
    drop(reader);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    for log in [Stdio::from(closed), Stdio::from(full)] {
        let serving = home.serve_with(log).await;
        make_it_log(&serving, 20).await;
        is_served(&home, &serving).await;
        ends_in_time(serving).await;
    }
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing_and_says_what_was_lost() {
    let home = Home::new();
    home.add_alice();
    let raised = home.path("server/server.toml");
    let toml = fs::read_to_string(&raised).unwrap();
    let toml = toml.replace("connection_burst = 250", "connection_burst = 10000");
    fs::write(&raised, toml).unwrap();
    // A pipe holds 64 KiB, and the writer's queue 4096 lines.
    let (mut reader, log) = io::pipe().unwrap();
    let serving = home.serve_with(log.into()).await;
    make_it_log(&serving, 3000).await;
    is_served(&home, &serving).await;
    let reading = tokio::task::spawn_blocking(move || {
        let mut log = String::new();
        reader.read_to_string(&mut log).unwrap();
        log
    });
    sleep(Duration::from_millis(1500)).await;
    is_served(&home, &serving).await;
    ends_in_time(serving).await;
    let log = reading.await.unwrap();
    let (mut written, mut lost) = (0, 0);
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        match line["message"] == "log lines were lost" {
            true => lost += line["lines"].as_u64().unwrap(),
            false => written += 1,
        }
    }
    assert!(lost > 500, "{lost} were lost of {written}");
    // Two for each connection, and a few more.
    assert!(
        (6000..6020).contains(&(written + lost)),
        "{written} + {lost}"
    );
    assert!(log.contains("\"stopped\""), "the end is told");
}

#[tokio::test]
async fn a_log_that_nobody_reads_does_not_hold_up_the_end() {
    let home = Home::new();
    let (_reader, log) = io::pipe().unwrap();
    let serving = home.serve_with(log.into()).await;
    make_it_log(&serving, 1000).await;
    ends_in_time(serving).await;
}

#[tokio::test]
async fn on_a_full_disk_no_password_is_looked_at() {
    let home = Home::new();
    home.add_alice();
    let serving = home.serve().await;
    is_served(&home, &serving).await;
    let pid = i32::try_from(serving.child.id().unwrap()).unwrap();
    let none = Rlimit {
        current: Some(0),
        maximum: None,
    };
    // No file may grow or be written any more, as on a disk that is full.
    prlimit(Pid::from_raw(pid), Resource::Fsize, none).unwrap();
    for password in ["a wrong password", "another wrong one", support::PASSWORD] {
        let login = Login {
            password: password.to_owned(),
            ..home.login()
        };
        let mut stream = serving.connect().await;
        let (proven, _) = Login::hello(&mut stream).await;
        let (_, record) = login.auth(proven);
        tokio::io::AsyncWriteExt::write_all(&mut stream, &record)
            .await
            .unwrap();
        assert!(rest(&mut stream).await.is_empty(), "no answer to a guess");
    }
    serving.signal(Signal::SIGTERM);
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("wrong password"), "{log}");
    assert!(log.contains("cannot use the account store"), "{log}");
    let store = Sqlite::open(&home.path("server/accounts.db"))
        .await
        .unwrap();
    let failures = store.failures(&name("alice"), &alice_kid()).await;
    assert_eq!(failures.unwrap(), 0);
}

/// Sends a signal and waits for a line of the log that has this in it.
async fn told(serving: &Serving, log: &std::path::Path, signal: Signal, word: &str) -> String {
    serving.signal(signal);
    logged(log, word).await
}

/// Waits for a line of the log that has this in it.
async fn logged(log: &std::path::Path, word: &str) -> String {
    for _ in 0..1000 {
        let text = fs::read_to_string(log).unwrap();
        if let Some(line) = text.lines().rfind(|line| line.contains(word)) {
            return line.to_owned();
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("no {word} in {}", fs::read_to_string(log).unwrap());
}

/// Writes beside the file and renames, as editors do: a reload that is under way reads the old file or the new one.
fn write_whole(path: &std::path::Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

#[tokio::test]
async fn sighup_reloads_the_limits_and_a_wrong_file_changes_nothing() {
    let home = Home::new();
    home.add_alice();
    let log = home.path("log");
    let file = fs::File::create(&log).unwrap();
    let serving = home.serve_with(file.into()).await;
    let mut chat = home.login().open(serving.connect().await).await;
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    let line = told(&serving, &log, Signal::SIGHUP, "nothing has changed").await;
    assert!(line.contains("SIGHUP"), "{line}");

    let fewer = toml.replace(
        "max_unauthenticated_per_source = 125",
        "max_unauthenticated_per_source = 1",
    );
    write_whole(&config, &fewer.replace("127.0.0.1:0", "127.0.0.1:1"));
    let line = told(&serving, &log, Signal::SIGHUP, "125 -> 1").await;
    assert!(line.contains("max_unauthenticated_per_source"), "{line}");
    let line = told(&serving, &log, Signal::SIGHUP, "need a restart").await;
    assert!(line.contains("listen"), "{line}");
    let _idle = serving.connect().await;
    let mut over: TcpStream = serving.connect().await;
    assert!(rest(&mut over).await.is_empty(), "the new limit holds");

    write_whole(&config, &toml.replace("[limits]", "[limit]"));
    let line = told(&serving, &log, Signal::SIGHUP, "was not reloaded").await;
    assert!(line.contains("limit") && line.contains("line "), "{line}");
    let mut over: TcpStream = serving.connect().await;
    assert!(rest(&mut over).await.is_empty(), "nothing has changed");

    // A pipe whose writer is silent, or a network disk: only the reload waits.
    fs::remove_file(&config).unwrap();
    nix::unistd::mkfifo(&config, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _writer = (OpenOptions::new().read(true).write(true).open(&config)).unwrap();
    serving.signal(Signal::SIGHUP);
    sleep(Duration::from_millis(100)).await;
    chat.say_and_hear_back("all the while").await;
    chat.close().await;
    let mut over: TcpStream = serving.connect().await;
    assert!(rest(&mut over).await.is_empty(), "it still accepts");
    ends_in_time(serving).await;
}

#[tokio::test]
async fn the_command_reload_changes_the_cost_of_passwords_while_a_session_goes_on() {
    let home = Home::new();
    home.add_alice();
    let none = failure(&home.run(&["reload"]));
    assert!(none.contains("no server serves"), "{none}");
    let log = home.path("log");
    let serving = (home.serve_with(fs::File::create(&log).unwrap().into())).await;
    let mut chat = home.login().open(serving.connect().await).await;
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();

    write_whole(&config, &toml.replace("passes = 3", "passes = 1"));
    let wrong = failure(&home.run(&["reload"]));
    assert!(
        wrong.contains("2 to 16 passes") && wrong.contains("calibrate"),
        "{wrong}"
    );

    let section = success(&home.run(&["calibrate", "--time", "2000", "--memory", "19"]));
    assert!(
        section.starts_with("[passwords]\nmemory_mib = 19\npasses = "),
        "{section}"
    );
    let old = "[passwords]\nmemory_mib = 64\npasses = 3\n";
    assert!(toml.contains(old), "{toml}");
    write_whole(&config, &toml.replace(old, &section));
    let asked = success(&home.run(&["reload"]));
    assert!(asked.contains("process"), "{asked}");
    let line = logged(&log, "memory_mib 64 -> 19").await;
    assert!(line.contains("reloaded the configuration"), "{line}");
    chat.say_and_hear_back("all the while").await;
    chat.close().await;

    let next = home.login().open(serving.connect().await).await;
    next.close().await;
    logged(&log, "password hash renewed").await;
    // The new hash is that of the same password.
    is_served(&home, &serving).await;
    let renewed = fs::read_to_string(&log).unwrap();
    assert_eq!(renewed.matches("password hash renewed").count(), 1);
    ends_in_time(serving).await;
}

/// What the server has told its manager next.
fn told_manager(manager: &UnixDatagram) -> String {
    let mut said = [0; 256];
    let len = manager
        .recv(&mut said)
        .expect("the server tells its manager");
    String::from_utf8_lossy(&said[..len]).into_owned()
}

#[tokio::test]
async fn a_service_manager_is_told_that_it_serves_reloads_and_stops() {
    let home = Home::new();
    home.add_alice();
    let manager = UnixDatagram::bind(home.path("notify")).unwrap();
    manager.set_read_timeout(Some(seconds(20))).unwrap();
    let mut command = home.serve_command();
    command.env("NOTIFY_SOCKET", home.path("notify"));
    let serving = home.serve_by(command, Stdio::null()).await;
    assert_eq!(told_manager(&manager), "READY=1\n");
    // A wrong file ends the reload as well: the old configuration holds.
    for wrong in [false, true] {
        if wrong {
            write_whole(&home.path("server/server.toml"), "nothing");
        }
        serving.signal(Signal::SIGHUP);
        let reloading = told_manager(&manager);
        assert!(
            reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
            "{reloading}"
        );
        assert_eq!(told_manager(&manager), "READY=1\n");
    }
    is_served(&home, &serving).await;
    ends_in_time(serving).await;
    assert_eq!(told_manager(&manager), "STOPPING=1\n");
}

/// Opens sockets, puts them where sd_listen_fds(3) has them, and becomes the server.
const ACTIVATE: &str = "
import os, socket, sys
kind, number = sys.argv[1], int(sys.argv[2])
opened = []
for _ in range(number):
    one = socket.socket(type=getattr(socket, kind))
    one.bind(('127.0.0.1', 0))
    if kind == 'SOCK_STREAM':
        one.listen()
    opened.append(one)
for at, one in enumerate(opened):
    moved = os.dup(one.fileno())
    while moved < 3 + number:
        moved = os.dup(one.fileno())
    opened[at] = moved
for at, moved in enumerate(opened):
    os.dup2(moved, 3 + at)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(number))
os.execv(sys.argv[3], sys.argv[3:])
";

fn activated(home: &Home, kind: &str, number: &str) -> std::process::Command {
    let mut command = std::process::Command::new("python3");
    command
        .args(["-c", ACTIVATE, kind, number])
        .arg(env!("CARGO_BIN_EXE_latchstring-server"))
        .args(["serve", "--dir", "server"])
        .current_dir(home.keep.path());
    command
}

#[tokio::test]
async fn the_port_that_a_service_manager_hands_over_is_served_and_nothing_else_is() {
    let home = Home::new();
    home.add_alice();
    // The configuration's own port belongs to another program, and that does not matter.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    write_whole(&config, &toml.replace("127.0.0.1:0", &listen));
    let serving = (home.serve_by(activated(&home, "SOCK_STREAM", "1"), Stdio::null())).await;
    assert_ne!(serving.address.to_string(), listen);
    is_served(&home, &serving).await;
    ends_in_time(serving).await;

    for (kind, number, says) in [
        ("SOCK_STREAM", "2", "one ListenStream"),
        ("SOCK_DGRAM", "1", "no listening TCP socket"),
    ] {
        let output = activated(&home, kind, number).output().unwrap();
        let why = failure(&output);
        assert!(why.contains(says), "{kind}: {why}");
    }
}

/// The line of `check` about this.
fn found(home: &Home, about: &str) -> String {
    let output = home.run(&["check"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.contains(about));
    line.unwrap_or_else(|| panic!("nothing about {about} in {text}"))
        .to_owned()
}

#[tokio::test]
async fn a_check_of_a_good_server_finds_nothing_running_or_not() {
    let home = Home::new();
    home.add_alice();
    let text = success(&home.run(&["check"]));
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
    assert!(text.contains("none serves"), "{text}");
    let serving = home.serve().await;
    let text = success(&home.run(&["check"]));
    let process = serving.child.id().unwrap();
    assert!(
        text.contains(&format!("process {process} serves")),
        "{text}"
    );
    for line in success(&home.run(&["check", "--json"])).lines() {
        let finding: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(finding["level"], "ok", "{line}");
    }
    ends_in_time(serving).await;
}

#[tokio::test]
async fn a_check_names_what_is_wrong_and_what_to_do() {
    let home = Home::new();
    home.add_alice();
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    for (good, bad, about, says) in [
        (
            "password_permits = 2",
            "password_permits = 900000",
            "memory",
            "lower password_permits",
        ),
        (
            "memory_mib = 64",
            "memory_mib = 128",
            "password hashes",
            "1 of 1 cost less",
        ),
        ("[limits]", "[limit]", "configuration", "limit"),
    ] {
        write_whole(&config, &toml.replace(good, bad));
        let line = found(&home, about);
        assert!(line.contains(says) && !line.starts_with("ok"), "{line}");
    }
    write_whole(&config, &toml);
    let few = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 256; exec \"$0\" check --dir server"])
        .arg(env!("CARGO_BIN_EXE_latchstring-server"))
        .current_dir(home.keep.path())
        .output()
        .unwrap();
    let text = String::from_utf8(few.stdout).unwrap();
    assert!(
        text.contains("error    file descriptors  a process may have 256"),
        "{text}"
    );

    // A warning alone is no failure, and an error is one.
    fs::copy(
        home.path("alice.pub.pem"),
        home.path("server/host_key.pub.pem"),
    )
    .unwrap();
    let text = success(&home.run(&["check"]));
    assert!(text.contains("warning  public host key"), "{text}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    write_whole(&config, &toml.replace("127.0.0.1:0", &listen));
    let why = failure(&home.run(&["check"]));
    assert!(why.contains("errors: 1"), "{why}");
    assert!(found(&home, "server ").contains("another program listens there"));

    fs::remove_file(home.path("server/host_key.pem")).unwrap();
    assert!(found(&home, "host key ").starts_with("error"));
    fs::write(home.path("server/accounts.db"), "no store").unwrap();
    assert!(found(&home, "account store").starts_with("error"));
}

#[tokio::test]
async fn a_check_finds_a_user_who_is_locked_out_and_a_clock_that_went_back() {
    let home = Home::new();
    home.add_alice();
    let path = home.path("server/accounts.db");
    let store = Sqlite::open(&path).await.unwrap();
    let (alice, kid) = (name("alice"), alice_kid());
    store.set_failures(&alice, &kid, 100).await.unwrap();
    let late = latchstring_store::Invite::new(name("bob"), [7; 32], u32::MAX.into());
    store.invite(&late).await.unwrap();
    store.close().await;
    assert!(found(&home, "alice is locked out").contains("user unlock alice"));
    let line = found(&home, "clock");
    assert!(
        line.starts_with("error") && line.contains("timedatectl"),
        "{line}"
    );
}

#[tokio::test]
async fn signals_that_ask_for_nothing_kill_nobody_and_sigquit_ends_in_order() {
    let home = Home::new();
    home.add_alice();
    let log = home.path("log");
    let serving = home
        .serve_with(fs::File::create(&log).unwrap().into())
        .await;
    for (signal, word) in [
        (Signal::SIGUSR1, "SIGUSR1"),
        (Signal::SIGUSR2, "SIGUSR2"),
        (Signal::SIGALRM, "SIGALRM"),
        (Signal::SIGXFSZ, "SIGXFSZ"),
    ] {
        told(&serving, &log, signal, word).await;
    }
    serving.signal(Signal::SIGPIPE);
    is_served(&home, &serving).await;
    told(&serving, &log, Signal::SIGQUIT, "stopping").await;
    assert_eq!(serving.ended().await.0, Some(0));
}

#[tokio::test]
async fn a_standard_output_that_cannot_be_written_stops_no_server_and_fails_every_other_command() {
    let home = Home::new();
    home.add_alice();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for command in [
        &["user", "list"][..],
        &["invite", "bob"],
        &["invite", "list"],
        &["invite", "revoke", "bob"],
        &["user", "passwd", "alice", "--password-file", "password"],
        &["user", "remove", "alice"],
    ] {
        let mut command = support::program(command);
        command
            .args(["--dir", "server"])
            .current_dir(home.keep.path());
        let output = command.stdout(full()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        let said = said.lines().last().unwrap();
        assert!(
            said.starts_with("Error: ") && said.contains("standard output"),
            "{said}"
        );
    }
    assert_eq!(success(&home.run(&["user", "list"])), "");
    let log = home.path("log");
    let mut serve = home.serve_command();
    serve.stdout(full()).stderr(fs::File::create(&log).unwrap());
    let mut child = serve.spawn().unwrap();
    let mut listening = false;
    for _ in 0..1000 {
        listening = fs::read_to_string(&log)
            .unwrap()
            .contains("serving all the same");
        if listening {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(listening, "{}", fs::read_to_string(&log).unwrap());
}

#[tokio::test]
async fn rust_log_chooses_what_is_logged_and_a_wrong_one_is_named() {
    let home = Home::new();
    for (asked, expected) in [
        ("error", ""),
        (
            "no=such=level",
            "RUST_LOG is not a level; the log is at info",
        ),
    ] {
        let mut command = home.serve_command();
        command.env("RUST_LOG", asked);
        let serving = home.serve_by(command, Stdio::piped()).await;
        drop(serving.connect().await);
        serving.signal(Signal::SIGTERM);
        let (code, log) = serving.ended().await;
        assert_eq!(code, Some(0));
        match expected {
            "" => assert_eq!(log, ""),
            line => assert!(log.contains(line) && log.contains("listening"), "{log}"),
        }
    }
}

#[tokio::test]
async fn without_descriptors_it_says_so_and_serves_again_when_there_are_some() {
    let home = Home::new();
    home.add_alice();
    let serve = home.serve_command();
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "ulimit -n 48; exec \"$0\" \"$@\""])
        .arg(serve.get_program())
        .args(serve.get_args())
        .env_remove("RUST_LOG")
        .current_dir(home.keep.path());
    let serving = home.serve_by(limited, Stdio::piped()).await;
    let mut open = Vec::new();
    for _ in 0..60 {
        open.push(serving.connect().await);
    }
    sleep(seconds(1)).await;
    drop(open);
    is_served(&home, &serving).await;
    serving.signal(Signal::SIGTERM);
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(0));
    assert!(log.contains("cannot accept a connection"), "{log}");
}
