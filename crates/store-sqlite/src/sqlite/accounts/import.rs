//! Users of another server, all of them or none.

use latchstring_store::{Account, StoreError, key_of};

use super::{Sqlite, insert_key};

impl Sqlite {
    /// Adds these accounts in one step, each with its number of wrong passwords, and revokes invitations for their names.
    /// The accounts of one user stand together, one for each key.
    ///
    /// # Errors
    /// [`StoreError::UserExists`] rather than replace an account, and [`StoreError::KeyExists`] rather than add a key twice;
    /// an error of the disk. After an error nothing has changed.
    pub async fn import(&self, accounts: &[(Account, u32)]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let of_one_user = |one: &(Account, u32), next: &(Account, u32)| one.0.user == next.0.user;
        for keys in accounts.chunk_by(of_one_user) {
            let (first, _) = &keys[0];
            self.insert(first, &mut transaction).await?;
            self.uninvite(&first.user, &mut transaction).await?;
            for (account, _) in &keys[1..] {
                let key = insert_key(&account.user, &account.spki, account.created_at);
                let done = key.execute(&mut *transaction).await;
                if done.map_err(|e| self.failed(e))?.rows_affected() == 0 {
                    return Err(StoreError::KeyExists(account.user.clone()));
                }
            }
            for (account, failures) in keys {
                sqlx::query("UPDATE keys SET failures = ? WHERE user_hash = ? AND kid = ?")
                    .bind(i64::from(*failures))
                    .bind(&key_of(&account.user)[..])
                    .bind(&account.kid.0[..])
                    .execute(&mut *transaction)
                    .await
                    .map_err(|e| self.failed(e))?;
            }
            sqlx::query("UPDATE accounts SET disabled = ? WHERE user_hash = ?")
                .bind(first.disabled)
                .bind(&key_of(&first.user)[..])
                .execute(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
        }
        transaction.commit().await.map_err(|e| self.failed(e))
    }
}
