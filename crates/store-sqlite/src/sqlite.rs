//! A store in one SQLite file.
//!
//! *Durable*: write-ahead log with `synchronous=FULL`, so a commit returns after `fsync`; a server killed at any moment
//! finds every message that it acknowledged. *Shared*: `user add` works while `serve` runs; each waits for the other.
//! *Private*: mode 0600, and files that others can read are refused.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use latchstring_store::protocol::hardened::message::{Fingerprint, UserName};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool, Transaction,
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteQueryResult, SqliteSynchronous,
    },
};

use latchstring_store::{
    Account, Accounts, Answer, Appended, Invitation, Invite, Removed, StoreError, StoredMessage,
    key_of, not_next,
};

use crate::file;

/// The scripts that make the schema, oldest first. Script number n leaves the file at `user_version` n.
const MIGRATIONS: [&str; 5] = [
    include_str!("../migrations/0001_accounts_and_messages.sql"),
    include_str!("../migrations/0002_invites.sql"),
    include_str!("../migrations/0003_failures.sql"),
    include_str!("../migrations/0004_sessions.sql"),
    include_str!("../migrations/0005_invites_that_outlive_clocks.sql"),
];
/// How long to wait for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Readers run side by side in the write-ahead log; writers queue anyway.
const CONNECTIONS: u32 = 4;

