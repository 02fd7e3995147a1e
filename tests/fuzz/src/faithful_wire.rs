//! Both ends of the faithful protocol on any bytes.
//!
//! Besides "no panic": a login is taken exactly if it is the textbook encryption of the user's name; replies have one
//! form; decrypting and encrypting are the same; and no name leaves its directory.

use std::sync::LazyLock;

use latchstring_protocol_faithful::{
    handshake::{ExpectReplies, accept},
    keys::{PrivateKey, SessionSecrets},
    message::{MAX_TEXT, Message, QUIT, UserName, encode_replies},
    record::{Opener, Sealer},
};

use super::vectors;

/// Alice's key and her login.
static ALICE: LazyLock<(PrivateKey, Vec<u8>)> = LazyLock::new(|| {
    let key = PrivateKey::from_pem(&vectors::faithful_private_key()).expect("a published key");
    let login = key.public_key().encrypt(b"alice").expect("a short name");
    (key, login)
});

/// Runs one input: the first byte chooses what it is.
pub fn run(data: &[u8]) {
    match data.split_first() {
        Some((0, bytes)) => login(bytes),
        Some((1, bytes)) => replies(bytes),
        Some((2, bytes)) => texts(bytes),
        Some((_, bytes)) => names(bytes),
        None => {}
    }
}

fn login(bytes: &[u8]) {
    let (key, honest) = &*ALICE;
    let alice = UserName::parse("alice").expect("a name");
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let right = bytes.len() <= 128 && bytes[zeros..] == honest[..];
    let taken = accept(bytes, [(alice, key.clone())]);
    assert_eq!(taken.is_ok(), right);
}

fn replies(bytes: &[u8]) {
    let (key, _) = &*ALICE;
    let alice = UserName::parse("alice").expect("a name");
    let (client, _) = ExpectReplies::start(&alice, &key.public_key()).expect("a short name");
    if let Ok(secrets) = client.replies(bytes) {
        assert_eq!(encode_replies(&secrets).concat(), bytes);
    }
}

fn texts(bytes: &[u8]) {
    let secrets = SessionSecrets::new([7; 32], [9; 8]);
    let opened = Opener::new(&secrets).open(bytes);
    assert_eq!(opened.len(), bytes.len());
    let sealed = Sealer::new(&secrets).seal(&opened);
    assert_eq!(sealed.is_ok(), (1..=MAX_TEXT).contains(&bytes.len()));
    assert!(sealed.is_ok_and(|sealed| sealed == bytes) || !(1..=MAX_TEXT).contains(&bytes.len()));
    assert_eq!(
        Message::decode(bytes) == Message::Quit,
        bytes == QUIT.as_bytes()
    );
}

fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(name) = UserName::parse(text) {
        let path = std::path::Path::new("keys").join(name.as_str());
        assert_eq!(path.parent(), Some(std::path::Path::new("keys")));
        assert!(!text.contains(['\n', '\r', '\0']) && text.len() < 128);
    }
}
