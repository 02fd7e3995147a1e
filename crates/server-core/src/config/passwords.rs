//! The section `[passwords]`: what a stored password costs to try, and which passwords nobody may choose.

use std::path::PathBuf;

use latchstring_store::password::{Cost, MAX_MEMORY_MIB, MAX_PASSES, MIN_MEMORY_MIB, MIN_PASSES};
use serde::{Deserialize, Deserializer, de::Error as _};

/// The rules for new passwords. The files are named here, and read by [`crate::PasswordRules`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passwords {
    /// argon2id, with one lane.
    pub cost: Cost,
    /// Files with a pepper: the first one for new hashes, the others for hashes that were made before.
    pub pepper_files: Vec<PathBuf>,
    /// The list of breached passwords.
    pub breached: Option<PathBuf>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            cost: Cost::DEPLOYED,
            pepper_files: Vec::new(),
            breached: None,
        }
    }
}

/// One path, or a list of paths.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "pepper_file is a path, or a list of paths, each in quotes"
)]
enum Paths {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

impl From<Paths> for Vec<PathBuf> {
    fn from(paths: Paths) -> Self {
        match paths {
            Paths::One(path) => vec![path],
            Paths::Several(paths) => paths,
        }
    }
}

impl<'de> Deserialize<'de> for Passwords {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Section {
            memory_mib: u32,
            passes: u32,
            pepper_file: Option<Paths>,
            breached: Option<PathBuf>,
        }
        impl Default for Section {
            fn default() -> Self {
                Self {
                    memory_mib: Cost::DEPLOYED.memory_mib(),
                    passes: Cost::DEPLOYED.passes(),
                    pepper_file: None,
                    breached: None,
                }
            }
        }
        let Section {
            memory_mib,
            passes,
            pepper_file,
            breached,
        } = Section::deserialize(from)?;
        let cost = Cost::new(memory_mib, passes).ok_or_else(|| {
            D::Error::custom(format!(
                "memory_mib = {memory_mib} with passes = {passes} is not allowed: use {MIN_MEMORY_MIB} to {MAX_MEMORY_MIB} MiB, and \
                 {MIN_PASSES} to {MAX_PASSES} passes; to find the best numbers for a machine: latchstring-server calibrate"
            ))
        })?;
        Ok(Self {
            cost,
            pepper_files: pepper_file.map(Into::into).unwrap_or_default(),
            breached,
        })
    }
}

impl Passwords {
    /// The differences from another section: `name old -> new` for each.
    pub fn changes(&self, new: &Self) -> Vec<String> {
        let numbers = |passwords: &Self| {
            [
                ("memory_mib", passwords.cost.memory_mib()),
                ("passes", passwords.cost.passes()),
            ]
        };
        let pairs = numbers(self).into_iter().zip(numbers(new));
        let pairs = pairs.filter(|(old, new)| old != new);
        let numbers = pairs.map(|((name, old), (_, new))| format!("{name} {old} -> {new}"));
        let files = self.files().into_iter().zip(new.files());
        let files = files.filter(|(old, new)| old != new);
        let files = files.map(|((name, old), (_, new))| format!("{name} {old} -> {new}"));
        numbers.chain(files).collect()
    }

    /// The files, as a reader of the log knows them.
    fn files(&self) -> [(&'static str, String); 2] {
        fn shown<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> String {
            let paths = paths.into_iter().map(|path| path.display().to_string());
            match paths.collect::<Vec<_>>().join(" and ") {
                none if none.is_empty() => "none".to_owned(),
                paths => paths,
            }
        }
        [
            ("pepper_file", shown(&self.pepper_files)),
            ("breached", shown(&self.breached)),
        ]
    }

    /// Every path, to be made relative to another place.
    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.pepper_files.iter_mut().chain(&mut self.breached)
    }

    /// The section, as it stands in the file.
    pub fn section(cost: Cost) -> String {
        let (memory_mib, passes) = (cost.memory_mib(), cost.passes());
        format!("[passwords]\nmemory_mib = {memory_mib}\npasses = {passes}\n")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Result<Passwords, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn what_is_left_out_is_as_in_a_new_server() {
        assert_eq!(read(""), Ok(Passwords::default()));
        let read = read("memory_mib = 128").unwrap();
        assert_eq!(read, at(Cost::new(128, 3).unwrap()));
    }

    fn at(cost: Cost) -> Passwords {
        Passwords {
            cost,
            ..Passwords::default()
        }
    }

    #[test]
    fn a_pepper_is_one_file_or_several() {
        let paths = |text: &str| read(text).unwrap().pepper_files;
        assert_eq!(paths("pepper_file = \"a\""), [Path::new("a")]);
        let both = [Path::new("new"), Path::new("old")];
        assert_eq!(paths("pepper_file = [\"new\", \"old\"]"), both);
        let why = read("pepper_file = 3").unwrap_err();
        assert!(why.contains("a list of paths"), "{why}");
        let list = read("breached = \"/srv/list\"").unwrap().breached;
        assert_eq!(list.as_deref(), Some(Path::new("/srv/list")));
    }

    #[test]
    fn a_cost_that_protects_nothing_or_asks_for_the_whole_machine_is_refused_with_the_bounds() {
        for text in [
            "memory_mib = 18",
            "memory_mib = 257",
            "passes = 1",
            "passes = 17",
        ] {
            let why = read(text).unwrap_err();
            assert!(
                why.contains("19 to 256 MiB") && why.contains("2 to 16 passes"),
                "{why}"
            );
        }
        assert!(read("memory = 64").unwrap_err().contains("unknown field"));
        assert!(read("passes = -1").is_err());
    }

    #[test]
    fn the_section_is_read_as_it_is_written() {
        let cost = Cost::new(32, 5).unwrap();
        let text = Passwords::section(cost).replace("[passwords]", "");
        assert_eq!(read(&text), Ok(at(cost)));
    }

    #[test]
    fn each_number_that_changes_is_named() {
        let mut new = at(Cost::new(32, 3).unwrap());
        assert_eq!(Passwords::default().changes(&new), ["memory_mib 64 -> 32"]);
        assert!(new.changes(&new).is_empty());
        new.pepper_files = vec!["a".into(), "b".into()];
        let changes = Passwords::default().changes(&new);
        assert_eq!(changes[1..], ["pepper_file none -> a and b"]);
    }
}
