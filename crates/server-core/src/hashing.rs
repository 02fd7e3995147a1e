//! Few password hashes at a time. Each hash takes 64 MiB and a processor on purpose, so the server limits their number.
//! Only a client that has proven a key reaches this step.

use std::sync::Arc;

use latchstring_net::protocol::hardened::{
    handshake::{Authenticated, KeyHolder, Refusal},
    parts::Parts,
};
use latchstring_store::password::{self, Cost, PasswordError};
use zeroize::Zeroizing;

use crate::{
    Limits,
    error::HandshakeError,
    queue::{NotDone, Queue, Turn},
};

/// Makes hashes of passwords and compares passwords with them.
pub trait PasswordCheck: Send + Sync {
    /// Whether this is the password. The check runs in a separate thread and may take its time.
    ///
    /// # Errors
    /// When the stored hash cannot be used, or there is not enough memory.
    fn verify(&self, stored: &str, password: &[u8]) -> Result<bool, PasswordError>;

    /// The form in which a new password is stored. The hash also runs in a separate thread.
    ///
    /// # Errors
    /// When the password is not allowed, or there is not enough memory.
    fn hash(&self, password: &[u8], salt: [u8; 16]) -> Result<String, PasswordError>;
}

/// argon2id, as deployed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Argon2id;

impl PasswordCheck for Argon2id {
    fn verify(&self, stored: &str, password: &[u8]) -> Result<bool, PasswordError> {
        password::verify(stored, password)
    }

    fn hash(&self, password: &[u8], salt: [u8; 16]) -> Result<String, PasswordError> {
        password::hash(password, salt, Cost::DEPLOYED)
    }
}

/// Checks few passwords at a time, and few logins wait.
pub(crate) struct HashingPool {
    check: Arc<dyn PasswordCheck>,
    queue: Queue,
}

impl HashingPool {
    pub(crate) fn new(check: Arc<dyn PasswordCheck>, limits: &Limits) -> Self {
        let queue = Queue::new(limits.password_permits, limits.password_queue);
        Self { check, queue }
    }

    pub(crate) fn set_limits(&self, limits: &Limits) {
        (self.queue).resize(limits.password_permits, limits.password_queue);
    }

    /// The hash of a new password.
    pub(crate) async fn make(
        &self,
        password: Zeroizing<Vec<u8>>,
        salt: [u8; 16],
    ) -> Result<Result<String, PasswordError>, HandshakeError> {
        self.compute(move |check| check.hash(&password, salt)).await
    }

    /// Waits until a password may be looked at.
    pub(crate) async fn turn(&self) -> Result<Turn, HandshakeError> {
        Ok(self.queue.turn().await?)
    }

    /// Checks the password of a user who has proven the key.
    pub(crate) async fn prove<D: Parts>(
        &self,
        turn: Turn,
        holder: KeyHolder<D>,
        stored: String,
    ) -> Result<Result<Authenticated<D>, Refusal<D>>, HandshakeError> {
        let check = Arc::clone(&self.check);
        let proven = turn.compute(move || {
            let mut failed = None;
            let proven = holder.prove_password(|password| {
                check.verify(&stored, password).unwrap_or_else(|why| {
                    failed = Some(why);
                    false
                })
            });
            failed.map_or(Ok(proven), Err)
        });
        Ok(proven.await??)
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn PasswordCheck) -> T + Send + 'static,
    ) -> Result<T, HandshakeError> {
        let check = Arc::clone(&self.check);
        Ok(self.queue.compute(move || work(&*check)).await?)
    }
}

impl From<NotDone> for HandshakeError {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Full => Self::PasswordBusy,
            NotDone::Stopping => Self::Stopping,
        }
    }
}
