//! The charge for a wrong password of a key holder: time, and in the end the key.
//!
//! The counter belongs to (user, kid) and is kept in the store. Only a proven key can raise it, so nobody can lock
//! anybody else out. Guesses are looked at one after the other, so that many at a time are no faster than few.
//!
//! A password is counted as wrong *before* it is looked at, and the count is taken back if it was right. So what cannot be
//! counted is not looked at: on a full disk guesses are not free, they are not possible.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use latchstring_net::protocol::hardened::message::{Fingerprint, UserName};
use latchstring_store::{Accounts, StoreError};
use tokio::{
    sync::{self, OwnedMutexGuard},
    time::Instant,
};

/// The number of wrong passwords without a delay.
const FREE: u32 = 3;
/// No delay is longer.
const LONGEST: Duration = Duration::from_secs(900);
/// After this number of wrong passwords in a row the key is disabled until the operator sets a password again.
pub const MOST_GUESSES: u32 = 100;

/// How long after the n-th wrong password in a row the next one is not looked at: 2^(n-3) s, at most 15 minutes.
pub fn delay_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(doublings) => Duration::from_secs(1 << doublings.min(20)).min(LONGEST),
    }
}

/// The most guesses that can be checked within a time, by any attacker: the lab tests this promise.
pub fn most_guesses_within(time: Duration) -> u32 {
    let (mut guesses, mut spent) = (0, Duration::ZERO);
    while spent <= time && guesses < MOST_GUESSES {
        guesses += 1;
        spent += delay_after(guesses);
    }
    guesses
}

/// Why a password is not looked at. The client gets the same answer as for a wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotChecked {
    /// The delay after the last wrong one is not over.
    TooSoon,
    /// There were too many.
    Disabled,
}

/// When the last wrong password for each account was given. How many there were is in the store.
#[derive(Debug)]
pub struct Throttle {
    /// The start of this server: earlier counts are dated to it, so that a restart forgives nothing.
    began: Instant,
    lines: Mutex<HashMap<Key, Arc<sync::Mutex<Instant>>>>,
}

type Key = (UserName, Fingerprint);

/// The right to have one password counted, and then looked at. Nobody else has it for this account meanwhile.
pub struct Turn {
    key: Key,
    failures: u32,
    last_wrong: OwnedMutexGuard<Instant>,
}

/// The right to look at one password, which is in the store as a wrong one until it proves to be right.
pub struct Counted(Turn);

impl Throttle {
    /// For a server that begins now.
    pub fn new(began: Instant) -> Self {
        let lines = Mutex::default();
        Self { began, lines }
    }

    /// How many accounts the table has a line for.
    pub(crate) fn keys(&self) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.len()
    }

    /// Waits for the turn, and says whether there is one. Only those who have proven the account's key may ask: the table
    /// has at most a line for each account.
    pub async fn turn(
        &self,
        accounts: &dyn Accounts,
        user: &UserName,
        kid: &Fingerprint,
    ) -> Result<Result<Turn, NotChecked>, StoreError> {
        let key = (user.clone(), *kid);
        let line = {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let line = lines.entry(key.clone());
            Arc::clone(line.or_insert_with(|| Arc::new(sync::Mutex::new(self.began))))
        };
        let last_wrong = line.lock_owned().await;
        let failures = accounts.failures(user, kid).await?;
        if failures >= MOST_GUESSES {
            return Ok(Err(NotChecked::Disabled));
        }
        if Instant::now() < *last_wrong + delay_after(failures) {
            return Ok(Err(NotChecked::TooSoon));
        }
        Ok(Ok(Turn {
            key,
            failures,
            last_wrong,
        }))
    }
}

impl Turn {
    /// Counts the password as wrong. The password may be checked once the count is durable, and not if that fails.
    pub async fn count(mut self, accounts: &dyn Accounts) -> Result<Counted, StoreError> {
        let (user, kid) = &self.key;
        (accounts.set_failures(user, kid, self.failures + 1)).await?;
        // Also for whoever hangs up before the answer is known.
        *self.last_wrong = Instant::now();
        Ok(Counted(self))
    }
}

impl Counted {
    /// The password was right: the count begins again.
    pub async fn right(self, accounts: &dyn Accounts) -> Result<(), StoreError> {
        self.set(accounts, 0).await
    }

    /// The password was wrong, as counted. The next delay begins now.
    pub fn wrong(mut self) {
        *self.0.last_wrong = Instant::now();
    }

    /// The password was not checked after all, for a reason of the server.
    pub async fn not_looked_at(self, accounts: &dyn Accounts) -> Result<(), StoreError> {
        let failures = self.0.failures;
        self.set(accounts, failures).await
    }

    async fn set(&self, accounts: &dyn Accounts, failures: u32) -> Result<(), StoreError> {
        let (user, kid) = &self.0.key;
        accounts.set_failures(user, kid, failures).await
    }
}

#[cfg(test)]
mod tests {
    use latchstring_store::{Account, Memory};
    use tokio::time::advance;

    use super::*;

    #[test]
    fn the_delays_are_those_of_the_protocols_page() {
        let seconds = |n| delay_after(n).as_secs();
        assert_eq!([0, 1, 2].map(seconds), [0, 0, 0]);
        assert_eq!([3, 4, 5, 12].map(seconds), [1, 2, 4, 512]);
        assert_eq!([13, 14, 99, u32::MAX].map(seconds), [900; 4]);
    }

