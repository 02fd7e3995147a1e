//! The questions of a server, as statements of SQL.

use latchstring_store::{
    Account, Accounts, Answer, Appended, Invitation, Invite, Removed, StoreError, StoredMessage,
    key_of, not_next,
    protocol::hardened::message::{Fingerprint, Held, UserName},
};
use sqlx::{
    SqliteConnection, Transaction,
    query::Query,
    sqlite::{SqliteArguments, SqliteQueryResult},
};

use super::Sqlite;

mod import;

/// user, kid, spki, password_hash, created_at, disabled
type AccountRow = (String, Vec<u8>, Vec<u8>, String, i64, bool);
/// user, made_at, seconds_left
type InvitationRow = (Option<String>, i64, i64);
/// id, kind, text, session, received_at
type MessageRow = (i64, i64, String, Option<Vec<u8>>, Option<i64>);

impl Accounts for Sqlite {
    fn find<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, Option<Account>> {
        Box::pin(async move {
            let row: Option<AccountRow> = sqlx::query_as(
                "SELECT user, kid, spki, password_hash, created_at, disabled
                 FROM accounts JOIN keys USING (user_hash) WHERE user_hash = ? AND kid = ?",
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
            self.insert(account, &mut transaction).await?;
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
            self.insert(account, &mut transaction).await?;
            transaction.commit().await.map_err(|e| self.failed(e))
        })
    }

    fn list(&self) -> Answer<'_, Vec<Account>> {
        Box::pin(async move {
            let rows: Vec<AccountRow> = sqlx::query_as(
                "SELECT user, kid, spki, password_hash, created_at, disabled
                 FROM accounts JOIN keys USING (user_hash) ORDER BY user, kid",
            )
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            rows.into_iter().map(|row| self.account(row)).collect()
        })
    }

