//! Reads a bundle that anybody may have made.
//!
//! Nothing is believed: not a length, not a path, not a name. Reading never writes a file.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    path::{Component, Path},
};

use serde::Deserialize;
use thiserror::Error;
use zip::{ZipArchive, read::ZipFile, result::ZipError};

use super::{
    Bundle, FORMAT, Foreign, JOURNAL, LARGEST, LARGEST_FILE, MANIFEST, MOST_FILES, Sealed, WORK,
};
use crate::journal;

/// Why a file is no bundle that can be graded.
#[derive(Debug, Error)]
pub enum Refused {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// A file of another kind.
    #[error("{0}")]
    Foreign(Foreign),
    /// An archive with an entry that cannot be unpacked.
    #[error("it is a damaged ZIP archive: {0}")]
    DamagedArchive(String),
    /// An archive of something else.
    #[error("it is a ZIP archive without bundle.json, as of a folder that was packed by hand")]
    NoBundle,
    /// The files of a bundle, as a browser or a platform has unpacked it.
    #[error("this is a bundle that was unpacked: hand in the .zip as it is")]
    Unpacked,
    /// A manifest that is none.
    #[error("its bundle.json is damaged: {0}")]
    Damaged(String),
    /// Made by a program that is older or newer.
    #[error(
        "it has the format {found}, and this program reads the format {FORMAT}: it was made with another version"
    )]
    Format {
        /// The format.
        found: u64,
    },
    /// A path that leaves the folder.
    #[error("it has an entry with the unsafe name {0:?}")]
    Path(String),
    /// Neither a file nor a folder.
    #[error("its entry {0:?} is a link, and a bundle has files alone")]
    Link(String),
    /// Two entries of one name.
    #[error("it has two entries with the name {0:?}")]
    Twice(String),
    /// Too many entries, or too many bytes.
    #[error("it unpacks to more than {MOST_FILES} files, 1 MiB in one file or 8 MiB in all")]
    TooLarge,
}

impl From<ZipError> for Refused {
    fn from(error: ZipError) -> Self {
        Self::DamagedArchive(error.to_string())
    }
}

/// The number of a manifest, whatever else is in it.
#[derive(Deserialize)]
struct Numbered {
    manifest: Number,
}

#[derive(Deserialize)]
struct Number {
    format: u64,
}

/// Reads a bundle.
///
/// # Errors
/// When it is none, or one that is too large or unsafe.
pub fn read(bytes: &[u8]) -> Result<Bundle, Refused> {
    if bytes.is_empty() {
        return Err(Refused::Empty);
    }
    let archive = ZipArchive::new(Cursor::new(bytes));
    let mut archive = archive.map_err(|_| Refused::Foreign(Foreign::of(bytes)))?;
    if let Some(foreign) = Foreign::of_archive(&archive) {
        return Err(Refused::Foreign(foreign));
    }
    // One more for the manifest and the journal each; folders may have entries, too.
    if archive.len() > 2 * MOST_FILES + 2 {
        return Err(Refused::TooLarge);
    }
    let mut entries = BTreeMap::new();
    let mut left = LARGEST + 2 * LARGEST_FILE;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at)?;
        let Some(name) = name_of(&entry)? else {
            continue;
        };
        let bytes = content(&mut entry, &mut left)?;
        if entries.insert(name.clone(), bytes).is_some() {
            return Err(Refused::Twice(name));
        }
    }
    let manifest = entries.remove(MANIFEST).ok_or(Refused::NoBundle)?;
    let sealed = manifest_of(&manifest)?;
    let journal = entries.remove(JOURNAL).unwrap_or_default();
    let files = entries.into_iter();
    let files: BTreeMap<_, _> = files
        .filter_map(|(name, bytes)| Some((name.strip_prefix(WORK)?.to_owned(), bytes)))
        .collect();
    if files.len() > MOST_FILES || journal.len() as u64 > journal::LARGEST {
        return Err(Refused::TooLarge);
    }
    Ok(Bundle {
        manifest: sealed.manifest,
        seal: sealed.seal,
        journal: String::from_utf8_lossy(&journal).into_owned(),
        files,
    })
}

/// Whether this is the `bundle.json` of a bundle, of this program or of a newer one.
pub fn is_manifest(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Numbered>(bytes).is_ok()
}

fn manifest_of(bytes: &[u8]) -> Result<Sealed, Refused> {
    let damaged = |why: serde_json::Error| Refused::Damaged(why.to_string());
    // First, so that a newer bundle is called newer and not damaged.
    let numbered: Numbered = serde_json::from_slice(bytes).map_err(damaged)?;
    match numbered.manifest.format {
        format if format == u64::from(FORMAT) => serde_json::from_slice(bytes).map_err(damaged),
        found => Err(Refused::Format { found }),
    }
}

/// The name of an entry that is a file; `None` for a folder.
fn name_of(entry: &ZipFile<'_, impl Read>) -> Result<Option<String>, Refused> {
    let name = entry.name().to_owned();
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    let safe = !name.is_empty()
        && !name.contains(|c: char| c.is_control() || c == '\\' || c == ':')
        && Path::new(&name).components().all(plain)
        && !name.contains("//")
        && !name.split('/').any(|part| part == ".");
    match () {
        () if !safe => Err(Refused::Path(name)),
        () if entry.is_symlink() => Err(Refused::Link(name)),
        () if entry.is_dir() => Ok(None),
        () => Ok(Some(name)),
    }
}

/// What an entry unpacks to. The length that it states is not looked at.
fn content(entry: &mut ZipFile<'_, impl Read>, left: &mut u64) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    let most = LARGEST_FILE.min(*left);
    let read = entry.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|why| Refused::DamagedArchive(why.to_string()))?;
    let length = bytes.len() as u64;
    if length > most {
        return Err(Refused::TooLarge);
    }
    *left -= length;
    Ok(bytes)
}
