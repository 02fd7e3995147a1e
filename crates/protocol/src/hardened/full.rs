//! The protocol with every defence: the only one outside the lab.

use super::{
    Error,
    defence::{Defence, Defences},
    keys::X25519,
    message::Type,
    parts::{Exchange, Parts, RecordProtection},
    primitives::{Secret, hash},
    record::EncryptThenMac,
    role::Role,
    signature::signed_content,
};

/// Keeps every defence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Full;

impl Defences for Full {
    #[inline]
    fn keeps(&self, _: Defence) -> bool {
        true
    }
}

impl Parts for Full {
    fn exchange(&self, _: Role, secret: &Secret) -> Box<dyn Exchange> {
        Box::new(X25519::new(secret))
    }

    fn share_len(&self, _: Role) -> usize {
        X25519::SHARE_LEN
    }

    fn record_protection(&self, secret: &Secret, epoch: u32) -> Box<dyn RecordProtection> {
        Box::new(EncryptThenMac::new(secret, epoch))
    }

    fn lengths(&self, exact: &'static [usize]) -> &'static [usize] {
        exact
    }

    fn signed(&self, role: Role, transcript: &[u8]) -> Vec<u8> {
        signed_content(role, &hash(&[transcript]))
    }

    fn traffic_labels(&self) -> [&'static str; 2] {
        ["ap c2s", "ap s2c"]
    }

    fn refusal(&self, _: &str) -> Vec<u8> {
        Vec::new()
    }

    fn out_of_state(&mut self, _: Type) -> Result<(), Error> {
        Err(Error::ANOTHER_STATE)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Full {}
}

/// The only type for a real network: [`Full`] alone, for ever, since no other code can implement this trait.
///
/// ```
/// use latchstring_protocol::hardened::full::{Deployable, Full};
/// fn listen<D: Deployable>(_: D) {}
/// listen(Full);
/// ```
///
/// Anything that can answer no is refused by the compiler:
///
/// ```compile_fail
/// use latchstring_protocol::hardened::defence::{Defence, Defences};
/// use latchstring_protocol::hardened::full::Deployable;
/// struct Careless;
/// impl Defences for Careless {
///     fn keeps(&self, _: Defence) -> bool { false }
/// }
/// fn listen<D: Deployable>(_: D) {}
/// listen(Careless);
/// ```
pub trait Deployable: Parts + sealed::Sealed {}
impl Deployable for Full {}
