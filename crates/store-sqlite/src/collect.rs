//! Takes files out of the messages of a store: see the page `docs/src/files.md`.
//!
//! It only reads, all of it as of one moment, and a server may run meanwhile. It also reads a backup. One file at a time
//! is in memory, and some 100 bytes for each message of one user.

use std::path::{Path, PathBuf};

use latchstring_parcel::{Assembly, BadPart, FileParts, Head, JoinError, Received, Sender, join};
use latchstring_store::{
    StoreError,
    protocol::hardened::message::{Fingerprint, UserName},
};
use sqlx::{ConnectOptions, SqliteConnection};

use crate::{failure::failed, file, schema::version, sqlite::plain};

/// Messages that are read at once: at most 4 MiB.
const AT_ONCE: usize = 256;
/// The first schema that has the time of a message.
const WITH_TIMES: usize = 6;

/// What is found in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A whole file, with the right hash.
    File(File),
    /// A file of which parts are missing.
    Incomplete {
        /// The sender.
        sender: Sender,
        /// Hash, length and name.
        head: Head,
        /// The numbers of the parts that are missing.
        missing: Vec<u32>,
    },
    /// A file with all its parts, whose bytes are not the file that the parts name.
    Broken {
        /// The sender.
        sender: Sender,
        /// Hash, length and name.
        head: Head,
        /// The fault.
        why: JoinError,
    },
    /// A message that begins like a part, and is none.
    BadPart(BadPart),
}

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The sender.
    pub sender: Sender,
    /// Hash, length and name.
    pub head: Head,
    /// The content.
    pub bytes: Vec<u8>,
    /// When the last part was stored, in seconds since 1970, once for each time that the whole file was sent; at least
    /// one. `None` if an older server stored it, which noted no times.
    pub received_at: Vec<Option<u64>>,
    /// The ids of the messages that hold the parts, in order: a receipt of the sender names the same ids.
    pub messages: Vec<u64>,
}

/// The messages that were read and hold no file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftAlone {
    /// Messages that are no parts.
    pub others: u64,
    /// Messages of accounts that were removed. The store no longer has the names of their senders.
    pub removed: u64,
}

/// A store that is open for reading alone.
#[derive(Debug)]
pub struct Collector {
    connection: SqliteConnection,
    path: PathBuf,
    has_times: bool,
}

