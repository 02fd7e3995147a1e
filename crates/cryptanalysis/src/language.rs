//! The model of a language: for each place in a text, the probability of each next character.
//!
//! A language is several models of different kinds of text (chat, mail, prose). The solver mixes them by how well each
//! explains the text so far. The models are shipped as files; `latchstring-corpus` makes them, and
//! `docs/src/keystream-solver.md` names the sources.

use std::fmt;
use std::sync::OnceLock;

pub mod alphabet;
pub mod codec;
pub mod ngrams;
pub mod rans;
mod reader;
pub mod recurrent;
mod weights;

use alphabet::Alphabet;
use ngrams::Ngrams;
use recurrent::Recurrent;

/// A language that plaintexts may be written in.
#[derive(Clone, Debug)]
pub struct Language {
    pub(crate) name: String,
    pub(crate) alphabet: Alphabet,
    pub(crate) models: Vec<Ngrams>,
    pub(crate) recurrent: Option<Recurrent>,
}

/// Why bytes are not a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// The bytes do not begin as a model does.
    NotAModel,
    /// The file ends too early.
    CutShort,
    /// The file was changed: its checksum or its counts are wrong, or it asks for more memory than a file of its length
    /// can fill.
    Damaged,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, mend) = match self {
            Self::NotAModel => (
                "is not a language model",
                "give a .model file that latchstring-corpus made",
            ),
            Self::CutShort => (
                "ends too early",
                "copy it again, or rebuild it with latchstring-corpus",
            ),
            Self::Damaged => (
                "is damaged",
                "copy it again, or rebuild it with latchstring-corpus",
            ),
        };
        write!(f, "the language model {what}: {mend}")
    }
}

impl std::error::Error for ModelError {}

impl Language {
    /// The names of the languages that are built in, as [`Language::named`] takes them.
    pub const NAMES: [&'static str; 2] = ["english", "italian"];

    /// Reads a model file.
    ///
    /// # Errors
    /// [`ModelError`] says what is wrong with the file.
    pub fn read(file: &[u8]) -> Result<Self, ModelError> {
        codec::read(file)
    }

    /// English, from chat, mail and prose.
    pub fn english() -> &'static Self {
        static LANGUAGE: OnceLock<Language> = OnceLock::new();
        LANGUAGE.get_or_init(|| shipped(include_bytes!("../data/english.model")))
    }

    /// Italian, from short prose.
    pub fn italian() -> &'static Self {
        static LANGUAGE: OnceLock<Language> = OnceLock::new();
        LANGUAGE.get_or_init(|| shipped(include_bytes!("../data/italian.model")))
    }

    /// A built-in language.
    pub fn named(name: &str) -> Option<&'static Self> {
        match name {
            "english" => Some(Self::english()),
            "italian" => Some(Self::italian()),
            _ => None,
        }
    }

    /// Knows nothing but that text is printable, and that letters and spaces are frequent.
    pub fn unknown() -> Self {
        let alphabet = Alphabet::ascii_and(b"");
        let mut root = [0.0; alphabet::SYMBOLS];
        for &byte in alphabet.bytes() {
            root[usize::from(alphabet.symbol(byte))] = match byte {
                b' ' => 12.0,
                b'a'..=b'z' => 3.0,
                _ => 0.1,
            };
        }
        root[usize::from(alphabet::BOUNDARY)] = 1.0;
        root[usize::from(alphabet::OTHER)] = 0.01;
        let sum: f32 = root.iter().sum();
        root.iter_mut().for_each(|p| *p /= sum);
        Self {
            name: "unknown".to_owned(),
            alphabet,
            models: Ngrams::new(root, Vec::new()).into_iter().collect(),
            recurrent: None,
        }
    }

    /// The language's name, in English and lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The models of different kinds of text.
    pub fn models(&self) -> &[Ngrams] {
        &self.models
    }
}

/// A model that is part of the program. A damaged one, which a test would have shown, knows no language at all.
fn shipped(file: &[u8]) -> Language {
    Language::read(file).unwrap_or_else(|_| Language::unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_languages_are_whole() {
        for name in Language::NAMES {
            let language = Language::named(name).unwrap();
            assert_eq!(language.name(), name);
            assert!(language.models().iter().all(|model| !model.is_empty()));
        }
        assert!(Language::named("klingon").is_none());
    }
}
