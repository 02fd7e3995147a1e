//! Passwords as argon2id hashes (RFC 9106) in PHC strings: `$argon2id$v=19$m=65536,t=3,p=1$salt$hash`.
//!
//! As a new server is configured, one guess costs 64 MiB and about 0.15 s, also for a thief of the file. Both functions keep a
//! processor busy for that time: an asynchronous program runs them in `spawn_blocking`. Neither keeps a copy of the
//! password; wiping the one that was handed in is for its owner.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use thiserror::Error;

/// Shortest new password, in bytes.
pub const MIN_LEN: usize = latchstring_protocol::hardened::message::MIN_NEW_PASSWORD;
/// Longest password, in bytes: the protocol's login message has no more room.
pub const MAX_LEN: usize = latchstring_protocol::hardened::message::MAX_PASSWORD;

/// The most that a stored hash may ask for: 256 MiB, 16 passes, 4 lanes. More could only be a mistake, or an attacker
/// who can write to the store and wants to stop the server.
const LIMIT: Cost = Cost {
    memory_kib: 256 * 1024,
    passes: 16,
    lanes: 4,
};

/// The least memory of a hash that an operator may choose, in MiB. With [`MIN_PASSES`] it is the least that OWASP's cheat
/// sheet on password storage recommends for argon2id.
pub const MIN_MEMORY_MIB: u32 = 19;
/// The most memory of a hash, in MiB.
pub const MAX_MEMORY_MIB: u32 = LIMIT.memory_kib / 1024;
/// The fewest passes of a hash that an operator may choose.
pub const MIN_PASSES: u32 = 2;
/// The most passes of a hash.
pub const MAX_PASSES: u32 = LIMIT.passes;

/// The cost of one hash. One lane is all that is chosen: a hash is computed on one processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// A cost that an operator may choose: [`MIN_MEMORY_MIB`] to [`MAX_MEMORY_MIB`], and [`MIN_PASSES`] to [`MAX_PASSES`].
    /// `None` for any other.
    pub fn new(memory_mib: u32, passes: u32) -> Option<Self> {
        let allowed = (MIN_MEMORY_MIB..=MAX_MEMORY_MIB).contains(&memory_mib)
            && (MIN_PASSES..=MAX_PASSES).contains(&passes);
        allowed.then(|| Self {
            memory_kib: memory_mib * 1024,
            passes,
            lanes: 1,
        })
    }

    /// The cost of a stored hash.
    ///
    /// # Errors
    /// [`PasswordError::Stored`] as [`verify`].
    pub fn of(phc: &str) -> Result<Self, PasswordError> {
        parse(phc).map(|(_, cost)| cost)
    }

    /// The memory of one hash, in MiB.
    pub fn memory_mib(self) -> u32 {
        self.memory_kib / 1024
    }

    /// How often a hash goes over its memory.
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// The cost in a new server: 64 MiB, 3 passes, 1 lane. (RFC 9106, section 4, second choice, with one lane for
    /// it runs on one processor.)
    pub const DEPLOYED: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// 64 KiB and 1 pass: costs nothing and protects nothing. The lab uses it where time is not the lesson.
    pub const TOO_CHEAP_FOR_REAL_PASSWORDS: Self = Self {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };

    fn within(self, limit: Self) -> bool {
        self.memory_kib <= limit.memory_kib
            && self.passes <= limit.passes
            && self.lanes <= limit.lanes
    }
}

/// Why a password was not hashed or compared. Says nothing about the password but its length.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Too few bytes.
    #[error("the password has {0} bytes; choose one of at least 8")]
    TooShort(usize),
    /// Too many bytes.
    #[error("the password has {0} bytes; choose one of at most 128")]
    TooLong(usize),
    /// Not text.
    #[error("the password is not UTF-8 text")]
    NotUtf8,
    /// The stored hash has another format than this program's, or asks for far too much memory or time.
    #[error(
        "the stored password hash cannot be used ({0}); set a new one: latchstring-server user passwd"
    )]
    Stored(String),
    /// The library failed: there is not enough memory.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Checks a *new* password: 8 to 128 bytes of UTF-8. Length is all that is asked for, as in NIST SP 800-63B.
