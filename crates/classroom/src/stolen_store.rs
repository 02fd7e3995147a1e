//! Password stores, as a thief finds them.

use latchstring_arena::weakened::memory_hard;
use rand::{Rng, seq::SliceRandom};
use sha2::{Digest, Sha256};

use super::{
    catalogue::{Hash, StolenStore},
    facts::Facts,
    seed::Seed,
};

/// Makes the file of a store, and tells its facts. Each line is the name of a user and the stored password, in the order
/// of the names.
///
/// # Errors
/// When a text names a fact that does not exist, or a password cannot be stored.
pub fn make(store: &StolenStore, seed: &Seed, facts: &mut Facts) -> anyhow::Result<String> {
    let id = &store.id;
    let mut users: Vec<_> = store.users.iter().collect();
    users.shuffle(&mut seed.stream(&format!("users of {id}")));
    users.truncate(store.draw.unwrap_or(users.len()));
    let (mut lines, mut fallen) = (Vec::new(), Vec::new());
    for user in users {
        let (name, password) = (facts.fill(&user.name)?, facts.fill(&user.password)?);
        let mut salt = [0; 16];
        seed.stream(&format!("salt of {name} in {id}"))
            .fill_bytes(&mut salt);
        let stored = match store.hash {
            Hash::Sha256 => sha256(&password, &salt),
            Hash::Argon2id => memory_hard(&password, salt)?,
        };
        lines.push(format!("{name}:{stored}\n"));
        if user.falls {
            fallen.push(format!("{name} {password}"));
        }
    }
    lines.sort();
    facts.set(format!("{id}.users"), lines.len());
    facts.set(format!("{id}.fallen"), fallen.len());
    facts.set(format!("{id}.cracked"), fallen.join("\n"));
    Ok(lines.concat())
}

/// A fast hash, and its salt.
fn sha256(password: &str, salt: &[u8]) -> String {
    let hash = Sha256::new().chain_update(salt).chain_update(password);
    let hash = hash.finalize();
    format!("sha256:{}:{}", hex::encode(salt), hex::encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::StoredUser;

    fn store(hash: Hash) -> StolenStore {
        let user = |name: &str, password: &str, falls| StoredUser {
            name: name.to_owned(),
            password: password.to_owned(),
            falls,
        };
        StolenStore {
            id: "old".to_owned(),
            file: "stolen.txt".to_owned(),
            hash,
            draw: None,
            users: vec![
                user("bob", "{word}2019", true),
                user("ada", "long and never guessed", false),
            ],
        }
    }

    #[test]
    fn a_fast_hash_is_that_of_salt_and_password() {
        let mut facts = Facts::default();
        facts.set("word", "garden");
        let made = make(&store(Hash::Sha256), &Seed::chosen(1), &mut facts).unwrap();
        assert_eq!(
            facts
                .fill("{old.cracked}, {old.fallen} of {old.users}")
                .unwrap(),
            "bob garden2019, 1 of 2"
        );
        let lines: Vec<&str> = made.lines().collect();
        assert!(lines[0].starts_with("ada:sha256:"), "{made}");
        let parts: Vec<&str> = lines[1].split(':').collect();
        let salt = hex::decode(parts[2]).unwrap();
        assert_eq!(lines[1], format!("bob:{}", sha256("garden2019", &salt)));
    }

    #[test]
    fn a_slow_hash_has_the_form_of_the_hardened_store_and_a_short_password_is_refused() {
        let mut facts = Facts::default();
        facts.set("word", "garden");
        let made = make(&store(Hash::Argon2id), &Seed::chosen(1), &mut facts).unwrap();
        assert!(
            made.contains("bob:$argon2id$v=19$m=65536,t=3,p=1$"),
            "{made}"
        );
        facts.set("word", "x");
        assert!(make(&store(Hash::Argon2id), &Seed::chosen(1), &mut facts).is_err());
    }
}
