//! A server that enrols any key, as the report's programs do.

use latchstring_attacker::protocol::hardened::message::UserName;
use latchstring_server_core::{
    enrol::Enrolment,
    store::{Account, Accounts, Answer, StoreError},
};

/// Needs no invitation, and puts the new account in the place of the old one.
pub(super) struct ForAnybody;

impl Enrolment for ForAnybody {
    fn is_invited<'a>(
        &'a self,
        _: &'a dyn Accounts,
        _: &'a UserName,
        _: &'a [u8; 32],
        _: u64,
    ) -> Answer<'a, bool> {
        Box::pin(async { Ok(true) })
    }

    fn enrol<'a>(
        &'a self,
        accounts: &'a dyn Accounts,
        account: &'a Account,
        _: &'a [u8; 32],
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            match accounts.remove(&account.user).await {
                Ok(_) | Err(StoreError::NoSuchUser(_)) => accounts.add(account).await,
                Err(why) => Err(why),
            }
        })
    }
}
