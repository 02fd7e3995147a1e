//! The section `[passwords]`: what a stored password costs to try.

use latchstring_store::password::{Cost, MAX_MEMORY_MIB, MAX_PASSES, MIN_MEMORY_MIB, MIN_PASSES};
use serde::{Deserialize, Deserializer, de::Error as _};

/// The cost of new password hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passwords {
    /// argon2id, with one lane.
    pub cost: Cost,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            cost: Cost::DEPLOYED,
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
        }
        impl Default for Section {
            fn default() -> Self {
                Self {
                    memory_mib: Cost::DEPLOYED.memory_mib(),
                    passes: Cost::DEPLOYED.passes(),
                }
            }
        }
        let Section { memory_mib, passes } = Section::deserialize(from)?;
        let cost = Cost::new(memory_mib, passes).ok_or_else(|| {
            D::Error::custom(format!(
                "memory_mib = {memory_mib} with passes = {passes} is not allowed: use {MIN_MEMORY_MIB} to {MAX_MEMORY_MIB} MiB, and \
                 {MIN_PASSES} to {MAX_PASSES} passes; to find the best numbers for a machine: latchstring-server calibrate"
            ))
        })?;
        Ok(Self { cost })
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
        pairs
            .filter(|(old, new)| old != new)
            .map(|((name, old), (_, new))| format!("{name} {old} -> {new}"))
            .collect()
    }

    /// The section, as it stands in the file.
    pub fn section(cost: Cost) -> String {
        let (memory_mib, passes) = (cost.memory_mib(), cost.passes());
        format!("[passwords]\nmemory_mib = {memory_mib}\npasses = {passes}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Passwords, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn what_is_left_out_is_as_in_a_new_server() {
        assert_eq!(read(""), Ok(Passwords::default()));
        let cost = Cost::new(128, 3).unwrap();
        assert_eq!(read("memory_mib = 128"), Ok(Passwords { cost }));
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
        assert_eq!(read(&text), Ok(Passwords { cost }));
    }

    #[test]
    fn each_number_that_changes_is_named() {
        let new = Passwords {
            cost: Cost::new(32, 3).unwrap(),
        };
        assert_eq!(Passwords::default().changes(&new), ["memory_mib 64 -> 32"]);
        assert!(new.changes(&new).is_empty());
    }
}
