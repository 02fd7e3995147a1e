//! The report's server on a small machine: each key that it tries takes a stated time. So the cost of a login can be
//! measured on every machine that a student has, also on a busy one.

use std::time::Duration;

use latchstring_arena::witness::{FaithfulWitness, Witness};
use latchstring_attacker::{
    net::loopback::Loopback,
    protocol_faithful::{
        handshake::{Authenticated, RefusalReason, accept},
        keys::SessionSecrets,
        message::{READ_LEN, UserName, encode_replies},
    },
};
use latchstring_faithful::{
    keys::KeyDir,
    server::{Outcome, ServerEvent},
};
use rand::rngs::ChaCha20Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

use super::{Accounts, Target};
use crate::catalogue::Small;

/// How long a client may stay after the answer.
const AFTER_ANSWER: Duration = Duration::from_secs(1);

/// Starts one. It serves one client after the other, as the report's does.
///
/// # Errors
/// When no port is free.
pub async fn start(
    accounts: &Accounts,
    mut randomness: ChaCha20Rng,
    rules: Small,
    at: Loopback,
    mut see: impl FnMut(&ServerEvent) + Send + 'static,
) -> anyhow::Result<Target> {
    let listener = super::listen(at).await?;
    let at = Loopback::new(listener.local_addr()?)?;
    let machine = Machine {
        keys: accounts.keys()?.clone(),
        users: accounts.users().to_vec(),
        rules,
    };
    let witness = Witness::default();
    let mut watching = FaithfulWitness::new(witness.clone());
    let task = tokio::spawn(async move {
        while let Ok((mut stream, peer)) = listener.accept().await {
            let local = at.address();
            let mut tell = |event: ServerEvent| {
                see(&event);
                watching.event(event);
            };
            tell(ServerEvent::Connected { local, peer });
            let outcome = machine.serve(&mut stream, &mut randomness, &mut tell).await;
            drop(stream);
            tell(ServerEvent::Closing {
                local,
                peer,
                outcome,
            });
        }
    });
    Ok(Target { at, witness, task })
}

struct Machine {
    keys: KeyDir,
    users: Vec<UserName>,
    rules: Small,
}

impl Machine {
    async fn serve(
        &self,
        stream: &mut TcpStream,
        randomness: &mut ChaCha20Rng,
        tell: &mut impl FnMut(ServerEvent),
    ) -> Outcome {
        let Some(login) = self.login(stream).await else {
            let why = RefusalReason::SentNothing.into();
            tell(ServerEvent::LoginRefused { why });
            return Outcome::LoginRefused;
        };
        let known = self.find(&login).await;
        let answered = known.is_ok() || self.rules.same_answer;
        match &known {
            Ok(known) => tell(ServerEvent::Recognised {
                user: known.user().clone(),
            }),
            Err(why) => tell(ServerEvent::LoginRefused {
                why: why.clone().into(),
            }),
        }
        if answered {
            let replies = encode_replies(&SessionSecrets::draw(randomness)).concat();
            if stream.write_all(&replies).await.is_ok() {
                // The client may look at the answer, and leaves.
                let _ = timeout(AFTER_ANSWER, stream.read(&mut [0; READ_LEN])).await;
            }
        }
        match known {
            Ok(known) => {
                tell(ServerEvent::LoggedIn {
                    user: known.user().clone(),
                });
                Outcome::Vanished
            }
            Err(_) => Outcome::LoginRefused,
        }
    }

    /// What one read gives; `None` when the client says nothing in time, or leaves.
    async fn login(&self, stream: &mut TcpStream) -> Option<Vec<u8>> {
        let mut buffer = vec![0; READ_LEN];
        let read = stream.read(&mut buffer);
        let length = match self.rules.patience_ms {
            Some(patience) => timeout(Duration::from_millis(patience), read).await.ok()?,
            None => read.await,
        };
        buffer.truncate(length.ok()?);
        (!buffer.is_empty()).then_some(buffer)
    }

    /// Trial decryption over the list, key by key, and no further than needed.
    async fn find(&self, login: &[u8]) -> Result<Authenticated, RefusalReason> {
        let (mut last, began) = (RefusalReason::NoKeys, Instant::now());
        for (user, keys) in self.users.iter().zip(1..) {
            // The real work is a part of the stated time.
            sleep_until(began + Duration::from_millis(self.rules.ms_per_key) * keys).await;
            let key = self.keys.private_key(user).ok();
            match accept(login, key.map(|key| (user.clone(), key))) {
                Ok(known) => return Ok(known),
                Err(refusal) => last = refusal.reason().clone(),
            }
        }
        Err(match last {
            RefusalReason::UnknownUser { .. } | RefusalReason::TooLarge { .. } => {
                let tried = self.users.len();
                RefusalReason::UnknownUser { tried }
            }
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use latchstring_faithful::client;

    use super::*;
    use crate::seed::Seed;

    const MS: u64 = 60;

    async fn machine(same_answer: bool) -> (Accounts, Target) {
        let (seed, names) = (Seed::chosen(5), ["ada", "bob", "cy"].map(str::to_owned));
        let accounts = Accounts::make(&names, &seed).unwrap();
        let rules = Small {
            ms_per_key: MS,
            patience_ms: Some(MS),
            same_answer,
        };
        let rng = seed.stream("small");
        let target = start(&accounts, rng, rules, Loopback::v4(0), |_| {}).await;
        (accounts, target.unwrap())
    }

    /// The length of the answer to these bytes, and the time until it came.
    async fn answer(target: &Target, login: &[u8]) -> (usize, Duration) {
        let mut stream = target.at().connect().await.unwrap();
        let began = Instant::now();
        stream.write_all(login).await.unwrap();
        let read = stream.read(&mut [0; READ_LEN]).await.unwrap_or(0);
        (read, began.elapsed())
    }

    #[tokio::test]
    async fn a_login_costs_the_keys_before_its_own_and_an_unknown_one_costs_all() {
        let (accounts, target) = machine(true).await;
        for (place, user) in accounts.users().iter().enumerate() {
            let key = accounts.keys().unwrap().public_key(user).unwrap();
            let login = key.encrypt(user.as_str().as_bytes()).unwrap();
            let (length, time) = answer(&target, &login).await;
            let keys = place as u64 + 1;
            assert!(
                length > 0 && time >= Duration::from_millis(MS * keys),
                "{time:?}"
            );
        }
        let (length, time) = answer(&target, &[7; 100]).await;
        assert!(
            length > 0 && time >= Duration::from_millis(MS * 3),
            "{time:?}"
        );
        let visits = target.finish().await;
        let users: Vec<_> = visits.iter().map(|visit| visit.user.as_deref()).collect();
        assert_eq!(users, [Some("ada"), Some("bob"), Some("cy"), None]);
    }

    #[tokio::test]
    async fn without_the_same_answer_only_users_are_answered_and_nobody_waits_for_the_silent() {
        let (accounts, target) = machine(false).await;
        assert_eq!(answer(&target, &[7; 100]).await.0, 0);
        let silent = target.at().connect().await.unwrap();
        let stream = target.at().connect().await.unwrap();
        let user = &accounts.users()[0];
        let key = accounts.keys().unwrap().public_key(user).unwrap();
        assert!(client::login(stream, user, &key).await.is_ok());
        drop(silent);
    }
}
