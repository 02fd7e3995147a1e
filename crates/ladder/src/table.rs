//! Every attack against every rung, as it was run.

use std::io;

use latchstring_arena::{
    against::Against,
    verdict::{Outcome, Verdict},
    wire::Over,
};
use latchstring_attacker::{attacks as catalogue, protocol::hardened::defence::Defence};
use serde::Serialize;

use crate::{attack::Attack, attacks, run, run::Run, rung::Rung};

/// The ladder as it was run.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// A row for each attack of the ladder, with a cell for each rung.
    pub rows: Vec<Row>,
    /// The attacks of the catalogue that the ladder does not have: what `latch/2` answers to beyond it.
    pub rest: Vec<Rest>,
}

/// An attack on every rung, from the bottom.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The attack.
    pub attack: &'static str,
    /// What it does.
    pub title: &'static str,
    /// A run for each rung.
    pub cells: Vec<Run>,
}

/// An attack that the arena alone runs, on the two protocols at the ends.
#[derive(Debug, Clone, Serialize)]
pub struct Rest {
    /// The attack.
    pub attack: &'static str,
    /// Against the report's protocol.
    pub faithful: Verdict,
    /// Against `latch/2`.
    pub hardened: Verdict,
}

/// What a run shows of one rung.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Attacks that work on the rung below, and not here.
    pub kills: Vec<&'static str>,
    /// Attacks that apply here, and not on the rung below.
    pub opens: Vec<&'static str>,
    /// Attacks that work here, and did not on the rung below although they applied there. There must be none.
    pub revives: Vec<&'static str>,
}

impl Table {
    /// Runs everything in memory. `progress` hears of each run.
    ///
    /// # Errors
    /// When the arena has no memory for its runs on rung 9.
    pub fn run(seed: u64, mut progress: impl FnMut(&Run)) -> io::Result<Self> {
        let mut rows = Vec::new();
        for attack in attacks::ALL {
            let mut cells = Vec::new();
            for rung in Rung::ALL {
                let run = match rung.is_spoken() {
                    true => run::run(attack, rung, seed),
                    false => on_latch_2(attack, seed)?,
                };
                progress(&run);
                cells.push(run);
            }
            rows.push(Row {
                attack: attack.id,
                title: attack.title,
                cells,
            });
        }
        let others = catalogue::ALL.iter();
        let others = others.filter(|attack| attacks::find(attack.id).is_none());
        let rest = others
            .map(|attack| in_arena(attack, seed))
            .collect::<io::Result<_>>()?;
        Ok(Self { rows, rest })
    }

    /// What the run shows of a rung.
    pub fn change(&self, rung: Rung) -> Change {
        let mut change = Change::default();
        let Some(below) = rung.below() else {
            return change;
        };
        for row in &self.rows {
            match (row.outcome(below), row.outcome(rung)) {
                (Outcome::Broke, Outcome::Held) => change.kills.push(row.attack),
                (Outcome::DoesNotApply, Outcome::Broke | Outcome::Held) => {
                    change.opens.push(row.attack);
                }
                (Outcome::Held, Outcome::Broke) => change.revives.push(row.attack),
                _ => {}
            }
        }
        change
    }

    /// Where the run is not what the rungs' lines say, or an attack came back; and runs that show nothing.
    pub fn surprises(&self) -> Vec<String> {
        let unclear = self.rows.iter().flat_map(|row| &row.cells);
        let unclear = unclear.filter(|run| run.verdict.outcome == Outcome::Inconclusive);
        let mut found: Vec<String> = unclear
            .map(|run| {
                format!(
                    "{} on rung {}: {}",
                    run.attack, run.rung, run.verdict.statement
                )
            })
            .collect();
        for rung in Rung::ALL {
            let change = self.change(rung);
            let line = rung.line();
            for (what, ran, says) in [
                ("kills", &change.kills, line.kills),
                ("opens", &change.opens, line.opens),
                ("revives", &change.revives, &[][..]),
            ] {
                if sorted(ran) != sorted(says) {
                    found.push(format!(
                        "rung {rung} {what} {ran:?}, and its line says {says:?}"
                    ));
                }
            }
        }
        found
    }
}

impl Row {
    /// What came of it on this rung.
    pub fn outcome(&self, rung: Rung) -> Outcome {
        self.cells[usize::from(rung.number())].verdict.outcome
    }
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

/// Rung 9 is the deployed protocol, with its own attacks. The server whose generator is guessed is not the deployed one.
fn on_latch_2(attack: &Attack, seed: u64) -> io::Result<Run> {
    let known = catalogue::find(attack.id);
    let known = known.ok_or_else(|| io::Error::other(format!("the arena lacks {}", attack.id)))?;
    let against = match attack.id {
        "seeded-keys" => Against::without(&[Defence::SystemRandomness]),
        _ => Against::hardened(),
    };
    let run = latchstring_arena::run(known, against, Over::Memory, seed)?;
    Ok(Run {
        attack: attack.id,
        rung: Rung::HARDENED,
        verdict: run.verdict,
    })
}

fn in_arena(attack: &'static latchstring_attacker::Attack, seed: u64) -> io::Result<Rest> {
    let verdict = |against| -> io::Result<Verdict> {
        Ok(latchstring_arena::run(attack, against, Over::Memory, seed)?.verdict)
    };
    Ok(Rest {
        attack: attack.id,
        faithful: verdict(Against::Faithful)?,
        hardened: verdict(Against::hardened())?,
    })
}
