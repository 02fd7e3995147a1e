//! The protocol with every defence: the only one outside the lab.

use super::{
    defence::{Defence, Defences},
    keys::X25519,
    parts::{Cover, Exchange, Parts},
    primitives::Secret,
    record::{BUCKETS, EncryptThenMac},
    role::Role,
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

    fn cover(&self, secret: &Secret, epoch: u32) -> Box<dyn Cover> {
        Box::new(EncryptThenMac::new(secret, epoch))
    }

    fn lengths(&self) -> &'static [usize] {
        &BUCKETS
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Full {}
}

/// What may be put on a network: [`Full`] alone, for ever, since nobody else can implement this.
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
