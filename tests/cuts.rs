//! The real client, the real server, and a line between them that is cut at places that a seed chooses: each message is in
//! the store once.

#[path = "support/pair.rs"]
mod pair;

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use latchstring_net::protocol::hardened::primitives::hash;
use latchstring_tests::binary;
use pair::{Home, OurServer, code};

/// The bytes of the login, and of a short record.
const LOGIN: usize = 1200;
const RECORD: usize = 100;

/// A line to the server. It cuts its first connections, each after some bytes in one direction.
struct Line {
    port: u16,
    cuts: Arc<AtomicUsize>,
}

impl Line {
    /// `cuts` are the numbers of bytes: of the client, and of the server.
    fn to(server: &OurServer, cuts: Vec<(usize, usize)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = format!("127.0.0.1:{}", server.host.port);
        let cuts = Arc::new(Mutex::new(cuts.into_iter()));
        let done = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&done);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&behind).unwrap());
                let cut = cuts.lock().unwrap().next();
                count.fetch_add(usize::from(cut.is_some()), Ordering::Relaxed);
                let (up, down) = cut.unwrap_or((usize::MAX, usize::MAX));
                pass(&client, &server, up);
                pass(&server, &client, down);
            }
        });
        Self { port, cuts: done }
    }
}

/// Passes so many bytes on, and then ends both directions.
fn pass(from: &TcpStream, to: &TcpStream, mut left: usize) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let passed = read.min(left);
            if to.write_all(&bytes[..passed]).is_err() || passed < read {
                break;
            }
            left -= passed;
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// Numbers that look like chance, and are the same in each run.
struct Seeded([u8; 32]);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = hash(&[&self.0]);
        u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]]) as usize % limit
    }

    /// A cut in the login, or a little later.
    fn cut(&mut self) -> (usize, usize) {
        let at = match self.below(4) {
            0 => self.below(LOGIN),
            _ => LOGIN + self.below(4 * RECORD),
        };
        match self.below(2) {
            0 => (at, usize::MAX),
            // A server that has said less than a hello may be anything, and is not called again.
            _ => (usize::MAX, at.max(70)),
        }
    }
}

fn client(home: &Home, server: &OurServer, line: &Line, name: &str, more: &[&str]) -> Command {
    // Known already: nobody meets the host on a connection of its own, and the first cut is one of the login.
    let pin = format!("127.0.0.1:{} {}\n", line.port, server.host.fingerprint);
    home.write("known_hosts", &pin);
    let mut command = Command::new(binary("latchstring-client"));
    command
        .arg(name)
        .args(["--dir", home.0.path().to_str().unwrap()]);
    command.arg("--password-file").arg(home.path("pw"));
    command
        .arg(format!("alice@127.0.0.1:{}", line.port))
        .args(more);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(mut command: Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    // The client may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The texts in the store, in their order.
fn texts(server: &OurServer) -> Vec<String> {
    let stored = server.stored();
    let lines = stored.lines().map(|line| line.split_once('\t').unwrap().1);
    lines.map(str::to_owned).collect()
}

#[test]
fn send_arrives_once_wherever_the_line_is_cut() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let mut chance = Seeded([7; 32]);
    let (mut expected, mut again) = (Vec::new(), 0);
    for round in 0..10 {
        let cuts = (0..chance.below(3) + 1).map(|_| chance.cut()).collect();
        let line = Line::to(&server, cuts);
        // The same text twice in a row must be two messages.
        let text = format!("message {}", round / 2);
        let output = run(client(&home, &server, &line, "send", &[&text]), "");
        assert_eq!(code(&output), 0, "{output:?}");
        assert!(line.cuts.load(Ordering::Relaxed) > 0, "the line was cut");
        let said = String::from_utf8(output.stderr).unwrap();
        again += said.matches("Attempt ").count();
        expected.push(text);
    }
    assert!(again >= 5, "only {again} cuts were felt");
    assert_eq!(texts(&server), expected);
}

#[test]
fn connect_goes_on_over_cuts_if_it_is_asked_to() {
    let home = Home::new();
    let server = OurServer::new(&home);
    let mut chance = Seeded([8; 32]);
    let cuts = (0..4)
        .map(|_| (LOGIN + chance.below(20 * RECORD), usize::MAX))
        .collect();
    let line = Line::to(&server, cuts);
    let lines: Vec<String> = (0..60).map(|n| format!("line {n}")).collect();
    let input = format!("{}\n", lines.join("\n"));
    let more = ["--reconnect", "60", "--json"];
    let output = run(client(&home, &server, &line, "connect", &more), &input);
    assert_eq!(code(&output), 0, "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("The connection broke off"), "{said}");
    assert!(said.contains("Logged in again."), "{said}");
    assert_eq!(texts(&server), lines);
}

#[test]
fn without_reconnecting_a_cut_is_the_end_with_its_code() {
    let home = Home::new();
    let server = OurServer::new(&home);
    for (name, more) in [("connect", &[][..]), ("send", &["--reconnect", "0", "x"])] {
        let line = Line::to(&server, vec![(LOGIN + 10, usize::MAX)]);
        let output = run(client(&home, &server, &line, name, more), "x\n");
        assert_eq!(code(&output), 5, "{name}: {output:?}");
    }
}
