//! A class behind one address: a hundred client programs that start at once are all logged in within a minute, with the
//! defaults of a new server, although a few of them have the wrong key and try again and again.
//!
//! It takes a minute and a half, half of it to make the keys, and it measures the machine as much as the server: on one
//! that has other things to do it may fail. So it is run by hand, and prints how long it took:
//!
//! ```sh
//! cargo test --release --workspace --test class -- --nocapture
//! ```

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use latchstring_tests::binary;
use tempfile::TempDir;

/// Clients that start at once.
const CLASS: usize = 100;
/// Of the class, besides: clients whose key the operator has never seen.
const WRONG: usize = 5;

fn program(name: &str, arguments: &[&str], dir: &Path) -> Command {
    let mut command = Command::new(binary(name));
    command.args(arguments).current_dir(dir);
    command.env_remove("RUST_LOG");
    command
}

fn done(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// Makes a key for each, and adds the users.
fn enrol(dir: &Path) {
    let half = |from: usize, to: usize| {
        for n in from..to {
            let keys = format!("client-{n}");
            done(program(
                "latchstring-client",
                &["keygen", "--dir", &keys],
                dir,
            ));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| half(0, CLASS / 2));
        half(CLASS / 2, CLASS + WRONG);
    });
    for n in 0..CLASS {
        let (user, key) = (format!("user-{n}"), format!("client-{n}/id.pub.pem"));
        let add = [
            "user",
            "add",
            &user,
            "--key",
            &key,
            "--password-file",
            "password",
            "--dir",
            "server",
        ];
        done(program("latchstring-server", &add, dir));
    }
}

fn connect(dir: &Path, n: usize, user: &str, address: &str, fingerprint: &str) -> Child {
    let keys = format!("client-{n}");
    let at = format!("{user}@{address}");
    let connect = [
        "connect",
        "--quiet",
        "--dir",
        &keys,
        "--fingerprint",
        fingerprint,
        "--password-file",
        "password",
        &at,
    ];
    let mut client = program("latchstring-client", &connect, dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = client.stdin.take().unwrap();
    writeln!(input, "hello from {user}").unwrap();
    client
}

#[test]
fn a_class_of_a_hundred_behind_one_address_is_logged_in_within_a_minute() {
    let home = TempDir::new().unwrap();
    let dir = home.path();
    done(program(
        "latchstring-server",
        &["init", "--dir", "server", "--listen", "127.0.0.1:0"],
        dir,
    ));
    fs::write(dir.join("password"), "correct horse battery staple").unwrap();
    fs::set_permissions(dir.join("password"), Permissions::from_mode(0o600)).unwrap();
    enrol(dir);
    let log = fs::File::create(dir.join("log")).unwrap();
    let mut server = program("latchstring-server", &["serve", "--dir", "server"], dir)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut listening = String::new();
    let mut said = BufReader::new(server.stdout.take().unwrap());
    said.read_line(&mut listening).unwrap();
    let (address, fingerprint) = listening.trim().split_once(", host key ").unwrap();
    let address = address.strip_prefix("Listening on ").unwrap();

    let began = Instant::now();
    let everybody = thread::scope(|scope| {
        for n in CLASS..CLASS + WRONG {
            // Again and again, for as long as the others need.
            scope.spawn(move || {
                while began.elapsed() < Duration::from_secs(20) {
                    let refused = connect(dir, n, "user-0", address, fingerprint).wait();
                    assert_ne!(refused.unwrap().code(), Some(0));
                }
            });
        }
        let class: Vec<_> = (0..CLASS)
            .map(|n| connect(dir, n, &format!("user-{n}"), address, fingerprint))
            .collect();
        let ended = class
            .into_iter()
            .map(|client| client.wait_with_output().unwrap());
        let bad: Vec<_> = ended.filter(|output| !output.status.success()).collect();
        assert!(bad.is_empty(), "{} of {CLASS}: {:?}", bad.len(), bad[0]);
        began.elapsed()
    });
    let _ = server.kill();
    let _ = server.wait();
    let log = fs::read_to_string(dir.join("log")).unwrap();
    let count = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    println!(
        "{CLASS} clients were logged in after {:.1} s; {} connections were turned away, {} had the wrong key",
        everybody.as_secs_f64(),
        count("turned away"),
        count("login refused"),
    );
    assert_eq!(count("logged in"), CLASS);
    assert!(everybody < Duration::from_secs(60), "{everybody:?}");
}
