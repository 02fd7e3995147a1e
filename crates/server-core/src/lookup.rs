//! Finds the account of a login.

use latchstring_net::protocol::hardened::message::{Fingerprint, UserName};
use latchstring_store::{Account, Accounts, Answer};
use zeroize::Zeroizing;

use crate::dummy::DUMMY_KEY;

/// The content of a login, and a way to try a key on it.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The name.
    pub user: &'a UserName,
    /// The fingerprint of the key.
    pub kid: &'a Fingerprint,
    /// The password. The password means nothing before the key is proven.
    pub password: &'a Zeroizing<Vec<u8>>,
    /// Where the accounts are.
    pub accounts: &'a dyn Accounts,
    /// Whether the login is signed with this key. Costs a check of a signature.
    pub signed_by: &'a (dyn Fn(&[u8]) -> bool + Send + Sync),
    /// The connection, for the cost model.
    pub connection: u64,
}

/// Finds the account that a login is for.
pub trait Lookup: Send + Sync {
    /// The account, or `None`; the answer says nothing yet about whether the login is good.
    fn find<'a>(&'a self, wanted: Wanted<'a>) -> Answer<'a, Option<Account>>;

    /// The key against which a login is checked when there is no account: DER of a SubjectPublicKeyInfo. The check takes
    /// as long as any, and says no.
    fn stand_in(&self) -> Option<&[u8]>;
}

/// By name and key, in one step, however many users there are.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByName;

impl Lookup for ByName {
    fn find<'a>(&'a self, wanted: Wanted<'a>) -> Answer<'a, Option<Account>> {
        wanted.accounts.find(wanted.user, wanted.kid)
    }

    fn stand_in(&self) -> Option<&[u8]> {
        Some(&DUMMY_KEY)
    }
}