/// Keeps accounts and messages in an SQLite file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    pool: SqlitePool,
    path: PathBuf,
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
        let mut connection = (plain(path).connect().await).map_err(|e| failed(path, e))?;
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
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS);
        let pool = pool.connect_with(options).await;
        Ok(Self {
            pool: pool.map_err(|e| failed(path, e))?,
            path: path.to_owned(),
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

    fn account(&self, row: AccountRow) -> Result<Account, StoreError> {
        let (user, kid, spki, password_hash, created_at) = row;
        let user = UserName::parse(&user).map_err(|_| self.damaged("a user name is none"))?;
        let created_at =
            u64::try_from(created_at).map_err(|_| self.damaged("a time before 1970"))?;
        let account = Account::new(user, spki, password_hash, created_at);
        if account.kid.0[..] != kid {
            let what = format!("the key of {} is not the one enrolled", account.user);
            return Err(self.damaged(what));
        }
        Ok(account)
    }

    fn stored(&self, row: MessageRow) -> Result<StoredMessage, StoreError> {
        let (id, kind, text, session) = row;
        let session = session.map(|name| {
            <[u8; 16]>::try_from(name).map_err(|_| self.damaged("the name of a session is none"))
        });
        Ok(StoredMessage {
            id: u64::try_from(id).map_err(|_| self.damaged("a negative message id"))?,
            kind: u8::try_from(kind).map_err(|_| self.damaged("a kind over 255"))?,
            text,
            session: session.transpose()?,
        })
    }

    fn invitation(&self, row: InvitationRow) -> Result<Invitation, StoreError> {
        let (user, made_at, seconds_left) = row;
        let user = user.map(|user| UserName::parse(&user)).transpose();
        let count = |n: i64| u64::try_from(n).map_err(|_| self.damaged("a time before 1970"));
        Ok(Invitation {
            user: user.map_err(|_| self.damaged("a user name is none"))?,
            made_at: count(made_at)?,
            seconds_left: count(seconds_left)?,
        })
    }

    /// Begins to write: another program that wants to write waits, and what is not committed is undone.
    async fn begin(&self) -> Result<Transaction<'_, sqlx::Sqlite>, StoreError> {
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await;
        transaction.map_err(|e| self.failed(e))
    }

    /// Revokes the invitation for this name; whether there was one.
    async fn uninvite(
        &self,
        user: &UserName,
        connection: &mut SqliteConnection,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM invites WHERE user_hash = ?")
            .bind(&key_of(user)[..])
            .execute(connection)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(done.rows_affected() > 0)
    }

    /// A row for a user who may not be there yet: no row added means that there is such a user.
    fn one_new_row(
        &self,
        user: &UserName,
        done: Result<SqliteQueryResult, sqlx::Error>,
    ) -> Result<(), StoreError> {
        match done.map_err(|e| self.failed(e))?.rows_affected() {
            0 => Err(StoreError::UserExists(user.clone())),
            _ => Ok(()),
        }
    }

    /// An update of one account: no row changed means that there is no such user.
    fn one_row(
        &self,
        user: &UserName,
        done: Result<SqliteQueryResult, sqlx::Error>,
    ) -> Result<(), StoreError> {
        match done.map_err(|e| self.failed(e))?.rows_affected() {
            0 => Err(StoreError::NoSuchUser(user.clone())),
            _ => Ok(()),
        }
    }

    async fn last(&self, user: &UserName, kid: &Fingerprint) -> Result<u64, StoreError> {
        let (last,): (i64,) = sqlx::query_as(
            "SELECT COALESCE(MAX(id), 0) FROM messages WHERE user_hash = ? AND kid = ?",
        )
        .bind(&key_of(user)[..])
        .bind(&kid.0[..])
        .fetch_one(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        u64::try_from(last).map_err(|_| self.damaged("a negative message id"))
    }
}

/// user, kid, spki, password_hash, created_at
type AccountRow = (String, Vec<u8>, Vec<u8>, String, i64);
/// user, made_at, seconds_left
type InvitationRow = (Option<String>, i64, i64);
/// id, kind, text, session
type MessageRow = (i64, i64, String, Option<Vec<u8>>);

impl Accounts for Sqlite {
    fn find<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, Option<Account>> {
        Box::pin(async move {
            let row: Option<AccountRow> = sqlx::query_as(
                "SELECT user, kid, spki, password_hash, created_at FROM accounts
                 WHERE user_hash = ? AND kid = ?",
            )
            .bind(&key_of(user)[..])
            .bind(&kid.0[..])
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            row.map(|row| self.account(row)).transpose()
        })
    }

    fn add<'a>(&'a self, account: &'a Account) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.begin().await?;
            let done = insert(account).execute(&mut *transaction).await;
            self.one_new_row(&account.user, done)?;
            self.uninvite(&account.user, &mut transaction).await?;
            transaction.commit().await.map_err(|e| self.failed(e))
        })
    }

    fn invite<'a>(&'a self, invite: &'a Invite) -> Answer<'a, ()> {
        Box::pin(async move {
            let done = sqlx::query(
                "INSERT OR REPLACE INTO invites
                     (user_hash, user, token_hash, made_at, seen_at, seconds_left)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6
                 WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE user_hash = ?1)",
            )
            .bind(&key_of(&invite.user)[..])
            .bind(invite.user.as_str())
            .bind(&invite.token_hash[..])
            .bind(seconds(invite.made_at))
            .bind(seconds(invite.seen_at))
            .bind(seconds(invite.seconds_left))
            .execute(&self.pool)
            .await;
            self.one_new_row(&invite.user, done)
        })
    }

    fn observe_clock(&self, now: u64) -> Answer<'_, ()> {
        Box::pin(async move {
            // Where nothing has changed nothing is written: most servers have no open invitation most of the time.
            sqlx::query(
                "UPDATE invites
                 SET seconds_left = MAX(0, seconds_left - MAX(0, ?1 - seen_at)), seen_at = ?1
                 WHERE seconds_left > 0 AND seen_at <> ?1",
            )
            .bind(seconds(now))
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(())
        })
    }

    fn invitations(&self, now: u64) -> Answer<'_, Vec<Invitation>> {
        Box::pin(async move {
            self.observe_clock(now).await?;
            let rows: Vec<InvitationRow> =
                sqlx::query_as("SELECT user, made_at, seconds_left FROM invites ORDER BY user")
                    .fetch_all(&self.pool)
                    .await
                    .map_err(|e| self.failed(e))?;
            rows.into_iter().map(|row| self.invitation(row)).collect()
        })
    }

    fn revoke<'a>(&'a self, user: &'a UserName) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut connection = self.pool.acquire().await.map_err(|e| self.failed(e))?;
            match self.uninvite(user, &mut connection).await? {
                true => Ok(()),
                false => Err(StoreError::NoInvitation(user.clone())),
            }
        })
    }

    fn is_invited<'a>(
        &'a self,
        user: &'a UserName,
        token_hash: &'a [u8; 32],
        now: u64,
    ) -> Answer<'a, bool> {
        Box::pin(async move {
            let (found,): (bool,) = sqlx::query_as(
                "SELECT EXISTS (SELECT 1 FROM invites
                 WHERE user_hash = ? AND token_hash = ? AND seconds_left > MAX(0, ? - seen_at))",
            )
            .bind(&key_of(user)[..])
            .bind(&token_hash[..])
            .bind(seconds(now))
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            Ok(found)
        })
    }

    fn enrol<'a>(&'a self, account: &'a Account, token_hash: &'a [u8; 32]) -> Answer<'a, ()> {
        Box::pin(async move {
            // Immediate: of two who bring the same token, one waits until the other has used it up. What is not
            // committed, because of an error or because the caller is gone, is undone.
            let mut transaction = self.begin().await?;
            let used = sqlx::query(
                "DELETE FROM invites
                 WHERE user_hash = ? AND token_hash = ? AND seconds_left > MAX(0, ? - seen_at)",
            )
            .bind(&key_of(&account.user)[..])
            .bind(&token_hash[..])
            .bind(seconds(account.created_at))
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?;
            if used.rows_affected() == 0 {
                return Err(StoreError::NotInvited(account.user.clone()));
            }
            let done = insert(account).execute(&mut *transaction).await;
            self.one_new_row(&account.user, done)?;
            transaction.commit().await.map_err(|e| self.failed(e))
        })
    }

    fn list(&self) -> Answer<'_, Vec<Account>> {
        Box::pin(async move {
            let rows: Vec<AccountRow> = sqlx::query_as(
                "SELECT user, kid, spki, password_hash, created_at FROM accounts ORDER BY user",
            )
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            rows.into_iter().map(|row| self.account(row)).collect()
        })
    }

    fn remove<'a>(&'a self, user: &'a UserName) -> Answer<'a, Removed> {
        Box::pin(async move {
            let mut transaction = self.begin().await?;
            let done = sqlx::query("DELETE FROM accounts WHERE user_hash = ?")
                .bind(&key_of(user)[..])
                .execute(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
            let removed = Removed {
                account: done.rows_affected() > 0,
                invitation: self.uninvite(user, &mut transaction).await?,
            };
            transaction.commit().await.map_err(|e| self.failed(e))?;
            match removed.account || removed.invitation {
                true => Ok(removed),
                false => Err(StoreError::NoSuchUser(user.clone())),
            }
        })
    }

    fn failures<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, u32> {
        Box::pin(async move {
            let row: Option<(i64,)> =
                sqlx::query_as("SELECT failures FROM accounts WHERE user_hash = ? AND kid = ?")
                    .bind(&key_of(user)[..])
                    .bind(&kid.0[..])
                    .fetch_optional(&self.pool)
                    .await
                    .map_err(|e| self.failed(e))?;
            let (failures,) = row.unwrap_or_default();
            u32::try_from(failures).map_err(|_| self.damaged("a count below 0"))
        })
    }

    fn set_failures<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        failures: u32,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let done =
                sqlx::query("UPDATE accounts SET failures = ? WHERE user_hash = ? AND kid = ?")
                    .bind(i64::from(failures))
                    .bind(&key_of(user)[..])
                    .bind(&kid.0[..])
                    .execute(&self.pool)
                    .await;
            self.one_row(user, done)
        })
    }

    fn set_password<'a>(&'a self, user: &'a UserName, password_hash: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE accounts SET password_hash = ?, failures = 0 WHERE user_hash = ?",
            )
            .bind(password_hash)
            .bind(&key_of(user)[..])
            .execute(&self.pool)
            .await;
            self.one_row(user, done)
        })
    }

    fn last_message_id<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, u64> {
        Box::pin(self.last(user, kid))
    }

    fn message<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        id: u64,
    ) -> Answer<'a, Option<StoredMessage>> {
        Box::pin(async move {
            let row: Option<MessageRow> = sqlx::query_as(
                "SELECT id, kind, text, session FROM messages
                 WHERE user_hash = ? AND kid = ? AND id = ?",
            )
            .bind(&key_of(user)[..])
            .bind(&kid.0[..])
            .bind(sql_id(id))
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            row.map(|row| self.stored(row)).transpose()
        })
    }

    fn append<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        message: &'a StoredMessage,
    ) -> Answer<'a, Appended> {
        Box::pin(async move {
            // One statement that checks and inserts is one transaction: of two sessions that bring the same id, one
            // appends and the other learns of it.
            let done = sqlx::query(
                "INSERT INTO messages (user_hash, kid, id, kind, text, session)
                 SELECT user_hash, kid, ?3, ?4, ?5, ?6 FROM accounts
                 WHERE user_hash = ?1 AND kid = ?2 AND ?3 = 1 + COALESCE(
                     (SELECT MAX(id) FROM messages WHERE user_hash = ?1 AND kid = ?2), 0)",
            )
            .bind(&key_of(user)[..])
            .bind(&kid.0[..])
            .bind(sql_id(message.id))
            .bind(i64::from(message.kind))
            .bind(&message.text)
            .bind(message.session.as_ref().map(|name| &name[..]))
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            if done.rows_affected() == 1 {
                return Ok(Appended::Appended);
            }
            if self.find(user, kid).await?.is_none() {
                return Err(StoreError::NoSuchUser(user.clone()));
            }
            let held = self.message(user, kid, message.id).await?;
            not_next(user, held.as_ref(), self.last(user, kid).await?, message)
        })
    }

    fn messages<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
    ) -> Answer<'a, Vec<StoredMessage>> {
        Box::pin(async move {
            let rows: Vec<MessageRow> = sqlx::query_as(
                "SELECT id, kind, text, session FROM messages
                 WHERE user_hash = ? AND kid = ? ORDER BY id",
            )
            .bind(&key_of(user)[..])
            .bind(&kid.0[..])
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            rows.into_iter().map(|row| self.stored(row)).collect()
        })
    }
}

