//! Passwords as argon2id hashes (RFC 9106) in PHC strings: `$argon2id$v=19$m=65536,t=3,p=1$salt$hash`.
//!
//! A hash that was made with a pepper names it: `keyid=` and eight hexadecimal digits, after `p=1`.
//!
//! As a new server is configured, one guess costs 64 MiB and about 0.15 s, also for a thief of the file. Both functions keep a
//! processor busy for that time: an asynchronous program runs them in `spawn_blocking`. Neither keeps a copy of the
//! password; wiping the one that was handed in is for its owner.

mod pepper;

use argon2::{
    Algorithm, Argon2, Params, ParamsBuilder, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use thiserror::Error;

pub use pepper::{MAX_PEPPER, MIN_PEPPER, Pepper, PepperError, Peppers};

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
    /// The hash needs a pepper that this server does not know.
    #[error(
        "the stored password hash was made with the pepper {0}, which is not configured; name its file in pepper_file, in server.toml"
    )]
    NoPepper(String),
    /// A hash from another store that is not taken over.
    #[error("the password hash is not taken over: {0}; leave the user out, and invite this person")]
    Foreign(String),
    /// Attackers try this password first.
    #[error(
        "the password is in the list of breached passwords, which attackers try first; choose another one, for example four random words"
    )]
    Breached,
    /// Nobody can say whether the password is a breached one.
    #[error("the list of breached passwords cannot be used: {0}")]
    List(String),
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
    hash_with(password, salt, cost, None)
}

/// As [`hash`], with a pepper. The PHC string names it.
///
/// # Errors
/// As [`hash`].
pub fn hash_with(
    password: &[u8],
    salt: [u8; 16],
    cost: Cost,
    pepper: Option<&Pepper>,
) -> Result<String, PasswordError> {
    check_new(password)?;
    let mut params = ParamsBuilder::new();
    (params.m_cost(cost.memory_kib))
        .t_cost(cost.passes)
        .p_cost(cost.lanes)
        .output_len(32);
    if let Some(pepper) = pepper {
        params.keyid(pepper.key_id().map_err(failed)?);
    }
    let argon2 = argon2(params.build().map_err(failed)?, pepper)?;
    let hashed: PasswordHash = (argon2.hash_password_with_salt(password, &salt)).map_err(failed)?;
    Ok(hashed.to_string())
}

/// Whether this is the password of the stored PHC string. Hashes are compared in constant time.
///
/// # Errors
/// [`PasswordError::Stored`] when the PHC string is not argon2id or asks for more than 256 MiB, 16 passes or 4 lanes.
/// Such a string is refused before any work. [`PasswordError::NoPepper`] when it was made with a pepper, and
/// [`PasswordError::Hash`] when there is not enough memory.
pub fn verify(phc: &str, password: &[u8]) -> Result<bool, PasswordError> {
    verify_with(phc, password, &Peppers::default())
}

/// As [`verify`], for hashes that were made with one of these peppers or without any.
///
/// # Errors
/// As [`verify`]; [`PasswordError::NoPepper`] when it was made with another pepper.
pub fn verify_with(phc: &str, password: &[u8], peppers: &Peppers) -> Result<bool, PasswordError> {
    if password.len() > MAX_LEN {
        return Ok(false);
    }
    let (stored, _) = parse(phc)?;
    let pepper = match keyid(&stored) {
        None => None,
        Some(id) => {
            let known = peppers.find(&id);
            Some(known.ok_or(PasswordError::NoPepper(id))?)
        }
    };
    match argon2(Params::default(), pepper)?.verify_password(password, &stored) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(why) => Err(failed(why)),
    }
}

/// The name of the pepper that a stored hash was made with, if there was one.
///
/// # Errors
/// [`PasswordError::Stored`] as [`verify`].
pub fn pepper_of(phc: &str) -> Result<Option<String>, PasswordError> {
    parse(phc).map(|(stored, _)| keyid(&stored))
}

/// Checks a hash that another server made. It must be argon2id, at a cost that an operator may choose, and without a
/// pepper or with a known one.
///
/// # Errors
/// [`PasswordError::Foreign`].
pub fn check_foreign(phc: &str, peppers: &Peppers) -> Result<(), PasswordError> {
    let foreign = |why: String| Err(PasswordError::Foreign(why));
    if !phc.starts_with("$argon2id$") {
        return foreign("it is not argon2id".to_owned());
    }
    let (stored, cost) = match parse(phc) {
        Ok(parsed) => parsed,
        Err(PasswordError::Stored(why)) => return foreign(why),
        Err(why) => return foreign(why.to_string()),
    };
    if cost.memory_mib() < MIN_MEMORY_MIB || cost.passes < MIN_PASSES {
        return foreign(format!(
            "it costs less than {MIN_MEMORY_MIB} MiB and {MIN_PASSES} passes"
        ));
    }
    let length = stored.hash.as_ref().map_or(0, |hash| hash.len());
    if length < 16 || stored.params.get_str("data").is_some() {
        return foreign("it is too short, or has a parameter that is not known here".to_owned());
    }
    match keyid(&stored).filter(|id| peppers.find(id).is_none()) {
        None => Ok(()),
        Some(id) => foreign(format!(
            "it was made with the pepper {id}, which pepper_file does not name"
        )),
    }
}

fn keyid(stored: &PasswordHash) -> Option<String> {
    stored.params.get_str("keyid").map(str::to_owned)
}

fn argon2(params: Params, pepper: Option<&Pepper>) -> Result<Argon2<'_>, PasswordError> {
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    match pepper {
        None => Ok(Argon2::new(algorithm, version, params)),
        Some(pepper) => {
            Argon2::new_with_secret(pepper.secret(), algorithm, version, params).map_err(failed)
        }
    }
}

fn failed(why: impl std::fmt::Display) -> PasswordError {
    PasswordError::Hash(why.to_string())
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
mod tests;