    fn add_key<'a>(&'a self, user: &'a UserName, spki: &'a [u8], now: u64) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.begin().await?;
            self.known(user, &mut transaction).await?;
            let done = insert_key(user, spki, now).execute(&mut *transaction).await;
            if done.map_err(|e| self.failed(e))?.rows_affected() == 0 {
                return Err(StoreError::KeyExists(user.clone()));
            }
            transaction.commit().await.map_err(|e| self.failed(e))
        })
    }

    fn remove_key<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.begin().await?;
            let done = sqlx::query("DELETE FROM keys WHERE user_hash = ? AND kid = ?")
                .bind(&key_of(user)[..])
                .bind(&kid.0[..])
                .execute(&mut *transaction)
                .await;
            self.one_row(user, done)?;
            let (others,): (bool,) =
                sqlx::query_as("SELECT EXISTS (SELECT 1 FROM keys WHERE user_hash = ?)")
                    .bind(&key_of(user)[..])
                    .fetch_one(&mut *transaction)
                    .await
                    .map_err(|e| self.failed(e))?;
            if !others {
                return Err(StoreError::OnlyKey(user.clone()));
            }
            transaction.commit().await.map_err(|e| self.failed(e))
        })
    }

    fn set_disabled<'a>(&'a self, user: &'a UserName, disabled: bool) -> Answer<'a, ()> {
        Box::pin(async move {
            let done = sqlx::query("UPDATE accounts SET disabled = ? WHERE user_hash = ?")
                .bind(disabled)
                .bind(&key_of(user)[..])
                .execute(&self.pool)
                .await;
            self.one_row(user, done)
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
            sqlx::query("DELETE FROM keys WHERE user_hash = ?")
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
                sqlx::query_as("SELECT failures FROM keys WHERE user_hash = ? AND kid = ?")
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
            let done = sqlx::query("UPDATE keys SET failures = ? WHERE user_hash = ? AND kid = ?")
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
            let mut transaction = self.begin().await?;
            let done = sqlx::query("UPDATE accounts SET password_hash = ? WHERE user_hash = ?")
                .bind(password_hash)
                .bind(&key_of(user)[..])
                .execute(&mut *transaction)
                .await;
            self.one_row(user, done)?;
            sqlx::query("UPDATE keys SET failures = 0 WHERE user_hash = ?")
                .bind(&key_of(user)[..])
                .execute(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
            transaction.commit().await.map_err(|e| self.failed(e))
        })
    }

    fn renew_hash<'a>(
        &'a self,
        user: &'a UserName,
        old: &'a str,
        new: &'a str,
    ) -> Answer<'a, bool> {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE accounts SET password_hash = ? WHERE user_hash = ? AND password_hash = ?",
            )
            .bind(new)
            .bind(&key_of(user)[..])
            .bind(old)
            .execute(&self.pool)
            .await;
            let done = done.map_err(|e| self.failed(e))?;
            Ok(done.rows_affected() == 1)
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
                "SELECT id, kind, text, session, received_at FROM messages
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

    fn held<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        id: u64,
    ) -> Answer<'a, Option<Held>> {
        Box::pin(async move {
            match self.message(user, kid, id).await? {
                Some(message) => Ok(Some(message.held())),
                None => self.pruned(user, kid, id).await,
            }
        })
    }

    fn append<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        message: &'a StoredMessage,
    ) -> Answer<'a, Appended> {
        Box::pin(async move {
            // The statement checks and inserts: of two sessions that bring the same id, one appends and the other learns
            // of it. The message and its place in the outbox are committed together.
            let mut transaction = self.begin().await?;
            let done = sqlx::query(
                "INSERT INTO messages (user_hash, kid, id, kind, text, session, received_at)
                 SELECT user_hash, kid, ?3, ?4, ?5, ?6, ?7 FROM accounts JOIN keys USING (user_hash)
                 WHERE user_hash = ?1 AND kid = ?2 AND NOT disabled AND ?3 = 1 + MAX(
                     COALESCE((SELECT MAX(id) FROM messages WHERE user_hash = ?1 AND kid = ?2), 0),
                     COALESCE((SELECT MAX(id) FROM pruned WHERE user_hash = ?1 AND kid = ?2), 0))",
            )
            .bind(&key_of(user)[..])
            .bind(&kid.0[..])
            .bind(sql_id(message.id))
            .bind(i64::from(message.kind))
            .bind(&message.text)
            .bind(message.session.as_ref().map(|name| &name[..]))
            .bind(message.received_at.map(seconds))
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?;
            if done.rows_affected() == 1 {
                if self.has_sink {
                    let id = sql_id(message.id);
                    self.enqueue(user, kid, id, &mut transaction).await?;
                }
                transaction.commit().await.map_err(|e| self.failed(e))?;
                return Ok(Appended::Appended);
            }
            transaction.rollback().await.map_err(|e| self.failed(e))?;
            let account = self.find(user, kid).await?;
            if account.is_none_or(|account| account.disabled) {
                return Err(StoreError::NoSuchUser(user.clone()));
            }
            let last = self.last(user, kid).await?;
            match self.message(user, kid, message.id).await? {
                None if (1..=last).contains(&message.id) => {
                    self.repeats_pruned(user, kid, message).await
                }
                held => not_next(user, held.as_ref(), last, message),
            }
        })
    }

    fn logs<'a>(&'a self, user: &'a UserName) -> Answer<'a, Vec<Fingerprint>> {
        Box::pin(async move {
            let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
                "SELECT kid FROM messages WHERE user_hash = ?1
                 UNION SELECT kid FROM pruned WHERE user_hash = ?1 ORDER BY kid",
            )
            .bind(&key_of(user)[..])
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
            let kid = |(kid,): (Vec<u8>,)| kid.try_into().map(Fingerprint);
            let kids: Result<_, _> = rows.into_iter().map(kid).collect();
            kids.map_err(|_| self.damaged("a fingerprint of another length"))
        })
    }

    fn messages<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
    ) -> Answer<'a, Vec<StoredMessage>> {
        Box::pin(async move {
            let rows: Vec<MessageRow> = sqlx::query_as(
                "SELECT id, kind, text, session, received_at FROM messages
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

impl Sqlite {
    fn account(&self, row: AccountRow) -> Result<Account, StoreError> {
        let (user, kid, spki, password_hash, created_at, disabled) = row;
        let user = UserName::parse(&user).map_err(|_| self.damaged("a user name is none"))?;
        let created_at =
            u64::try_from(created_at).map_err(|_| self.damaged("a time before 1970"))?;
        let mut account = Account::new(user, spki, password_hash, created_at);
        account.disabled = disabled;
        if account.kid.0[..] != kid {
            let what = format!("the key of {} is not the one enrolled", account.user);
            return Err(self.damaged(what));
        }
        Ok(account)
    }

    pub(super) fn stored(&self, row: MessageRow) -> Result<StoredMessage, StoreError> {
        let (id, kind, text, session, received_at) = row;
        let session = session.map(|name| {
            <[u8; 16]>::try_from(name).map_err(|_| self.damaged("the name of a session is none"))
        });
        let time = |at| u64::try_from(at).map_err(|_| self.damaged("a time before 1970"));
        Ok(StoredMessage {
            id: u64::try_from(id).map_err(|_| self.damaged("a negative message id"))?,
            kind: u8::try_from(kind).map_err(|_| self.damaged("a kind over 255"))?,
            text,
            session: session.transpose()?,
            received_at: received_at.map(time).transpose()?,
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
    pub(super) async fn begin(&self) -> Result<Transaction<'_, sqlx::Sqlite>, StoreError> {
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

    /// Adds an account unless there is one of this name.
    async fn insert(
        &self,
        account: &Account,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO accounts (user_hash, user, password_hash, created_at)
             VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&key_of(&account.user)[..])
        .bind(account.user.as_str())
        .bind(&account.password_hash)
        .bind(seconds(account.created_at))
        .execute(&mut *connection)
        .await;
        self.one_new_row(&account.user, done)?;
        let key = insert_key(&account.user, &account.spki, account.created_at);
        key.execute(connection).await.map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// Whether there is such a user.
    async fn known(
        &self,
        user: &UserName,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let (known,): (bool,) =
            sqlx::query_as("SELECT EXISTS (SELECT 1 FROM accounts WHERE user_hash = ?)")
                .bind(&key_of(user)[..])
                .fetch_one(connection)
                .await
                .map_err(|e| self.failed(e))?;
        match known {
            true => Ok(()),
            false => Err(StoreError::NoSuchUser(user.clone())),
        }
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
        let mut connection = self.pool.acquire().await.map_err(|e| self.failed(e))?;
        let last = self.last_of(&key_of(user), &kid.0, &mut connection).await?;
        u64::try_from(last).map_err(|_| self.damaged("a negative message id"))
    }
}

/// Adds a key unless the user has it.
fn insert_key<'a>(
    user: &UserName,
    spki: &'a [u8],
    added_at: u64,
) -> Query<'a, sqlx::Sqlite, SqliteArguments> {
    sqlx::query(
        "INSERT INTO keys (user_hash, kid, spki, added_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(key_of(user).to_vec())
    .bind(Fingerprint::of(spki).0.to_vec())
    .bind(spki)
    .bind(seconds(added_at))
}

/// An id as SQLite takes it. Beyond its numbers there is no message, and nor is there one with the id 0.
fn sql_id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(0)
}

/// A time as SQLite takes it.
fn seconds(since_1970: u64) -> i64 {
    i64::try_from(since_1970).unwrap_or(i64::MAX)
}
