//! Key files of the faithful programs on any text.
//!
//! Besides "no panic": what is taken has 1024 bits, is written back as a file that is taken again, and the halves of a
//! pair belong together.

use latchstring_protocol_faithful::keys::{PrivateKey, PublicKey};

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(key) = PublicKey::from_pem_of_any_size(text) {
        let _ = key.encrypt(b"alice");
    }
    if let Ok(key) = PublicKey::from_pem(text) {
        assert_eq!(key.modulus().len(), 128);
        let pem = key.to_pem().expect("what was read can be written");
        assert_eq!(PublicKey::from_pem(&pem).expect("and read"), key);
    }
    if let Ok(key) = PrivateKey::from_pem(text) {
        let pem = key.to_pem().expect("what was read can be written");
        let again = PrivateKey::from_pem(&pem).expect("and read");
        assert_eq!(again.public_key(), key.public_key());
        let sent = key.public_key().encrypt(b"alice").expect("a short name");
        let decrypted = key.decrypt(&sent).expect("below the modulus");
        assert_eq!(
            &decrypted[..],
            b"alice",
            "the halves do not belong together"
        );
    }
}
