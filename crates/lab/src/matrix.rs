//! Every attack against every target, in one table.

use std::{fmt, io};

use comfy_table::{Table, presets};
use latchstring_attacker::{Target, attacks};
use serde::Serialize;

use crate::{
    arena::{self, Run},
    truth::Outcome,
    wire::Over,
};

/// A table of runs: a row an attack, a column a target.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// The seed that all runs were made from.
    pub seed: u64,
    /// Attacks in the registry's order, and for each the targets in their order.
    pub runs: Vec<Run>,
}

impl Matrix {
    /// Runs every cell; `progress` hears of each one before it starts.
    ///
    /// # Errors
    /// When the machine has no port or no memory for a run.
    pub fn run(over: Over, seed: u64, mut progress: impl FnMut(&str, Target)) -> io::Result<Self> {
        let mut runs = Vec::new();
        for attack in attacks::ALL {
            for target in Target::ALL {
                progress(attack.id, target);
                runs.push(arena::run(attack, target, over, seed)?);
            }
        }
        Ok(Self { seed, runs })
    }

    /// The verdicts alone: what must be equal over both wires.
    pub fn verdicts(&self) -> Vec<(&'static str, String, Outcome)> {
        let cell = |run: &Run| (run.attack, run.target.clone(), run.verdict.outcome);
        self.runs.iter().map(cell).collect()
    }

    /// Whether every cell is decided, faithful is broken and hardened holds.
    pub fn as_promised(&self) -> bool {
        self.runs.iter().all(|run| {
            let promised = if run.target == Target::Faithful.to_string() {
                Outcome::Broke
            } else {
                Outcome::Held
            };
            run.verdict.outcome == promised
        })
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        let targets = Target::ALL.map(|target| target.to_string());
        table.set_header(std::iter::once("attack".to_owned()).chain(targets));
        for attack in attacks::ALL {
            let cells = self.runs.iter().filter(|run| run.attack == attack.id);
            let outcomes = cells.map(|run| run.verdict.outcome.to_string());
            table.add_row(std::iter::once(attack.id.to_owned()).chain(outcomes));
        }
        writeln!(f, "{table}")
    }
}
