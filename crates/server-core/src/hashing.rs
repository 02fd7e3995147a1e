//! Few password hashes at a time. Each hash takes 64 MiB and a processor on purpose, so the server limits their number.
//! Only a client that has proven a key reaches this step.

use std::sync::Arc;

use latchstring_net::protocol::hardened::{
    handshake::{Authenticated, KeyHolder, Refusal},
    parts::Parts,
};
use latchstring_store::password::PasswordError;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::{
    Limits, Observer,
    error::HandshakeError,
    load::QueueLoad,
    observer::Purpose,
    queue::{NotDone, Queue, Turn},
};

/// Makes hashes of passwords and compares passwords with them.
pub trait PasswordCheck: Send + Sync {
    /// Whether this is the password. The check runs in a separate thread and may take its time.
    ///
    /// # Errors
    /// When the stored hash cannot be used, or there is not enough memory.
    fn verify(&self, stored: &str, password: &[u8]) -> Result<bool, PasswordError>;

    /// Whether a person may choose this password, for reasons that its length does not show. Runs in a separate thread too.
    ///
    /// # Errors
    /// [`PasswordError::Breached`]; [`PasswordError::List`] when that cannot be found out.
    fn allow(&self, _password: &[u8]) -> Result<(), PasswordError> {
        Ok(())
    }

    /// The form in which a new password is stored. The hash also runs in a separate thread.
    ///
    /// # Errors
    /// When the password is not allowed, or there is not enough memory.
    fn hash(&self, password: &[u8], salt: [u8; 16]) -> Result<String, PasswordError>;

    /// Whether a new password would be stored in this way too. If not, the next right login stores it anew.
    fn is_current(&self, _stored: &str) -> bool {
        true
    }
}

/// A password was looked at.
pub(crate) struct Looked<D> {
    /// The user, or a refusal.
    pub(crate) verified: Result<Authenticated<D>, Refusal<D>>,
    /// Another hash of the password, if it was right and is stored in an old way.
    pub(crate) renewed: Option<String>,
    /// It was right, and nobody may choose it any more.
    pub(crate) breached: bool,
}

/// Checks few passwords at a time, and few logins wait.
pub(crate) struct HashingPool {
    check: Arc<dyn PasswordCheck>,
    observer: Arc<dyn Observer>,
    queue: Queue,
}

impl HashingPool {
    pub(crate) fn new(
        check: Arc<dyn PasswordCheck>,
        observer: Arc<dyn Observer>,
        limits: &Limits,
    ) -> Self {
        let queue = Queue::new(limits.password_permits, limits.password_queue);
        Self {
            check,
            observer,
            queue,
        }
    }

    pub(crate) fn set_limits(&self, limits: &Limits) {
        (self.queue).resize(limits.password_permits, limits.password_queue);
    }

    pub(crate) fn load(&self) -> QueueLoad {
        self.queue.load()
    }

    /// The hash of a new password.
    pub(crate) async fn make(
        &self,
        password: Zeroizing<Vec<u8>>,
        salt: [u8; 16],
    ) -> Result<Result<String, PasswordError>, HandshakeError> {
        let (check, observer) = (Arc::clone(&self.check), Arc::clone(&self.observer));
        let hash = move || {
            check.allow(&password)?;
            timed(&*observer, Purpose::Store, || check.hash(&password, salt))
        };
        Ok(self.queue.compute(hash).await?)
    }

    /// Waits until a password may be looked at.
    pub(crate) async fn turn(&self) -> Result<Turn, HandshakeError> {
        Ok(self.queue.turn().await?)
    }

    /// Checks the password of a user who has proven the key. A right one that is stored in an old way is hashed once more,
    /// with this salt.
    pub(crate) async fn prove<D: Parts>(
        &self,
        turn: Turn,
        holder: KeyHolder<D>,
        stored: String,
        salt: impl FnOnce() -> [u8; 16] + Send + 'static,
    ) -> Result<Looked<D>, HandshakeError> {
        let (check, observer) = (Arc::clone(&self.check), Arc::clone(&self.observer));
        let looked = turn.compute(move || {
            let (mut failed, mut renewed, mut breached) = (None, None, false);
            let verified = holder.prove_password(|password| {
                let verify = || check.verify(&stored, password);
                match timed(&*observer, Purpose::Check, verify) {
                    Ok(right) => {
                        // Without the list nobody knows. That keeps nobody out who has an account.
                        breached = right && check.allow(password) == Err(PasswordError::Breached);
                        if right && !check.is_current(&stored) {
                            // An old password may be shorter than a new one must be. Then the old hash stays.
                            let hash = || check.hash(password, salt());
                            renewed = timed(&*observer, Purpose::Store, hash).ok();
                        }
                        right
                    }
                    Err(why) => {
                        failed = Some(why);
                        false
                    }
                }
            });
            let looked = Looked {
                verified,
                renewed,
                breached,
            };
            failed.map_or(Ok(looked), Err)
        });
        Ok(looked.await??)
    }
}

/// Computes a hash, and tells how long it took by the clock of the runtime.
fn timed<T>(observer: &dyn Observer, purpose: Purpose, hash: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = hash();
    observer.hashed(purpose, began.elapsed());
    done
}

impl From<NotDone> for HandshakeError {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Full => Self::PasswordBusy,
            NotDone::Stopping => Self::Stopping,
        }
    }
}
