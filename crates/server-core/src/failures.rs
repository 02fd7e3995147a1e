//! The party that a refused login is charged to.

use std::net::IpAddr;

use latchstring_net::protocol::hardened::{
    handshake::RefusalReason,
    message::{Fingerprint, UserName},
};
use latchstring_store::{Accounts, Answer};
use tokio::time::Instant;

use crate::{admission::Admission, throttle::Throttle};

/// A login or an enrolment that was refused, and the parties that it can be charged to.
pub struct Refused<'a> {
    /// The claimed user.
    pub user: &'a UserName,
    /// The key of the login.
    pub kid: &'a Fingerprint,
    /// The reason of the refusal.
    pub reason: RefusalReason,
    /// The accounts.
    pub accounts: &'a dyn Accounts,
    /// Counts wrong passwords for each account.
    pub throttle: &'a Throttle,
    /// The source of the connection.
    pub(crate) source: IpAddr,
    pub(crate) admission: &'a Admission,
}

/// Charges a refused login to a party.
pub trait FailurePolicy: Send + Sync {
    /// Called for each refusal, before the client gets the answer.
    fn refused<'a>(&'a self, login: Refused<'a>) -> Answer<'a, ()>;
}

/// Charges a login without the key, or an enrolment without an invitation, to its source. The account is not charged,
/// because no key holder has failed.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChargeSource;

impl FailurePolicy for ChargeSource {
    fn refused<'a>(&'a self, login: Refused<'a>) -> Answer<'a, ()> {
        use RefusalReason::{BadKeyProof, NotInvited, UnknownUserOrKey};
        if matches!(login.reason, UnknownUserOrKey | BadKeyProof | NotInvited) {
            login.admission.penalise(login.source, Instant::now());
        }
        Box::pin(async { Ok(()) })
    }
}
