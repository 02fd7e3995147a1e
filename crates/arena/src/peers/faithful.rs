//! The report's server and client in the arena.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use latchstring_attacker::{
    Target,
    protocol_faithful::{
        keys::PublicKey,
        message::{CHANGE, UserName},
    },
    vantage::{BoxStream, Menu},
};
use latchstring_faithful::{
    client,
    keys::KeyDir,
    server::{Outcome, ServerEvent, serve_connection},
};
use latchstring_server_core::cost::Work;
use rand::CryptoRng;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, task::JoinHandle, time::sleep};

use super::{ALICE, Visit, people::FAITHFUL_KEYS, public_key_pem};
use crate::{
    cost::{CostLog, DelayedStream},
    keys::Seeded,
    weakened::generator::SeededWithTime,
    wire::Listener,
    witness::{FaithfulWitness, Witness},
};

/// The pause between two messages of alice. The pause is long enough that the other end reads each message by itself,
/// also on a busy machine. The protocol frames nothing, and two messages in one read would be one message.
const TYPING: Duration = Duration::from_millis(60);
/// Between the three replies: enough to make them three segments in a capture.
const REPLY_PAUSE: Duration = Duration::from_millis(2);

/// The key directory as the report's client leaves it after everybody's key generation.
fn key_dir() -> io::Result<(TempDir, KeyDir)> {
    let dir = tempfile::tempdir()?;
    for folder in ["client.keys", "server.keys"] {
        std::fs::create_dir(dir.path().join(folder))?;
    }
    let file = |path: String, text: &str| std::fs::write(dir.path().join(path), text);
    let mut list = String::new();
    for (name, private, public) in FAITHFUL_KEYS {
        file(format!("client.keys/{name}"), private)?;
        file(format!("client.keys/{name}.pub"), public)?;
        file(format!("server.keys/{name}.pub"), public)?;
        list += &format!("{name}\n");
    }
    file("server.keys/clients".to_owned(), &list)?;
    let keys = KeyDir::open(dir.path()).map_err(io::Error::other)?;
    Ok((dir, keys))
}

/// The folder that the report's server and clients share, for the person at the menu.
pub(super) struct SharedFolder {
    path: PathBuf,
    seed: u64,
}

impl Menu for SharedFolder {
    fn generate_keys(&self, user: &str) -> anyhow::Result<String> {
        let mut rng = Seeded::new(self.seed, "the menu").into_rng();
        let key = KeyDir::open(&self.path)?.generate(&UserName::parse(user)?, &mut rng)?;
        Ok(key.public_key().to_pem()?)
    }
}

/// One client after the other, as the report has it.
pub(super) fn serve(
    mut listener: Listener,
    seed: u64,
    seeded_with_time: bool,
    (witness, costs): (Witness, CostLog),
) -> io::Result<(JoinHandle<()>, SharedFolder)> {
    let (dir, keys) = key_dir()?;
    let path = dir.path().to_owned();
    let task = tokio::spawn(async move {
        let _kept_until_the_server_ends = dir;
        let mut witness = FaithfulWitness::new(witness);
        let mut guessable = SeededWithTime::new(seed);
        while let Some((stream, _)) = listener.accept().await {
            let on = witness.opened();
            costs.opened(on);
            let owed = Arc::new(Mutex::new(Duration::ZERO));
            let mut stream = DelayedStream::new(stream, owed.clone());
            let mut see = |event| {
                if let ServerEvent::KeyTried = event {
                    *owed.lock().expect("nobody panicked over it") += costs.count(on, Work::Verify);
                }
                witness.event(event);
            };
            // Each connection has randomness of its own, so a capture of one does not depend on who came before.
            let mut fresh =
                Seeded::new(seed, &format!("faithful server, connection {on}")).into_rng();
            let rng: &mut (dyn CryptoRng + Send) = match seeded_with_time {
                true => &mut guessable,
                false => &mut fresh,
            };
            let outcome = serve_connection(&mut stream, &keys, REPLY_PAUSE, rng, &mut see).await;
            let _ = stream.shutdown().await;
            drop(stream);
            costs.closed(on);
            witness.ended(outcome);
            if outcome == Outcome::Quit {
                return;
            }
        }
    });
    Ok((task, SharedFolder { path, seed }))
}

/// Alice's session with the real client.
pub(super) async fn session(stream: BoxStream, visit: &Visit) -> anyhow::Result<()> {
    let user = UserName::parse(ALICE)?;
    let key = PublicKey::from_pem(public_key_pem(Target::Faithful))?;
    let mut session = client::login(stream, &user, &key).await?;
    for text in visit.script.iter().map(String::as_str).chain([CHANGE]) {
        sleep(TYPING).await;
        session.send(text).await?;
    }
    Ok(())
}
