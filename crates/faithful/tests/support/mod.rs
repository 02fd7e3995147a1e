//! The two programs as child processes, and a client that a test drives byte by byte.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file has its own copy of this module and uses a part of it"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use latchstring_faithful::{
    keys::KeyDir,
    protocol::{
        handshake::ExpectReplies,
        keys::SessionSecrets,
        message::{REPLIES_LEN, UserName},
        record::Sealer,
    },
};
use rand::{SeedableRng, rngs::ChaCha20Rng};
use tempfile::TempDir;

/// Longer than any honest step takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn name(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

/// A directory with keys for these users.
pub fn enrolled(users: &[&str]) -> (TempDir, KeyDir) {
    let dir = tempfile::tempdir().unwrap();
    let keys = KeyDir::open(dir.path()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(22222);
    for user in users {
        keys.generate(&name(user), &mut rng).unwrap();
    }
    (dir, keys)
}

/// A server program, ours or another, whose first line tells its port.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    pub port: u16,
}

impl Server {
    /// Our server.
    pub fn start(dir: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faithful-server"));
        command.args(["--port", "0", "--dir"]).arg(dir);
        Self::start_command(command)
    }

    pub fn start_command(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in output.lines() {
                if send.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        let mut server = Self {
            child,
            lines,
            port: 0,
        };
        let first = server.line();
        let port = first
            .strip_prefix("[*] Listening at ('127.0.0.1', ")
            .and_then(|rest| rest.strip_suffix(')'));
        server.port = port.expect(&first).parse().unwrap();
        server.expect("[*] Ready to chat with a new client!");
        server
    }

    /// The next line of the screen.
    pub fn line(&self) -> String {
        (self.lines.recv_timeout(PATIENCE)).expect("the server should have shown another line")
    }

    /// The next line of the screen begins with `start`.
    pub fn expect(&self, start: &str) -> String {
        let line = self.line();
        assert!(line.starts_with(start), "{line:?} instead of {start:?}");
        line
    }

    /// The connection that is open ends, and the server is ready again.
    pub fn expect_ready(&self) {
        self.expect("[*] Closing connection between ('127.0.0.1', ");
        self.expect("[*] Ready to chat with a new client!");
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        self.expect("[*] Connected socket between ('127.0.0.1', ");
        stream
    }

    /// An honest client still gets in: what every test of bad input ends with.
    pub fn serves(&self, keys: &KeyDir, user: &str) {
        let mut client = Client::log_in(self, keys, user);
        client.say(b"still there?");
        self.expect("Encrypted Message: b");
        self.expect("Decrypted Message: still there?");
        client.say(b"change()");
        self.expect("Encrypted Message: b");
        self.expect("Client: change()");
        self.expect_ready();
    }

    /// Waits for the program to end by itself.
    pub fn exit_code(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "the server should have ended");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client on a blocking socket.
pub struct Client {
    pub stream: TcpStream,
    pub secrets: SessionSecrets,
}

impl Client {
    pub fn log_in(server: &Server, keys: &KeyDir, user: &str) -> Self {
        let mut stream = server.connect();
        let key = keys.public_key(&name(user)).unwrap();
        let (expect_replies, login) = ExpectReplies::start(&name(user), &key).unwrap();
        stream.write_all(&login).unwrap();
        let mut replies = [0; REPLIES_LEN];
        stream.read_exact(&mut replies).unwrap();
        let secrets = expect_replies.replies(&replies).unwrap();
        Self { stream, secrets }
    }

    pub fn say(&mut self, text: &[u8]) {
        let record = Sealer::new(&self.secrets).seal(text).unwrap();
        self.stream.write_all(&record).unwrap();
    }
}

/// Runs our client with this input.
pub fn run_client(dir: &Path, port: u16, input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_faithful-client"))
        .args(["--port", &port.to_string(), "--dir"])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// What a run of the client showed; it must have ended well.
pub fn client_screen(dir: &Path, port: u16, input: &[u8]) -> String {
    let output = run_client(dir, port, input);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The top of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}
