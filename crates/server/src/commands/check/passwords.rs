//! The files that `[passwords]` names: peppers, and the list of breached passwords.

use std::{collections::BTreeMap, path::Path};

use latchstring_server_core::{
    breached::BreachedList,
    config::{Config, Passwords},
    pepper::{load, load_one},
    store::{
        Account,
        password::{Pepper, pepper_of},
    },
};

use super::finding::Finding;

const ABOUT: &str = "pepper";
/// So many names fit into a line.
const NAMES: usize = 5;

/// The peppers and the list. Nothing is said about what is not configured.
pub(super) fn files(config: &Config) -> Vec<Finding> {
    let settings = &config.passwords;
    let mut found: Vec<_> = (settings.pepper_files.iter())
        .map(|path| pepper(path, &config.database))
        .collect();
    // Each one may be in order, and all together not.
    if found.iter().all(Finding::is_ok)
        && let Err(why) = load(&settings.pepper_files)
    {
        found.push(Finding::error(ABOUT, why));
    }
    if let Some(path) = &settings.breached {
        let about = "breached list";
        found.push(match BreachedList::open(path) {
            Ok(_) => Finding::ok(about, path.display()),
            Err(why) => Finding::error(about, why),
        });
    }
    found
}

fn pepper(path: &Path, store: &Path) -> Finding {
    let pepper = match load_one(path) {
        Ok(pepper) => pepper,
        Err(why) => return Finding::error(ABOUT, why),
    };
    let (id, path) = (pepper.id(), path.to_owned());
    if beside(&path, store) {
        return Finding::warning(
            ABOUT,
            format_args!(
                "{} ({id}) is in the directory of the account store, and a thief of that directory has both; move it elsewhere, and \
                 change pepper_file in server.toml",
                path.display()
            ),
        );
    }
    Finding::ok(ABOUT, format_args!("{} ({id})", path.display()))
}

/// Whether a file is in the directory of the store, or below it.
fn beside(path: &Path, store: &Path) -> bool {
    let store = store.parent().and_then(|folder| folder.canonicalize().ok());
    let path = path.canonicalize().ok();
    path.zip(store)
        .is_some_and(|(path, folder)| path.starts_with(folder))
}

/// Users whose stored hash needs a pepper that is not configured: they cannot log in.
pub(super) fn without_pepper(settings: &Passwords, accounts: &[Account]) -> Vec<Finding> {
    let peppers = settings
        .pepper_files
        .iter()
        .filter_map(|path| load_one(path).ok());
    let known: Vec<_> = peppers
        .map(|pepper: Pepper| pepper.id().to_owned())
        .collect();
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for one in accounts.chunk_by(|one, next| one.user == next.user) {
        if let Ok(Some(id)) = pepper_of(&one[0].password_hash)
            && !known.contains(&id)
        {
            missing.entry(id).or_default().push(one[0].user.as_str());
        }
    }
    let findings = missing.into_iter().map(|(id, users)| {
        let more = users.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names = users[..users.len().min(NAMES)].join(", ");
        Finding::error(
            ABOUT,
            format_args!(
                "{names}{more} cannot log in, because their password hashes were made with the pepper {id}; name its file in \
                 pepper_file, in server.toml. If it is lost: latchstring-server user passwd"
            ),
        )
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use latchstring_server_core::store::password::{Cost, hash_with};

    use super::*;

    fn pepper() -> Pepper {
        Pepper::new((0..32).collect::<Vec<u8>>().into()).unwrap()
    }

    fn account(n: usize, pepper: Option<&Pepper>) -> Account {
        let cost = Cost::TOO_CHEAP_FOR_REAL_PASSWORDS;
        let hash = hash_with(b"correct horse", [7; 16], cost, pepper).unwrap();
        let user = format!("user{n}").parse().unwrap();
        Account::new(user, vec![n as u8], hash, 0)
    }

    #[test]
    fn users_whose_pepper_is_not_there_are_named() {
        let none = Passwords::default();
        let without: Vec<_> = (0..3).map(|n| account(n, None)).collect();
        assert!(without_pepper(&none, &without).is_empty());
        let with: Vec<_> = (0..7).map(|n| account(n, Some(&pepper()))).collect();
        let found = without_pepper(&none, &with);
        let [one] = &found[..] else {
            panic!("{found:?}")
        };
        assert!(!one.is_ok(), "{one}");
        assert!(
            one.text
                .starts_with("user0, user1, user2, user3, user4 and 2 more"),
            "{one}"
        );
        assert!(one.text.contains(pepper().id()), "{one}");
    }
}
