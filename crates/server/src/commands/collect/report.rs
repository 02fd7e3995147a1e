//! What `collect` says: a line for a person, or an object for a program.

use std::time::{Duration, UNIX_EPOCH};

use latchstring_net::report::count;
use serde::Serialize;

/// One thing that was found. The page `docs/src/operating.md` lists the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "found", rename_all = "kebab-case")]
pub(super) enum Report {
    /// A whole file, which is in the directory now.
    File {
        user: String,
        name: String,
        path: String,
        sha256: String,
        length: usize,
        received: Option<String>,
        new: bool,
        messages: Vec<u64>,
    },
    /// A whole file that is not in the directory.
    NotCollected {
        user: String,
        name: String,
        sha256: String,
        why: String,
    },
    /// Parts of a file.
    Incomplete {
        user: String,
        name: String,
        sha256: String,
        length: usize,
        parts: u32,
        missing: Vec<u32>,
    },
    /// All parts of a file, which are not the file that they name.
    Broken {
        user: String,
        name: String,
        sha256: String,
        why: String,
    },
    /// A message that claims to be a part.
    BadPart {
        user: String,
        message: u64,
        why: String,
    },
    /// The last line.
    End(End),
}

/// How many of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct End {
    /// Files that were written now.
    pub(super) new: usize,
    /// Files that were there.
    pub(super) as_before: usize,
    /// Whole files that could not be written.
    pub(super) not_collected: usize,
    /// Messages that belong to no file.
    pub(super) other_messages: u64,
    /// Messages of users who were removed.
    pub(super) removed_messages: u64,
}

impl Report {
    /// The line for a person on the standard output.
    pub(super) fn line(&self) -> Option<String> {
        match self {
            Self::File {
                path,
                length,
                received,
                new: true,
                ..
            } => Some(format!(
                "{path}: {}, received {}",
                count(*length as u64, "byte"),
                received.as_deref().unwrap_or("at an unknown time")
            )),
            Self::End(end) => Some(format!(
                "{}, {} as before.",
                count(end.new as u64, "new file"),
                end.as_before
            )),
            _ => None,
        }
    }

    /// The note for the operator on the standard error.
    pub(super) fn note(&self) -> Option<String> {
        match self {
            Self::File {
                path,
                received: None,
                ..
            } => Some(format!(
                "{path}: an older server stored a part of it and noted no time, so nobody can tell when it came."
            )),
            Self::File { .. } => None,
            Self::NotCollected {
                user, name, why, ..
            } => Some(format!("{user}/{name} was not collected: {why}.")),
            Self::Incomplete {
                user,
                name,
                parts,
                missing,
                ..
            } => Some(format!(
                "{user}/{name} is incomplete: {} of {} {} missing; {user} must send the file again.",
                missing.len(),
                count(u64::from(*parts), "part"),
                if missing.len() == 1 { "is" } else { "are" }
            )),
            Self::Broken {
                user, name, why, ..
            } => Some(format!(
                "{user}/{name} is broken: {why}; ask {user} to send it under another name."
            )),
            Self::BadPart { user, message, why } => Some(format!(
                "Message {message} of {user} is not a valid part of a file: {why}."
            )),
            Self::End(End {
                other_messages: 0,
                removed_messages: 0,
                ..
            }) => None,
            Self::End(end) => Some(format!(
                "Left alone: {} of no file, and {} of removed users.",
                count(end.other_messages, "message"),
                count(end.removed_messages, "message")
            )),
        }
    }
}

/// Seconds since 1970 as RFC 3339 in UTC. The format ends with the year 9999, and so do these times.
pub(super) fn utc(seconds: u64) -> String {
    let last = 253_402_300_799;
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(last));
    humantime::format_rfc3339_seconds(time).to_string()
}
