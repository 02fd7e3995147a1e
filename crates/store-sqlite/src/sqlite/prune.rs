//! Removes old messages, and gives their room back.
//!
//! Of each log only the first messages are removed, so that the rest has no gap. A message that waits for the sink stays,
//! and so do the messages after it in its log. The ids of a log go on. Its last pruned messages leave a hash behind, by
//! which a repetition is known for one.

use latchstring_store::{
    Appended, StoreError, StoredMessage, key_of,
    protocol::hardened::{
        message::{Fingerprint, Held, UserName},
        session::content,
    },
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteAutoVacuum};

use super::{Sqlite, plain};
use crate::{
    failure::failed,
    retention::{Keep, Plan, PlannedLog},
};

/// Of so many of the last messages of a log a hash is kept: a client has at most 1024 that were not acknowledged.
const REMEMBERED: i64 = 1024;
/// Messages that are removed in one transaction: other programs that write wait no longer than that.
const AT_ONCE: i64 = 256;
/// Gives back a few pages in one transaction.
const SOME_PAGES: &str = "PRAGMA incremental_vacuum(1024)";

/// user_hash, kid, user, last id, messages, bytes
type LogRow = (Vec<u8>, Vec<u8>, Option<String>, i64, i64, i64);

/// The first messages of each log that no rule keeps.
///
/// The time of a message is never later than that of a message after it. So a clock that was ahead for a while keeps no
/// message longer.
const PLAN: &str = "
    WITH timed AS (
        SELECT user_hash, kid, id, octet_length(text) AS size,
            MIN(received_at) OVER (PARTITION BY user_hash, kid ORDER BY id
                ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS at
        FROM messages WHERE ?1 IS NULL OR user_hash = ?1
    ), ranked AS (
        SELECT *,
            ROW_NUMBER() OVER (PARTITION BY user_hash, kid ORDER BY id DESC) AS of_key,
            ROW_NUMBER() OVER newest AS of_all,
            SUM(size) OVER (newest ROWS UNBOUNDED PRECEDING) AS bytes
        FROM timed WINDOW newest AS (ORDER BY COALESCE(at, 0) DESC, id DESC, user_hash, kid)
    ), judged AS (
        SELECT *,
            EXISTS (SELECT 1 FROM outbox o
                WHERE o.user_hash = ranked.user_hash AND o.kid = ranked.kid AND o.id = ranked.id)
            OR NOT (COALESCE(at < ?2, 0) OR COALESCE(of_key > ?3, 0)
                OR COALESCE(of_all > ?4, 0) OR COALESCE(bytes > ?5, 0)) AS stays
        FROM ranked
    ), after AS (
        SELECT *, SUM(stays) OVER (PARTITION BY user_hash, kid ORDER BY id) AS stay FROM judged
    )
    SELECT user_hash, kid, (SELECT user FROM accounts a WHERE a.user_hash = after.user_hash),
        MAX(id), COUNT(*), SUM(size)
    FROM after WHERE stay = 0 GROUP BY user_hash, kid ORDER BY 3, kid";

impl Sqlite {
    /// Finds the messages that no rule keeps: of this user, or of all. Changes nothing.
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn plan(&self, keep: &Keep, of: Option<&UserName>) -> Result<Plan, StoreError> {
        let number = |n: Option<u64>| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let rows: Vec<LogRow> = sqlx::query_as(PLAN)
            .bind(of.map(|user| key_of(user).to_vec()))
            .bind(number(keep.since))
            .bind(number(keep.last_of_key))
            .bind(number(keep.messages))
            .bind(number(keep.bytes))
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let logs: Result<_, _> = rows.into_iter().map(|row| self.planned(row)).collect();
        Ok(Plan { logs: logs? })
    }

    fn planned(&self, row: LogRow) -> Result<PlannedLog, StoreError> {
        let (user_hash, kid, user, last, messages, bytes) = row;
        let length = || self.damaged("a hash of another length");
        let user = user.map(|user| UserName::parse(&user)).transpose();
        Ok(PlannedLog {
            user_hash: user_hash.try_into().map_err(|_| length())?,
            kid: Fingerprint(kid.try_into().map_err(|_| length())?),
            user: user.map_err(|_| self.damaged("a user name is none"))?,
            last: last.unsigned_abs(),
            messages: messages.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
        })
    }

    /// Removes the messages of a plan for ever, a few at a time. Other programs may use the store meanwhile.
    ///
    /// # Errors
    /// An error of the disk; then some of them are removed.
    pub async fn prune(&self, plan: &Plan) -> Result<(), StoreError> {
        for log in &plan.logs {
            while self.prune_some(log).await? {}
        }
        Ok(())
    }

    /// Removes the first messages of a log; whether there were any.
    async fn prune_some(&self, log: &PlannedLog) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let (hash, kid) = (&log.user_hash[..], &log.kid.0[..]);
        let rows: Vec<(i64, i64, String, Option<Vec<u8>>)> = sqlx::query_as(
            "SELECT id, kind, text, session FROM messages
             WHERE user_hash = ? AND kid = ? AND id <= ? ORDER BY id LIMIT ?",
        )
        .bind(hash)
        .bind(kid)
        .bind(i64::try_from(log.last).unwrap_or(i64::MAX))
        .bind(AT_ONCE)
        .fetch_all(&mut *transaction)
        .await
        .map_err(|e| self.failed(e))?;
        let Some((last, ..)) = rows.last() else {
            return Ok(false);
        };
        let forgotten = self.last_of(hash, kid, &mut transaction).await? - REMEMBERED;
        for (id, kind, text, session) in rows.iter().filter(|(id, ..)| *id > forgotten) {
            let kind = u8::try_from(*kind).map_err(|_| self.damaged("a kind over 255"))?;
            sqlx::query(
                "INSERT INTO pruned (user_hash, kid, id, session, content) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(hash)
            .bind(kid)
            .bind(id)
            .bind(session.as_deref())
            .bind(&content(kind, text)[..])
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?;
        }
        for (sql, up_to) in [
            (
                "DELETE FROM messages WHERE user_hash = ? AND kid = ? AND id <= ?",
                *last,
            ),
            (
                "DELETE FROM pruned WHERE user_hash = ? AND kid = ? AND id <= ?",
                forgotten,
            ),
        ] {
            let done = sqlx::query(sql).bind(hash).bind(kid).bind(up_to);
            let done = done.execute(&mut *transaction).await;
            done.map_err(|e| self.failed(e))?;
        }
        transaction.commit().await.map_err(|e| self.failed(e))?;
        Ok(true)
    }

    /// What is still known of a pruned message: its session and the hash of its content.
    pub(super) async fn pruned(
        &self,
        user: &UserName,
        kid: &Fingerprint,
        id: u64,
    ) -> Result<Option<Held>, StoreError> {
        let row: Option<(Option<Vec<u8>>, Vec<u8>)> = sqlx::query_as(
            "SELECT session, content FROM pruned WHERE user_hash = ? AND kid = ? AND id = ?",
        )
        .bind(&key_of(user)[..])
        .bind(&kid.0[..])
        .bind(i64::try_from(id).unwrap_or(0))
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        let Some((session, content)) = row else {
            return Ok(None);
        };
        let session = session.map(<[u8; 16]>::try_from).transpose();
        let session = session.map_err(|_| self.damaged("the name of a session is none"))?;
        let content = content.try_into();
        Ok(Some(Held {
            session: session.unwrap_or_default(),
            content: content.map_err(|_| self.damaged("a hash of another length"))?,
        }))
    }

    /// Whether a message is one that was pruned, brought once more. Of the oldest ones nothing is known any more: then the
    /// client gives its message a new number, and nothing is lost.
    pub(super) async fn repeats_pruned(
        &self,
        user: &UserName,
        kid: &Fingerprint,
        message: &StoredMessage,
    ) -> Result<Appended, StoreError> {
        let (user_name, id) = (user.clone(), message.id);
        let again = self.pruned(user, kid, id).await?.is_some_and(|held| {
            let session = message.session.unwrap_or_default();
            let same_session =
                [session, held.session].contains(&[0; 16]) || session == held.session;
            held.content == content(message.kind, &message.text) && same_session
        });
        match again {
            true => Ok(Appended::Duplicate),
            false => Err(StoreError::Conflict {
                user: user_name,
                id,
            }),
        }
    }

    /// The id of the last message of a log, pruned or not; 0 when there was none.
    pub(super) async fn last_of(
        &self,
        user_hash: &[u8],
        kid: &[u8],
        connection: &mut SqliteConnection,
    ) -> Result<i64, StoreError> {
        let (last,): (i64,) = sqlx::query_as(
            "SELECT MAX(
                COALESCE((SELECT MAX(id) FROM messages WHERE user_hash = ?1 AND kid = ?2), 0),
                COALESCE((SELECT MAX(id) FROM pruned WHERE user_hash = ?1 AND kid = ?2), 0))",
        )
        .bind(user_hash)
        .bind(kid)
        .fetch_one(connection)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(last)
    }

    /// Gives the room of removed messages back to the disk, a little at a time. `false` when there is room and a store of an
    /// earlier version: it stays in the file and is used for new messages, until [`Sqlite::rebuild`].
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn shrink(&self) -> Result<bool, StoreError> {
        loop {
            let free = self.pragma("PRAGMA freelist_count").await?;
            if free == 0 {
                break;
            }
            // 2 is INCREMENTAL (https://www.sqlite.org/pragma.html#pragma_auto_vacuum).
            if self.pragma("PRAGMA auto_vacuum").await? != 2 {
                return Ok(false);
            }
            let mut connection = self.pool.acquire().await.map_err(|e| self.failed(e))?;
            (sqlx::raw_sql(SOME_PAGES).execute(&mut *connection).await)
                .map_err(|e| self.failed(e))?;
            drop(connection);
            if self.pragma("PRAGMA freelist_count").await? >= free {
                break;
            }
        }
        // The file gets shorter when the log of commits is copied into it. A reader may prevent that, until later.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(true)
    }

    async fn pragma(&self, sql: &'static str) -> Result<i64, StoreError> {
        let (value,): (i64,) = sqlx::query_as(sql)
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(value)
    }

    /// Writes the whole file again without unused room. From then on [`Sqlite::shrink`] can give room back. Other
    /// programs cannot write meanwhile, and the disk needs room for a second copy.
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn rebuild(&self) -> Result<(), StoreError> {
        let options = plain(&self.path).auto_vacuum(SqliteAutoVacuum::Incremental);
        let rebuilt = async {
            let mut connection = SqliteConnection::connect_with(&options).await?;
            sqlx::query("VACUUM").execute(&mut connection).await?;
            let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
            checkpoint.execute(&mut connection).await?;
            connection.close().await
        };
        rebuilt.await.map_err(|e| failed(&self.path, e))
    }
}
