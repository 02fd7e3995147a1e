//! The rules for new users.

use latchstring_net::protocol::hardened::message::UserName;
use latchstring_store::{Account, Accounts, Answer};

/// Decides who may become a user, and makes them one.
pub trait Enrolment: Send + Sync {
    /// Whether the holder of this token may become this user, `now` in seconds since 1970.
    fn is_invited<'a>(
        &'a self,
        accounts: &'a dyn Accounts,
        user: &'a UserName,
        token_hash: &'a [u8; 32],
        now: u64,
    ) -> Answer<'a, bool>;

    /// Adds the account; nobody else can use the token any more.
    fn enrol<'a>(
        &'a self,
        accounts: &'a dyn Accounts,
        account: &'a Account,
        token_hash: &'a [u8; 32],
    ) -> Answer<'a, ()>;
}

/// By the invitations in the store, and never over an account that is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByInvitation;

impl Enrolment for ByInvitation {
    fn is_invited<'a>(
        &'a self,
        accounts: &'a dyn Accounts,
        user: &'a UserName,
        token_hash: &'a [u8; 32],
        now: u64,
    ) -> Answer<'a, bool> {
        accounts.is_invited(user, token_hash, now)
    }

    fn enrol<'a>(
        &'a self,
        accounts: &'a dyn Accounts,
        account: &'a Account,
        token_hash: &'a [u8; 32],
    ) -> Answer<'a, ()> {
        accounts.enrol(account, token_hash)
    }
}
