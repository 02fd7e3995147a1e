//! One open session a user. A newer login takes the place of the older one, because the older is most often a
//! connection that has died without anybody noticing.
//!
//! Message ids belong to the user, not to a session, so two sessions must never store at the same time. The newer one
//! learns the last id only once the older one has given up the *right to store*.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use latchstring_net::protocol::hardened::{message::UserName, session::CloseCode};
use tokio::{
    select,
    sync::{self, OwnedMutexGuard, watch},
};

/// The session of each user.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    last_number: u64,
    holders: HashMap<UserName, Holder>,
}

/// The data of the present session that a later login needs.
#[derive(Debug)]
struct Holder {
    number: u64,
    superseded: watch::Sender<bool>,
    right: Arc<sync::Mutex<()>>,
}

/// The newest session of a user, for as long as nobody supersedes it. Gives the place back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    sessions: Arc<Sessions>,
    user: UserName,
    number: u64,
    superseded: watch::Receiver<bool>,
    stopping: watch::Receiver<bool>,
    right: Option<OwnedMutexGuard<()>>,
}

impl Sessions {
    /// Takes the user's place, tells the present holder to close, and waits until it stores nothing more.
    ///
    /// # Errors
    /// Why to give up while waiting: an even newer login, or the end of the server.
    pub(crate) async fn claim(
        self: &Arc<Self>,
        user: &UserName,
        stopping: watch::Receiver<bool>,
    ) -> Result<Place, CloseCode> {
        let (mut place, right) = self.take(user, stopping);
        let right = select! {
            biased;
            code = place.told_to_close() => return Err(code),
            right = right.lock_owned() => right,
        };
        place.right = Some(right);
        Ok(place)
    }

    fn take(
        self: &Arc<Self>,
        user: &UserName,
        stopping: watch::Receiver<bool>,
    ) -> (Place, Arc<sync::Mutex<()>>) {
        let mut places = self.places();
        places.last_number += 1;
        let number = places.last_number;
        let right = match places.holders.remove(user) {
            Some(older) => {
                older.superseded.send_replace(true);
                older.right
            }
            None => Arc::default(),
        };
        let (tell, superseded) = watch::channel(false);
        let holder = Holder {
            number,
            superseded: tell,
            right: Arc::clone(&right),
        };
        places.holders.insert(user.clone(), holder);
        let place = Place {
            sessions: Arc::clone(self),
            user: user.clone(),
            number,
            superseded,
            stopping,
            right: None,
        };
        (place, right)
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Nothing panics between two halves of a change, so the table is good even after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until this session must end, and says why.
    pub(crate) async fn told_to_close(&mut self) -> CloseCode {
        // The value stays true once it is, so whoever asks late still learns of it.
        select! {
            biased;
            _ = self.superseded.wait_for(|yes| *yes) => CloseCode::Superseded,
            _ = self.stopping.wait_for(|yes| *yes) => CloseCode::Stopping,
        }
    }

    /// Gives up the right to store; a newer session may now ask for the last id.
    pub(crate) fn stop_storing(&mut self) {
        self.right = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.sessions.places();
        let mine = |holder: &Holder| holder.number == self.number;
        if places.holders.get(&self.user).is_some_and(mine) {
            places.holders.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn alice() -> UserName {
        UserName::parse("alice").unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_newer_claim_waits_until_the_older_stores_no_more() {
        let (_server, stopping) = watch::channel(false);
        let sessions = Arc::new(Sessions::default());
        let mut older = sessions.claim(&alice(), stopping.clone()).await.unwrap();
        let user = alice();
        let early = timeout(
            Duration::from_secs(1),
            sessions.claim(&user, stopping.clone()),
        );
        assert!(early.await.is_err(), "the older one holds the right");
        assert_eq!(older.told_to_close().await, CloseCode::Superseded);
        older.stop_storing();
        let newer = sessions.claim(&alice(), stopping.clone()).await.unwrap();
        drop(older);
        assert_eq!(sessions.places().holders[&alice()].number, newer.number);
        drop(newer);
        assert!(sessions.places().holders.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_that_wait_the_newer_gets_the_place() {
        let (_server, stopping) = watch::channel(false);
        let sessions = Arc::new(Sessions::default());
        let mut first = sessions.claim(&alice(), stopping.clone()).await.unwrap();
        let user = alice();
        let (second, third, ()) = tokio::join!(
            biased;
            sessions.claim(&user, stopping.clone()),
            sessions.claim(&user, stopping.clone()),
            async { first.stop_storing() },
        );
        assert_eq!(second.err(), Some(CloseCode::Superseded));
        assert!(third.is_ok());
    }

    #[tokio::test]
    async fn the_end_of_the_server_reaches_everybody() {
        let (server, stopping) = watch::channel(false);
        let sessions = Arc::new(Sessions::default());
        let mut place = sessions.claim(&alice(), stopping.clone()).await.unwrap();
        server.send_replace(true);
        assert_eq!(place.told_to_close().await, CloseCode::Stopping);
        let late = sessions.claim(&alice(), stopping).await;
        assert_eq!(late.err(), Some(CloseCode::Stopping));
    }
}
