//! The metrics of the real program, and the program that judges them.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{Home, Serving, seconds};

/// A server that serves its metrics on a port that the system chose.
pub struct Monitored {
    pub serving: Serving,
    pub metrics: SocketAddr,
}

impl Home {
    /// Adds a section to the configuration.
    pub fn configure(&self, section: &str) {
        let path = self.path("server/server.toml");
        let toml = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{toml}\n{section}\n")).unwrap();
    }

    /// Serves, with metrics.
    pub async fn serve_monitored(&self) -> Monitored {
        self.configure("[metrics]\nlisten = \"127.0.0.1:0\"");
        let log = self.path("monitored.log");
        let serving = self.serve_with(File::create(&log).unwrap().into()).await;
        for _ in 0..1000 {
            let text = fs::read_to_string(&log).unwrap();
            let lines = text.lines().filter(|line| line.ends_with('}'));
            let mut lines =
                lines.map(|line| -> serde_json::Value { serde_json::from_str(line).unwrap() });
            if let Some(line) = lines.find(|line| line["message"] == "serving metrics") {
                let metrics = line["address"].as_str().unwrap().parse().unwrap();
                return Monitored { serving, metrics };
            }
            sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no metrics: {}", fs::read_to_string(&log).unwrap());
    }
}

impl Monitored {
    /// The page.
    pub async fn scrape(&self) -> String {
        let answer = ask(
            self.metrics,
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        )
        .await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        body.to_owned()
    }

    /// The value of a series.
    pub async fn value(&self, series: &str) -> f64 {
        value(&self.scrape().await, series)
    }

    /// Waits until a series has this value: an event is counted a moment after the client sees it.
    pub async fn reaches(&self, series: &str, expected: f64) {
        for _ in 0..500 {
            if self.value(series).await == expected {
                return;
            }
            sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{series} is not {expected}: {}", self.scrape().await);
    }
}

/// Sends this and reads all that comes.
pub async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(seconds(20), stream.read_to_end(&mut answer))
        .await
        .expect("an end");
    String::from_utf8(answer).unwrap()
}

#[track_caller]
pub fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = line.unwrap_or_else(|| panic!("there is no {series} in {text}"));
    value.parse().unwrap()
}

/// The names of all series in the text, each with what it ends with: `_bucket`, `_sum`, `_count`.
pub fn names(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split(['{', ' ']).next().unwrap().to_owned())
        .collect()
}

/// A file that comes with the server.
pub fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name)
}

/// Where promtool is, the program of Prometheus that checks metrics and rules.
///
/// # Panics
/// When it is nowhere and `LATCHSTRING_REQUIRE_PROMTOOL` says that it must be somewhere.
fn promtool() -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/promtool/usr/bin/promtool");
    let mut candidates = [PathBuf::from("promtool"), ours].into_iter();
    let works = |path: &PathBuf| Command::new(path).arg("--version").output().is_ok();
    let found = candidates.find(works);
    if found.is_none() {
        let how = "promtool is not installed, so it checks neither the metrics nor the rules. It is in Debian's package prometheus";
        assert!(
            env::var_os("LATCHSTRING_REQUIRE_PROMTOOL").is_none(),
            "{how}"
        );
        eprintln!("{how}");
    }
    found
}

/// What promtool says of this input; empty if all is well, or if there is no promtool.
pub fn promtool_says(arguments: &[&str], input: &str) -> String {
    let Some(promtool) = promtool() else {
        return String::new();
    };
    let mut command = Command::new(promtool);
    command.args(arguments).stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that has seen enough reads no further.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    match output.status.success() {
        true => String::new(),
        false => String::from_utf8_lossy(&said).into_owned(),
    }
}

/// Whether [`promtool_says`] can say anything.
pub fn there_is_a_promtool() -> bool {
    promtool().is_some()
}
