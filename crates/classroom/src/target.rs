//! The live target: the report's server in this process, on a port of loopback that the system chose. A witness records
//! the server's decisions. That record is what a check goes by.

pub mod gate;
pub mod oracle;
pub mod small;

use std::{sync::OnceLock, time::Duration};

use anyhow::Context;
use latchstring_arena::{
    seen::{Ending, Refusal, Seen},
    witness::{FaithfulWitness, Witness},
};
use latchstring_attacker::{
    net::loopback::Loopback,
    protocol_faithful::message::{CHANGE, QUIT, UserName},
};
use latchstring_faithful::{keys::KeyDir, server::Listener};
use rand::CryptoRng;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{scratch, seed::Seed};

/// How often a target is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// How long a connection may take to end at the server once the program that made it has ended.
const REST: Duration = Duration::from_secs(3);

/// The users of a target, and their keys. The keys exist in a separate folder of the target and go with it. No student and no
/// student's program ever gets a private key. The keys are made when they are first asked for. To make them takes most of
/// the time of an instance, and not every file that is handed out needs them.
pub struct Accounts {
    users: Vec<UserName>,
    /// The seed of each user's key.
    seeds: Vec<Seed>,
    made: OnceLock<(TempDir, KeyDir)>,
}

impl Accounts {
    /// These users, in this order.
    ///
    /// # Errors
    /// As [`Accounts::of`].
    pub fn make(names: &[String], seed: &Seed) -> anyhow::Result<Self> {
        let with_seed = |name: &String| (name.clone(), Self::seed_of(name, seed));
        let users: Vec<_> = names.iter().map(with_seed).collect();
        Self::of(&users)
    }

    /// The seed of a user's key, which tells nothing about the seed of the instance.
    pub fn seed_of(name: &str, seed: &Seed) -> Seed {
        seed.child(&format!("key of {name}"))
    }

    /// Users, each with the seed of a key.
    ///
    /// # Errors
    /// When a name is no user name.
    pub fn of(named: &[(String, Seed)]) -> anyhow::Result<Self> {
        let users = named.iter().map(|(name, _)| UserName::parse(name));
        Ok(Self {
            users: users.collect::<Result<_, _>>()?,
            seeds: named.iter().map(|(_, seed)| seed.clone()).collect(),
            made: OnceLock::new(),
        })
    }

    /// The users, in the order of the server's list.
    pub fn users(&self) -> &[UserName] {
        &self.users
    }

    /// A user's public key as PEM.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn public_pem(&self, user: &UserName) -> anyhow::Result<String> {
        Ok(self.keys()?.public_key(user)?.to_pem()?)
    }

    /// Each user's name and public key as PEM, in the order of the list.
    ///
    /// # Errors
    /// As [`Accounts::public_pem`].
    pub fn public_pems(&self) -> anyhow::Result<Vec<(String, String)>> {
        let pem = |user: &UserName| Ok((user.to_string(), self.public_pem(user)?));
        self.users.iter().map(pem).collect()
    }

    /// Where the keys are.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn keys(&self) -> anyhow::Result<&KeyDir> {
        if let Some((_, keys)) = self.made.get() {
            return Ok(keys);
        }
        let folder = scratch::folder()?;
        let keys = KeyDir::open(folder.path())?;
        for (user, seed) in self.users.iter().zip(&self.seeds) {
            keys.generate(user, &mut seed.only_stream())?;
        }
        let (_, keys) = self.made.get_or_init(|| (folder, keys));
        Ok(keys)
    }
}

/// One connection, as the server saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visit {
    /// The name that the login decrypts to, before the server has sent its replies.
    pub recognised: Option<String>,
    /// Whom the server took it for, once all its replies were sent.
    pub user: Option<String>,
    /// Why it did not let anybody in.
    pub refused: Option<Refusal>,
    /// The messages that the server accepted from that user.
    pub heard: Vec<String>,
    /// How the visit ended, once it is over.
    pub ended: Option<Ending>,
}

impl Visit {
    /// The witness's record, connection by connection.
    fn all(seen: &[Seen]) -> Vec<Self> {
        let mut visits: Vec<Self> = Vec::new();
        for seen in seen {
            let nth = seen.on() as usize;
            if visits.len() < nth {
                visits.resize_with(nth, Self::default);
            }
            if let Some(visit) = nth.checked_sub(1).and_then(|nth| visits.get_mut(nth)) {
                visit.note(seen);
            }
        }
        visits
    }

    fn note(&mut self, seen: &Seen) {
        match seen {
            Seen::Connected { .. } => {}
            Seen::Recognised { user, .. } => self.recognised = Some(user.clone()),
            Seen::LoggedIn { user, .. } => self.user = Some(user.clone()),
            Seen::Refused { why, .. } => self.refused = Some(why.clone()),
            Seen::Received { text, .. } => self.heard.push(text.clone()),
            Seen::Ended { how, .. } => {
                let command = match how {
                    Ending::Quit => Some(QUIT),
                    Ending::Changed => Some(CHANGE),
                    _ => None,
                };
                self.heard.extend(command.map(str::to_owned));
                self.ended = Some(how.clone());
            }
        }
    }
}

/// Opens a port for a target.
async fn listen(at: Loopback) -> anyhow::Result<TcpListener> {
    at.bind().await.with_context(|| {
        let at = at.address();
        format!(
            "cannot listen at {at}: stop the program that uses the port, or choose another --port"
        )
    })
}

/// A running server.
pub struct Target {
    at: Loopback,
    witness: Witness,
    task: JoinHandle<()>,
}

impl Target {
    /// Starts one. `pause` lies between the server's three replies.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(
        accounts: &Accounts,
        mut randomness: impl CryptoRng + Send + 'static,
        pause: Duration,
    ) -> anyhow::Result<Self> {
        let listener = Listener::bind(Loopback::v4(0)).await?;
        let (at, keys) = (listener.address(), accounts.keys()?.clone());
        let witness = Witness::default();
        let mut watching = FaithfulWitness::new(witness.clone());
        let mut see = move |event| watching.event(event);
        let task = tokio::spawn(async move {
            listener
                .serve(&keys, pause, &mut randomness, &mut see)
                .await
        });
        Ok(Self { at, witness, task })
    }

    /// The server's address.
    pub fn at(&self) -> Loopback {
        self.at
    }

    /// The visits so far.
    pub fn visits(&self) -> Vec<Visit> {
        Visit::all(&self.witness.all())
    }

    /// Waits until something is so, however long that takes.
    pub async fn when(&self, so: impl Fn(&[Visit]) -> bool) {
        while !so(&self.visits()) {
            sleep(GLANCE).await;
        }
    }

    /// Waits until something is so, or for a few seconds. Says whether it is.
    pub async fn wait_until(&self, so: impl Fn(&[Visit]) -> bool) -> bool {
        let until = Instant::now() + REST;
        while !so(&self.visits()) {
            if Instant::now() > until {
                return false;
            }
            sleep(Duration::from_millis(2)).await;
        }
        true
    }

    /// Stops the server once a student's programs have ended, and returns what it saw.
    pub async fn finish(self) -> Vec<Visit> {
        // A program that connected and left at once may not have been accepted yet.
        sleep(Duration::from_millis(20)).await;
        self.ended().await
    }

    /// Waits until all connections have ended, stops the server and returns what it saw.
    pub async fn ended(self) -> Vec<Visit> {
        self.wait_until(|visits| visits.iter().all(|visit| visit.ended.is_some()))
            .await;
        self.task.abort();
        self.visits()
    }
}
