//! Which account a login is for.

use latchstring_net::protocol::hardened::message::{Fingerprint, UserName};
use latchstring_store::{Account, Accounts, Answer};

/// What a login says, and a way to try a key on it.
pub struct Wanted<'a> {
    /// The name.
    pub user: &'a UserName,
    /// The fingerprint of the key.
    pub kid: &'a Fingerprint,
    /// Where the accounts are.
    pub accounts: &'a dyn Accounts,
    /// Whether the login is signed with this key. Costs a check of a signature.
    pub signed_by: &'a (dyn Fn(&[u8]) -> bool + Send + Sync),
    /// The connection, for the meter.
    pub connection: u64,
}

/// Finds the account that a login is for.
pub trait Lookup: Send + Sync {
    /// The account, or `None`; the answer says nothing yet about whether the login is good.
    fn find<'a>(&'a self, wanted: Wanted<'a>) -> Answer<'a, Option<Account>>;
}

/// By name and key, in one step, however many users there are.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByName;

impl Lookup for ByName {
    fn find<'a>(&'a self, wanted: Wanted<'a>) -> Answer<'a, Option<Account>> {
        wanted.accounts.find(wanted.user, wanted.kid)
    }
}
