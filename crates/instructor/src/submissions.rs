//! The files that a class has handed in, as a learning platform exports them.
//!
//! Names are not believed: a bundle says itself whose it is. But some platforms write into a name who has uploaded the file,
//! and that must be the same student.
//!
//! | platform | name | uploaded by |
//! | --- | --- | --- |
//! | Canvas | `musteranna_LATE_12345_678_file.zip` | the student with the number 12345, or else the only one of this name |
//! | Moodle | `Anna Muster_678_assignsubmission_file_/file.zip` | the only student of this name |
//! | the course's own server | `anna-muster-59cdee/…`, and `….received` beside it | the student with this id |

mod uploader;

use std::{
    fs,
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use latchstring_classroom::bundle::{self, Bundle, Refused};
use latchstring_course::{
    moment::Moment,
    roster::{Id, Roster},
};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use self::uploader::Uploader;
pub(crate) use self::uploader::is_same_name;

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
    /// A name that the platform has written, and that nobody in the course has.
    pub stranger: Option<String>,
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
    // A bundle that was unpacked is one file in trouble, and not as many as it has parts.
    let unpacked = is_unpacked(&folder.join(bundle::MANIFEST));
    for entry in fs::read_dir(folder).with_context(listed)? {
        let entry = entry.with_context(listed)?;
        let (name, path) = (entry.file_name(), entry.path());
        // A link may lead anywhere, and no platform exports one.
        let about = fs::symlink_metadata(&path).with_context(listed)?;
        let name = name.to_string_lossy();
        let is_part = name == bundle::JOURNAL || name == bundle::WORK.trim_end_matches('/');
        if unpacked && is_part {
            continue;
        }
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

/// Whether this is the list of a bundle that a browser or a platform has unpacked.
fn is_unpacked(path: &Path) -> bool {
    let about = fs::symlink_metadata(path);
    about.is_ok_and(|about| about.is_file() && about.len() <= LARGEST)
        && path.ends_with(bundle::MANIFEST)
        && fs::read(path).is_ok_and(|bytes| bundle::is_manifest(&bytes))
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
    let of_path = |below: &str| match received {
        // The server has made the folder for a login. The name of the file is the sender's own choice.
        Some(_) => Uploader {
            id: login(path, roster),
            stranger: None,
        },
        None => uploader::of_path(below, roster),
    };
    let bundle = match is_unpacked(path) {
        true => Err(Refused::Unpacked),
        false => bundle::read(&bytes),
    };
    let inner = match bundle {
        // A platform may have packed what was uploaded once more.
        Err(Refused::NoBundle | Refused::Path(_) | Refused::TooLarge) => packed(&bytes),
        _ => Vec::new(),
    };
    if inner.is_empty() {
        let of_path = of_path(&below);
        all.push(Submission {
            path: below,
            uploader: of_path.id,
            stranger: of_path.stranger,
            received,
            bundle,
            digest,
        });
        return Ok(());
    }
    for (name, bytes) in inner {
        let path = format!("{below}/{name}");
        let Uploader { id, stranger } = match of_path(&below) {
            Uploader {
                id: None,
                stranger: None,
            } => of_path(&path),
            outer => outer,
        };
        all.push(Submission {
            uploader: id,
            stranger,
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
