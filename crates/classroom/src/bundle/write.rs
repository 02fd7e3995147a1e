//! Makes a bundle of a student's folder.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::{Cursor, Write},
    path::Path,
};

use anyhow::{Context, ensure};
use latchstring_course::moment::Moment;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use super::{
    FORMAT, JOURNAL, LARGEST, LARGEST_FILE, MANIFEST, MOST_FILES, Manifest, Sealed, WORK,
    hand_out_hash, hash, hash_of_all,
};
use crate::{answers, files::is_left_by_tools, journal, state, student::Student};

/// A bundle, ready to be handed in.
pub struct Made {
    /// The archive.
    pub bytes: Vec<u8>,
    /// What it says about itself.
    pub manifest: Manifest,
}

/// Makes a bundle of the student's folder, as it is now.
///
/// # Errors
/// When the folder is none of a course, has no sheet of answers, or has too many files or too large ones.
pub fn make(student: &Student, now: Moment) -> anyhow::Result<Made> {
    let (folder, lab) = (&student.folder, &student.lab.id);
    let hand_out = student.state.hand_out().with_context(|| {
        format!(
            "{} is for practice: only a folder of a course's hand-out can be handed in; unpack the archive that you were given, and work there",
            folder.display()
        )
    })?;
    let files = files_of(folder)?;
    ensure!(
        files.contains_key(answers::FILE),
        "{} is not in {}: `latchstring lab reset {lab}` makes a new one, and moves your other files to a backup",
        answers::FILE,
        folder.display()
    );
    let journal = fs::read_to_string(folder.join(journal::FILE)).unwrap_or_default();
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        handed_out_by: hand_out.version.clone(),
        owner: hand_out.owner.clone(),
        lab: lab.clone(),
        language: student.state.language.clone(),
        made: now,
        hand_out: hand_out_hash(&student.state),
        predictions: student.state.predictions.clone(),
        hints: student.state.hints,
        passed: student.state.passed.clone(),
        journal: hash(journal.as_bytes()),
        files: hashes(&files),
    };
    let sealed = Sealed {
        seal: manifest.seal(&hand_out.seal),
        manifest,
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: &[u8]| -> anyhow::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        zip.start_file(name, options)?;
        Ok(zip.write_all(bytes)?)
    };
    add(MANIFEST, serde_json::to_string_pretty(&sealed)?.as_bytes())?;
    add(JOURNAL, journal.as_bytes())?;
    for (path, bytes) in &files {
        add(&format!("{WORK}{path}"), bytes)?;
    }
    Ok(Made {
        bytes: zip.finish()?.into_inner(),
        manifest: sealed.manifest,
    })
}

/// The hash over all files of a folder that are handed in.
///
/// # Errors
/// As [`make`].
pub fn hash_of(folder: &Path) -> anyhow::Result<String> {
    Ok(hash_of_all(&hashes(&files_of(folder)?)))
}

fn hashes(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    let hashes = files.iter();
    hashes
        .map(|(path, bytes)| (path.clone(), hash(bytes)))
        .collect()
}

/// What of a student's folder is not handed in: the state, backups, what tools leave, and what was handed in before.
fn is_left_out(name: &OsStr) -> bool {
    let text = name.to_string_lossy();
    state::is_its_file(name)
        || is_left_by_tools(&text)
        || text.starts_with("backup-")
        || text.ends_with(super::ENDING)
        || super::lies_beside(&text)
}

/// The files that are handed in, by their paths.
fn files_of(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = Found::default();
    found.add(folder, "")?;
    Ok(found.files)
}

#[derive(Default)]
struct Found {
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

impl Found {
    fn add(&mut self, folder: &Path, below: &str) -> anyhow::Result<()> {
        let listed = || format!("cannot list {}", folder.display());
        for entry in fs::read_dir(folder).with_context(listed)? {
            let entry = entry.with_context(listed)?;
            let (name, path) = (entry.file_name(), entry.path());
            // Neither a link nor a pipe nor a device is handed in.
            let about = fs::symlink_metadata(&path)
                .with_context(|| format!("cannot look at {}", path.display()))?;
            let plain = about.is_dir() || about.is_file();
            if is_left_out(&name) || !plain {
                continue;
            }
            let name = name.to_str();
            let name = name.with_context(|| {
                format!("the name {} is not UTF-8: rename the file", path.display())
            })?;
            let below = format!("{below}{name}");
            match about.is_dir() {
                true => self.add(&path, &format!("{below}/"))?,
                false => self.add_file(&path, below, about.len())?,
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path, below: String, length: u64) -> anyhow::Result<()> {
        let shown = path.display();
        ensure!(
            length <= LARGEST_FILE,
            "{shown} is larger than 1 MiB: move it out of the lab's folder"
        );
        self.bytes += length;
        ensure!(
            self.bytes <= LARGEST && self.files.len() < MOST_FILES,
            "the lab's folder has more than {MOST_FILES} files or 8 MiB: move out what is no part of your work, such as {shown}"
        );
        let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
        self.files.insert(below, bytes);
        Ok(())
    }
}
