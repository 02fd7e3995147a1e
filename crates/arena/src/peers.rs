//! The honest peers of the arena: the real servers and clients, with a witness who writes down what the server believes.

use std::{collections::BTreeMap, io, time::Duration};

use latchstring_attacker::{
    Scene, Target,
    protocol::hardened::full::Full,
    vantage::{BoxStream, Dial, Menu, Modulus, StolenFiles},
};
use latchstring_client_core::connection::PING_EVERY;
use rsa::{RsaPublicKey, pkcs8::DecodePublicKey, traits::PublicKeyParts};
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    against::Against,
    cost::{CostLog, Spent},
    keys::HOST_PEM,
    memory::Memory,
    provider::Setting,
    seen::{Connection, Seen},
    weakened::{self, passwords},
    wire::{Dialer, Listener, Over},
    witness::Witness,
};

mod faithful;
mod hardened;
pub mod people;

/// The honest user.
pub const ALICE: &str = "alice";
/// Her password at the hardened server.
pub const PASSWORD: &str = "correct horse battery staple";
/// The attacker, who may have an account too.
pub const MALLORY: &str = "mallory";
/// The attacker's password at the hardened server.
pub const MALLORYS: &str = "two can keep a secret";
/// How long the arena waits for the server to come to rest.
const REST: Duration = Duration::from_secs(10);

/// Alice's public key for one of the protocols, as PEM: anybody may have it.
pub fn public_key_pem(target: Target) -> &'static str {
    match target {
        Target::Faithful => include_str!("../keys/alice-faithful.pub.pem"),
        Target::Hardened => include_str!("../keys/alice.pub.pem"),
    }
}

/// Alice's private key for one of the protocols, as PEM.
pub fn private_key_pem(target: Target) -> &'static str {
    match target {
        Target::Faithful => include_str!("../keys/alice-faithful.pem"),
        Target::Hardened => include_str!("../keys/alice.pem"),
    }
}

/// The public keys of everybody who is enrolled from the beginning. Anybody may collect these keys.
pub fn enrolled_keys(against: Against) -> Vec<Modulus> {
    let from_pem = |user, pem| {
        let key = RsaPublicKey::from_public_key_pem(pem);
        modulus(user, &key.expect("the published keys are well-formed"))
    };
    match against {
        Against::Faithful => (people::FAITHFUL_KEYS.iter())
            .map(|(user, _, public)| from_pem(user, public))
            .collect(),
        Against::Hardened(_) => (people::PEOPLE.iter())
            .filter(|person| person.enrolled)
            .map(|person| from_pem(person.name, person.public_key(Target::Hardened)))
            .collect(),
    }
}

/// The modulus of the public key that secrets are encrypted to with PKCS#1 v1.5, where there is one.
pub fn transport_modulus(against: Against) -> Option<Vec<u8>> {
    match against {
        Against::Faithful => None,
        Against::Hardened(weakened) => weakened::transport_modulus(&weakened),
    }
}

fn modulus(user: &str, key: &RsaPublicKey) -> Modulus {
    Modulus {
        user: user.to_owned(),
        bytes: key.n().to_be_bytes().to_vec(),
    }
}

/// The files that a thief finds on the server's disk.
pub fn stolen_files(against: Against) -> StolenFiles {
    let alice = |what: &str| vec![(ALICE.to_owned(), what.to_owned())];
    match against {
        Against::Faithful => StolenFiles {
            host_key: String::new(),
            transport_key: None,
            user_keys: alice(private_key_pem(Target::Faithful)),
            password_hashes: Vec::new(),
            check: passwords::is_right,
        },
        Against::Hardened(weakened) => StolenFiles {
            host_key: HOST_PEM.to_owned(),
            transport_key: weakened::transport_pem(&weakened).map(str::to_owned),
            user_keys: Vec::new(),
            password_hashes: alice(&passwords::as_deployed(PASSWORD, &weakened)),
            check: passwords::is_right,
        },
    }
}

/// A running server of either kind.
pub struct ArenaServer {
    against: Against,
    setting: Setting,
    witness: Witness,
    costs: CostLog,
    dialer: Dialer,
    folder: Option<faithful::SharedFolder>,
    task: JoinHandle<()>,
}

