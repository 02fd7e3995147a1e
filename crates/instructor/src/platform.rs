//! What a learning platform says about one submission.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use latchstring_course::{
    moment::Moment,
    roster::{Column, Id, Roster},
};
use serde::Deserialize;

/// A submission, as Gradescope knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Who has uploaded it.
    pub student: Id,
    /// When.
    pub created: Moment,
}

/// `submission_metadata.json`, as far as it is read.
#[derive(Deserialize)]
struct Metadata {
    created_at: String,
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    email: String,
}

/// Reads Gradescope's `submission_metadata.json`.
///
/// # Errors
/// When it cannot be read, or does not name exactly one student of the course.
pub fn gradescope(path: &Path, roster: &Roster) -> anyhow::Result<Upload> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let metadata: Metadata = serde_json::from_str(&text)
        .with_context(|| format!("{name} is no submission_metadata.json of Gradescope"))?;
    let [user] = metadata.users.as_slice() else {
        bail!(
            "{name} names {} students, and a hand-out is one student's: turn group submission off",
            metadata.users.len()
        );
    };
    let student = roster
        .find_by(Column::Email, &user.email)
        .with_context(|| {
            format!(
                "the course has no student with the address {:?}: add it to roster.csv",
                user.email
            )
        })?;
    Ok(Upload {
        student: student.id.clone(),
        created: Moment::in_any_zone(&metadata.created_at)?,
    })
}
