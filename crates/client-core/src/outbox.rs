//! Messages on disk until the server says that it holds them.
//!
//! One file for each (host key, user, user's key), because that is what message ids belong to: a host with two names has
//! one outbox. Each line is a JSON value:
//!
//! | line | what it says |
//! | --- | --- |
//! | `{"for":{"host":"SHA256:…","user":"ann","key":"SHA256:…"}}` | whose messages these are |
//! | `{"session":"…"}` | the public name of a session, before its first message goes out |
//! | `{"message":{"id":5,"text":"…"}}` | a message, before it goes out |
//! | `{"acked":5}` | the server holds all messages up to this id |
//! | `{"settled":{"last":9,"drop":[[5,"…"]]}}` | the server's last id was 9; it held these messages already (id, and the beginning of a hash of the text), and the others follow 9 |
//! | `{"adopted":{"from":"…","messages":[[5,"…"]]}}` | the messages of another file, which is gone |
//!
//! The file is only appended to, and emptied when nothing waits. So a crash at any moment leaves whole lines and at
//! most one torn line, whose message was never sent.

mod error;
mod file;
mod others;
mod survey;

use std::{
    collections::{HashSet, VecDeque},
    fs::File,
    io::{self, Read, Write},
    iter::successors,
    path::{Path, PathBuf},
};

use latchstring_net::protocol::hardened::{
    message::{Fingerprint, Held, MAX_TEXT, UserName},
    primitives::hash,
    session::{KIND_TEXT, content},
};

pub use error::OutboxError;
use file::{Line, open_locked};
pub use others::{Stray, WhyNot};
pub use survey::{Content, survey};

/// The user, host and key of an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The host's key, not one of its names: two names may lead to one host, and one name to two hosts.
    pub host: Fingerprint,
    /// The user.
    pub user: UserName,
    /// The user's key.
    pub key: Fingerprint,
}

/// A message that waits for its acknowledgement.
#[derive(Debug)]
struct Waiting {
    id: u64,
    text: String,
    /// Of the outbox's sessions, the first that may have sent it under this id. `None` if an earlier version, which did
    /// not write sessions down, may have sent it.
    since: Option<usize>,
}

impl Waiting {
    /// By what a line of the file names it.
    fn mark(&self) -> (u64, String) {
        let content = content(KIND_TEXT, &self.text);
        (self.id, hex::encode(&content[..8]))
    }
}

/// A message that no server takes.
#[derive(Debug)]
struct TooLong {
    line: usize,
    id: u64,
    text: String,
}

/// A message above the limit of a message, from an edited file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsendable {
    /// Its line in the file, counted from 1.
    pub line: usize,
    /// Its length.
    pub bytes: usize,
}

/// The result of a login for the waiting messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many of them the server held already: they wait no longer.
    pub stored: usize,
    /// The ids of those that are sent now, first and last; `None` if nothing waits.
    pub again: Option<(u64, u64)>,
    /// Whether they have other ids now than before.
    pub renumbered: bool,
    /// Whether the server holds messages of this user and key that were not sent from here.
    pub others: bool,
}

/// The messages for one host, user and key that wait for their acknowledgement.
#[derive(Debug)]
pub struct Outbox {
    owner: Owner,
    path: PathBuf,
    /// The file is locked as long as it is open.
    file: File,
    /// The server is known to have held all up to this id.
    acked: u64,
    waiting: VecDeque<Waiting>,
    too_long: Vec<TooLong>,
    /// Sessions that the file names, oldest first.
    sessions: Vec<[u8; 16]>,
    /// The present session, until the file names it.
    unnamed: Option<[u8; 16]>,
    /// Other files whose messages are in here, by their hash.
    adopted: Vec<String>,
    /// The owner that the file names: host, user, key.
    said: Option<[String; 3]>,
    /// Whether every message that was kept is on the disk.
    is_flushed: bool,
}

