//! A store that fails where the test says.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use latchstring_net::protocol::hardened::message::{Fingerprint, UserName};
use latchstring_store::{
    Account, Accounts, Answer, Appended, Invitation, Invite, Memory, Removed, StoreError,
    StoredMessage,
};
use tokio::time::sleep;

use super::seconds;

/// A store with faults in it.
pub struct Faulty {
    inner: Arc<Memory>,
    /// Whether nothing can be written any more.
    pub full: AtomicBool,
}

impl Faulty {
    pub fn new(inner: Arc<Memory>) -> Self {
        let full = AtomicBool::new(false);
        Self { inner, full }
    }

    /// What writes says when the disk is full.
    fn check_space(&self) -> Result<(), StoreError> {
        match self.full.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(StoreError::Io {
                path: "accounts.db".into(),
                source: io::ErrorKind::StorageFull.into(),
            }),
        }
    }
}

impl Accounts for Faulty {
    fn find<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, Option<Account>> {
        match user.as_str() {
            "crash" => panic!("a fault, made by the test"),
            "hang" => Box::pin(std::future::pending()),
            _ => self.inner.find(user, kid),
        }
    }
    fn add<'a>(&'a self, account: &'a Account) -> Answer<'a, ()> {
        self.inner.add(account)
    }
    fn invite<'a>(&'a self, invite: &'a Invite) -> Answer<'a, ()> {
        self.inner.invite(invite)
    }
    fn is_invited<'a>(
        &'a self,
        user: &'a UserName,
        token_hash: &'a [u8; 32],
        now: u64,
    ) -> Answer<'a, bool> {
        self.inner.is_invited(user, token_hash, now)
    }
    fn enrol<'a>(&'a self, account: &'a Account, token_hash: &'a [u8; 32]) -> Answer<'a, ()> {
        Box::pin(async move {
            self.check_space()?;
            self.inner.enrol(account, token_hash).await
        })
    }
    fn list(&self) -> Answer<'_, Vec<Account>> {
        self.inner.list()
    }
    fn observe_clock(&self, now: u64) -> Answer<'_, ()> {
        self.inner.observe_clock(now)
    }
    fn invitations(&self, now: u64) -> Answer<'_, Vec<Invitation>> {
        self.inner.invitations(now)
    }
    fn revoke<'a>(&'a self, user: &'a UserName) -> Answer<'a, ()> {
        self.inner.revoke(user)
    }
    fn remove<'a>(&'a self, user: &'a UserName) -> Answer<'a, Removed> {
        self.inner.remove(user)
    }
    fn failures<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, u32> {
        self.inner.failures(user, kid)
    }
    fn set_failures<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        failures: u32,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            self.check_space()?;
            self.inner.set_failures(user, kid, failures).await
        })
    }
    fn set_password<'a>(&'a self, user: &'a UserName, hash: &'a str) -> Answer<'a, ()> {
        self.inner.set_password(user, hash)
    }
    fn renew_hash<'a>(
        &'a self,
        user: &'a UserName,
        old: &'a str,
        new: &'a str,
    ) -> Answer<'a, bool> {
        self.inner.renew_hash(user, old, new)
    }
    fn last_message_id<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, u64> {
        self.inner.last_message_id(user, kid)
    }
    fn message<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        id: u64,
    ) -> Answer<'a, Option<StoredMessage>> {
        self.inner.message(user, kid, id)
    }
    fn append<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        message: &'a StoredMessage,
    ) -> Answer<'a, Appended> {
        Box::pin(async move {
            // A disk that takes its time.
            sleep(seconds(1)).await;
            self.inner.append(user, kid, message).await
        })
    }
    fn add_key<'a>(&'a self, user: &'a UserName, spki: &'a [u8], now: u64) -> Answer<'a, ()> {
        self.inner.add_key(user, spki, now)
    }
    fn remove_key<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, ()> {
        self.inner.remove_key(user, kid)
    }
    fn set_disabled<'a>(&'a self, user: &'a UserName, disabled: bool) -> Answer<'a, ()> {
        self.inner.set_disabled(user, disabled)
    }
    fn logs<'a>(&'a self, user: &'a UserName) -> Answer<'a, Vec<Fingerprint>> {
        self.inner.logs(user)
    }
    fn messages<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
    ) -> Answer<'a, Vec<StoredMessage>> {
        self.inner.messages(user, kid)
    }
}
