//! A store that forgets: for the lab and for tests. No threads, no clock, no disk, so a session is repeatable.

use std::{
    collections::BTreeMap,
    future::ready,
    sync::{Mutex, MutexGuard, PoisonError},
};

use latchstring_protocol::hardened::message::{Fingerprint, UserName};

use crate::{
    Account, Accounts, Answer, Appended, Invitation, Invite, Removed, StoreError, StoredMessage,
    accounts::{key_of, not_next},
};

/// Keeps accounts and messages in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Of each user the same account with each key, in the order of the keys.
    accounts: BTreeMap<[u8; 32], Vec<Account>>,
    invites: BTreeMap<[u8; 32], Invite>,
    /// Wrong passwords in a row, where there were any.
    failures: BTreeMap<([u8; 32], Fingerprint), u32>,
    logs: BTreeMap<([u8; 32], Fingerprint), Vec<StoredMessage>>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No method leaves a half-made change behind, so the state is good even after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, user: &UserName, kid: &Fingerprint) -> Option<&Account> {
        let keys = self.accounts.get(&key_of(user))?;
        keys.iter().find(|account| account.kid == *kid)
    }

    fn keys(&mut self, user: &UserName) -> Result<&mut Vec<Account>, StoreError> {
        let keys = self.accounts.get_mut(&key_of(user));
        keys.ok_or_else(|| StoreError::NoSuchUser(user.clone()))
    }

    fn add_key(&mut self, user: &UserName, spki: &[u8]) -> Result<(), StoreError> {
        let keys = self.keys(user)?;
        let mut account = keys[0].clone();
        (account.kid, account.spki) = (Fingerprint::of(spki), spki.to_vec());
        match keys.binary_search_by_key(&account.kid, |other| other.kid) {
            Ok(_) => return Err(StoreError::KeyExists(user.clone())),
            Err(at) => keys.insert(at, account),
        }
        Ok(())
    }

    fn remove_key(&mut self, user: &UserName, kid: &Fingerprint) -> Result<(), StoreError> {
        let keys = self.keys(user)?;
        let at = keys.iter().position(|account| account.kid == *kid);
        let at = at.ok_or_else(|| StoreError::NoSuchUser(user.clone()))?;
        if keys.len() == 1 {
            return Err(StoreError::OnlyKey(user.clone()));
        }
        keys.remove(at);
        self.failures.remove(&(key_of(user), *kid));
        Ok(())
    }

    fn forget_failures(&mut self, user: &UserName) {
        let key = key_of(user);
        self.failures.retain(|(of, _), _| *of != key);
    }

    fn log(&self, user: &UserName, kid: &Fingerprint) -> &[StoredMessage] {
        let log = self.logs.get(&(key_of(user), *kid));
        log.map_or(&[], Vec::as_slice)
    }

    fn message(&self, user: &UserName, kid: &Fingerprint, id: u64) -> Option<&StoredMessage> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.log(user, kid).get(index)
    }

    /// The key of a user who is not there yet.
    fn free(&self, user: &UserName) -> Result<[u8; 32], StoreError> {
        let key = key_of(user);
        match self.accounts.contains_key(&key) {
            true => Err(StoreError::UserExists(user.clone())),
            false => Ok(key),
        }
    }

    fn add(&mut self, account: &Account) -> Result<(), StoreError> {
        let key = self.free(&account.user)?;
        self.accounts.insert(key, vec![account.clone()]);
        self.invites.remove(&key);
        Ok(())
    }

    fn invite(&mut self, invite: &Invite) -> Result<(), StoreError> {
        let key = self.free(&invite.user)?;
        self.invites.insert(key, invite.clone());
        Ok(())
    }

    fn is_invited(&self, user: &UserName, token_hash: &[u8; 32], now: u64) -> bool {
        let invite = self.invites.get(&key_of(user));
        invite.is_some_and(|invite| invite.admits(token_hash, now))
    }

    fn enrol(&mut self, account: &Account, token_hash: &[u8; 32]) -> Result<(), StoreError> {
        if !self.is_invited(&account.user, token_hash, account.created_at) {
            return Err(StoreError::NotInvited(account.user.clone()));
        }
        self.add(account)
    }

    fn observe_clock(&mut self, now: u64) {
        for invite in self.invites.values_mut() {
            invite.observe(now);
        }
    }

    fn invitations(&mut self, now: u64) -> Vec<Invitation> {
        self.observe_clock(now);
        let known = self.invites.values().map(|invite| Invitation {
            user: Some(invite.user.clone()),
            made_at: invite.made_at,
            seconds_left: invite.seconds_left,
        });
        let mut known: Vec<_> = known.collect();
        known.sort_by(|a, b| a.user.cmp(&b.user));
        known
    }

    fn revoke(&mut self, user: &UserName) -> Result<(), StoreError> {
        let revoked = self.invites.remove(&key_of(user));
        revoked
            .map(drop)
            .ok_or_else(|| StoreError::NoInvitation(user.clone()))
    }

    fn remove(&mut self, user: &UserName) -> Result<Removed, StoreError> {
        let key = key_of(user);
        self.forget_failures(user);
        let removed = Removed {
            account: self.accounts.remove(&key).is_some(),
            invitation: self.invites.remove(&key).is_some(),
        };
        match removed.account || removed.invitation {
            true => Ok(removed),
            false => Err(StoreError::NoSuchUser(user.clone())),
        }
    }

    fn append(
        &mut self,
        user: &UserName,
        kid: &Fingerprint,
        message: &StoredMessage,
    ) -> Result<Appended, StoreError> {
        if self.find(user, kid).is_none_or(|account| account.disabled) {
            return Err(StoreError::NoSuchUser(user.clone()));
        }
        let last = self.log(user, kid).len() as u64;
        if message.id != last + 1 {
            return not_next(user, self.message(user, kid, message.id), last, message);
        }
        let log = self.logs.entry((key_of(user), *kid)).or_default();
        log.push(message.clone());
        Ok(Appended::Appended)
    }
}

