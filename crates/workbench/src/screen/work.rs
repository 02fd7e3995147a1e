//! The work file: pins and notes beside the ciphertexts that they belong to, readable and editable.

use std::{collections::BTreeMap, fs, io, io::Write, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::session::{Annotations, Pin, Place};

/// The only layout of the file so far.
const VERSION: u32 = 1;

/// The content of a work file. Messages are counted from 1, as on the screen.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    version: u32,
    #[serde(default)]
    language: Option<String>,
    /// The SHA-256 of each ciphertext. A capture that has grown holds others too; without one of these it is another one.
    ciphertexts: Vec<String>,
    #[serde(default, rename = "pin")]
    pins: Vec<Pinned>,
    #[serde(default, rename = "note")]
    notes: Vec<Note>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    message: usize,
    offset: usize,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    message: usize,
    text: String,
}

/// The results of earlier work.
pub(super) struct Loaded {
    pub(super) board: Annotations,
    pub(super) language: Option<String>,
}

/// Writes pins, notes and the language's name.
///
/// # Errors
/// If the file cannot be written; its old content is still there then.
pub(super) fn save(
    path: &Path,
    board: &Annotations,
    ciphertexts: &[Vec<u8>],
    language: Option<&str>,
) -> Result<()> {
    let pin = |pin: &Pin| Pinned {
        message: pin.place.message + 1,
        offset: pin.place.offset,
        text: pin.text.clone(),
    };
    let note = |(message, text): (&usize, &String)| Note {
        message: message + 1,
        text: text.clone(),
    };
    let work = Work {
        version: VERSION,
        language: language.map(str::to_owned),
        ciphertexts: ciphertexts.iter().map(hash).collect(),
        pins: board.pins.iter().map(pin).collect(),
        notes: board.notes.iter().map(note).collect(),
    };
    let about = "# What `latchstring solve workbench` knows of these ciphertexts: texts that are known to stand at a place \
                 (pins)\n# and notes. Messages count from 1, offsets from 0.\n\n";
    let text = about.to_owned() + &toml::to_string_pretty(&work)?;
    write(path, text.as_bytes())
}

/// Replaces a file in one step: a reader finds the old one or the new one, whole.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let wrong = || format!("cannot write to {}", path.display());
    // A device would be replaced by a file.
    let is_none = fs::metadata(path).is_ok_and(|about| !about.is_file());
    ensure!(!is_none, "{} is no file: name another one", path.display());
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        // Its text names the temporary file, of which nobody has heard.
        .map_err(|why| why.kind())
        .map_err(io::Error::from)
        .with_context(wrong)?;
    file.write_all(bytes).with_context(wrong)?;
    file.as_file().sync_all().with_context(wrong)?;
    file.persist(path).with_context(wrong)?;
    Ok(())
}

/// Reads a work file; `None` without one.
///
/// # Errors
/// If it is no work file, or that of other ciphertexts.
pub(super) fn load(path: &Path, ciphertexts: &[Vec<u8>]) -> Result<Option<Loaded>> {
    let name = path.display();
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {name}"))?,
    };
    let work: Work = toml::from_str(&text).with_context(|| {
        format!("{name} is no work file: mend it, or give another one with --work")
    })?;
    ensure!(
        work.version == VERSION,
        "{name} has version {} and only {VERSION} is understood: use the program that wrote it",
        work.version
    );
    let Some(order) = places(&work.ciphertexts, ciphertexts) else {
        bail!(
            "{name} belongs to other ciphertexts, so it is not loaded: give another file with --work, or move it away"
        );
    };
    let message = |number: usize| {
        let place = number.checked_sub(1).and_then(|at| order.get(at));
        let wrong = || {
            format!(
                "{name} speaks of message {number}, and it lists {}",
                order.len()
            )
        };
        place.copied().with_context(wrong)
    };
    let mut board = Annotations::default();
    for Pinned {
        message: number,
        offset,
        text,
    } in work.pins
    {
        let message = message(number)?;
        let place = Place { message, offset };
        board.pins.push(Pin { place, text });
    }
    for note in work.notes {
        board.notes.insert(message(note.message)?, note.text);
    }
    Ok(Some(Loaded {
        board,
        language: work.language,
    }))
}

fn hash(ciphertext: &Vec<u8>) -> String {
    hex::encode(Sha256::digest(ciphertext))
}

/// The ciphertext of each hash; `None` if one is missing. Equal ones are taken in their order.
fn places(hashes: &[String], ciphertexts: &[Vec<u8>]) -> Option<Vec<usize>> {
    let mut present: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (message, ciphertext) in ciphertexts.iter().enumerate().rev() {
        present.entry(hash(ciphertext)).or_default().push(message);
    }
    let place = |hash: &String| present.get_mut(&hash.to_ascii_lowercase())?.pop();
    hashes.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Annotations {
        let place = Place {
            message: 1,
            offset: 2,
        };
        let text = "tea\u{301} \"\n".to_owned();
        Annotations {
            pins: vec![Pin { place, text }],
            notes: [(0, "who # is this?".to_owned())].into(),
        }
    }

    fn three() -> Vec<Vec<u8>> {
        vec![b"one".to_vec(), b"second".to_vec(), b"one".to_vec()]
    }

    #[test]
    fn what_is_saved_is_loaded_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.workbench.toml");
        assert!(
            load(&path, &three()).unwrap().is_none(),
            "there is none yet"
        );
        for _ in 0..2 {
            save(&path, &known(), &three(), Some("english")).unwrap();
        }
        let loaded = load(&path, &three()).unwrap().unwrap();
        assert_eq!(loaded.board, known());
        assert_eq!(loaded.language.as_deref(), Some("english"));
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "no temporary file stays");
    }

    #[test]
    fn it_belongs_to_its_ciphertexts_wherever_they_are_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("work");
        save(&path, &known(), &three(), None).unwrap();
        let grown = [
            b"one".to_vec(),
            b"new".to_vec(),
            b"one".to_vec(),
            b"second".to_vec(),
        ];
        let loaded = load(&path, &grown).unwrap().unwrap();
        assert_eq!(loaded.board.pins[0].place.message, 3);
        assert!(loaded.board.notes.contains_key(&0));
        for other in [
            &three()[..2],
            &[b"one".to_vec(), b"Second".to_vec(), b"one".to_vec()],
        ] {
            let error = load(&path, other).err().unwrap().to_string();
            assert!(error.contains("belongs to other ciphertexts"), "{error}");
        }
    }

    #[test]
    fn what_is_no_work_file_is_refused_with_its_name_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("work");
        let head = "version = 1\nciphertexts = []\n";
        for (text, why) in [
            ("version = 1\nciphertexts = 3", "line 2"),
            ("version = 2\nciphertexts = []", "version 2"),
            ("version = 1\nciphertexts = []\nkey = 1", "line 3"),
            (
                &format!("{head}[[note]]\nmessage = 0\ntext = ''"),
                "message 0",
            ),
            (
                &format!("{head}[[pin]]\nmessage = 1\noffset = 0\ntext = 'x'"),
                "message 1",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let error = format!("{:#}", load(&path, &three()).err().unwrap());
            assert!(error.contains(why) && error.contains("work"), "{error}");
        }
    }
}
