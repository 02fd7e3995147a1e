//! The schema of the file, and the scripts that bring an older file up to date.

use std::path::Path;

use latchstring_store::StoreError;
use sqlx::{Connection, SqliteConnection};

use crate::failure::failed;

/// The scripts that make the schema, oldest first. Script number n leaves the file at `user_version` n.
const MIGRATIONS: [&str; 9] = [
    include_str!("../migrations/0001_accounts_and_messages.sql"),
    include_str!("../migrations/0002_invites.sql"),
    include_str!("../migrations/0003_failures.sql"),
    include_str!("../migrations/0004_sessions.sql"),
    include_str!("../migrations/0005_invites_that_outlive_clocks.sql"),
    include_str!("../migrations/0006_times_of_messages.sql"),
    include_str!("../migrations/0007_several_keys_and_disabled_users.sql"),
    include_str!("../migrations/0008_outbox.sql"),
    include_str!("../migrations/0009_pruned.sql"),
];

/// The version of the schema in the file; 0 is an empty file.
///
/// # Errors
/// [`StoreError::Newer`] when this program does not know it; an error of the disk.
pub(crate) async fn version(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<usize, StoreError> {
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
///
/// # Errors
/// As [`version`].
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_ends_with_its_own_number() {
        for (i, script) in MIGRATIONS.iter().enumerate() {
            let end = format!("PRAGMA user_version = {};", i + 1);
            assert!(script.trim_end().ends_with(&end), "{script}");
        }
    }
}
