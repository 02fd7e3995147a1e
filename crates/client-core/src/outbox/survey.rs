//! What waits in all outboxes of a directory, for a person who asks. Nothing is locked or changed.

use std::{
    fs,
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
};

use latchstring_net::{
    files::open_ours,
    protocol::hardened::message::{Fingerprint, UserName},
};

use super::{Outbox, OutboxError, Owner};

/// The content of one outbox.
#[derive(Debug)]
pub struct Content {
    /// The file.
    pub path: PathBuf,
    /// The user whose messages these are.
    pub user: String,
    /// The fingerprint of the host's key, and that of the user's key. `None` if the file does not say.
    pub keys: Option<(String, String)>,
    /// Messages that wait, also those that are too long to be sent; or why the file cannot be read.
    pub messages: Result<usize, OutboxError>,
}

/// Looks at every outbox in `dir`, in the order of their names. A directory that is not there holds none.
///
/// # Errors
/// [`OutboxError::Io`] when the directory cannot be read.
pub fn survey(dir: &Path) -> Result<Vec<Content>, OutboxError> {
    let failed = |source| OutboxError::Io {
        path: dir.to_owned(),
        source,
    };
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().unwrap_or_default();
        let user = name
            .strip_suffix(".jsonl")
            .and_then(|stem| stem.rsplit_once('-'));
        if let Some(user) = user.and_then(|(user, _)| UserName::parse(user).ok()) {
            found.push(content(entry.path(), user));
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn content(path: PathBuf, user: UserName) -> Content {
    let name = user.to_string();
    match look_at(&path, user) {
        Ok(outbox) => Content {
            messages: Ok(outbox.waiting.len() + outbox.too_long.len()),
            user: name,
            keys: outbox.said.map(|[host, _, key]| (host, key)),
            path,
        },
        Err(why) => Content {
            messages: Err(why),
            user: name,
            keys: None,
            path,
        },
    }
}

fn look_at(path: &Path, user: UserName) -> Result<Outbox, OutboxError> {
    let file = open_ours(path, OpenOptions::new().read(true));
    let file = file.map_err(|source| OutboxError::Io {
        path: path.to_owned(),
        source,
    })?;
    // Whose they are stands in the file; this owner is compared with nothing.
    let unknown = Fingerprint([0; 32]);
    let owner = Owner {
        host: unknown,
        user,
        key: unknown,
    };
    let mut outbox = Outbox::blank(owner, path.to_owned(), file);
    outbox.read_lines()?;
    Ok(outbox)
}
