//! Against whom a login without the key is held.

use std::net::IpAddr;

use latchstring_net::protocol::hardened::{
    handshake::RefusalReason,
    message::{Fingerprint, UserName},
};
use latchstring_store::{Accounts, Answer};
use tokio::time::Instant;

use crate::{admission::Admission, throttle::Throttle};

/// A login or an enrolment that was refused, and what can be made to pay for it.
pub struct Refused<'a> {
    /// The claimed user.
    pub user: &'a UserName,
    /// With which key.
    pub kid: &'a Fingerprint,
    /// Why they were refused.
    pub reason: RefusalReason,
    /// The accounts.
    pub accounts: &'a dyn Accounts,
    /// Counts wrong passwords for each account.
    pub throttle: &'a Throttle,
    /// Where they came from.
    pub(crate) source: IpAddr,
    pub(crate) admission: &'a Admission,
}

/// Decides who pays.
pub trait Liability: Send + Sync {
    /// Called for each refusal, before the client hears of it.
    fn refused<'a>(&'a self, login: Refused<'a>) -> Answer<'a, ()>;
}

/// The source pays, for want of a key or of an invitation. The account does not: nobody in particular has failed.
#[derive(Debug, Clone, Copy, Default)]
pub struct BySource;

impl Liability for BySource {
    fn refused<'a>(&'a self, login: Refused<'a>) -> Answer<'a, ()> {
        use RefusalReason::{BadKeyProof, NotInvited, UnknownUserOrKey};
        if matches!(login.reason, UnknownUserOrKey | BadKeyProof | NotInvited) {
            login.admission.penalise(login.source, Instant::now());
        }
        Box::pin(async { Ok(()) })
    }
}
