//! The folder with the invitations of a class: a file for each student, named by the id, which only the instructor can read.
//! `hand_out` puts each into the archive of its student.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, ensure};
use latchstring_course::roster::{Id, Roster};

use crate::{folder, server::Server};

/// The list of students with an account. No id has a dot, so it is nobody's invitation.
const ACCOUNTS: &str = "accounts.txt";

/// What became of a class.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Invited {
    /// These have a new invitation.
    pub new: Vec<Id>,
    /// These have an invitation in the folder that they can still use, until this time.
    pub open: Vec<(Id, String)>,
    /// These have an invitation that is not in the folder, until this time.
    pub elsewhere: Vec<(Id, String)>,
    /// These have an account.
    pub known: Vec<Id>,
}

/// Makes an invitation for each student without an account, and writes it into the folder. An invitation that can still be used
/// stays unless all are to be renewed. The student may have it already, and a new one would end it.
///
/// # Errors
/// When the server makes no invitation, or it cannot be written.
pub fn make(
    server: &Server,
    students: &Roster,
    to: &Path,
    lasting: &str,
    renew: bool,
) -> anyhow::Result<Invited> {
    let (accounts, open) = (server.accounts()?, server.open_invitations()?);
    private_folder(to)?;
    let mut invited = Invited::default();
    for person in students.people() {
        let id = &person.id;
        let path = to.join(id.as_str());
        if accounts.contains(id.as_str()) {
            invited.known.push(id.clone());
            // It is spent.
            forget(&path)?;
            continue;
        }
        match open.get(id.as_str()).filter(|_| !renew) {
            Some(expires) if path.is_file() => invited.open.push((id.clone(), expires.clone())),
            Some(expires) => invited.elsewhere.push((id.clone(), expires.clone())),
            None => {
                let line = server.invite(id, lasting)?;
                // The new file is its owner's alone, from its first moment.
                folder::write(&path, line.as_bytes())?;
                invited.new.push(id.clone());
            }
        }
    }
    let known: String = (accounts.iter()).map(|name| format!("{name}\n")).collect();
    folder::write(&to.join(ACCOUNTS), known.as_bytes())?;
    Ok(invited)
}

/// The names with an account when the invitations of this folder were made. They need no invitation.
pub fn accounts(folder: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(folder.join(ACCOUNTS)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn private_folder(path: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot make {}", path.display());
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(failed)?;
    let about = fs::metadata(path).with_context(failed)?;
    ensure!(
        about.permissions().mode() & 0o022 == 0,
        "others can write into {0}, and invitations are secrets; run: chmod go-w {0}",
        path.display()
    );
    Ok(())
}

fn forget(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why)
            .with_context(|| format!("cannot delete the spent invitation {}", path.display())),
        _ => Ok(()),
    }
}
