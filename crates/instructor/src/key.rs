//! The key of a course. Everything personal of every student comes from it, so it never leaves the instructor.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, ensure};
use hkdf::Hkdf;
use latchstring_classroom::{hand_out::Owner, seed::Seed};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Its name in a course's folder.
pub const FILE: &str = "course.key";
/// Its length, in bytes.
const LENGTH: usize = 32;

/// 32 random bytes.
pub struct CourseKey(Zeroizing<[u8; LENGTH]>);

impl CourseKey {
    /// Draws a key, and writes it into a file that the owner alone may read.
    ///
    /// # Errors
    /// When the file exists, or cannot be written.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let mut key = Zeroizing::new([0; LENGTH]);
        SysRng.try_fill_bytes(&mut *key)?;
        let digits = Zeroizing::new(hex::encode(*key) + "\n");
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(digits.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(key))
    }

    /// Reads the key of a course.
    ///
    /// # Errors
    /// When the file is missing, is no key, or other users may read it.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let name = path.display();
        let failed = || {
            format!(
                "cannot read the key {name}: take it from your backup; a new key would give every student other answers"
            )
        };
        let about = fs::metadata(&path).with_context(failed)?;
        ensure!(
            about.permissions().mode() & 0o077 == 0,
            "other users may read {name}: run `chmod 600 {name}`, and think of who could have read it"
        );
        ensure!(
            about.is_file() && about.len() <= 128,
            "{name} is no course key: take it from your backup"
        );
        let digits = Zeroizing::new(fs::read_to_string(&path).with_context(failed)?);
        let mut key = Zeroizing::new([0; LENGTH]);
        hex::decode_to_slice(digits.trim(), &mut *key)
            .ok()
            .with_context(|| format!("{name} is no course key: take it from your backup"))?;
        Ok(Self(key))
    }

    /// The seed of everything personal of one student in one lab: HKDF-SHA-256 (RFC 5869) over the key, with course, term,
    /// student and lab as `info`.
    pub fn seed(&self, owner: &Owner, lab: &str) -> Seed {
        self.derive(&["lab", &owner.course, &owner.term, &owner.student, lab])
    }

    /// The seed of the hidden instances with which one submission is graded. A student does not know it, and grading again
    /// gives the same grade.
    pub fn hidden(&self, owner: &Owner, lab: &str) -> Seed {
        self.derive(&["grade", &owner.course, &owner.term, &owner.student, lab])
    }

    /// The key of the flags in CTFd. It opens no answer: whoever has it can make flags and nothing else.
    pub fn flags(&self, course: &str, term: &str) -> Seed {
        self.derive(&["ctfd", course, term])
    }

    fn derive(&self, parts: &[&str]) -> Seed {
        let mut info = b"latchstring course 1".to_vec();
        for part in parts {
            // The length in front keeps the parts apart.
            info.extend((part.len() as u64).to_be_bytes());
            info.extend(part.as_bytes());
        }
        let mut seed = [0; LENGTH];
        // It fails for more than 8160 bytes only.
        let expanded = Hkdf::<Sha256>::new(None, &*self.0).expand(&info, &mut seed);
        debug_assert!(expanded.is_ok());
        Seed::from_bytes(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(course: &str, student: &str) -> Owner {
        Owner {
            course: course.to_owned(),
            term: "2026".to_owned(),
            student: student.to_owned(),
        }
    }

    #[test]
    fn a_key_is_read_back_and_every_name_changes_the_seed() {
        let folder = tempfile::tempdir().unwrap();
        let made = CourseKey::create(folder.path()).unwrap();
        let read = CourseKey::read(folder.path()).unwrap();
        let seed = made.seed(&owner("net", "anna"), "01");
        assert_eq!(read.seed(&owner("net", "anna"), "01"), seed);
        for other in [
            made.seed(&owner("net", "bert"), "01"),
            made.seed(&owner("neta", "nna"), "01"),
            made.seed(&owner("net", "anna"), "02"),
            made.hidden(&owner("net", "anna"), "01"),
        ] {
            assert_ne!(other, seed);
        }
        assert!(CourseKey::create(folder.path()).is_err(), "it stays");
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_damaged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let said = || CourseKey::read(folder.path()).err().unwrap().to_string();
        assert!(said().contains("take it from your backup"), "{}", said());
        CourseKey::create(folder.path()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(said().contains("chmod 600"), "{}", said());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "not a key").unwrap();
        assert!(said().contains("is no course key"), "{}", said());
    }
}