/// An answer that is there already.
fn answer<'a, T: Send + 'a>(result: Result<T, StoreError>) -> Answer<'a, T> {
    Box::pin(ready(result))
}

impl Accounts for Memory {
    fn find<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, Option<Account>> {
        answer(Ok(self.state().find(user, kid).cloned()))
    }

    fn add<'a>(&'a self, account: &'a Account) -> Answer<'a, ()> {
        answer(self.state().add(account))
    }

    fn invite<'a>(&'a self, invite: &'a Invite) -> Answer<'a, ()> {
        answer(self.state().invite(invite))
    }

    fn observe_clock(&self, now: u64) -> Answer<'_, ()> {
        self.state().observe_clock(now);
        answer(Ok(()))
    }

    fn invitations(&self, now: u64) -> Answer<'_, Vec<Invitation>> {
        answer(Ok(self.state().invitations(now)))
    }

    fn revoke<'a>(&'a self, user: &'a UserName) -> Answer<'a, ()> {
        answer(self.state().revoke(user))
    }

    fn is_invited<'a>(
        &'a self,
        user: &'a UserName,
        token_hash: &'a [u8; 32],
        now: u64,
    ) -> Answer<'a, bool> {
        answer(Ok(self.state().is_invited(user, token_hash, now)))
    }

    fn enrol<'a>(&'a self, account: &'a Account, token_hash: &'a [u8; 32]) -> Answer<'a, ()> {
        answer(self.state().enrol(account, token_hash))
    }

    fn list(&self) -> Answer<'_, Vec<Account>> {
        let mut all: Vec<_> = self.state().accounts.values().flatten().cloned().collect();
        all.sort_by(|a, b| a.user.cmp(&b.user));
        answer(Ok(all))
    }

    fn add_key<'a>(&'a self, user: &'a UserName, spki: &'a [u8], _: u64) -> Answer<'a, ()> {
        answer(self.state().add_key(user, spki))
    }

    fn remove_key<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, ()> {
        answer(self.state().remove_key(user, kid))
    }

    fn set_disabled<'a>(&'a self, user: &'a UserName, disabled: bool) -> Answer<'a, ()> {
        let mut state = self.state();
        let set = state.keys(user).map(|keys| {
            for account in keys {
                account.disabled = disabled;
            }
        });
        answer(set)
    }

    fn remove<'a>(&'a self, user: &'a UserName) -> Answer<'a, Removed> {
        answer(self.state().remove(user))
    }

    fn failures<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, u32> {
        let state = self.state();
        let counted = state.failures.get(&(key_of(user), *kid));
        let known = state.find(user, kid).and(counted);
        answer(Ok(known.copied().unwrap_or_default()))
    }

    fn set_failures<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        failures: u32,
    ) -> Answer<'a, ()> {
        let mut state = self.state();
        if state.find(user, kid).is_none() {
            return answer(Err(StoreError::NoSuchUser(user.clone())));
        }
        state.failures.insert((key_of(user), *kid), failures);
        answer(Ok(()))
    }

    fn set_password<'a>(&'a self, user: &'a UserName, password_hash: &'a str) -> Answer<'a, ()> {
        let mut state = self.state();
        state.forget_failures(user);
        let set = state.keys(user).map(|keys| {
            for account in keys {
                password_hash.clone_into(&mut account.password_hash);
            }
        });
        answer(set)
    }

    fn renew_hash<'a>(
        &'a self,
        user: &'a UserName,
        old: &'a str,
        new: &'a str,
    ) -> Answer<'a, bool> {
        let mut state = self.state();
        let keys = state.keys(user).ok();
        let keys = keys.filter(|keys| keys[0].password_hash == old);
        let renewed = keys.map(|keys| {
            for account in keys {
                new.clone_into(&mut account.password_hash);
            }
        });
        answer(Ok(renewed.is_some()))
    }

    fn last_message_id<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, u64> {
        answer(Ok(self.state().log(user, kid).len() as u64))
    }

    fn message<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        id: u64,
    ) -> Answer<'a, Option<StoredMessage>> {
        answer(Ok(self.state().message(user, kid, id).cloned()))
    }

    fn append<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        message: &'a StoredMessage,
    ) -> Answer<'a, Appended> {
        answer(self.state().append(user, kid, message))
    }

    fn logs<'a>(&'a self, user: &'a UserName) -> Answer<'a, Vec<Fingerprint>> {
        let (state, key) = (self.state(), key_of(user));
        let of_user = state.logs.keys().filter(|(of, _)| *of == key);
        answer(Ok(of_user.map(|(_, kid)| *kid).collect()))
    }

    fn messages<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
    ) -> Answer<'a, Vec<StoredMessage>> {
        answer(Ok(self.state().log(user, kid).to_vec()))
    }
}
