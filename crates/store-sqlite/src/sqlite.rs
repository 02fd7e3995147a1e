//! A store in one SQLite file.
//!
//! *Durable*: write-ahead log with `synchronous=FULL`, so a commit returns after `fsync`; a server killed at any moment
//! finds every message that it acknowledged. *Shared*: `user add` works while `serve` runs; each waits for the other.
//! *Private*: mode 0600, and files that others can read are refused.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use latchstring_store::StoreError;
use sqlx::{
    ConnectOptions, Connection, SqlitePool,
    sqlite::{
        SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

use crate::{
    failure::failed,
    file,
    schema::{migrate, version},
};

mod accounts;
mod outbox;
mod prune;

/// How long to wait for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Readers run side by side in the write-ahead log; writers queue anyway.
const CONNECTIONS: u32 = 4;

/// Keeps accounts and messages in an SQLite file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    pool: SqlitePool,
    path: PathBuf,
    /// Whether messages are for a sink: each one waits in the outbox until the sink has it.
    has_sink: bool,
}

impl Sqlite {
    /// Makes a new store of mode 0600 and opens it.
    ///
    /// # Errors
    /// [`StoreError::FileExists`] rather than overwrite anything; an error of the disk.
    pub async fn create(path: &Path) -> Result<Self, StoreError> {
        file::create(path)?;
        // The schema is committed before the write-ahead log is switched on. So the mark by which `open` knows our
        // files is in the file itself from then on, and a foreign file is recognised before SQLite may touch it.
        // `INCREMENTAL` is chosen while the file is empty: room that messages leave can be given back to the disk.
        let options = plain(path).auto_vacuum(SqliteAutoVacuum::Incremental);
        let mut connection = (options.connect().await).map_err(|e| failed(path, e))?;
        migrate(&mut connection, path).await?;
        connection.close().await.map_err(|e| failed(path, e))?;
        let store = Self::connect(path).await?;
        file::sync_directory(path)?;
        Ok(store)
    }

    /// Opens a store, brings its schema up to date and checks that the file is in order.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Permissions`], [`StoreError::Foreign`], [`StoreError::Newer`],
    /// [`StoreError::Damaged`], or an error of the disk.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        file::check(path)?;
        let store = Self::connect(path).await?;
        let mut connection = (store.pool.acquire().await).map_err(|e| failed(path, e))?;
        if version(&mut connection, path).await? == 0 {
            let why = "it has no schema";
            let path = path.to_owned();
            return Err(StoreError::Foreign { path, why });
        }
        migrate(&mut connection, path).await?;
        drop(connection);
        store.check().await?;
        Ok(store)
    }

    async fn connect(path: &Path) -> Result<Self, StoreError> {
        let options = plain(path).journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            // On a full disk SQLite ends the transaction by itself, and then sqlx cannot: this connection would count as
            // one in a transaction for ever, and refuse to begin the next one.
            .before_acquire(|connection, _| {
                let is_free = !connection.is_in_transaction();
                Box::pin(async move { Ok(is_free) })
            });
        let pool = pool.connect_with(options).await;
        Ok(Self {
            pool: pool.map_err(|e| failed(path, e))?,
            path: path.to_owned(),
            has_sink: false,
        })
    }

    /// Reads the whole file and checks that it is in order. Takes about a second a gigabyte.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing that is not.
    pub async fn check(&self) -> Result<(), StoreError> {
        let (found,): (String,) = sqlx::query_as("PRAGMA integrity_check(1)")
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        match found.as_str() {
            "ok" => Ok(()),
            _ => Err(self.damaged(found)),
        }
    }

    /// Copies the store, as it is at one moment, into a new file of mode 0600. Other programs may use it meanwhile.
    ///
    /// # Errors
    /// [`StoreError::FileExists`] rather than overwrite anything; an error of the disk, and then there is no copy.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        file::create(path)?;
        // SQLite fills an empty file, so the copy has our mode from its first moment.
        let target = path.to_str().ok_or_else(|| StoreError::Foreign {
            path: path.to_owned(),
            why: "its name is not UTF-8",
        });
        let copied = async {
            let vacuum = sqlx::query("VACUUM INTO ?").bind(target?);
            (vacuum.execute(&self.pool).await).map_err(|e| self.failed(e))?;
            file::sync(path)?;
            file::sync_directory(path)
        };
        let copied = copied.await;
        if copied.is_err() {
            let _ = std::fs::remove_file(path);
        }
        copied
    }

    /// The latest time in the store, in seconds since 1970; `None` in a store without any. It is that of a message, of an
    /// account, or of a look at the clock for an invitation.
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn latest_time(&self) -> Result<Option<u64>, StoreError> {
        let (latest,): (Option<i64>,) = sqlx::query_as(
            "SELECT MAX(at) FROM (
                 SELECT MAX(created_at) AS at FROM accounts
                 UNION ALL SELECT MAX(seen_at) FROM invites
                 UNION ALL SELECT MAX(received_at) FROM messages)",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(latest.and_then(|at| u64::try_from(at).ok()))
    }

    /// Revokes every invitation; how many were still open.
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn revoke_all(&self) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let (open,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM invites WHERE seconds_left > 0")
            .fetch_one(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?;
        (sqlx::query("DELETE FROM invites")
            .execute(&mut *transaction)
            .await)
            .map_err(|e| self.failed(e))?;
        transaction.commit().await.map_err(|e| self.failed(e))?;
        Ok(open.unsigned_abs())
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn failed(&self, source: sqlx::Error) -> StoreError {
        failed(&self.path, source)
    }

    fn damaged(&self, what: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            what: what.into(),
        }
    }
}

/// Options of every connection.
pub(crate) fn plain(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        // What is removed is overwritten: a removed text must not be found in the file.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_transaction_that_sqlite_has_ended_by_itself_bars_no_later_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("accounts.db");
        let store = Sqlite::create(&path).await.expect("created");
        for _ in 0..2 * CONNECTIONS {
            let mut transaction = store.begin().await.expect("a transaction");
            // As after an error of the disk.
            let ended = sqlx::query("ROLLBACK").execute(&mut *transaction).await;
            ended.expect("it was open");
            drop(transaction);
        }
        store.revoke_all().await.expect("the store still works");
    }

    #[tokio::test]
    async fn every_connection_waits_for_the_disk() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("accounts.db");
        let created = Sqlite::create(&path).await.expect("created");
        let opened = Sqlite::open(&path).await.expect("opened");
        for store in [created, opened] {
            let mut held = Vec::new();
            for _ in 0..CONNECTIONS {
                let mut connection = store.pool.acquire().await.expect("a connection");
                let query = "SELECT * FROM pragma_journal_mode, pragma_synchronous";
                let settings: (String, i64) = sqlx::query_as(query)
                    .fetch_one(&mut *connection)
                    .await
                    .expect("settings");
                // 2 is FULL: fsync at every commit, not only at checkpoints.
                assert_eq!(settings, ("wal".to_owned(), 2));
                held.push(connection);
            }
        }
    }
}
