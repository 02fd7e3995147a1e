//! The stored part of a student's work between two commands: a seed, hashes and progress, and no answer.
//!
//! There are two files with the same content, each replaced in one step, so that a damaged or deleted one comes back by
//! itself. Progress only grows: a command that is slower than another one does not take back what the other has reached.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    io::Write,
    path::Path,
};

use anyhow::{Context, anyhow, ensure};
use serde::{Deserialize, Serialize};

use super::{answers, hand_out::HandOut, journal, seed::Seed};

/// The state file and its copy.
const FILES: [&str; 2] = [".latchstring.json", ".latchstring.json.copy"];
/// Of a hand-out: the folder with the personal files as they were handed out.
pub const HANDED_OUT: &str = ".latchstring.hand-out";
/// The limit on the size of a state file, in bytes.
const LARGEST: u64 = 1 << 20;

/// The state that is stored between two commands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The lab.
    pub lab: String,
    /// Where everything personal comes from.
    #[serde(flatten)]
    pub origin: Origin,
    salt: String,
    commitments: BTreeMap<String, String>,
    /// The first prediction counts, even if `answers.toml` changes later.
    pub predictions: BTreeMap<String, String>,
    /// How many hints were taken.
    pub hints: usize,
    /// The parts that have passed at least once.
    pub passed: BTreeSet<String>,
    /// The language of the files that were handed out; none when the lab asks for no code.
    #[serde(default)]
    pub language: Option<String>,
}

/// Where everything personal comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Practice: all of it can be made again from this seed.
    Seed(Seed),
    /// A course: the seed is the instructor's.
    HandOut(Box<HandOut>),
}

impl State {
    /// Nothing reached yet.
    pub fn new(
        lab: &str,
        origin: Origin,
        salt: String,
        commitments: BTreeMap<String, String>,
    ) -> Self {
        Self {
            lab: lab.to_owned(),
            origin,
            salt,
            commitments,
            predictions: BTreeMap::new(),
            hints: 0,
            passed: BTreeSet::new(),
            language: None,
        }
    }

    /// The hand-out of a course; `None` in practice.
    pub fn hand_out(&self) -> Option<&HandOut> {
        match &self.origin {
            Origin::Seed(_) => None,
            Origin::HandOut(hand_out) => Some(hand_out),
        }
    }

    /// The salt of the commitments.
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// For each question, the hash of its answer.
    pub fn commitments(&self) -> &BTreeMap<String, String> {
        &self.commitments
    }

    /// Adds what another command has reached in the same instance.
    fn add(&mut self, other: Self) {
        if other.origin != self.origin || other.lab != self.lab {
            return;
        }
        self.hints = self.hints.max(other.hints);
        self.passed.extend(other.passed);
        // The first prediction counts, and the file had it first.
        self.predictions.extend(other.predictions);
    }
}

/// Whether a student's folder holds a lab's state under this name.
pub fn is_its_file(name: &OsStr) -> bool {
    let ours = [HANDED_OUT, journal::FILE];
    FILES.iter().chain(&ours).any(|file| name == *file)
}

/// Reads the state of a folder: the file, or its copy when the file is damaged or gone.
///
/// # Errors
/// When both are.
pub fn read(folder: &Path) -> anyhow::Result<State> {
    let [first, copy] = FILES.map(|name| read_one(&folder.join(name)));
    first.or_else(|why| copy.map_err(|_| why))
}

fn read_one(path: &Path) -> anyhow::Result<State> {
    let name = path.display();
    let about = fs::metadata(path).with_context(|| format!("cannot read {name}"))?;
    ensure!(
        about.is_file() && about.len() <= LARGEST,
        "{name} is no state file"
    );
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let state: State =
        serde_json::from_str(&text).map_err(|why| anyhow!("{name} is damaged: {why}"))?;
    Ok(state)
}

/// Writes both files, with what they know more. One command at a time: between its look at them and its own writing,
/// another must not write.
///
/// # Errors
/// When one cannot be written.
pub fn write(folder: &Path, state: &State) -> anyhow::Result<()> {
    let mut state = state.clone();
    let lock = fs::File::open(folder);
    // Some file systems have no locks; then two commands at once are a student's own risk.
    let _lock = lock.inspect(|folder| drop(folder.lock()));
    for known in FILES
        .map(|name| read_one(&folder.join(name)))
        .into_iter()
        .flatten()
    {
        state.add(known);
    }
    let text = serde_json::to_string_pretty(&state)? + "\n";
    for name in FILES {
        let path = folder.join(name);
        let write = || {
            let mut beside = tempfile::NamedTempFile::new_in(folder)?;
            beside.write_all(text.as_bytes())?;
            beside.persist(&path)?;
            anyhow::Ok(())
        };
        write().map_err(|why| {
            // The error names the temporary file, of which nobody has heard.
            let why = why
                .downcast_ref::<std::io::Error>()
                .map_or_else(|| why.to_string(), |why| why.kind().to_string());
            let (path, folder) = (path.display(), folder.display());
            anyhow!("cannot write {path}: {why}; make {folder} a folder that you may write to")
        })?;
    }
    Ok(())
}

