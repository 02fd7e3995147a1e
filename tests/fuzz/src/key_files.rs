//! Key files of the deployable programs, and the public keys that strangers send.
//!
//! Besides "no panic": what is taken has a size that the protocol allows and is written back as the same key; a private
//! key signs what its public half verifies; and nobody's noise is a signature.

use latchstring_keys::{
    AwsLc, RsaKey,
    keyfile::{private_from_pem, private_to_pem},
};
use latchstring_net::{
    hygiene,
    keyfile::{public_from_pem, public_to_pem},
    public_key::check_public_key,
};
use latchstring_protocol::hardened::signature::{Signer, Verifier};

/// Runs one input.
pub fn run(data: &[u8]) {
    if let Ok(spki) = public_from_pem(data) {
        public(&spki);
        let pem = public_to_pem(&spki).expect("what was read can be written");
        assert_eq!(public_from_pem(pem.as_bytes()).expect("and read"), spki);
    }
    public(data);
    if let Ok(key) = private_from_pem(data) {
        let pem = private_to_pem(&key).expect("what was read can be written");
        let again = private_from_pem(pem.as_bytes()).expect("and read");
        assert_eq!(again.public_key(), key.public_key());
        private(&key);
    }
    if let Ok(key) = RsaKey::from_pkcs8(data) {
        private(&key);
    }
}

fn public(spki: &[u8]) {
    let form = check_public_key(spki);
    let verified = AwsLc.verify(spki, b"a message", &vec![1; 384]);
    assert!(!verified, "noise was taken for a signature");
    if form.is_err() {
        assert!(hygiene::check(spki, []).is_err());
    } else if hygiene::check(spki, []).is_ok() {
        assert!(hygiene::check(spki, [spki]).is_err(), "the same key twice");
    }
}

fn private(key: &RsaKey) {
    assert!(check_public_key(key.public_key()).is_ok());
    if let Ok(signature) = key.sign(b"a message") {
        assert!(AwsLc.verify(key.public_key(), b"a message", &signature));
        assert!(!AwsLc.verify(key.public_key(), b"another message", &signature));
    }
}
