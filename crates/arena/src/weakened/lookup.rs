//! A server that tries every user's key on a login, as the report's does.

use latchstring_attacker::protocol::hardened::message::Fingerprint;
use latchstring_server::{
    lookup::{Lookup, Wanted},
    meter::{Meter, Work},
    store::{Account, Answer},
};

use crate::stopwatch::Stopwatch;

/// Goes through all accounts until a key fits.
pub(crate) struct OneByOne(pub(crate) Stopwatch);

impl Lookup for OneByOne {
    fn find<'a>(&'a self, wanted: Wanted<'a>) -> Answer<'a, Option<Account>> {
        Box::pin(async move {
            let mut found = None;
            for account in wanted.accounts.list().await? {
                self.0.spend(wanted.connection, Work::Verify).await;
                let fits = (wanted.signed_by)(&account.spki);
                let named = account.user == *wanted.user;
                if fits || (named && Fingerprint::of(&account.spki) == *wanted.kid) {
                    found = Some(account).filter(|_| named);
                }
            }
            Ok(found)
        })
    }
}
