//! The published test vectors, as far as the targets need them.

use serde_json::Value;

/// The whole file of the faithful protocol.
pub const FAITHFUL: &str = include_str!("../../vectors/faithful.json");

/// The private key of the first user, as PEM.
///
/// # Panics
/// When the file has lost it.
pub fn faithful_private_key() -> String {
    let vectors: Value = serde_json::from_str(FAITHFUL).expect("the vectors are JSON");
    let pem = vectors["pycrypto"]["users"][0]["private"].as_str();
    pem.expect("the first user has a private key").to_owned()
}
