//! The two programs, and peers in Python, for the tests that run them for real.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses its part"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use latchstring_net::port::ReservedPort;
use latchstring_tests::{binary, python};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse battery staple";

/// A process that is ended, and waited for, with the test.
pub struct Running {
    pub child: Child,
    pub lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What follows `prefix` on the next line that begins with it.
    pub fn line(&mut self, prefix: &str) -> String {
        loop {
            let line = self.lines.next().expect("the server still runs").unwrap();
            if let Some(rest) = line.strip_prefix(prefix) {
                return rest.to_owned();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A user's home with a key and a password file.
pub struct Home(pub TempDir);

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.keygen("id");
        home.write("pw", &format!("{PASSWORD}\n"));
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn keygen(&self, name: &str) {
        let mut command = Command::new(binary("latchstring-client"));
        command
            .args(["keygen", "--name", name, "--dir"])
            .arg(self.0.path());
        succeeds(command.output().unwrap());
    }

    /// Runs our client: each line of `input` is a message.
    pub fn connect(&self, host: &Host, key: &str, password: &str, input: &str) -> Output {
        let mut child = self.start(host, key, password);
        // The client may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    pub fn start(&self, host: &Host, key: &str, password: &str) -> Child {
        self.start_at("127.0.0.1", &host.port, host, key, password)
    }

    /// The client, to the host under another name, or through somebody in the middle.
    pub fn start_at(
        &self,
        name: &str,
        port: &str,
        host: &Host,
        key: &str,
        password: &str,
    ) -> Child {
        let mut command = Command::new(binary("latchstring-client"));
        command.arg("connect").arg(format!("alice@{name}:{port}"));
        command
            .args(["--fingerprint", &host.fingerprint, "--dir"])
            .arg(self.0.path());
        command.arg("--key").arg(self.path(key));
        command.arg("--password-file").arg(self.path(password));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs the client in Python.
    pub fn python(&self, host: &Host, key: &str, password: &str, messages: &[&str]) -> Output {
        let mut command = python("hardened_client.py", "cryptography.hazmat");
        command.arg("--key").arg(self.path(key));
        command.arg("--password-file").arg(self.path(password));
        command.args([
            "--fingerprint",
            &host.fingerprint,
            "127.0.0.1",
            &host.port,
            "alice",
        ]);
        command.args(messages).output().unwrap()
    }
}

/// A server of either kind, once it listens.
pub struct Host {
    pub process: Running,
    pub port: String,
    pub fingerprint: String,
}

/// The Python server, whose only user is alice.
pub fn python_server(home: &Home, more: &[&str]) -> Host {
    home.keygen("host");
    let mut command = python("hardened_server.py", "cryptography.hazmat");
    command.arg("--host-key").arg(home.path("host.pem"));
    command
        .args(["--user", "alice", "--user-key"])
        .arg(home.path("id.pub.pem"));
    command.arg("--password-file").arg(home.path("pw"));
    command.args(more);
    let mut process = Running::start(command);
    let port = process.line("port=");
    let fingerprint = process.line("fingerprint=");
    Host {
        process,
        port,
        fingerprint,
    }
}

/// A `latchstring-server` whose only user is alice.
pub struct OurServer {
    pub dir: PathBuf,
    pub host: Host,
    /// Nobody else gets it while the server is down.
    _port: ReservedPort,
}

impl OurServer {
    pub fn new(home: &Home) -> Self {
        let dir = home.path("server");
        let command = |words: &[&str]| server_command(&dir, words);
        let port = ReservedPort::take().unwrap();
        let listen = format!("127.0.0.1:{}", port.number());
        succeeds(command(&["init", "--listen", &listen]).output().unwrap());
        let mut add = command(&["user", "add", "alice", "--key"]);
        add.arg(home.path("id.pub.pem"))
            .arg("--password-file")
            .arg(home.path("pw"));
        succeeds(add.output().unwrap());
        let host = serve(&dir);
        Self {
            dir,
            host,
            _port: port,
        }
    }

    /// What the store holds of alice: a line `ID TAB TEXT` for each message.
    pub fn stored(&self) -> String {
        succeeds(
            server_command(&self.dir, &["messages", "alice"])
                .output()
                .unwrap(),
        )
        .0
    }

    pub fn signal(&self, name: &str) {
        let pid = self.host.process.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Starts again on the same port, after the process has been killed.
    pub fn restart(&mut self) {
        let _ = self.host.process.child.wait();
        self.host = serve(&self.dir);
    }
}

pub fn server_command(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(binary("latchstring-server"));
    command.arg("--dir").arg(dir).args(words);
    command
}

pub fn serve(dir: &Path) -> Host {
    let mut command = server_command(dir, &["serve"]);
    command.stderr(Stdio::null());
    let mut process = Running::start(command);
    let line = process.line("Listening on 127.0.0.1:");
    let (port, fingerprint) = line.split_once(", host key ").unwrap();
    let (port, fingerprint) = (port.to_owned(), fingerprint.to_owned());
    Host {
        process,
        port,
        fingerprint,
    }
}

pub fn succeeds(output: Output) -> (String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(
        output.status.success(),
        "{:?}\n{stdout}\n{stderr}",
        output.status
    );
    (stdout, stderr)
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}
