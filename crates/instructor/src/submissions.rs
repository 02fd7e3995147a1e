//! The files that a class has handed in, as a learning platform exports them.
//!
//! Names are not believed: a bundle says itself whose it is. But some platforms write into a name who has uploaded the file,
//! and that must be the same student.
//!
//! | platform | name | uploaded by |
//! | --- | --- | --- |
//! | Canvas | `musteranna_LATE_12345_678_file.zip` | the student with the number 12345 |
//! | Moodle | `Anna Muster_678_assignsubmission_file_/file.zip` | the only student of this name |
//! | the course's own server | `anna-muster-59cdee/…`, and `….received` beside it | the student with this id |

use std::{
    fs,
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use latchstring_classroom::bundle::{self, Bundle, Refused};
use latchstring_course::{
    moment::Moment,
    roster::{Column, Id, Roster},
};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

/// What the name of a file ends with that says when the server received the file beside it.
pub const RECEIVED: &str = ".received";
/// The limit on the size of one file, in bytes. An archive of a whole class is unpacked by hand.
const LARGEST: u64 = 64 << 20;
/// The limit on the number of files in an archive.
const MOST_IN_ARCHIVE: usize = 200;
/// Folders are looked into so deep.
const DEEPEST: usize = 8;

/// One file that was handed in.
#[derive(Debug)]
pub struct Submission {
    /// Its path, below the folder that was given.
    pub path: String,
    /// Who has uploaded it, if the name says so.
    pub uploader: Option<Id>,
    /// When the server received it, if it says so.
    pub received: Option<Moment>,
    /// What is in it.
    pub bundle: Result<Bundle, Refused>,
    /// SHA-256 of the whole file. Of several bundles in one archive it is the archive's.
    pub digest: [u8; 32],
}

/// A hash over all files, with their paths: two machines that have the same one grade the same.
pub fn hash(all: &[Submission]) -> String {
    let mut hash = Sha256::new();
    for one in all {
        hash.update(one.path.len().to_be_bytes());
        hash.update(&one.path);
        hash.update(one.digest);
        hash.update(one.received.as_ref().map_or("", Moment::as_str));
    }
    hex::encode(hash.finalize())
}

/// Reads all files below a folder, in the order of their paths.
///
/// # Errors
/// When the folder or a file cannot be read.
pub fn read(folder: &Path, roster: &Roster) -> anyhow::Result<Vec<Submission>> {
    let mut paths = Vec::new();
    list(folder, DEEPEST, &mut paths)?;
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        add(folder, &path, roster, &mut all)?;
    }
    Ok(all)
}

fn list(folder: &Path, deeper: usize, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let listed = || {
        format!(
            "cannot list {}: name the folder with the files that were handed in",
            folder.display()
        )
    };
    for entry in fs::read_dir(folder).with_context(listed)? {
        let entry = entry.with_context(listed)?;
        let (name, path) = (entry.file_name(), entry.path());
        // A link may lead anywhere, and no platform exports one.
        let about = fs::symlink_metadata(&path).with_context(listed)?;
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.ends_with(RECEIVED) || bundle::lies_beside(&name) {
            continue;
        }
        if about.is_dir() && deeper > 0 {
            list(&path, deeper - 1, paths)?;
        } else if about.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

fn add(
    folder: &Path,
    path: &Path,
    roster: &Roster,
    all: &mut Vec<Submission>,
) -> anyhow::Result<()> {
    let shown = path.display();
    let below = path.strip_prefix(folder).unwrap_or(path);
    let below = below.to_string_lossy().into_owned();
    let about = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        about.len() <= LARGEST,
        "{shown} is larger than 64 MiB: if it is an archive of the whole class, unpack it first"
    );
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let digest = Sha256::digest(&bytes).into();
    let received = received(path)?;
    let uploader = match received {
        // The server has made the folder for a login. The name of the file is the sender's own choice.
        Some(_) => login(path, roster),
        None => uploader(&below, roster),
    };
    let bundle = bundle::read(&bytes);
    let inner = match bundle {
        // A platform may have packed what was uploaded once more.
        Err(Refused::NoBundle | Refused::Path(_) | Refused::TooLarge) => packed(&bytes),
        _ => Vec::new(),
    };
    if inner.is_empty() {
        all.push(Submission {
            path: below,
            uploader,
            received,
            bundle,
            digest,
        });
        return Ok(());
    }
    for (name, bytes) in inner {
        let path = format!("{below}/{name}");
        all.push(Submission {
            uploader: uploader.clone().or_else(|| self::uploader(&path, roster)),
            received: received.clone(),
            bundle: bundle::read(&bytes),
            path,
            digest,
        });
    }
    Ok(())
}

/// The student of the folder that the course's own server has made.
fn login(path: &Path, roster: &Roster) -> Option<Id> {
    let folder = path.parent()?.file_name()?.to_str()?;
    roster.find(folder).map(|person| person.id.clone())
}

/// When the server received a file.
fn received(path: &Path) -> anyhow::Result<Option<Moment>> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(RECEIVED);
    let Ok(text) = fs::read_to_string(&beside) else {
        return Ok(None);
    };
    let moment = Moment::try_from(text.trim());
    let moment = moment.with_context(|| format!("{} is damaged", beside.display()))?;
    Ok(Some(moment))
}