/// The id of the lab of a folder, even if its state is damaged or gone: the answer sheet names the lab too.
pub fn lab_of(folder: &Path) -> Option<String> {
    if let Ok(state) = read(folder) {
        return Some(state.lab);
    }
    let sheet = answers::file(&folder.join(answers::FILE)).unwrap_or_default();
    let sheet = String::from_utf8_lossy(&sheet);
    let named = sheet.lines().next().and_then(|line| {
        let rest = line.trim_start_matches('\u{feff}').strip_prefix("# Lab ")?;
        Some(rest.split(':').next()?.to_owned())
    });
    let left = || FILES.iter().any(|name| folder.join(name).exists());
    let by_name = || {
        let name = folder.canonicalize().ok()?;
        let name = name.file_name()?.to_str()?.to_owned();
        name.starts_with(|c: char| c.is_ascii_digit())
            .then_some(name)
    };
    named.or_else(|| left().then(by_name).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(seed: u64) -> State {
        State::new(
            "01-say-the-name",
            Origin::Seed(Seed::chosen(seed)),
            "salt".to_owned(),
            BTreeMap::new(),
        )
    }

    #[test]
    fn either_file_brings_the_other_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut made = state(1);
        made.passed.insert("admitted".to_owned());
        write(folder.path(), &made).unwrap();
        for name in FILES {
            for damage in ["", "{", "{\"lab\": 1}"] {
                fs::write(folder.path().join(name), damage).unwrap();
                let read = read(folder.path()).unwrap();
                assert!(read.passed.contains("admitted"));
                write(folder.path(), &read).unwrap();
            }
            fs::remove_file(folder.path().join(name)).unwrap();
            assert_eq!(lab_of(folder.path()).as_deref(), Some("01-say-the-name"));
            write(folder.path(), &read(folder.path()).unwrap()).unwrap();
        }
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, FILES.len(), "no temporary file stays");
    }

    #[test]
    fn progress_does_not_go_back() {
        let folder = tempfile::tempdir().unwrap();
        let (mut fast, mut slow) = (state(1), state(1));
        slow.predictions.insert("q".to_owned(), "b".to_owned());
        write(folder.path(), &slow).unwrap();
        fast.hints = 2;
        fast.passed.insert("one".to_owned());
        fast.predictions.insert("q".to_owned(), "a".to_owned());
        write(folder.path(), &fast).unwrap();
        slow.passed.insert("two".to_owned());
        write(folder.path(), &slow).unwrap();
        let read = read(folder.path()).unwrap();
        assert_eq!((read.hints, read.passed.len()), (2, 2));
        assert_eq!(read.predictions["q"], "b", "the first prediction counts");

        // Another instance has another progress.
        for name in FILES {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
        write(folder.path(), &state(2)).unwrap();
        assert!(super::read(folder.path()).unwrap().passed.is_empty());
    }

    #[test]
    fn commands_at_once_do_not_take_back_what_one_of_them_has_reached() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..40 {
                let mut mine = state(1);
                mine.passed.insert(format!("check {number}"));
                let folder = folder.path();
                scope.spawn(move || write(folder, &mine).unwrap());
            }
        });
        assert_eq!(read(folder.path()).unwrap().passed.len(), 40);
    }

    #[test]
    fn a_lost_state_still_says_which_lab_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(lab_of(folder.path()), None);
        let work = folder.path().join("01-say-the-name");
        fs::create_dir(&work).unwrap();
        assert_eq!(lab_of(&work), None, "a name alone makes no lab");
        fs::write(work.join(FILES[0]), "damaged").unwrap();
        assert_eq!(lab_of(&work).as_deref(), Some("01-say-the-name"));
        fs::remove_file(work.join(FILES[0])).unwrap();
        fs::write(
            work.join("answers.toml"),
            "# Lab 00-first-contact: your ...",
        )
        .unwrap();
        assert_eq!(lab_of(&work).as_deref(), Some("00-first-contact"));
    }
}
