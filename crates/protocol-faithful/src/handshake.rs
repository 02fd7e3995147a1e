//! The order of the handshake's messages. They prove nothing.
//!
//! The names are those of `hardened::handshake` wherever both have the step:
//!
//! ```text
//! client  ExpectReplies -> Sealer
//! server  accept()      -> Authenticated -> Opener
//! ```
//!
//! No transcript: nothing refers to what was said before, so every message can be taken out of its session and sent again.
//! See `hardened::handshake`.

mod client;
mod server;

pub use client::ExpectReplies;
pub use server::{Authenticated, Refusal, RefusalReason, accept};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::{PrivateKey, SessionSecrets},
        message::UserName,
        record::Sealer,
    };
    use std::sync::LazyLock;

    /// Written by PyCrypto 2.6.1; generating keys takes seconds in a debug build.
    static VECTORS: LazyLock<serde_json::Value> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../../tests/vectors/faithful.json")).unwrap()
    });

    fn candidate(i: usize) -> (UserName, PrivateKey) {
        let user = &VECTORS["pycrypto"]["users"][i];
        let name = UserName::parse(user["name"].as_str().unwrap()).unwrap();
        let key = PrivateKey::from_pem(user["private"].as_str().unwrap()).unwrap();
        (name, key)
    }

    #[test]
    fn the_first_candidate_that_fits_wins_and_no_later_key_is_read() {
        let ((alice, a), (bob, b)) = (candidate(0), candidate(1));
        let (_, login) = ExpectReplies::start(&alice, &a.public_key()).unwrap();
        let mut read = 0;
        let list = [(bob.clone(), b.clone()), (alice.clone(), a), (bob, b)];
        let found = accept(&login, list.into_iter().inspect(|_| read += 1)).unwrap();
        assert_eq!((found.user(), read), (&alice, 2));
    }

    #[test]
    fn both_ends_hold_the_same_secrets() {
        let (alice, key) = candidate(0);
        let (client, login) = ExpectReplies::start(&alice, &key.public_key()).unwrap();
        let secrets = SessionSecrets::new([3; 32], [4; 8]);
        let (opener, replies) = accept(&login, [(alice, key)]).unwrap().welcome(&secrets);
        let sealer = Sealer::new(&client.replies(&replies.concat()).unwrap());
        assert_eq!(&opener.open(&sealer.seal(b"hello").unwrap())[..], b"hello");
    }

    #[test]
    fn what_is_no_login_is_refused_with_its_reason() {
        let reason = |login: &[u8]| {
            accept(login, [candidate(0), candidate(1)])
                .unwrap_err()
                .reason()
                .clone()
        };
        assert_eq!(reason(&[]), RefusalReason::SentNothing);
        assert!(matches!(reason(&[1; 129]), RefusalReason::NotALogin(_)));
        assert_eq!(reason(&[0xff; 128]), RefusalReason::TooLarge { tried: 2 });
        assert_eq!(
            reason(&[0x11; 128]),
            RefusalReason::UnknownUser { tried: 2 }
        );
        assert_eq!(reason(&[0]), RefusalReason::UnknownUser { tried: 2 });
        assert_eq!(
            accept(&[1], []).unwrap_err().reason(),
            &RefusalReason::NoKeys
        );
    }

    #[test]
    fn a_number_above_the_modulus_is_refused_although_it_is_congruent_to_a_login() {
        let (alice, key) = candidate(0);
        let n = key.public_key().modulus();
        assert!(accept(&n, [(alice.clone(), key.clone())]).is_err());
        // Leading zeros do not change the number, and PyCrypto does not mind them either.
        let (_, login) = ExpectReplies::start(&alice, &key.public_key()).unwrap();
        let short = [&vec![0; 128 - login.len()][..], &login].concat();
        assert!(accept(&short, [(alice, key)]).is_ok());
    }
}
