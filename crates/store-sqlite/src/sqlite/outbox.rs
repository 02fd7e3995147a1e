//! The outbox: messages that are stored, and that the sink does not have yet.
//!
//! A message and its place in the outbox are committed together. So a crash between storing and delivering loses no
//! message, and the sink gets the messages in the order in which they were stored.

use latchstring_store::{
    StoreError, key_of,
    protocol::hardened::message::{Fingerprint, UserName},
};
use sqlx::SqliteConnection;

use super::Sqlite;
use crate::waiting::Waiting;

/// place, user, kid, id, kind, text, session, received_at
type WaitingRow = (
    i64,
    String,
    Vec<u8>,
    i64,
    i64,
    String,
    Option<Vec<u8>>,
    Option<i64>,
);

impl Sqlite {
    /// The same store. From now on each appended message also waits for the sink.
    #[must_use]
    pub fn with_outbox(mut self) -> Self {
        self.has_sink = true;
        self
    }

    /// The first messages that wait, in the order in which they were stored.
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn waiting(&self, at_most: u32) -> Result<Vec<Waiting>, StoreError> {
        let rows: Vec<WaitingRow> = sqlx::query_as(
            "SELECT place, user, kid, id, kind, text, session, received_at
             FROM outbox JOIN messages USING (user_hash, kid, id) ORDER BY place LIMIT ?",
        )
        .bind(at_most)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        rows.into_iter().map(|row| self.waiting_row(row)).collect()
    }

    /// How many messages wait.
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn count_waiting(&self) -> Result<u64, StoreError> {
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM outbox")
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(count.unsigned_abs())
    }

    /// The place of a message in the outbox; `None` when it does not wait.
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn place(
        &self,
        user: &UserName,
        kid: &Fingerprint,
        id: u64,
    ) -> Result<Option<u64>, StoreError> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT place FROM outbox WHERE user_hash = ? AND kid = ? AND id = ?")
                .bind(&key_of(user)[..])
                .bind(&kid.0[..])
                .bind(i64::try_from(id).unwrap_or(0))
                .fetch_optional(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        Ok(row.map(|(place,)| place.unsigned_abs()))
    }

    /// The sink has every message up to this place: they wait no more.
    ///
    /// # Errors
    /// An error of the disk.
    pub async fn delivered(&self, up_to: u64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM outbox WHERE place <= ?")
            .bind(i64::try_from(up_to).unwrap_or(i64::MAX))
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// Gives a message that was just inserted its place.
    pub(super) async fn enqueue(
        &self,
        user: &UserName,
        kid: &Fingerprint,
        id: i64,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO outbox (user, user_hash, kid, id) VALUES (?, ?, ?, ?)")
            .bind(user.as_str())
            .bind(&key_of(user)[..])
            .bind(&kid.0[..])
            .bind(id)
            .execute(connection)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    fn waiting_row(&self, row: WaitingRow) -> Result<Waiting, StoreError> {
        let (place, user, kid, id, kind, text, session, received_at) = row;
        let user = UserName::parse(&user).map_err(|_| self.damaged("a user name is none"))?;
        let kid = <[u8; 32]>::try_from(kid);
        let kid = kid.map_err(|_| self.damaged("a fingerprint of another length"))?;
        Ok(Waiting {
            place: place.unsigned_abs(),
            user,
            kid: Fingerprint(kid),
            message: self.stored((id, kind, text, session, received_at))?,
        })
    }
}
