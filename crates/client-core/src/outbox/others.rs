//! Other files of an outbox's directory in which messages of the same user wait. Messages for this outbox are taken
//! over, and messages that nobody would ever send are reported: a waiting message must not be forgotten.
//!
//! An earlier version filed messages under the host's name and port, and wrote no host key down. `known_hosts` says
//! which names belong to which key. A file also goes astray when the host or the user gets another key.

use std::{
    fmt, fs,
    fs::OpenOptions,
    path::{Path, PathBuf},
};

use latchstring_net::{
    files::open_ours,
    protocol::hardened::{message::Fingerprint, primitives::hash},
    report::count,
};

use super::{Line, Outbox, OutboxError, Owner};
use crate::place::Place;

/// Messages of the user that wait in another file, and that no known host would get.
#[derive(Debug)]
pub struct Stray {
    /// The file.
    pub path: PathBuf,
    /// How many they are.
    pub messages: usize,
    /// Why they are not sent.
    pub why: WhyNot,
    /// The owner of the messages to send.
    owner: Owner,
}

/// Why messages of another file are not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum WhyNot {
    /// The messages are for this host, and were written with another key of the user.
    OtherKey(String),
    /// The messages are for a host key that `known_hosts` does not name.
    UnknownHost(String),
    /// An earlier version kept the messages, for an unknown host name or key.
    Earlier,
    /// The file cannot be read.
    Unreadable(OutboxError),
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let messages = count(self.messages as u64, "message");
        let Owner { host, user, key } = &self.owner;
        match &self.why {
            WhyNot::OtherKey(other) => write!(
                f,
                "{messages} in {path} were written with your key {other} and are not sent with this one. Connect with \
                 that key (--key FILE). If you no longer have it, write {key} in its place in line 1 of the file, and \
                 connect again"
            ),
            WhyNot::UnknownHost(other) => write!(
                f,
                "{messages} in {path} are for the host key {other}, which known_hosts does not name, and are not sent. \
                 If this host had that key before, write {host} in its place in line 1 of the file, and connect again"
            ),
            WhyNot::Earlier => write!(
                f,
                "{messages} in {path} are not sent: an earlier version kept them under a host name or a key that \
                 is not known here. Connect with the name and the key that were used then. If the messages are for this host, \
                 you can also put this line at the beginning of the file, and connect again: \
                 {{\"for\":{{\"host\":\"{host}\",\"user\":\"{user}\",\"key\":\"{key}\"}}}}"
            ),
            WhyNot::Unreadable(why) => {
                write!(f, "messages may wait in {path} and are not sent: {why}")
            }
        }
    }
}

/// The action for a file.
enum Belongs {
    Here,
    /// Its own host gets it, or nothing waits in it.
    Elsewhere,
    Nowhere(Stray),
}

impl Outbox {
    /// Takes over what waits for this host, user and key in other files, and deletes those. `hosts` is what is known of
    /// hosts: `HOST:PORT`, and the key of each. Returns what waits in files that belong to none of them.
    ///
    /// # Errors
    /// [`OutboxError`] of this file or of one that belongs here; then nothing of that one has changed.
    pub fn adopt(
        &mut self,
        dir: &Path,
        hosts: &[(String, Fingerprint)],
    ) -> Result<Vec<Stray>, OutboxError> {
        let mut strays = Vec::new();
        for name in self.other_names(dir)? {
            match self.belongs(dir, &name, hosts) {
                Belongs::Here => self.adopt_file(dir, &name)?,
                Belongs::Elsewhere => {}
                Belongs::Nowhere(stray) => strays.push(stray),
            }
        }
        Ok(strays)
    }