/// The archives in an archive, each with its name there. Nothing is written, so no name can do harm.
fn packed(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else {
        return Vec::new();
    };
    let mut inner = Vec::new();
    let mut left = LARGEST;
    for at in 0..archive.len().min(MOST_IN_ARCHIVE) {
        let Ok(entry) = archive.by_index(at) else {
            continue;
        };
        let name = entry.name().to_owned();
        if !entry.is_file() || !name.to_lowercase().ends_with(".zip") {
            continue;
        }
        let mut bytes = Vec::new();
        let read = entry.take(left + 1).read_to_end(&mut bytes);
        let length = bytes.len() as u64;
        if read.is_err() || length > left {
            continue;
        }
        left -= length;
        inner.push((name, bytes));
    }
    inner
}

/// Who has uploaded a file, as the parts of its path say.
fn uploader(path: &str, roster: &Roster) -> Option<Id> {
    let parts = path.split('/').map(str::trim);
    let found = parts.filter_map(|part| {
        let of_server = || roster.find(part);
        of_server()
            .or_else(|| of_canvas(part, roster))
            .or_else(|| of_moodle(part, roster))
    });
    let ids: Vec<&Id> = found.map(|person| &person.id).collect();
    let first = *ids.first()?;
    // Parts that name different students name nobody.
    ids.iter().all(|id| *id == first).then(|| first.clone())
}

fn of_canvas<'a>(part: &str, roster: &'a Roster) -> Option<&'a latchstring_course::roster::Person> {
    let mut pieces = part.split('_');
    let name = pieces.next()?;
    let mut rest = pieces.filter(|piece| *piece != "LATE");
    let (user, submission) = (rest.next()?, rest.next()?);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !name.is_empty() && digits(user) && digits(submission) && rest.next().is_some();
    fits.then(|| roster.find_by(Column::Number, user))?
}

fn of_moodle<'a>(part: &str, roster: &'a Roster) -> Option<&'a latchstring_course::roster::Person> {
    let (before, _) = part.split_once("_assignsubmission_")?;
    let (name, participant) = before.rsplit_once('_')?;
    let digits = participant.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| roster.find_by(Column::Name, name))?
}

#[cfg(test)]
mod tests {
    use latchstring_course::roster;

    use super::*;

    fn class() -> Roster {
        let csv = "id,name,email,login,sis,number,section\n\
                   anna,Anna Muster,a@x.example,,,12345,\n\
                   bert,Bert Beispiel,b@x.example,,,12346,\n\
                   carl,Carl Doppel,c@x.example,,,12347,\n\
                   cora,Carl Doppel,d@x.example,,,12348,\n";
        roster::read("roster.csv", csv.as_bytes()).unwrap().roster
    }

    #[test]
    fn the_uploader_is_read_from_the_names_of_the_platforms() {
        let roster = class();
        for (path, id) in [
            ("musteranna_12345_678_final (2).zip", Some("anna")),
            ("beispielbert_LATE_12346_679_x.zip", Some("bert")),
            ("nobody_99999_679_x.zip", None),
            ("a_b_c.zip", None),
            ("Anna Muster_9_assignsubmission_file_/x.zip", Some("anna")),
            ("Carl Doppel_9_assignsubmission_file_/x.zip", None),
            ("anna/01.zip", Some("anna")),
            ("anna/beispielbert_12346_679_x.zip", None),
            ("final.zip", None),
        ] {
            let found = uploader(path, &roster);
            assert_eq!(found.as_ref().map(Id::as_str), id, "{path}");
        }
    }
}
