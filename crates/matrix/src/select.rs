//! The selected cells, and the matrix that is made of them.

use std::io;

use latchstring_attacker::{Attack, attacks};

use crate::{
    Column, Matrix, Row,
    cells::{self, Cell},
};
use latchstring_arena::{Run, against::Against, provider::Setting, weakened::Weakened, wire::Over};
use latchstring_cli::suggest::nearest;

/// The selected rows and columns.
#[derive(Clone)]
pub struct Selection {
    /// The attacks, in the order of the registry.
    pub attacks: Vec<&'static Attack>,
    /// The targets.
    pub columns: Vec<Against>,
}

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self {
            attacks: attacks::ALL.to_vec(),
            columns: Against::columns(),
        }
    }

    /// These attacks, or all without a name; against faithful, hardened, and hardened without these defences, alone or
    /// with others.
    ///
    /// # Errors
    /// When there is no such attack or defence; says where the names are listed.
    pub fn of(attacks: &[String], defences: &[String]) -> anyhow::Result<Self> {
        let mut all = Self::all();
        for id in attacks {
            attack(id)?;
        }
        if !attacks.is_empty() {
            all.attacks
                .retain(|attack| attacks.iter().any(|id| id == attack.id));
        }
        let named = defences.join(",").parse::<Weakened>();
        let named = match defences {
            [] => Vec::new(),
            _ => named.map_err(anyhow::Error::msg)?.removed(),
        };
        if !named.is_empty() {
            all.columns.retain(|column| {
                let removed = column.removed();
                removed.is_empty() || removed.iter().any(|defence| named.contains(defence))
            });
        }
        Ok(all)
    }

    /// The cells, row by row.
    pub fn cells(&self) -> Vec<Cell> {
        let row = |attack: &&'static Attack| {
            let attack = *attack;
            self.columns.iter().map(move |against| (attack, *against))
        };
        self.attacks.iter().flat_map(row).collect()
    }
}

/// The attack of this name.
///
/// # Errors
/// When no attack has this name; the error says where the names are listed.
pub fn attack(id: &str) -> anyhow::Result<&'static Attack> {
    attacks::find(id).ok_or_else(|| {
        let hint = nearest(id, attacks::ALL.iter().map(|attack| attack.id));
        anyhow::anyhow!("there is no attack {id:?}{hint}; `latchstring-attack list` names them")
    })
}

impl Matrix {
    /// Runs the cells that are wanted, many at a time; `progress` hears of each one that is done.
    ///
    /// # Errors
    /// When the machine has no port or no memory for a run.
    pub fn run(
        wanted: &Selection,
        over: Over,
        setting: impl Into<Setting>,
        progress: impl Fn(&Run) + Sync,
    ) -> io::Result<Self> {
        let threads = cells::threads(over);
        let setting = setting.into();
        let runs = cells::run_all(&wanted.cells(), over, setting, threads, progress)?;
        Ok(Self::of(wanted, setting.seed, runs))
    }

    /// From runs in the order of the selection's cells.
    pub fn of(wanted: &Selection, seed: u64, runs: Vec<Run>) -> Self {
        let mut runs = runs.into_iter();
        let mut row = |attack: &&Attack| Row {
            attack: attack.id.to_owned(),
            title: attack.title.to_owned(),
            vantage: attack.vantage.to_owned(),
            cells: runs.by_ref().take(wanted.columns.len()).collect(),
        };
        let rows = wanted.attacks.iter().map(&mut row).collect();
        let column = |against: &Against| Column {
            id: against.to_string(),
            without: against
                .removed()
                .iter()
                .map(|defence| defence.id().to_owned())
                .collect(),
        };
        Self {
            seed,
            columns: wanted.columns.iter().map(column).collect(),
            rows,
        }
    }

    /// Whether every verdict is the one that the registry promises.
    pub fn as_promised(&self) -> bool {
        self.broken_promises().is_empty()
    }

    /// The runs whose verdict is another than the registry says.
    pub fn broken_promises(&self) -> Vec<&Run> {
        let kept = |run: &&Run| {
            let attack = attacks::find(run.attack).expect("a run is of a registered attack");
            run.verdict.outcome == cells::promised(attack, run.against)
        };
        self.runs().filter(|run| !kept(run)).collect()
    }
}