/// Adds an account unless there is one of this name.
fn insert(account: &Account) -> Query<'_, sqlx::Sqlite, SqliteArguments> {
    sqlx::query(
        "INSERT INTO accounts (user_hash, user, kid, spki, password_hash, created_at)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(key_of(&account.user).to_vec())
    .bind(account.user.as_str())
    .bind(&account.kid.0[..])
    .bind(&account.spki)
    .bind(&account.password_hash)
    .bind(seconds(account.created_at))
}

/// An id as SQLite takes it. Beyond its numbers there is no message, and nor is there one with the id 0.
fn sql_id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(0)
}

/// A time as SQLite takes it.
fn seconds(since_1970: u64) -> i64 {
    i64::try_from(since_1970).unwrap_or(i64::MAX)
}

/// Options of every connection.
fn plain(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

async fn version(connection: &mut SqliteConnection, path: &Path) -> Result<usize, StoreError> {
    let (found,): (i64,) = sqlx::query_as("PRAGMA user_version")
        .fetch_one(connection)
        .await
        .map_err(|e| failed(path, e))?;
    let known = MIGRATIONS.len();
    match usize::try_from(found) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        }),
    }
}

/// Runs the scripts that this file has not seen, all or none.
async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    if version(connection, path).await? == MIGRATIONS.len() {
        return Ok(());
    }
    // Immediate: of two programs that find an old file, one waits for the other before it looks again.
    let mut transaction =
        (connection.begin_with("BEGIN IMMEDIATE").await).map_err(|e| failed(path, e))?;
    let seen = version(&mut transaction, path).await?;
    for script in &MIGRATIONS[seen..] {
        (sqlx::raw_sql(*script).execute(&mut *transaction).await).map_err(|e| failed(path, e))?;
    }
    transaction.commit().await.map_err(|e| failed(path, e))
}

/// Says what SQLite's error means for the person at the keyboard (result codes: <https://www.sqlite.org/rescode.html>).
fn failed(path: &Path, source: sqlx::Error) -> StoreError {
    let path = path.to_owned();
    let code = source.as_database_error().and_then(|e| e.code());
    // The low byte is the primary code; the others refine it.
    match code.and_then(|c| c.parse::<u32>().ok()).map(|c| c & 0xff) {
        Some(5 | 6) => StoreError::Busy(path),
        Some(11 | 26) => StoreError::Damaged {
            path,
            what: source.to_string(),
        },
        _ => StoreError::Database {
            path,
            source: Box::new(source),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn each_script_ends_with_its_own_number() {
        for (i, script) in MIGRATIONS.iter().enumerate() {
            let end = format!("PRAGMA user_version = {};", i + 1);
            assert!(script.trim_end().ends_with(&end), "{script}");
        }
    }
}