/// Starts a server on the listener.
///
/// # Errors
/// When its keys cannot be laid out.
pub async fn serve(
    against: Against,
    scene: &Scene,
    (listener, dialer): (Listener, Dialer),
    setting: Setting,
) -> io::Result<ArenaServer> {
    let (witness, costs) = (Witness::default(), CostLog::of(scene));
    let seen = (witness.clone(), costs.clone());
    let mut folder = None;
    let task = match against {
        Against::Faithful => {
            let (task, shared) =
                faithful::serve(listener, setting.seed, scene.seeded_with_time, seen)?;
            folder = Some(shared);
            task
        }
        Against::Hardened(all) if all.is_full() => {
            hardened::serve(listener, setting, seen, Full).await?
        }
        Against::Hardened(weakened) => hardened::serve(listener, setting, seen, weakened).await?,
    };
    Ok(ArenaServer {
        against,
        setting,
        witness,
        costs,
        dialer,
        folder,
        task,
    })
}

impl ArenaServer {
    /// The report's menu, where the server is the report's.
    pub fn menu(&self) -> Option<&dyn Menu> {
        Some(self.folder.as_ref()?)
    }

    /// The way in, also for attackers.
    pub fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Alice logs in over this stream, types the script and leaves. Returns what went wrong for her, if anything did.
    pub async fn honest_session(&self, stream: BoxStream, visit: &Visit) -> Option<String> {
        let speaks = match visit.falls_back {
            true => Against::Faithful,
            false => self.against,
        };
        let session = match speaks {
            Against::Faithful => faithful::session(stream, visit).await,
            Against::Hardened(all) if all.is_full() => {
                hardened::session(stream, self.setting, visit, Full).await
            }
            Against::Hardened(weakened) => {
                hardened::session(stream, self.setting, visit, weakened).await
            }
        };
        session.err().map(|error| error.to_string())
    }

    /// The newcomers enrol, one after the other, each on a connection. Returns the keys that the server has taken. (The
    /// report's server is not asked: each person who generates keys has an account.)
    ///
    /// # Errors
    /// When an enrolment ends in any other way than a yes or a no.
    pub async fn enrol_newcomers(&self) -> io::Result<Vec<Modulus>> {
        let Against::Hardened(weakened) = self.against else {
            return Ok(Vec::new());
        };
        let mut taken = Vec::new();
        for newcomer in people::NEWCOMERS {
            let stream = self.dialer.dial().await?;
            let enrolled = match weakened.is_full() {
                true => hardened::enrol(stream, self.setting, newcomer, Full).await,
                false => hardened::enrol(stream, self.setting, newcomer, weakened).await,
            };
            if let Some(spki) = enrolled.map_err(io::Error::other)? {
                let key = RsaPublicKey::from_public_key_der(&spki).map_err(io::Error::other)?;
                taken.push(modulus(newcomer.0, &key));
            }
        }
        Ok(taken)
    }

    /// Waits until this number of connections has ended at the server.
    pub async fn rest(&self, connections: u64) {
        let until = tokio::time::Instant::now() + REST;
        let running = || !self.task.is_finished() && tokio::time::Instant::now() < until;
        while (self.witness.ended() as u64) < connections && running() {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The cost of each connection to the server.
    pub fn spent(&self) -> BTreeMap<Connection, Spent> {
        self.costs.spent()
    }

    /// Stops the server, and returns the witness's record.
    pub async fn finish(self, connections: u64) -> Vec<Seen> {
        self.rest(connections).await;
        self.task.abort();
        self.witness.all()
    }
}

/// A long stay.
#[derive(Debug, Clone, Copy)]
pub struct Lingering {
    /// After this much silence the program asks whether the server is there; after three times that it gives up.
    pub ask_every: Duration,
    /// For so long alice stays: much longer than that.
    pub stay: Duration,
}

impl Lingering {
    /// As deployed where time is free, and a hundred times faster where it is not.
    pub fn over(over: Over) -> Self {
        let ask_every = match over {
            Over::Memory => PING_EVERY,
            Over::Tcp => PING_EVERY / 100,
        };
        Self {
            ask_every,
            stay: ask_every * 10,
        }
    }
}

/// The behaviour of alice once she is logged in, and the host that she means to visit.
#[derive(Clone)]
pub struct Visit {
    /// The messages that she types.
    pub script: Vec<String>,
    /// How long she stays after that, and how often her program then asks whether the server is there.
    pub lingers: Option<Lingering>,
    /// Whether she means to visit the attacker's own host, and knows its key.
    pub to_attacker: bool,
    /// The number of this visit, from 1; each visit has different randomness.
    pub number: u32,
    /// Whether her program, having failed with its own protocol, speaks the report's.
    pub falls_back: bool,
    /// Whether her session is older than its keys serve before she types.
    pub outlives_keys: bool,
    /// What her program has in memory right after the login.
    pub memory: Memory,
}