///
/// # Errors
/// [`PasswordError::TooShort`], [`PasswordError::TooLong`], [`PasswordError::NotUtf8`].
pub fn check_new(password: &[u8]) -> Result<(), PasswordError> {
    match password.len() {
        n if n < MIN_LEN => return Err(PasswordError::TooShort(n)),
        n if n > MAX_LEN => return Err(PasswordError::TooLong(n)),
        _ => {}
    }
    std::str::from_utf8(password).map_or(Err(PasswordError::NotUtf8), |_| Ok(()))
}

/// Hashes a new password with a fresh random `salt`; returns a PHC string.
///
/// # Errors
/// Those of [`check_new`]; [`PasswordError::Hash`] when there is not enough memory.
pub fn hash(password: &[u8], salt: [u8; 16], cost: Cost) -> Result<String, PasswordError> {
    check_new(password)?;
    let why = |e: &dyn std::fmt::Display| PasswordError::Hash(e.to_string());
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32));
    let params = params.map_err(|e| why(&e))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hashed: PasswordHash =
        (argon2.hash_password_with_salt(password, &salt)).map_err(|e| why(&e))?;
    Ok(hashed.to_string())
}

/// Whether this is the password of the stored PHC string. Hashes are compared in constant time.
///
/// # Errors
/// [`PasswordError::Stored`] when the PHC string is not argon2id or asks for more than 256 MiB, 16 passes or 4 lanes.
/// Such a string is refused before any work. [`PasswordError::Hash`] when there is not enough memory.
pub fn verify(phc: &str, password: &[u8]) -> Result<bool, PasswordError> {
    if password.len() > MAX_LEN {
        return Ok(false);
    }
    let (stored, _) = parse(phc)?;
    match Argon2::default().verify_password(password, &stored) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(why) => Err(PasswordError::Hash(why.to_string())),
    }
}

