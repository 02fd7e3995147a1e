//! Grades a client of unknown make. It is started for each check, with a user's name and the lines of its standard input.
//!
//! Ground truth is our server's: which texts it took, and how it saw the session end. Of the client there is its exit code.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use latchstring_attacker::net::loopback::Loopback;
use rand::{RngExt, rngs::ChaCha20Rng};

use super::{Finding, Promise};
use crate::{
    accounts::{Accounts, Door},
    cast,
    content::max_text,
    folder,
    frame::Frame,
    impostor::{AnyLogin, Logins},
    path::{Deed, OnTexts, texts_of},
    proxy,
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
    findings.extend(grader.honest(Promise::ManyTexts, "alice", 200)?);
    findings.extend(grader.lengths()?);
    for name in folder::UNUSUAL {
        findings.extend(grader.honest(Promise::Names, name, 1)?);
    }
    findings.extend(grader.recorded()?);
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
            Some(middle) => proxy::between(server.address(), middle)?,
            None => server.address(),
        };
        let input: String = texts.iter().map(|text| format!("{text}\n")).collect();
        let success = self.launch.launch(address.address().port(), user, &input)?;
        settled(server);
        Ok(server.server(|server| {
            let log = server.log().iter();
            let took = log.filter_map(|event| match &event.what {
                What::Took(text) => Some(String::from_utf8_lossy(text).into_owned()),
                _ => None,
            });
            let mut let_in = server.log().iter().filter_map(|event| match &event.what {
                What::LetIn(user) => Some(user.clone()),
                _ => None,
            });
            let complained =
                |what: &What| matches!(what, What::Ended(ending) if ending.is_complaint());
            Came {
                success,
                user: let_in.next(),
                texts: took.collect(),
                complained: server.log().iter().any(|event| complained(&event.what)),
            }
        }))
    }

    fn honest(
        &mut self,
        promise: Promise,
        user: &str,
        texts: usize,
    ) -> io::Result<Option<Finding>> {
        let texts: Vec<String> = (0..texts).map(|_| self.text()).collect();
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
        let expected = format!(
            "all {} texts arrive in order, the session ends properly, and the exit code is 0",
            texts.len()
        );
        let saw = if came.user.as_deref().is_some_and(|came| came != user) {
            "another user logged in".to_owned()
        } else if came.texts != texts {
            format!("{} texts arrived", came.texts.len())
        } else if came.complained {
            "the server had to end the session".to_owned()
        } else if !came.success {
            "another exit code than 0".to_owned()
        } else {
            return Ok(None);
        };
        Ok(Some(Finding::new(promise, expected, saw)))
    }

    /// What a listener sees of an honest session.
    fn recorded(&mut self) -> io::Result<Vec<Finding>> {
        let seen = Arc::new(Mutex::new(Tap::default()));
        let server = self.honest_server()?;
        let texts = ["ok".to_owned(), self.text()];
        self.run(
            &server,
            Some(Box::new(Shared(seen.clone()))),
            "alice",
            &texts,
        )?;
        server.stop();
        let tap = seen
            .lock()
            .expect("no thread panicked while recording")
            .clone();
        let mut findings = Vec::new();
        let frames = texts_of(self.rung, &[tap.client.concat()]);
        let numbers = frames
            .iter()
            .filter_map(|frame| Frame::decode(self.rung, frame).ok());
        let numbers: Vec<u32> = numbers.map(|frame| frame.number).collect();
        let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
        if self.rung.has(Idea::Numbers) && distinct.len() < numbers.len() {
            let promise = Promise::Withstands("keystream-reuse");
            findings.push(Finding::new(
                promise,
                "every frame has a number of its session's own",
                "a number came twice",
            ));
        }
        Ok(findings)
    }

    /// The client must notice what is done to the server's answers.
    fn on_path(&mut self) -> io::Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let deeds: [(Idea, &'static str, &str, Spoil); 3] = [
            (
                Idea::Tag,
                "reflection",
                "its own frame comes back as an answer",
                Spoil::Reflect,
            ),
            (
                Idea::Order,
                "drop",
                "a text was swallowed and an old answer repeated",
                Spoil::Drop,
            ),
            (
                Idea::Ending,
                "truncation",
                "the connection ends before the close is acknowledged",
                Spoil::Cut,
            ),
        ];
        for (idea, attack, why, spoil) in deeds {
            if !self.rung.has(idea) {
                continue;
            }
            let server = self.honest_server()?;
            let texts = [self.text(), "ok".to_owned(), self.text()];
            let came = self.run(&server, Some(spoil.middle(self.rung)), "alice", &texts)?;
            server.stop();
            if came.success {
                let expected = format!("the exit code is not 0 when {why}");
                findings.push(Finding::new(
                    Promise::Withstands(attack),
                    expected,
                    "exit code 0",
                ));
            }
        }
        Ok(findings)
    }

    /// A server with another host key, which lets everybody in.
    fn rogue(&mut self) -> io::Result<Option<Finding>> {
        let came = Logins::default();
        let door = AnyLogin {
            came: came.clone(),
            visitor: cast::alice().name,
        };
        let server = self.server(cast::mallorys_host(), Box::new(door))?;
        let texts = [self.text()];
        let session = self.run(&server, None, "alice", &texts)?;
        server.stop();
        let saw = match (came.first(), session.success) {
            (Some(_), _) => "the client sent its login",
            (None, true) => "exit code 0",
            (None, false) => return Ok(None),
        };
        let expected = "a host with another key gets nothing, and the exit code is not 0";
        Ok(Some(Finding::new(
            Promise::Withstands("rogue-server"),
            expected,
            saw,
        )))
    }
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

#[derive(Clone, Copy)]
enum Spoil {
    Reflect,
    Drop,
    Cut,
}

impl Spoil {
    fn middle(self, rung: Rung) -> Box<dyn Middle + Send> {
        Box::new(OnTexts::new(rung, move |index, _| match (self, index) {
            (Self::Reflect, 1) => Deed::Reflect,
            (Self::Drop, 1) => Deed::Replace(Vec::new()),
            // Behind three texts comes the close.
            (Self::Cut, 3) => Deed::Cut,
            _ => Deed::Pass,
        }))
    }
}

/// A tap that is read when the session is over.
struct Shared(Arc<Mutex<Tap>>);

impl Middle for Shared {
    fn client_wrote(&mut self, bytes: &[u8]) -> crate::session::Let {
        self.0
            .lock()
            .expect("no thread panicked while recording")
            .client_wrote(bytes)
    }

    fn server_said(&mut self, bytes: &[u8]) -> crate::session::Let {
        self.0
            .lock()
            .expect("no thread panicked while recording")
            .server_said(bytes)
    }
}
