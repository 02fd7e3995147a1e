//! The scene: what is made for each student, and for each hidden instance.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use latchstring_attacker::{
    cryptanalysis::generators::Generator, protocol::hardened::defence::Defence,
};
use latchstring_cli::suggest::nearest;
use serde::Deserialize;

/// The parts that are made for a student: accounts, recordings and other files.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scene {
    /// Users of the faithful target, in the order of its list.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Users whose accounts come last in the list, and whose public keys nobody gets.
    #[serde(default)]
    pub unlisted: Vec<String>,
    /// People with a public key and without an account.
    #[serde(default)]
    pub strangers: Vec<String>,
    /// The folder in which the student finds their public keys.
    pub public_keys: Option<String>,
    /// Pools that words are drawn from: `{place}` or `{place.1}` is the first of its pool, `{place.2}` another.
    #[serde(default)]
    pub words: BTreeMap<String, Vec<String>>,
    /// Servers that draw their keys from a weak generator.
    #[serde(default, rename = "server")]
    pub servers: Vec<WeakServer>,
    /// A text in an RSA envelope, with the padding of PKCS#1 v1.5.
    pub envelope: Option<EnvelopeFile>,
    /// Sessions that are really run and recorded.
    #[serde(default, rename = "session")]
    pub sessions: Vec<Recording>,
    /// Folders of public keys, some of them faulty.
    #[serde(default, rename = "keys")]
    pub keys: Vec<KeyFolder>,
    /// Password stores, as a thief finds them.
    #[serde(default, rename = "store")]
    pub stores: Vec<StolenStore>,
    /// Texts, such as the log of a server.
    #[serde(default, rename = "document")]
    pub documents: Vec<Document>,
}

/// A text file that is filled in with facts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The prefix of its facts.
    pub id: String,
    /// The name of the file.
    pub file: String,
    /// Its text, with facts in braces.
    pub text: String,
}

/// A server of the faithful protocol that seeded a weak generator at its start, and never again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WeakServer {
    /// The prefix of its facts.
    pub id: String,
    /// The generator, by the name that `latchstring weak-server` has for it.
    pub generator: String,
    /// The first possible seed: a number, in which facts are filled in.
    pub from: String,
    /// The number of possible seeds, in the same way.
    pub seeds: String,
}

/// A folder of public keys of 1024 bits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyFolder {
    /// The prefix of its facts.
    pub id: String,
    /// The name of the folder.
    pub folder: String,
    /// The owners of the keys.
    pub names: Vec<String>,
    /// How many keys have primes that are close to each other: a number, in which facts are filled in.
    pub close: String,
    /// How many keys have one prime in common, in the same way.
    pub shared: String,
}

/// A file with users and the stored forms of their passwords.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StolenStore {
    /// The prefix of its facts.
    pub id: String,
    /// The name of the file.
    pub file: String,
    /// How passwords are stored.
    pub hash: Hash,
    /// So many of the users are drawn for each instance; without it all are in the store.
    pub draw: Option<usize>,
    /// The users.
    pub users: Vec<StoredUser>,
}

/// How passwords are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// SHA-256 over a salt of 16 bytes and the password.
    Sha256,
    /// argon2id, as the hardened server stores them.
    Argon2id,
}

/// A user of a store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoredUser {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// Whether the lab's program must find it.
    #[serde(default)]
    pub falls: bool,
}

/// A text in an RSA envelope.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeFile {
    /// The file with modulus, exponent and ciphertext.
    pub file: String,
    /// The text, of at most 53 bytes.
    pub text: String,
}

/// One recorded session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recording {
    /// The prefix of its facts.
    pub id: String,
    /// The protocol.
    pub protocol: Protocol,
    /// The weak server of the scene that it is with. Its sessions come one after the other, in the order of the scene.
    pub server: Option<String>,
    /// Leave these defences of the hardened protocol out, by their ids.
    #[serde(default)]
    pub without: Vec<String>,
    /// The capture file; facts in its name are filled in.
    pub file: String,
    /// The messages that the user types.
    pub messages: Vec<String>,
    /// Set all that the server says to zero: no session key to be seen.
    #[serde(default)]
    pub blank_server: bool,
}

impl Scene {
    /// The session with this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn session(&self, id: &str) -> anyhow::Result<&Recording> {
        let mut sessions = self.sessions.iter();
        let found = sessions.find(|session| session.id == id);
        found.with_context(|| format!("the scene has no session {id:?}"))
    }

    /// Whether its parts fit together.
    ///
    /// # Errors
    /// With the name of what does not fit.
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        for server in &self.servers {
            let generator = server.generator.parse::<Generator>();
            generator.with_context(|| format!("the server {:?} cannot be made", server.id))?;
        }
        for session in &self.sessions {
            let Some(wanted) = &session.server else {
                continue;
            };
            let id = &session.id;
            ensure!(
                self.servers.iter().any(|server| server.id == *wanted),
                "the session {id:?} is with the server {wanted:?}, and there is no [[scene.server]] with this id"
            );
            ensure!(
                session.protocol == Protocol::Faithful,
                "the session {id:?} is with a weak server, which speaks the faithful protocol only: take `server` out"
            );
        }
        for store in &self.stores {
            let (id, users) = (&store.id, store.users.len());
            ensure!(
                store.draw.is_none_or(|draw| (1..=users).contains(&draw)),
                "`draw` of the store {id:?} is not from 1 to the number of its users, {users}"
            );
        }
        Ok(())
    }
}

impl Recording {
    /// The defences that are left out.
    ///
    /// # Errors
    /// When there is no such defence, or the protocol has none to leave out.
    pub fn left_out(&self) -> anyhow::Result<Vec<Defence>> {
        let (id, protocol) = (&self.id, self.protocol);
        ensure!(
            self.without.is_empty() || protocol == Protocol::Hardened,
            "the session {id:?} leaves defences out, and only the hardened protocol has any: take `without` out"
        );
        let find = |name: &String| {
            let unknown = || {
                let hint = nearest(name, Defence::ALL.iter().map(|defence| defence.id()));
                format!(
                    "the session {id:?} leaves out {name:?}, and there is no such defence{hint}; `latchstring-attack list` names them"
                )
            };
            Defence::find(name).with_context(unknown)
        };
        self.without.iter().map(find).collect()
    }
}

/// Faithful or hardened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The report's; the first account is who logs in.
    Faithful,
    /// `latch/2`; alice logs in with the lab's published keys.
    Hardened,
}