fn parse(phc: &str) -> Result<(PasswordHash, Cost), PasswordError> {
    let refuse = |why: &str| PasswordError::Stored(why.to_owned());
    let stored = PasswordHash::new(phc).map_err(|_| refuse("it is not a PHC string"))?;
    if stored.algorithm != argon2::ARGON2ID_IDENT || stored.version != Some(0x13) {
        return Err(refuse("it is not argon2id, version 19"));
    }
    if stored.salt.is_none() || stored.hash.is_none() {
        return Err(refuse("salt or hash is missing"));
    }
    let params = Params::try_from(&stored).map_err(|_| refuse("its parameters are not valid"))?;
    let cost = Cost {
        memory_kib: params.m_cost(),
        passes: params.t_cost(),
        lanes: params.p_cost(),
    };
    match cost.within(LIMIT) {
        true => Ok((stored, cost)),
        false => Err(refuse(
            "it asks for more than 256 MiB, 16 passes or 4 lanes",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost::TOO_CHEAP_FOR_REAL_PASSWORDS;
    const GOOD: &[u8] = b"correct horse";

    fn cheap(password: &[u8]) -> String {
        hash(password, [7; 16], CHEAP).expect("hashed")
    }

    #[test]
    fn deployed_hashes_cost_what_the_protocol_says() {
        let phc = hash(GOOD, [1; 16], Cost::DEPLOYED).expect("hashed");
        assert!(
            phc.starts_with("$argon2id$v=19$m=65536,t=3,p=1$AQEBAQEBAQEBAQEBAQEBAQ$"),
            "{phc}"
        );
        assert_eq!(verify(&phc, GOOD), Ok(true));
        assert_eq!(verify(&phc, b"Correct horse"), Ok(false));
    }

    /// From the reference implementation's `test.c`: argon2id, 2 passes, 2^16 KiB, 1 lane, "password", "somesalt".
    #[test]
    fn the_reference_implementation_agrees() {
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(verify(phc, b"password"), Ok(true));
        assert_eq!(verify(phc, b"passwore"), Ok(false));
    }

    #[test]
    fn a_chosen_cost_is_neither_too_low_nor_too_high() {
        assert_eq!(Cost::new(64, 3), Some(Cost::DEPLOYED));
        assert!(Cost::new(19, 2).is_some() && Cost::new(256, 16).is_some());
        for (memory_mib, passes) in [(18, 2), (257, 2), (64, 1), (64, 17), (0, 0), (u32::MAX, 3)] {
            assert_eq!(
                Cost::new(memory_mib, passes),
                None,
                "{memory_mib}, {passes}"
            );
        }
    }

    #[test]
    fn the_cost_of_a_hash_can_be_read_from_it() {
        assert_eq!(Cost::of(&cheap(GOOD)), Ok(CHEAP));
        assert!(Cost::of("plain").is_err());
    }

    #[test]
    fn a_new_password_has_8_to_128_bytes_of_text() {
        assert_eq!(check_new(b"1234567"), Err(PasswordError::TooShort(7)));
        assert_eq!(check_new(b"12345678"), Ok(()));
        assert_eq!(check_new(&[b'x'; 128]), Ok(()));
        assert_eq!(check_new(&[b'x'; 129]), Err(PasswordError::TooLong(129)));
        assert_eq!(check_new("päßwörd".as_bytes()), Ok(()));
        assert_eq!(check_new(&[0xff; 10]), Err(PasswordError::NotUtf8));
        assert!(hash(b"short", [0; 16], CHEAP).is_err());
    }

    #[test]
    fn the_salt_keeps_equal_passwords_apart() {
        let other = hash(GOOD, [8; 16], CHEAP).expect("hashed");
        assert_ne!(cheap(GOOD), other);
        assert_eq!(verify(&other, GOOD), Ok(true));
    }

    #[test]
    fn every_byte_of_the_password_counts() {
        let phc = cheap(&[b'x'; 128]);
        assert_eq!(verify(&phc, &[b'x'; 128]), Ok(true));
        assert_eq!(verify(&phc, &[b'x'; 127]), Ok(false));
        assert_eq!(verify(&phc, &[b'x'; 129]), Ok(false));
        assert_eq!(verify(&phc, b""), Ok(false));
    }

    #[test]
    fn a_hash_that_asks_for_the_whole_machine_is_refused_at_once() {
        let tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        for cost in [
            "m=4294967295,t=3,p=1",
            "m=262145,t=3,p=1",
            "m=65536,t=17,p=1",
            "m=65536,t=4294967295,p=1",
            "m=65536,t=3,p=5",
        ] {
            let refused = verify(&format!("$argon2id$v=19${cost}{tail}"), b"password");
            assert!(
                matches!(&refused, Err(PasswordError::Stored(why)) if why.contains("256 MiB")),
                "{cost}: {refused:?}"
            );
        }
    }

    #[test]
    fn what_is_not_our_hash_is_refused() {
        let good = cheap(GOOD);
        let cut = good.rsplit_once('$').expect("a hash").0;
        for bad in [
            "",
            "plain",
            "$1$salt$hash",
            cut,
            &good.replace("argon2id", "argon2i"),
            &good.replace("argon2id", "argon2d"),
            &good.replace("v=19", "v=16"),
            &good.replace("m=64", "m=1"),
            &good.replace("t=1", "t=0"),
            &good.replace("p=1", "p=0"),
            &good.replace("m=64", "m=99999999999"),
            &good.replace("p=1", "q=1"),
        ] {
            let refused = verify(bad, GOOD);
            assert!(
                matches!(refused, Err(PasswordError::Stored(_))),
                "{bad}: {refused:?}"
            );
        }
    }
}