impl Collector {
    /// Opens a store, and changes nothing in it: neither its schema nor its content.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Permissions`], [`StoreError::Foreign`], [`StoreError::Newer`], or an error
    /// of the disk.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        file::check(path)?;
        let mut connection =
            (plain(path).read_only(true).connect().await).map_err(|e| failed(path, e))?;
        let version = version(&mut connection, path).await?;
        let path = path.to_owned();
        if version == 0 {
            let why = "it has no schema";
            return Err(StoreError::Foreign { path, why });
        }
        Ok(Self {
            connection,
            path,
            has_times: version >= WITH_TIMES,
        })
    }

    /// Calls `take` for everything that is found, by user and key. An error of `take` ends it.
    ///
    /// # Errors
    /// [`StoreError`], and the error of `take`.
    pub async fn collect<E: From<StoreError>>(
        mut self,
        mut take: impl FnMut(Found) -> Result<(), E>,
    ) -> Result<LeftAlone, E> {
        // What this transaction reads is the store as it was when it began, whatever a server writes meanwhile.
        self.run("BEGIN").await?;
        let mut left = LeftAlone {
            removed: self.removed().await?,
            ..LeftAlone::default()
        };
        for sender in self.senders().await? {
            let assembly = self.assembly(&sender).await?;
            left.others += assembly
                .others()
                .map(|(_, count)| count as u64)
                .sum::<u64>();
            for file in assembly.files() {
                take(self.found(file).await?)?;
            }
            for bad in assembly.bad() {
                take(Found::BadPart(bad))?;
            }
        }
        self.run("COMMIT").await?;
        Ok(left)
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let done = sqlx::query(sql).execute(&mut self.connection).await;
        done.map(drop).map_err(|e| failed(&self.path, e))
    }

    async fn removed(&mut self) -> Result<u64, StoreError> {
        let (count,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM messages WHERE user_hash NOT IN (SELECT user_hash FROM accounts)",
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(|e| failed(&self.path, e))?;
        Ok(count.unsigned_abs())
    }

    /// Every user with every key under which the user has sent messages: a new key has a log of its own.
    async fn senders(&mut self) -> Result<Vec<Sender>, StoreError> {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "SELECT DISTINCT a.user, m.kid FROM messages m JOIN accounts a ON a.user_hash = m.user_hash
             ORDER BY a.user, m.kid",
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(|e| failed(&self.path, e))?;
        let sender = |(user, kid): (String, Vec<u8>)| {
            Some(Sender {
                user: UserName::parse(&user).ok()?,
                key: Fingerprint(kid.try_into().ok()?),
            })
        };
        let damaged = || StoreError::Damaged {
            path: self.path.clone(),
            what: "the user or the key of a message is none".to_owned(),
        };
        (rows.into_iter().map(|row| sender(row).ok_or_else(damaged))).collect()
    }

    /// Finds out which message of a sender holds which part.
    async fn assembly(&mut self, sender: &Sender) -> Result<Assembly, StoreError> {
        let mut assembly = Assembly::default();
        let mut last = 0;
        loop {
            let rows = self.after(sender, last).await?;
            for (id, text, at) in &rows {
                let received = Received {
                    id: id.unsigned_abs(),
                    at: at.map(i64::unsigned_abs),
                    text,
                };
                assembly.add(sender, received);
                last = *id;
            }
            if rows.len() < AT_ONCE {
                return Ok(assembly);
            }
        }
    }

    /// The messages that follow this one: id, text, and the time if the store has it.
    async fn after(
        &mut self,
        sender: &Sender,
        last: i64,
    ) -> Result<Vec<(i64, String, Option<i64>)>, StoreError> {
        let sql = match self.has_times {
            true => {
                "SELECT id, text, received_at FROM messages
                 WHERE user_hash = ? AND kid = ? AND id > ? AND kind = 0 ORDER BY id LIMIT ?"
            }
            false => {
                "SELECT id, text, NULL FROM messages
                 WHERE user_hash = ? AND kid = ? AND id > ? AND kind = 0 ORDER BY id LIMIT ?"
            }
        };
        sqlx::query_as(sql)
            .bind(&latchstring_store::key_of(&sender.user)[..])
            .bind(&sender.key.0[..])
            .bind(last)
            .bind(AT_ONCE as i64)
            .fetch_all(&mut self.connection)
            .await
            .map_err(|e| failed(&self.path, e))
    }

    async fn found(&mut self, file: FileParts<'_>) -> Result<Found, StoreError> {
        let (sender, head) = (file.sender.clone(), file.head.clone());
        if !file.is_complete() {
            return Ok(Found::Incomplete {
                sender,
                head,
                missing: file.missing().collect(),
            });
        }
        let messages: Vec<u64> = file.messages().collect();
        let mut texts = Vec::new();
        for id in &messages {
            texts.push(self.text(&sender, *id).await?);
        }
        Ok(match join(&head, texts) {
            Ok(bytes) => Found::File(File {
                received_at: file.times(),
                sender,
                head,
                bytes,
                messages,
            }),
            Err(why) => Found::Broken { sender, head, why },
        })
    }

    async fn text(&mut self, sender: &Sender, id: u64) -> Result<String, StoreError> {
        let (text,): (String,) =
            sqlx::query_as("SELECT text FROM messages WHERE user_hash = ? AND kid = ? AND id = ?")
                .bind(&latchstring_store::key_of(&sender.user)[..])
                .bind(&sender.key.0[..])
                .bind(i64::try_from(id).unwrap_or(0))
                .fetch_one(&mut self.connection)
                .await
                .map_err(|e| failed(&self.path, e))?;
        Ok(text)
    }
}
