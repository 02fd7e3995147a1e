//! What an attack on the ladder is: a vantage, a goal and a function. The framing of a rung is a parameter, so an attack is
//! written once for all rungs. It returns a claim; [`crate::judge`] decides.

use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    time::Duration,
};

use latchstring_attacker::protocol_faithful::keys::PublicKey;
use rand::rngs::ChaCha20Rng;

use crate::{
    accounts::Account,
    cast,
    client::Client,
    complaint::Ending,
    login::Credentials,
    network::{ATTACKER, Line, Network},
    rung::{Idea, Rung},
    session::{self, Middle, Tap},
    signature::SigningKey,
};

/// One attack.
pub struct Attack {
    /// Its name, as in the catalogue.
    pub id: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// What it is after.
    pub goal: Goal,
    /// The idea that it attacks. On the rungs below there is nothing of the kind.
    pub needs: Option<(Idea, &'static str)>,
    /// What the attacker can see and do.
    pub program: Program,
}

/// What an attack is after: by this the judge knows what to look for, whatever the attack says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// To read what was typed.
    Read,
    /// To learn whose login it was.
    Identify,
    /// To make the server believe something that was not typed.
    Alter,
    /// To make the server take a text twice.
    Repeat,
    /// To make the server take texts in another order.
    Reorder,
    /// To make a text vanish without notice.
    Drop,
    /// To end a session early, so that the server takes it for the end.
    Truncate,
    /// To make the client take its own frame for an answer.
    Reflect,
    /// To be told what only the server should hear.
    Harvest,
    /// To be taken for the user.
    LogIn,
    /// To learn who has an account.
    Enumerate,
    /// To make the server use more than one private key on one junk login.
    Trials,
    /// To make the server hash passwords for strangers.
    Hashes,
    /// To keep the user out.
    Deny,
    /// To hold a connection for two minutes without logging in.
    HoldOpen,
    /// To end the server for everybody.
    Stop,
    /// To get credentials from the stolen store.
    Credentials,
}

/// What an attack says that it has reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing.
    Nothing,
    /// It did what its goal says.
    Done,
    /// These texts were typed, from their beginning.
    Read(Vec<Vec<u8>>),
    /// This user logged in.
    Name(String),
    /// These people have an account or not.
    Accounts(Vec<(String, bool)>),
    /// The server took this text for one of the user's.
    Said(Vec<u8>),
    /// A private key, as PEM, or a password.
    Credentials(String),
}

/// A vantage, and what is done from it.
pub enum Program {
    /// Reads a recorded session.
    Sniff(fn(Rung, &Tap) -> Claim),
    /// The same, with all long-term keys, stolen afterwards.
    SniffThenSteal(fn(Rung, &Tap, &Stolen) -> Claim),
    /// The same, of a server whose generator was seeded with the time.
    SniffSeeded(fn(Rung, &Tap) -> Claim),
    /// Sits on the path of a session.
    OnPath(fn(Rung) -> Box<dyn Middle>),
    /// Talks to the server, having seen a session.
    Dial(fn(&Outside<'_>) -> Claim),
    /// Is the server that the user reaches instead of the right one.
    Pose,
    /// Is a server that the user means to visit; then talks to the right one with the login that came.
    Relay(fn(&Outside<'_>, &[u8]) -> Claim),
    /// Has a copy of the server's store.
    Files(fn(Rung, &[Account]) -> Claim),
}

/// Long-term keys that were stolen after the session.
pub struct Stolen {
    /// The host's private key, as PEM.
    pub host: String,
    /// The user's private keys, as PEM.
    pub user: Vec<String>,
}

/// A stranger's place: it can dial the server, and has what everybody has.
pub struct Outside<'a> {
    /// Which rung the server speaks.
    pub rung: Rung,
    /// The way to the server.
    pub network: &'a dyn Network,
    /// A session of the user, recorded.
    pub tap: &'a Tap,
    /// Names and public keys of people who may have an account.
    pub directory: Vec<(&'static str, PublicKey)>,
    /// The user's name.
    pub user: &'static str,
    /// The user's private key. Only [`stolen-key`](crate::attacks) and online guessing take it.
    pub stolen_key: SigningKey,
    /// The user's password. Only attacks that declare it take it.
    pub password: String,
    /// Lines that stay open until the user has come back.
    pub held: RefCell<Vec<Box<dyn Line>>>,
    seed: u64,
    dialled: Cell<u64>,
}

/// What a stranger sees of the answer to a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether the server let the stranger in.
    pub welcome: bool,
    /// How the connection ended, if it did.
    pub ending: Option<Ending>,
    /// From the login's last byte to the answer.
    pub took: Duration,
}

impl<'a> Outside<'a> {
    /// In front of this server, with what the cast lets a stranger have.
    pub fn new(rung: Rung, network: &'a dyn Network, tap: &'a Tap, seed: u64) -> Self {
        let alice = cast::alice();
        Self {
            rung,
            network,
            tap,
            directory: cast::directory(),
            user: "alice",
            stolen_key: alice.key.expect("alice has a key"),
            password: alice.password,
            held: RefCell::default(),
            seed,
            dialled: Cell::new(0),
        }
    }

    /// Fresh randomness of the attacker's.
    pub fn rng(&self) -> ChaCha20Rng {
        self.dialled.set(self.dialled.get() + 1);
        cast::rng(self.seed, &format!("attacker {}", self.dialled.get()))
    }

    /// A new connection, from the attacker's address or another.
    pub fn dial(&self, from: Option<IpAddr>) -> Option<Box<dyn Line>> {
        self.network.dial(from.unwrap_or(ATTACKER)).ok()
    }

    /// Tries to log in with these credentials, and waits for the answer.
    pub fn log_in(
        &self,
        credentials: impl Credentials + 'static,
    ) -> (Client, Option<Box<dyn Line>>, Answer) {
        let mut client = Client::start(self.rung, None, Box::new(credentials), self.rng());
        let mut line = self.dial(None);
        let began = self.network.now();
        if let Some(line) = &mut line {
            session::settle(&mut client, &mut **line, &mut Tap::default());
        }
        let answer = Answer {
            welcome: client.is_open(),
            ending: client.ending().cloned(),
            took: self.network.now() - began,
        };
        (client, line, answer)
    }

    /// Logs in with these credentials and says something: the claim of many attacks.
    pub fn say_as_user(&self, credentials: impl Credentials + 'static, text: &[u8]) -> Claim {
        let (mut client, line, answer) = self.log_in(credentials);
        let (Some(mut line), true) = (line, answer.welcome) else {
            return Claim::Nothing;
        };
        if client.say(text).is_err() {
            return Claim::Nothing;
        }
        session::settle(&mut client, &mut *line, &mut Tap::default());
        Claim::Said(text.to_vec())
    }

    /// The public key of somebody in the directory.
    pub fn public_key(&self, name: &str) -> Option<&PublicKey> {
        let mut people = self.directory.iter();
        people
            .find(|(person, _)| *person == name)
            .map(|(_, key)| key)
    }
}
