//! Grades a client of unknown make. It is started for each check, with a user's name and the lines of its standard input.
//!
//! Ground truth is our server's: which texts it took, and how it saw the session end. Of the client there is its exit code.

mod recorded;
mod spoilt;

use std::io;

use latchstring_attacker::net::loopback::Loopback;
use rand::{RngExt, rngs::ChaCha20Rng};

use super::{Finding, Promise, honest::MANY};
use crate::{
    accounts::{Accounts, Door},
    cast,
    content::max_text,
    folder,
    proxy::{self, Pace},
    rung::{Idea, Rung},
    serve::{Listening, serve},
    server::{Server, What},
    session::{Middle, Tap},
    signature::SigningKey,
};

/// Starts the client and waits for its end.
pub trait Launch {
    /// `COMMAND --port N --dir D --user NAME`, with these lines as its standard input; `D` holds the files of
    /// [`folder::write`]. Whether its exit code is 0. A client that does not end must be ended after half a minute.
    ///
    /// # Errors
    /// When it cannot be started: then nothing is graded.
    fn launch(&mut self, port: u16, user: &str, input: &str) -> io::Result<bool>;
}

/// Grades a client of rungs 1 to 8.
///
/// # Errors
/// When the client cannot be started, or there is no port for a server.
///
/// # Panics
/// When the rung is not spoken.
pub fn client(rung: Rung, launch: &mut dyn Launch, seed: u64) -> io::Result<Vec<Finding>> {
    assert!(rung.is_spoken(), "rung {rung} is latch/2");
    let mut grader = Grader {
        rung,
        launch,
        rng: cast::rng(seed, "grader of clients"),
        seed,
    };
    let mut findings = Vec::new();
    findings.extend(grader.honest(Promise::Session, "alice", 2)?);
    if !findings.is_empty() {
        return Ok(findings);
    }
    findings.extend(grader.many_texts()?);
    findings.extend(grader.lengths()?);
    for name in folder::UNUSUAL {
        findings.extend(grader.honest(Promise::Names, name, 1)?);
    }
    findings.extend(grader.slow()?);
    findings.extend(grader.comes_back()?);
    findings.extend(grader.on_path()?);
    if rung.has(Idea::Exchange) {
        findings.extend(grader.rogue()?);
    }
    Ok(findings)
}

struct Grader<'a> {
    rung: Rung,
    launch: &'a mut dyn Launch,
    rng: ChaCha20Rng,
    seed: u64,
}

/// What came of one session.
struct Came {
    /// Whether the client says that all went well.
    success: bool,
    /// Who logged in.
    user: Option<String>,
    texts: Vec<String>,
    complained: bool,
}

impl Came {
    /// What is wrong with it, if this user wanted to say these texts.
    fn fault(&self, user: &str, texts: &[String]) -> Option<String> {
        let another = self.user.as_deref().is_some_and(|came| came != user);
        if another {
            return Some("another user logged in".to_owned());
        }
        if self.texts != texts {
            return Some(match self.texts.len() == texts.len() {
                true => "texts that differ from those of the standard input".to_owned(),
                false => format!("{} texts arrived", self.texts.len()),
            });
        }
        if self.complained {
            return Some("the server had to end the session".to_owned());
        }
        (!self.success).then(|| "another exit code than 0".to_owned())
    }
}

