//! The target of an attack: a column of the matrix.

use std::{fmt, str::FromStr, sync::Arc};

use latchstring_attacker::{
    Attack, Target, attacks,
    protocol::hardened::{defence::Defence, full::Full},
    vantage::Dialect,
};
use latchstring_cli::suggest::nearest;
use serde::{Serialize, Serializer};

use crate::weakened::Weakened;

/// The report's protocol, or ours with some defences left out, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Against {
    /// The report's, flaws kept.
    Faithful,
    /// `latch/2`.
    Hardened(Weakened),
}

impl Against {
    /// The port of its server in recordings: the one that the deployed program has by default.
    pub fn port(self) -> u16 {
        match self {
            Self::Faithful => latchstring_attacker::protocol_faithful::DEFAULT_PORT,
            Self::Hardened(_) => latchstring_attacker::protocol::hardened::DEFAULT_PORT,
        }
    }

    /// `latch/2` with every defence, as deployed.
    pub fn hardened() -> Self {
        Self::without(&[])
    }

    /// `latch/2` without some defences.
    pub fn without(removed: &[Defence]) -> Self {
        Self::Hardened(Weakened::without(removed))
    }

    /// Pairs of defences of which one could be thought to make up for the other. None does: without both, the same
    /// attacks return as without each alone.
    pub const PAIRS: [[Defence; 2]; 3] = [
        [Defence::TranscriptSignature, Defence::Password],
        [Defence::Mac, Defence::FreshNonce],
        [Defence::HostPin, Defence::ClientSignature],
    ];

    /// Every column of the matrix: faithful, hardened, hardened without each defence, without each larger set that
    /// brings an attack back, and without each of [`Against::PAIRS`].
    pub fn columns() -> Vec<Self> {
        let mut columns = vec![Self::Faithful, Self::hardened()];
        columns.extend(
            Defence::ALL
                .iter()
                .map(|defence| Self::without(&[*defence])),
        );
        let sets = attacks::ALL
            .iter()
            .flat_map(|attack: &&Attack| attack.returns_without);
        for set in sets.filter(|set| set.len() > 1) {
            let column = Self::without(set);
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns.extend(Self::PAIRS.map(|pair| Self::without(&pair)));
        columns
    }

    /// The protocol of this column.
    pub fn target(self) -> Target {
        match self {
            Self::Faithful => Target::Faithful,
            Self::Hardened(_) => Target::Hardened,
        }
    }

    /// The defences that are left out.
    pub fn removed(self) -> Vec<Defence> {
        match self {
            Self::Faithful => Vec::new(),
            Self::Hardened(weakened) => weakened.removed(),
        }
    }

    /// The public facts about the target.
    pub fn dialect(self) -> Dialect {
        Dialect {
            target: self.target(),
            defences: match self {
                Self::Hardened(weakened) if !weakened.is_full() => Arc::new(weakened),
                _ => Arc::new(Full),
            },
        }
    }
}

/// As on the command line.
impl Serialize for Against {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Self::Faithful => "faithful".to_owned(),
            Self::Hardened(all) if all.is_full() => "hardened".to_owned(),
            Self::Hardened(weakened) => format!("hardened-minus={weakened}"),
        })
    }
}

impl FromStr for Against {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match (name, name.strip_prefix("hardened-minus=")) {
            ("faithful", _) => Ok(Self::Faithful),
            ("hardened", _) => Ok(Self::hardened()),
            (_, Some(removed)) => Ok(Self::Hardened(removed.parse()?)),
            _ => Err(format!(
                "{name:?} is no target{}: use faithful, hardened, or hardened-minus=DEFENCE",
                nearest(name, ["faithful", "hardened", "hardened-minus="])
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_named_and_found_by_its_name() {
        let columns = Against::columns();
        assert!(columns.len() >= 2 + Defence::ALL.len());
        for column in columns {
            assert_eq!(column.to_string().parse(), Ok(column));
        }
        assert!("hardened-minus=hope".parse::<Against>().is_err());
        assert!("10.0.0.1".parse::<Against>().is_err());
    }
}
