//! Who is who: the arena's people, with the part of their keys that a rung asks for.

use latchstring_arena::{
    keys::{HOST_PEM, Seeded},
    peers::{
        self, ALICE, PASSWORD,
        people::{FAITHFUL_KEYS, PEOPLE},
    },
};
use latchstring_attacker::{
    Target,
    protocol_faithful::{
        keys::{PrivateKey, PublicKey},
        message::UserName,
    },
};
use rand::rngs::ChaCha20Rng;

use crate::{
    accounts::Account,
    login::Identity,
    rung::{Idea, Rung},
    signature::{self, SigningKey},
};

/// Alice's password as a server of rung 7 or 8 stores it: argon2id with 19 MiB, 2 passes and 1 lane.
pub const ALICES_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$bGF0Y2hzdHJpbmcgbGFkLg$qUHxsog8wRrMXYCzxsKoVWknJ/EWN7arxoCV68mAoiE";
/// The password of one other user: a server must not know one password for everybody.
pub const ZOES_PASSWORD: &str = "\u{17e}lut\u{fd} k\u{16f}\u{148}, 2 pipes";
/// That password as a server stores it, at the same cost.
pub const ZOES_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$bGF0Y2hzdHJpbmcgWm/Dqw$xTxuBBkl2D17udCU6tJRLb8C+DN6PoT3fCryV6/EPVc";
const MALLORY_PEM: &str = include_str!("../../arena/keys/mallory.pem");

/// The generator of one party, from the run's seed.
pub fn rng(seed: u64, who: &str) -> ChaCha20Rng {
    Seeded::new(seed, who).into_rng()
}

/// The host's key.
pub fn host() -> SigningKey {
    published(HOST_PEM)
}

/// The key of the attacker's own host.
pub fn mallorys_host() -> SigningKey {
    published(MALLORY_PEM)
}

/// The fingerprint of the host's key: what honest clients pin.
pub fn pin() -> [u8; 32] {
    signature::fingerprint(host().spki())
}

/// Alice with all that she has.
pub fn alice() -> Identity {
    Identity {
        name: name(ALICE),
        public: Some(textbook(peers::public_key_pem(Target::Faithful))),
        key: Some(published(peers::private_key_pem(Target::Hardened))),
        password: PASSWORD.to_owned(),
    }
}

/// Everybody who is enrolled, in the order of the list.
pub fn accounts(rung: Rung) -> Vec<Account> {
    match rung.has(Idea::Proof) {
        false => FAITHFUL_KEYS.iter().map(with_private_key).collect(),
        true => {
            let enrolled = PEOPLE.iter().filter(|person| person.enrolled);
            enrolled
                .map(|person| Account {
                    name: name(person.name),
                    private: None,
                    spki: Some(public(person.public_key(Target::Hardened))),
                    phc: rung.has(Idea::Password).then(|| ALICES_HASH.to_owned()),
                })
                .collect()
        }
    }
}

/// The report's server holds everybody's private key.
fn with_private_key((user, private, _): &(&str, &str, &str)) -> Account {
    let private = PrivateKey::from_pem(private).expect("the published keys are well-formed");
    Account {
        name: name(user),
        private: Some(private),
        spki: None,
        phc: None,
    }
}

/// The public directory: names, and the key with which a textbook login is made. Some of them have an account.
pub fn directory() -> Vec<(&'static str, PublicKey)> {
    let key = |pem| textbook(pem);
    let people = PEOPLE.iter();
    people
        .map(|person| (person.name, key(person.public_key(Target::Faithful))))
        .collect()
}

/// Who of the directory has an account.
pub fn enrolled() -> Vec<(String, bool)> {
    let people = PEOPLE.iter();
    people
        .map(|person| (person.name.to_owned(), person.enrolled))
        .collect()
}

fn name(name: &str) -> UserName {
    UserName::parse(name).expect("the cast has good names")
}

fn textbook(pem: &str) -> PublicKey {
    PublicKey::from_pem(pem).expect("the published keys are well-formed")
}

fn published(pem: &str) -> SigningKey {
    SigningKey::from_pem(pem).expect("the published keys are well-formed")
}

fn public(pem: &str) -> Vec<u8> {
    signature::public_from_pem(pem).expect("the published keys are well-formed")
}
