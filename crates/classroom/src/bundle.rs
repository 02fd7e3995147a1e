//! The file that a student of a course hands in for one lab: answers, program, captures, predictions and the journal.
//!
//! It is a ZIP archive. `bundle.json` names whose it is, and has a hash of each file and a seal over all of it: HMAC-SHA-256
//! under the hand-out's key. The key is in the student's hands, so the seal finds a change and does not prevent one. The
//! grader computes every grade anew, from the files and from the course's key.

mod foreign;
mod read;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use latchstring_course::moment::Moment;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::{
    foreign::Foreign,
    read::{Refused, is_manifest, read},
    write::{Made, hash_of, make},
};
use super::{
    hand_out::{HandOut, Owner},
    journal::sealed,
    seed::Seed,
    state::State,
};

/// The format of bundles. A change that an older grader would misread gets the next number.
pub const FORMAT: u32 = 1;
/// What the name of a bundle ends with.
pub const ENDING: &str = ".latchstring.zip";
/// What the client of the course's own server writes beside a bundle while it is on its way, after the bundle's name.
pub const SENDING: &str = ".sending";
/// The first entry of the archive.
pub const MANIFEST: &str = "bundle.json";
/// The entry with the journal.
pub const JOURNAL: &str = "journal";
/// The folder with the student's files.
pub const WORK: &str = "work/";
/// The limit on the size of one file, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// The limit on the size of all files together, in bytes.
const LARGEST: u64 = 8 << 20;
/// The limit on the number of files.
const MOST_FILES: usize = 500;

/// What a bundle says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// The version of the program that made the hand-out.
    pub handed_out_by: String,
    /// Whose it is.
    pub owner: Owner,
    /// The lab.
    pub lab: String,
    /// The language of the student's files.
    pub language: Option<String>,
    /// When it was made, by the clock of the student's machine.
    pub made: Moment,
    /// The hash of the hand-out in the student's state file.
    pub hand_out: String,
    /// The first predictions.
    pub predictions: BTreeMap<String, String>,
    /// How many hints were taken.
    pub hints: usize,
    /// What has passed, as the state file says.
    pub passed: BTreeSet<String>,
    /// The hash of the journal.
    pub journal: String,
    /// The hash of each file, by its path.
    pub files: BTreeMap<String, String>,
}

/// A bundle that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What it says about itself.
    pub manifest: Manifest,
    /// The seal under the manifest.
    seal: String,
    /// The journal.
    pub journal: String,
    /// The files, by their paths.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The manifest and its seal, as they are in the archive.
#[derive(Serialize, Deserialize)]
struct Sealed {
    manifest: Manifest,
    seal: String,
}

impl Manifest {
    fn seal(&self, key: &Seed) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        sealed(key, &["bundle", &text])
    }

    /// Whether both are of the same work. When it was packed does not count, and what was only noted since.
    pub fn is_same_work(&self, other: &Self) -> bool {
        let work = |of: &Self| {
            let about = (of.owner.clone(), of.lab.clone(), of.language.clone());
            let state = (of.predictions.clone(), of.hints, of.passed.clone());
            (about, of.hand_out.clone(), state, of.files_hash())
        };
        work(self) == work(other)
    }

    /// The hash over all files, as the journal has it.
    pub fn files_hash(&self) -> String {
        hash_of_all(&self.files)
    }
}

impl Bundle {
    /// Whether the manifest was sealed with this hand-out, and not changed afterwards.
    pub fn is_sealed_with(&self, hand_out: &HandOut) -> bool {
        self.is_sealed_with_key(&hand_out.seal)
    }

    /// As [`Bundle::is_sealed_with`], with the key of the hand-out.
    fn is_sealed_with_key(&self, key: &Seed) -> bool {
        self.seal == self.manifest.seal(key)
    }

    /// Whether the manifest was sealed with the hand-out of this owner, whatever name it has now. `seed` is the owner's.
    pub fn was_sealed_for(&self, owner: &Owner, seed: &Seed) -> bool {
        let mut manifest = self.manifest.clone();
        manifest.owner = owner.clone();
        self.seal == manifest.seal(&HandOut::seal_of(seed))
    }

    /// The entries that are not as the manifest has them: changed, missing or added after the bundle was made.
    pub fn changed(&self) -> Vec<&str> {
        let listed = self.manifest.files.iter();
        let changed = listed.filter(|(path, known)| {
            self.files.get(*path).map(|bytes| hash(bytes)).as_ref() != Some(*known)
        });
        let added = (self.files.keys()).filter(|path| !self.manifest.files.contains_key(*path));
        let journal = (hash(self.journal.as_bytes()) != self.manifest.journal).then_some(JOURNAL);
        changed
            .map(|(path, _)| path.as_str())
            .chain(added.map(String::as_str))
            .chain(journal)
            .collect()
    }

    /// Writes the files into a folder. Their paths stay below it: reading has made sure of that.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn unpack(&self, folder: &Path) -> std::io::Result<()> {
        for (path, bytes) in &self.files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            std::fs::write(path, bytes)?;
        }
        Ok(())
    }
}

/// The hash of a hand-out as a state file has it, with the hashes of its answers.
pub fn hand_out_hash(state: &State) -> String {
    let parts = (state.hand_out(), state.salt(), state.commitments());
    hash(serde_json::to_string(&parts).unwrap_or_default().as_bytes())
}

/// Whether a file of this name lies beside a bundle: a receipt of the course's own server, or a journal. The client keeps a
/// journal while the bundle is on its way.
pub fn lies_beside(name: &str) -> bool {
    let after = name.split_once(ENDING).map(|(_, after)| after);
    let beside =
        after.is_some_and(|after| after.starts_with(".receipt") || after.starts_with(SENDING));
    beside || name.ends_with(".receipt.json")
}

/// SHA-256, in hex.
fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn hash_of_all(files: &BTreeMap<String, String>) -> String {
    hash(serde_json::to_string(files).unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests;
