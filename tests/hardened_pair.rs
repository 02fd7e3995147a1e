//! The two hardened programs, each with the other and with a peer in Python that was written from the protocol's page
//! alone, over TCP on loopback.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use latchstring_tests::{binary, python};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery staple";

/// A process that is ended, and waited for, with the test.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What follows `prefix` on the next line that begins with it.
    fn line(&mut self, prefix: &str) -> String {
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
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.keygen("id");
        home.write("pw", &format!("{PASSWORD}\n"));
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn keygen(&self, name: &str) {
        let mut command = Command::new(binary("latchstring-client"));
        command
            .args(["keygen", "--name", name, "--dir"])
            .arg(self.0.path());
        succeeds(command.output().unwrap());
    }

    /// Runs our client: each line of `input` is a message.
    fn connect(&self, host: &Host, key: &str, password: &str, input: &str) -> Output {
        let mut command = Command::new(binary("latchstring-client"));
        command
            .arg("connect")
            .arg(format!("alice@127.0.0.1:{}", host.port));
        command
            .args(["--fingerprint", &host.fingerprint, "--dir"])
            .arg(self.0.path());
        command.arg("--key").arg(self.path(key));
        command.arg("--password-file").arg(self.path(password));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The client may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs the client in Python.
    fn python(&self, host: &Host, key: &str, password: &str, messages: &[&str]) -> Output {
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
struct Host {
    process: Running,
    port: String,
    fingerprint: String,
}

/// The Python server, whose only user is alice.
fn python_server(home: &Home) -> Host {
    home.keygen("host");
    let mut command = python("hardened_server.py", "cryptography.hazmat");
    command.arg("--host-key").arg(home.path("host.pem"));
    command
        .args(["--user", "alice", "--user-key"])
        .arg(home.path("id.pub.pem"));
    command.arg("--password-file").arg(home.path("pw"));
    let mut process = Running::start(command);
    let port = process.line("port=");
    let fingerprint = process.line("fingerprint=");
    Host {
        process,
        port,
        fingerprint,
    }
}

fn succeeds(output: Output) -> (String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(
        output.status.success(),
        "{:?}\n{stdout}\n{stderr}",
        output.status
    );
    (stdout, stderr)
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn our_client_with_a_python_server() {
    let home = Home::new();
    let mut host = python_server(&home);
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
