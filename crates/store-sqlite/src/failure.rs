//! The meaning of SQLite's errors.

use std::path::Path;

use latchstring_store::StoreError;

/// Says what SQLite's error means for the person at the keyboard (result codes: <https://www.sqlite.org/rescode.html>).
pub(crate) fn failed(path: &Path, source: sqlx::Error) -> StoreError {
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
