//! The real program, in a directory of its own.

use std::{
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use latchstring_keys::keyfile::save_public;
use latchstring_net::protocol::hardened::message::Fingerprint;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::Child,
    time::timeout,
};

use super::{ALICE, Login, PASSWORD, seconds};

/// A server's directory, made by `init`.
pub struct Home {
    pub keep: TempDir,
    pub fingerprint: Fingerprint,
}

impl Home {
    pub fn new() -> Self {
        let keep = TempDir::new().unwrap();
        let server = keep.path().join("server");
        let output = program(&["init", "--listen", "127.0.0.1:0", "--dir"])
            .arg(&server)
            .output()
            .unwrap();
        let said = success(&output);
        let fingerprint = said.lines().last().unwrap().parse().unwrap();
        save_public(&ALICE, &keep.path().join("alice.pub.pem")).unwrap();
        let home = Self { keep, fingerprint };
        home.write("password", PASSWORD, 0o600);
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.keep.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Runs a command; file names are relative to the directory that holds the server's.
    pub fn run(&self, arguments: &[&str]) -> Output {
        (program(arguments).args(["--dir", "server"]))
            .current_dir(self.keep.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    pub fn add_alice(&self) -> String {
        let add = ["user", "add", "alice", "--key", "alice.pub.pem"];
        success(&self.run(&[&add[..], &["--password-file", "password"]].concat()))
    }

    /// The command that serves, with the log in JSON.
    pub fn serve_command(&self) -> Command {
        let mut command = program(&["serve", "--log-format", "json", "--dir", "server"]);
        command.current_dir(self.keep.path());
        command
    }

    /// Serves, with the log for [`Serving::ended`].
    pub async fn serve(&self) -> Serving {
        self.serve_with(Stdio::piped()).await
    }

    /// Serves, with the log going there.
    pub async fn serve_with(&self, log: Stdio) -> Serving {
        self.serve_by(self.serve_command(), log).await
    }

    /// Serves by this command, with the log going there.
    pub async fn serve_by(&self, command: Command, log: Stdio) -> Serving {
        let mut command = tokio::process::Command::from(command);
        let mut child = (command.stdout(Stdio::piped()).stderr(log))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(seconds(20), said.next_line()).await.unwrap();
        let line = line.unwrap().expect("the program says where it listens");
        let address = line.strip_prefix("Listening on ").unwrap();
        let (address, key) = address.split_once(", host key ").unwrap();
        assert_eq!(key, self.fingerprint.to_string());
        Serving {
            address: address.parse().unwrap(),
            child,
        }
    }

    pub fn login(&self) -> Login {
        Login {
            pin: self.fingerprint,
            ..Login::alice()
        }
    }
}

pub struct Serving {
    pub address: SocketAddr,
    pub child: Child,
}

impl Serving {
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().expect("it runs")).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Waits for the end; the exit code and the log.
    pub async fn ended(self) -> (Option<i32>, String) {
        let output = timeout(seconds(20), self.child.wait_with_output()).await;
        let output = output.expect("it ends").unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), log)
    }
}

pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchstring-server"));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

pub fn success(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}