    /// The names of the user's other files, of this version and of an earlier one.
    fn other_names(&self, dir: &Path) -> Result<Vec<String>, OutboxError> {
        let failed = |source| OutboxError::Io {
            path: dir.to_owned(),
            source,
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed)? {
            let Ok(name) = entry.map_err(failed)?.file_name().into_string() else {
                continue;
            };
            let stem = name.strip_suffix(".jsonl");
            let parts = stem.and_then(|stem| stem.rsplit_once('-'));
            let is_one = parts.is_some_and(|(user, digits)| {
                let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
                user == self.owner.user.as_str() && hex && [16, 32].contains(&digits.len())
            });
            if is_one && !self.path.ends_with(&name) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn belongs(&self, dir: &Path, name: &str, hosts: &[(String, Fingerprint)]) -> Belongs {
        let named = |(host, _): &&(String, Fingerprint)| {
            (earlier_names(host, &self.owner).iter()).any(|earlier| earlier == name)
        };
        let mut named = hosts.iter().filter(named).peekable();
        if named.peek().is_some() {
            return match named.any(|(_, key)| *key == self.owner.host) {
                true => Belongs::Here,
                false => Belongs::Elsewhere,
            };
        }
        let path = dir.join(name);
        let stray = |messages, why| {
            Belongs::Nowhere(Stray {
                path: path.clone(),
                messages,
                why,
                owner: self.owner.clone(),
            })
        };
        let other = match self.look_at(&path) {
            Ok(other) => other,
            Err(why) => return stray(0, WhyNot::Unreadable(why)),
        };
        let messages = other.waiting.len() + other.too_long.len();
        let Some(said) = other.said.filter(|_| messages > 0) else {
            return match messages {
                0 => Belongs::Elsewhere,
                _ => stray(messages, WhyNot::Earlier),
            };
        };
        let ours = self.owner_in_words();
        let [host, _, key] = said.clone();
        match () {
            () if said == ours => Belongs::Here,
            () if host == ours[0] => stray(messages, WhyNot::OtherKey(key)),
            () if hosts.iter().any(|(_, known)| known.to_string() == host) => Belongs::Elsewhere,
            () => stray(messages, WhyNot::UnknownHost(host)),
        }
    }

    /// The content of another file, which is neither locked nor changed: another client may use it.
    fn look_at(&self, path: &Path) -> Result<Self, OutboxError> {
        let file = open_ours(path, OpenOptions::new().read(true));
        let file = file.map_err(|source| OutboxError::Io {
            path: path.to_owned(),
            source,
        })?;
        let mut other = Self::blank(self.owner.clone(), path.to_owned(), file);
        other.read_lines()?;
        Ok(other)
    }

    fn adopt_file(&mut self, dir: &Path, name: &str) -> Result<(), OutboxError> {
        let old = Self::open_file(dir, name, self.owner.clone())?;
        let bytes = fs::read(&old.path).map_err(|source| old.failed(source))?;
        let from = hex::encode(&hash(&[&bytes])[..16]);
        let messages: Vec<_> = (old.waiting.iter())
            .map(|one| (one.id, one.text.clone()))
            .collect();
        let nothing = messages.is_empty() && old.too_long.is_empty();
        // A crash may have come between the line and the deletion.
        if !nothing && !self.adopted.contains(&from) {
            // What cannot be sent has lines of its own: whoever deletes one deletes no other message.
            let too_long = old.too_long.iter().map(|one| Line::Message {
                id: one.id,
                text: one.text.clone(),
            });
            let lines: Vec<_> = too_long.chain([Line::Adopted { from, messages }]).collect();
            self.append(&lines)?;
            self.sync()?;
            // Read again, so that the lines of what cannot be sent are those of this file.
            self.reread()?;
        }
        fs::remove_file(&old.path).map_err(|source| old.failed(source))
    }
}

/// How an earlier version would have called the file for this host, user and key.
fn earlier_names(host_port: &str, owner: &Owner) -> Vec<String> {
    let place: Option<Place> = host_port.parse().ok();
    let spellings = place.map_or(Vec::new(), |place| place.earlier_spellings());
    let name = |spelling: &String| {
        let name = hash(&[spelling.as_bytes(), b"\0", &owner.key.0]);
        format!("{}-{}.jsonl", owner.user, hex::encode(&name[..8]))
    };
    spellings.iter().map(name).collect()
}