impl Outbox {
    /// Opens the outbox in `dir`, which is made if it does not exist, and locks it.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn open(dir: &Path, owner: Owner) -> Result<Self, OutboxError> {
        let name = hash(&[&owner.host.0, &owner.key.0]);
        let name = format!("{}-{}.jsonl", owner.user, hex::encode(&name[..16]));
        let mut this = Self::open_file(dir, &name, owner)?;
        if this.is_new()? {
            this.append(&[this.first_line()])?;
        }
        Ok(this)
    }

    fn open_file(dir: &Path, name: &str, owner: Owner) -> Result<Self, OutboxError> {
        let path = dir.join(name);
        let file = open_locked(dir, &path)?;
        let mut this = Self::blank(owner, path, file);
        this.read()?;
        Ok(this)
    }

    fn blank(owner: Owner, path: PathBuf, file: File) -> Self {
        Self {
            owner,
            path,
            file,
            acked: 0,
            waiting: VecDeque::new(),
            too_long: Vec::new(),
            sessions: Vec::new(),
            unnamed: None,
            adopted: Vec::new(),
            said: None,
            is_flushed: true,
        }
    }

    fn reread(&mut self) -> Result<(), OutboxError> {
        self.acked = 0;
        self.waiting.clear();
        self.too_long.clear();
        self.sessions.clear();
        self.adopted.clear();
        io::Seek::rewind(&mut self.file).map_err(|source| self.failed(source))?;
        self.read()
    }

    fn read(&mut self) -> Result<(), OutboxError> {
        let whole = self.read_lines()?;
        let said = self.said.as_ref();
        if said.is_some_and(|said| *said != self.owner_in_words()) {
            return Err(OutboxError::Foreign(self.path.clone()));
        }
        // A torn last line must not become the beginning of the next one.
        (self.file.set_len(whole)).map_err(|source| self.failed(source))
    }

    /// Reads the file's whole lines, and returns where the last of them ends.
    fn read_lines(&mut self) -> Result<u64, OutboxError> {
        let mut bytes = Vec::new();
        let read = self.file.read_to_end(&mut bytes);
        read.map_err(|source| self.failed(source))?;
        let whole = bytes
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        for (number, line) in bytes[..whole].split_inclusive(|b| *b == b'\n').enumerate() {
            let line = serde_json::from_slice(line).ok();
            let read = line.and_then(|line| self.take(line, number + 1));
            read.ok_or_else(|| OutboxError::BrokenLine {
                path: self.path.clone(),
                line: number + 1,
            })?;
        }
        Ok(whole as u64)
    }

    /// Does what a line says; `None` if it says nothing.
    fn take(&mut self, line: Line, number: usize) -> Option<()> {
        match line {
            Line::For { host, user, key } => self.said = Some([host, user, key]),
            Line::Session(name) => {
                let name = hex::decode(name).ok()?;
                self.sessions.push(name.try_into().ok()?);
            }
            Line::Message { id, text } => self.take_message(id, text, number),
            Line::Acked(up_to) => self.forget(up_to),
            Line::Settled { last, drop } => {
                self.apply(last, &drop);
            }
            Line::Adopted { from, messages } => {
                let sessions = std::mem::take(&mut self.sessions);
                for (id, text) in messages {
                    self.take_message(id, text, number);
                }
                self.sessions = sessions;
                self.adopted.push(from);
            }
        }
        Some(())
    }

    fn take_message(&mut self, id: u64, text: String, line: usize) {
        let since = self.sessions.len().checked_sub(1);
        match text.len() <= MAX_TEXT {
            true => self.waiting.push_back(Waiting { id, text, since }),
            false => self.too_long.push(TooLong { line, id, text }),
        }
    }

    /// Ids of waiting messages that the server may hold already, as its last id says. Ask what it holds under each, in
    /// this order, and bring the answers to [`Outbox::settle`].
    ///
    /// # Errors
    /// [`OutboxError::ServerForgot`] when it holds less than it has acknowledged.
    pub fn in_doubt(&self, last: u64) -> Result<Vec<u64>, OutboxError> {
        if last < self.acked {
            return Err(OutboxError::ServerForgot {
                path: self.path.clone(),
                last,
                acked: self.acked,
            });
        }
        let ids = self.waiting.iter().map(|one| one.id);
        Ok(ids.filter(|id| *id <= last).collect())
    }

    /// Settles with the server at the beginning of a session. Drops exactly the messages that it holds, which only the
    /// answers to [`Outbox::in_doubt`] can tell: an id alone may be that of another client's message. Gives the others
    /// the ids that follow `last`, the server's last one.
    ///
    /// # Errors
    /// [`OutboxError::Io`]: then nothing must be sent.
    pub fn settle(
        &mut self,
        session: [u8; 16],
        last: u64,
        answers: &[Option<Held>],
    ) -> Result<Settled, OutboxError> {
        self.unnamed = Some(session);
        let highest = self.waiting.iter().map(|one| one.id).max();
        let drop = self.stored(last, answers);
        let settled = Settled {
            stored: drop.len(),
            others: drop.len() < answers.len()
                || highest.is_some_and(|id| last > id)
                || highest.is_none() && self.acked > 0 && last > self.acked,
            ..Settled::default()
        };
        if highest.is_none() {
            if last > self.acked {
                self.acknowledged(last)?;
            }
            return Ok(settled);
        }
        let ids = self.waiting.iter().map(|one| one.id);
        let follows = ids.eq(after(last).take(self.waiting.len()));
        let renumbered = if follows {
            false
        } else {
            self.append(&[Line::Settled {
                last,
                drop: drop.clone(),
            }])?;
            self.apply(last, &drop)
        };
        let Some((first, last_one)) = self.waiting.front().zip(self.waiting.back()) else {
            self.acknowledged(last)?;
            return Ok(settled);
        };
        let again = Some((first.id, last_one.id));
        // On the disk before anything is sent: a crash must not bring the old ids back.
        self.name_session()?;
        self.sync()?;
        Ok(Settled {
            again,
            renumbered,
            ..settled
        })
    }

    /// The waiting messages that the server holds.
    fn stored(&self, last: u64, answers: &[Option<Held>]) -> Vec<(u64, String)> {
        let doubtful = self.waiting.iter().filter(|one| one.id <= last);
        // Where the text alone decides, ours come first: another client sends only after our session has ended.
        let mut ours_so_far = true;
        let mut stored = Vec::new();
        for (one, held) in doubtful.zip(answers) {
            let ours = held.is_some_and(|held| {
                let sent = self.may_have_sent(one, held.session);
                sent.unwrap_or(ours_so_far) && held.content == content(KIND_TEXT, &one.text)
            });
            ours_so_far &= ours;
            if ours {
                stored.push(one.mark());
            }
        }
        stored
    }

    /// Whether this session may have sent the message under its present id; `None` where nobody has kept the names.
    fn may_have_sent(&self, one: &Waiting, session: [u8; 16]) -> Option<bool> {
        let since = one.since.filter(|_| session != [0; 16])?;
        Some(self.sessions[since.min(self.sessions.len())..].contains(&session))
    }

    /// Drops these messages, and lets the others follow `last`. Returns whether any of those has another id now.
    fn apply(&mut self, last: u64, drop: &[(u64, String)]) -> bool {
        self.acked = self.acked.max(last);
        let mut drop: HashSet<_> = drop.iter().cloned().collect();
        // Each mark stands for one message, should a file hold the same one twice.
        self.waiting
            .retain(|one| one.id > last || !drop.remove(&one.mark()));
        let mut renumbered = false;
        for (id, one) in after(last).zip(&mut self.waiting) {
            if one.id != id {
                one.id = id;
                one.since = Some(self.sessions.len());
                renumbered = true;
            }
        }
        renumbered
    }

    /// The user, host and key.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Messages that wait, lowest id first.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = (u64, &str)> {
        self.waiting.iter().map(|one| (one.id, one.text.as_str()))
    }

    /// Messages of the file that are too long to be sent. They stay in it, and hold nothing else up.
    pub fn unsendable(&self) -> impl ExactSizeIterator<Item = Unsendable> {
        self.too_long.iter().map(|one| Unsendable {
            line: one.line,
            bytes: one.text.len(),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a message: it outlives this program when this returns. The message may be sent after [`Outbox::flush`],
    /// which makes it outlive the machine as well and takes much longer.
    ///
    /// # Errors
    /// [`OutboxError::Io`]: then it must not be sent.
    pub fn keep(&mut self, id: u64, text: &str) -> Result<(), OutboxError> {
        self.name_session()?;
        let text = text.to_owned();
        self.append(&[Line::Message {
            id,
            text: text.clone(),
        }])?;
        self.is_flushed = false;
        let since = self.sessions.len().checked_sub(1);
        self.waiting.push_back(Waiting { id, text, since });
        Ok(())
    }

    /// Makes sure that everything that was kept is on the disk.
    ///
    /// # Errors
    /// [`OutboxError::Io`]: then nothing must be sent.
    pub fn flush(&mut self) -> Result<(), OutboxError> {
        if !self.is_flushed {
            self.sync()?;
            self.is_flushed = true;
        }
        Ok(())
    }

    /// The server holds all up to `up_to`. Not flushed: should a crash undo it, the next login shows it again.
    ///
    /// # Errors
    /// [`OutboxError::Io`].
    pub fn acknowledged(&mut self, up_to: u64) -> Result<(), OutboxError> {
        self.forget(up_to);
        let acked = Line::Acked(self.acked);
        if !self.waiting.is_empty() || !self.too_long.is_empty() {
            return self.append(&[acked]);
        }
        self.file.set_len(0).map_err(|source| self.failed(source))?;
        self.adopted.clear();
        let session = self.sessions.last().copied();
        self.sessions.clear();
        let mut lines = vec![self.first_line()];
        if let Some(name) = session {
            self.sessions.push(name);
            lines.push(Line::Session(hex::encode(name)));
        }
        lines.push(acked);
        self.append(&lines)
    }

    fn forget(&mut self, up_to: u64) {
        self.acked = self.acked.max(up_to);
        while self.waiting.front().is_some_and(|one| one.id <= up_to) {
            self.waiting.pop_front();
        }
    }

    /// Writes the present session's name down, if that is still to be done.
    fn name_session(&mut self) -> Result<(), OutboxError> {
        if let Some(name) = self.unnamed.take() {
            self.append(&[Line::Session(hex::encode(name))])?;
            self.sessions.push(name);
        }
        Ok(())
    }

    fn first_line(&self) -> Line {
        let [host, user, key] = self.owner_in_words();
        Line::For { host, user, key }
    }

    fn owner_in_words(&self) -> [String; 3] {
        let Owner { host, user, key } = &self.owner;
        [host.to_string(), user.to_string(), key.to_string()]
    }

    fn is_new(&self) -> Result<bool, OutboxError> {
        let about = self.file.metadata().map_err(|source| self.failed(source))?;
        Ok(about.len() == 0)
    }

    /// Writes lines at the end, all in one go.
    fn append(&mut self, lines: &[Line]) -> Result<(), OutboxError> {
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line).map_err(|e| self.failed(e.into()))?;
            bytes.push(b'\n');
        }
        // The file is in append mode, so this goes to its end, also after it was shortened.
        (self.file.write_all(&bytes)).map_err(|source| self.failed(source))
    }

    fn sync(&self) -> Result<(), OutboxError> {
        (self.file.sync_data()).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> OutboxError {
        let path = self.path.clone();
        OutboxError::Io { path, source }
    }
}

/// The ids that follow. A file may say anything, so they do not run over.
fn after(last: u64) -> impl Iterator<Item = u64> {
    successors(Some(last.saturating_add(1)), |id| {
        Some(id.saturating_add(1))
    })
}

#[cfg(test)]
mod tests;
