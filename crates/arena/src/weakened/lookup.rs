//! Servers that do more or less than they should before they know who asks.

use std::sync::Arc;

use latchstring_attacker::protocol::hardened::message::Fingerprint;
use latchstring_server_core::{
    PasswordCheck,
    cost::{CostModel, Work},
    lookup::{Lookup, Wanted},
    store::{Account, Answer},
};
use tokio::task::spawn_blocking;

use crate::cost::CostLog;

/// Goes through all accounts until a key fits, as the report's server does.
pub(super) struct OneByOne {
    pub(super) stand_in: Arc<dyn Lookup>,
    pub(super) costs: CostLog,
}

impl Lookup for OneByOne {
    fn find<'a>(&'a self, wanted: Wanted<'a>) -> Answer<'a, Option<Account>> {
        Box::pin(async move {
            let mut found = None;
            for account in wanted.accounts.list().await? {
                self.costs.spend(wanted.connection, Work::Verify).await;
                let fits = (wanted.signed_by)(&account.spki);
                let named = account.user == *wanted.user;
                if fits || (named && Fingerprint::of(&account.spki) == *wanted.kid) {
                    found = Some(account).filter(|_| named);
                }
            }
            Ok(found)
        })
    }

    fn stand_in(&self) -> Option<&[u8]> {
        self.stand_in.stand_in()
    }
}

/// Hashes the password of anybody who asks, before anything is known about them.
pub(super) struct HashesFirst {
    pub(super) finds: Arc<dyn Lookup>,
    pub(super) passwords: Arc<dyn PasswordCheck>,
    pub(super) costs: CostLog,
}

impl Lookup for HashesFirst {
    fn find<'a>(&'a self, wanted: Wanted<'a>) -> Answer<'a, Option<Account>> {
        Box::pin(async move {
            let found = self.finds.find(wanted).await?;
            self.costs.spend(wanted.connection, Work::Hash).await;
            let stored = found.as_ref().map(|account| account.password_hash.clone());
            let (check, password) = (self.passwords.clone(), wanted.password.clone());
            let hash = move || check.verify(&stored.unwrap_or_default(), &password);
            // For nothing: what it says is not asked.
            let _ = spawn_blocking(hash).await;
            Ok(found)
        })
    }

    fn stand_in(&self) -> Option<&[u8]> {
        self.finds.stand_in()
    }
}

/// Checks no key for a name that is not there, so that the time tells who is.
pub(super) struct WithoutStandIn(pub(super) Arc<dyn Lookup>);

impl Lookup for WithoutStandIn {
    fn find<'a>(&'a self, wanted: Wanted<'a>) -> Answer<'a, Option<Account>> {
        self.0.find(wanted)
    }

    fn stand_in(&self) -> Option<&[u8]> {
        None
    }
}
