//! Every attack against every target, in one table.

use std::{fmt, io};

use comfy_table::{Table, presets};
use latchstring_attacker::{Target, attacks};
use serde::Serialize;

use crate::{arena::Run, cells, truth::Outcome, wire::Over};

/// A table of runs: a row an attack, a column a target.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// The seed that all runs were made from.
    pub seed: u64,
    /// Attacks in the registry's order, and for each the targets in their order.
    pub runs: Vec<Run>,
}

impl Matrix {
    /// Runs every cell; `progress` hears of each one that is done.
    ///
    /// # Errors
    /// When the machine has no port or no memory for a run.
    pub fn run(over: Over, seed: u64, progress: impl Fn(&Run) + Sync) -> io::Result<Self> {
        let runs = cells::run_all(&cells::all(), over, seed, cells::threads(over), progress)?;
        Ok(Self { seed, runs })
    }

    /// The verdicts alone: what must be equal over both wires.
    pub fn verdicts(&self) -> Vec<(&'static str, String, Outcome)> {
        let cell = |run: &Run| (run.attack, run.against.clone(), run.verdict.outcome);
        self.runs.iter().map(cell).collect()
    }

    /// Whether every cell is decided, faithful is broken and hardened holds.
    pub fn as_promised(&self) -> bool {
        self.broken_promises().is_empty()
    }

    /// The runs whose verdict is another than the table of defences says.
    pub fn broken_promises(&self) -> Vec<&Run> {
        let kept = |run: &&Run| {
            let attack = attacks::find(run.attack).expect("a run is of a registered attack");
            let against = run.against.parse().expect("and against a named target");
            run.verdict.outcome == cells::promised(attack, against)
        };
        self.runs.iter().filter(|run| !kept(run)).collect()
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        let targets = Target::ALL.map(|target| target.to_string());
        table.set_header(std::iter::once("attack".to_owned()).chain(targets));
        for attack in attacks::ALL {
            let cells = self
                .runs
                .iter()
                .filter(|run| run.attack == attack.id)
                .take(2);
            let outcomes = cells.map(|run| run.verdict.outcome.to_string());
            table.add_row(std::iter::once(attack.id.to_owned()).chain(outcomes));
        }
        writeln!(f, "{table}")
    }
}
