//! The honest peers of the arena: the real servers and clients, with a witness who writes down what the server believes.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use latchstring_attacker::Target;
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    truth::{Seen, Truth},
    wire::{Dialer, Listener, Over, SharedTap, dial_tapped},
};

mod faithful;
mod hardened;

/// The honest user.
pub const ALICE: &str = "alice";
/// Her password at the hardened server.
pub const PASSWORD: &str = "correct horse battery staple";
/// How long the arena waits for the server to come to rest.
const REST: Duration = Duration::from_secs(10);

/// Alice's public key for one of the protocols, as PEM: anybody may have it.
pub fn public_key_pem(target: Target) -> &'static str {
    match target {
        Target::Faithful => include_str!("../keys/alice-faithful.pub.pem"),
        Target::Hardened => include_str!("../keys/alice.pub.pem"),
    }
}

/// Writes down what the server believes.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Vec<Seen>>>);

impl Witness {
    fn saw(&self, seen: Seen) {
        self.0.lock().expect("no witness panicked").push(seen);
    }

    fn all(&self) -> Vec<Seen> {
        self.0.lock().expect("no witness panicked").clone()
    }

    fn ended(&self) -> usize {
        let ended = |seen: &&Seen| matches!(seen, Seen::Ended { .. });
        self.all().iter().filter(ended).count()
    }
}

/// A running server of either kind.
pub struct ArenaServer {
    target: Target,
    seed: u64,
    witness: Witness,
    dialer: Dialer,
    task: JoinHandle<()>,
}

/// Starts a server on the listener.
///
/// # Errors
/// When its keys cannot be laid out.
pub async fn serve(
    target: Target,
    listener: Listener,
    dialer: Dialer,
    seed: u64,
) -> io::Result<ArenaServer> {
    let witness = Witness::default();
    let task = match target {
        Target::Faithful => faithful::serve(listener, seed, witness.clone())?,
        Target::Hardened => hardened::serve(listener, seed, witness.clone())
            .await
            .map_err(io::Error::other)?,
    };
    Ok(ArenaServer {
        target,
        seed,
        witness,
        dialer,
        task,
    })
}

impl ArenaServer {
    /// The way in, also for attackers.
    pub fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Alice logs in over the tapped wire, types the script and leaves. Returns what went wrong for her, if anything
    /// did.
    ///
    /// # Errors
    /// When the server cannot be reached at all.
    pub async fn honest_session(
        &self,
        over: Over,
        tap: SharedTap,
        script: &[&str],
    ) -> io::Result<Option<String>> {
        let stream = dial_tapped(&self.dialer, over, tap).await?;
        let session: anyhow::Result<()> = match self.target {
            Target::Faithful => faithful::session(stream, script).await,
            Target::Hardened => hardened::session(stream, self.seed, script).await,
        };
        self.rest(1).await;
        Ok(session.err().map(|error| error.to_string()))
    }

    /// Waits until so many connections have ended at the server.
    async fn rest(&self, connections: usize) {
        let until = tokio::time::Instant::now() + REST;
        while self.witness.ended() < connections && tokio::time::Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops the server: what it has seen.
    pub async fn finish(self, script: &[&str], attacker_connections: u64) -> Truth {
        self.rest(1 + attacker_connections as usize).await;
        self.task.abort();
        Truth {
            user: ALICE.to_owned(),
            typed: script.iter().map(|text| (*text).to_owned()).collect(),
            seen: self.witness.all(),
            attacker_connections,
        }
    }
}
