//! The RSA keys of the programs that people deploy: [`AwsLc`] checks and [`RsaKey`] signs in constant time, and
//! [`keyfile`] keeps private keys in files.
//!
//! Protocols, client and server ask for a [`Signer`](latchstring_net::protocol::hardened::signature::Signer) and a
//! [`Verifier`](latchstring_net::protocol::hardened::signature::Verifier), and do not know this crate. So only the
//! programs link AWS-LC; the lab answers with the crate `rsa`, which builds in a fraction of the time.

mod aws_lc;
pub mod keyfile;

pub use aws_lc::{AwsLc, RsaKey};
