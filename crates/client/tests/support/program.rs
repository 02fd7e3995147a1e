//! The program against a small host, driven by a script or on a terminal.

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
};

use latchstring_keys::{RsaKey, keyfile::save_private};
use latchstring_net::protocol::hardened::session::{CloseCode, Event, KIND_TEXT};
use rexpect::{
    process::WaitStatus,
    session::{PtySession, spawn_command},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{ALICE, Kept, PASSWORD, greet, host_login, pin, read_record, serve, serve_with};

/// What [`Host::Answer`] says.
pub const ANSWER: &str = "an answer from the host";

/// What one connection of a host does and reports.
#[derive(Clone, Copy, PartialEq)]
pub enum Host {
    /// Proves its key and counts what comes after the hello.
    Greet,
    /// The whole protocol; reports what was said. Holds messages up to this id of those that an earlier act read.
    Serve(u64),
    /// Logs the client in, reads this many messages, and vanishes.
    Vanish(usize),
    /// Says something that would clear a terminal, waits for the acknowledgement, and closes.
    Say,
    /// The whole protocol; after the first message says something, and goes on once that is acknowledged.
    Answer,
    /// Hangs up before the handshake.
    TurnAway,
    /// Logs the client in, and acknowledges nothing.
    Ignore,
}

/// A host on a port of its own that plays `acts`, one a connection.
pub fn host(
    key: &'static RsaKey,
    acts: &[Host],
) -> (SocketAddr, mpsc::Receiver<Vec<(u64, String)>>) {
    let (report, reports) = mpsc::channel();
    let (address, bound) = mpsc::channel();
    let acts = acts.to_vec();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(listener.local_addr().unwrap()).unwrap();
            let mut kept = Vec::new();
            for act in acts {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = report.send(play(act, key, stream, &mut kept).await);
            }
        });
    });
    (bound.recv().unwrap(), reports)
}

pub async fn play(
    act: Host,
    key: &RsaKey,
    mut stream: TcpStream,
    kept: &mut Vec<Kept>,
) -> Vec<(u64, String)> {
    match act {
        Host::Greet => {
            greet(&mut stream, key).await.unwrap();
            let mut more = Vec::new();
            let _ = stream.read_to_end(&mut more).await;
            vec![(more.len() as u64, String::new())]
        }
        Host::Serve(last) => match host_login(&mut stream, key, last).await {
            Some(mut session) => {
                kept.truncate(last.try_into().unwrap());
                serve_with(&mut stream, &mut session, kept).await
            }
            None => vec![],
        },
        Host::Vanish(after) => {
            let mut session = host_login(&mut stream, key, 0).await.unwrap();
            for _ in 0..after {
                let record = read_record(&mut stream).await.unwrap();
                let Ok(Event::Message { id, text, .. }) = session.receive(&record) else {
                    panic!("that was no message");
                };
                kept.push((id, session.id(), text));
            }
            vec![]
        }
        Host::TurnAway => vec![],
        Host::Ignore => {
            host_login(&mut stream, key, 0).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
            vec![]
        }
        Host::Answer => {
            let mut session = host_login(&mut stream, key, 0).await.unwrap();
            let mut said = Vec::new();
            loop {
                let record = read_record(&mut stream).await.unwrap();
                match session.receive(&record).unwrap() {
                    Event::Message { id, text, .. } => {
                        said.push((id, text));
                        if said.len() == 1 {
                            let (_, record) = session.send(KIND_TEXT, ANSWER).unwrap();
                            stream.write_all(&record).await.unwrap();
                        }
                    }
                    Event::Acknowledged { up_to: 1 } => break,
                    other => panic!("{other:?}"),
                }
            }
            let ack = session.acknowledge(said.len() as u64).unwrap();
            stream.write_all(&ack).await.unwrap();
            said.extend(serve(&mut stream, &mut session).await);
            said
        }
        Host::Say => {
            let mut session = host_login(&mut stream, key, 0).await.unwrap();
            let (_, record) = session
                .send(KIND_TEXT, "\x1b[2J \u{202e}maintenance at noon")
                .unwrap();
            stream.write_all(&record).await.unwrap();
            let ack = read_record(&mut stream).await.unwrap();
            assert_eq!(session.receive(&ack), Ok(Event::Acknowledged { up_to: 1 }));
            let close = session.close(CloseCode::Stopping).unwrap();
            stream.write_all(&close).await.unwrap();
            let answer = read_record(&mut stream).await.unwrap();
            assert_eq!(session.receive(&answer), Ok(Event::CloseAgreed));
            vec![]
        }
    }
}

/// A home with alice's key and a password file.
pub fn home() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    save_private(&ALICE, &dir.path().join("id.pem")).unwrap();
    let password = dir.path().join("pw");
    fs::write(&password, [PASSWORD, b"\n"].concat()).unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    dir
}

pub fn know(home: &Path, address: SocketAddr, key: &RsaKey) {
    fs::write(
        home.join("known_hosts"),
        format!("# mine\n{address} {}\n", pin(key)),
    )
    .unwrap();
}

pub fn client(home: &Path, arguments: &[&str]) -> Command {
    program(home, &["connect"], arguments)
}

/// A command of the program with `home` as its directory, and as the home of its user.
pub fn program(home: &Path, name: &[&str], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchstring-client"));
    command.args(name).arg("--dir").arg(home).args(arguments);
    command.env("HOME", home).env_remove("XDG_CONFIG_HOME");
    command
}

/// A file in `home` that its owner alone can read.
pub fn put(home: &Path, name: &str, text: &str) -> PathBuf {
    let path = home.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Runs a script: `input` on the standard input, which is not a terminal.
pub fn script(mut command: Command, input: &str) -> (i32, String, String) {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // The client may end before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

pub fn connect_script(
    home: &Path,
    address: SocketAddr,
    more: &[&str],
    input: &str,
) -> (i32, String, String) {
    let (to, pw) = (format!("alice@{address}"), home.join("pw"));
    let arguments = [
        &["--quiet", "--password-file", pw.to_str().unwrap(), &to][..],
        more,
    ]
    .concat();
    script(client(home, &arguments), input)
}

pub fn terminal(home: &Path, address: SocketAddr, more: &[&str]) -> PtySession {
    let to = format!("alice@{address}");
    spawn_command(
        client(home, &[&[to.as_str()][..], more].concat()),
        Some(20_000),
    )
    .unwrap()
}

pub fn code(session: &PtySession) -> i32 {
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        other => panic!("{other:?}"),
    }
}