impl Grader<'_> {
    fn text(&mut self) -> String {
        let words = self.rng.random_range(2..6);
        let word = |rng: &mut ChaCha20Rng| format!("{:x}", rng.random_range(0x10_u32..0xffff));
        (0..words)
            .map(|_| word(&mut self.rng))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn server(&self, host: SigningKey, door: Box<dyn Door>) -> io::Result<Listening> {
        let host = self.rung.has(Idea::Exchange).then_some(host);
        let server = Server::new(self.rung, host, door, cast::rng(self.seed, "server"));
        serve(self.rung, server, Loopback::v4(0), |_| ())
    }

    /// An honest server that knows alice under every name of the grader's.
    fn honest_server(&self) -> io::Result<Listening> {
        let folder = tempfile::tempdir()?;
        let files = folder::write(self.rung, folder.path())
            .and_then(|()| folder::server(self.rung, folder.path()));
        let (_, accounts): (_, Accounts) = files.map_err(io::Error::other)?;
        self.server(cast::host(), Box::new(accounts))
    }

    /// Runs the client against our server, with or without somebody on the path.
    fn run(
        &mut self,
        server: &Listening,
        middle: Option<Box<dyn Middle + Send>>,
        user: &str,
        texts: &[String],
    ) -> io::Result<Came> {
        let address = match middle {
            Some(middle) => proxy::between(server.address(), middle, Pace::Whole)?,
            None => server.address(),
        };
        self.run_at(address, server, user, texts)
    }

    /// Runs the client against whatever listens there. The server behind it says what came.
    fn run_at(
        &mut self,
        address: Loopback,
        server: &Listening,
        user: &str,
        texts: &[String],
    ) -> io::Result<Came> {
        let before = server.server(|server| server.log().len());
        let input: String = texts.iter().map(|text| format!("{text}\n")).collect();
        let success = self.launch.launch(address.address().port(), user, &input)?;
        settled(server);
        Ok(server.server(|server| {
            let events = || server.log()[before..].iter();
            let took = events().filter_map(|event| match &event.what {
                What::Took(text) => Some(String::from_utf8_lossy(text).into_owned()),
                _ => None,
            });
            let mut let_in = events().filter_map(|event| match &event.what {
                What::LetIn(user) => Some(user.clone()),
                _ => None,
            });
            let complained =
                |what: &What| matches!(what, What::Ended(ending) if ending.is_complaint());
            Came {
                success,
                user: let_in.next(),
                texts: took.collect(),
                complained: events().any(|event| complained(&event.what)),
            }
        }))
    }

    fn texts(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.text()).collect()
    }

    fn honest(
        &mut self,
        promise: Promise,
        user: &str,
        texts: usize,
    ) -> io::Result<Option<Finding>> {
        let texts = self.texts(texts);
        self.arrive(promise, user, &texts)
    }

    fn lengths(&mut self) -> io::Result<Option<Finding>> {
        let texts = ["x".to_owned(), "y".repeat(max_text(self.rung))];
        self.arrive(Promise::Lengths, "alice", &texts)
    }

    /// All texts arrive in order, and the client says so.
    fn arrive(
        &mut self,
        promise: Promise,
        user: &str,
        texts: &[String],
    ) -> io::Result<Option<Finding>> {
        let server = self.honest_server()?;
        let came = self.run(&server, None, user, texts)?;
        server.stop();
        Ok(arrived(promise, &came, user, texts))
    }

    /// Each byte comes and goes by itself.
    fn slow(&mut self) -> io::Result<Option<Finding>> {
        let server = self.honest_server()?;
        let texts = self.texts(1);
        let middle = Box::new(Tap::default());
        let address = proxy::between(server.address(), middle, Pace::ByteByByte)?;
        let came = self.run_at(address, &server, "alice", &texts)?;
        server.stop();
        Ok(arrived(Promise::SlowNetwork, &came, "alice", &texts))
    }
}

/// A finding, unless all texts arrived in order and the client says so.
fn arrived(promise: Promise, came: &Came, user: &str, texts: &[String]) -> Option<Finding> {
    let expected = format!(
        "all {} texts arrive in order, the session ends properly, and the exit code is 0",
        texts.len()
    );
    let saw = came.fault(user, texts)?;
    Some(Finding::new(promise, expected, saw))
}

/// Waits until the server has seen the end of every connection.
fn settled(server: &Listening) {
    for _ in 0..100 {
        let open = server.server(|server| {
            let log = server.log().iter();
            let ends = log.filter(|event| matches!(event.what, What::Ended(_)));
            server.connections() > ends.count()
        });
        if !open {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