    #[test]
    fn the_promise_is_a_few_guesses_an_hour_and_a_hundred_in_all() {
        let within = |hours: u64| most_guesses_within(Duration::from_secs(hours * 3600));
        assert_eq!([0, 1, 24].map(within), [3, 15, 100]);
        assert_eq!(within(24 * 365), MOST_GUESSES);
    }

    async fn alice() -> (Memory, UserName, Fingerprint) {
        let accounts = Memory::new();
        let name = UserName::parse("alice").unwrap();
        let account = Account::new(name.clone(), b"a key".to_vec(), String::new(), 0);
        accounts.add(&account).await.unwrap();
        (accounts, name, account.kid)
    }

    #[tokio::test(start_paused = true)]
    async fn a_guess_that_comes_too_soon_is_not_looked_at_and_a_right_password_clears_the_count() {
        let (accounts, alice, kid) = alice().await;
        let throttle = Throttle::new(Instant::now());
        for _ in 0..3 {
            let turn = throttle.turn(&accounts, &alice, &kid).await.unwrap();
            turn.ok().unwrap().count(&accounts).await.unwrap().wrong();
        }
        let turn = throttle.turn(&accounts, &alice, &kid).await.unwrap();
        assert_eq!(turn.err(), Some(NotChecked::TooSoon));
        advance(Duration::from_secs(1)).await;
        let turn = throttle.turn(&accounts, &alice, &kid).await.unwrap();
        let counted = turn.ok().unwrap().count(&accounts).await.unwrap();
        counted.right(&accounts).await.unwrap();
        assert_eq!(accounts.failures(&alice, &kid).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_password_is_counted_before_it_is_looked_at() {
        let (accounts, alice, kid) = alice().await;
        let throttle = Throttle::new(Instant::now());
        let turn = async || throttle.turn(&accounts, &alice, &kid).await.unwrap();
        let failures = async || accounts.failures(&alice, &kid).await.unwrap();
        let counted = turn().await.ok().unwrap().count(&accounts).await.unwrap();
        assert_eq!(failures().await, 1);
        // A server that is killed, or a client that hangs up, in the middle of it.
        drop(counted);
        assert_eq!(failures().await, 1);
        let counted = turn().await.ok().unwrap().count(&accounts).await.unwrap();
        counted.not_looked_at(&accounts).await.unwrap();
        assert_eq!(failures().await, 1);
        // The account is gone, so its failures cannot be counted: nothing to look with.
        let begun = turn().await.ok().unwrap();
        accounts.remove(&alice).await.unwrap();
        assert!(begun.count(&accounts).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_delay_begins_when_the_password_has_been_looked_at() {
        let (accounts, alice, kid) = alice().await;
        let throttle = Throttle::new(Instant::now());
        accounts.set_failures(&alice, &kid, FREE).await.unwrap();
        advance(LONGEST).await;
        let turn = throttle.turn(&accounts, &alice, &kid).await.unwrap();
        let counted = turn.ok().unwrap().count(&accounts).await.unwrap();
        // A busy server takes longer to look than the delay lasts.
        advance(LONGEST).await;
        counted.wrong();
        let turn = throttle.turn(&accounts, &alice, &kid).await.unwrap();
        assert_eq!(turn.err(), Some(NotChecked::TooSoon));
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_forgives_nothing() {
        let (accounts, alice, kid) = alice().await;
        accounts.set_failures(&alice, &kid, 5).await.unwrap();
        let throttle = Throttle::new(Instant::now());
        let turn = throttle.turn(&accounts, &alice, &kid).await.unwrap();
        assert_eq!(turn.err(), Some(NotChecked::TooSoon));
        advance(delay_after(5)).await;
        let turn = throttle.turn(&accounts, &alice, &kid).await.unwrap();
        assert!(turn.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_hundred_wrong_ones_no_password_is_looked_at() {
        let (accounts, alice, kid) = alice().await;
        accounts.set_failures(&alice, &kid, 99).await.unwrap();
        let throttle = Throttle::new(Instant::now());
        advance(LONGEST).await;
        let turn = throttle.turn(&accounts, &alice, &kid).await;
        let counted = turn.unwrap().ok().unwrap().count(&accounts).await;
        counted.unwrap().wrong();
        advance(LONGEST * 1000).await;
        let turn = throttle.turn(&accounts, &alice, &kid).await;
        assert_eq!(turn.unwrap().err(), Some(NotChecked::Disabled));
        accounts.set_password(&alice, "another").await.unwrap();
        let turn = throttle.turn(&accounts, &alice, &kid).await;
        assert!(turn.unwrap().is_ok(), "the operator has set a password");
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_side_by_side_wait_for_each_other() {
        let (accounts, alice, kid) = alice().await;
        let throttle = Throttle::new(Instant::now());
        let guess = async || match throttle.turn(&accounts, &alice, &kid).await.unwrap() {
            Ok(turn) => {
                let counted = turn.count(&accounts).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
                counted.wrong();
                1
            }
            Err(_) => 0,
        };
        let (a, b, c, d) = tokio::join!(guess(), guess(), guess(), guess());
        assert_eq!(a + b + c + d, 3, "only what is free was looked at");
    }
}
