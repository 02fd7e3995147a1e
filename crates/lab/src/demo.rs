//! The whole idea on one terminal: an honest session, the attacks on it, the same attacks on the hardened protocol.

use std::io::{self, Write};

use latchstring_attacker::{Target, attacks};

use crate::{
    against::Against,
    arena::{self, Run},
    matrix::Matrix,
    truth::Outcome,
    wire::Over,
};
use anstyle::{AnsiColor, Style};

const HEADING: Style = Style::new().bold();
const BROKE: Style = AnsiColor::Red.on_default().bold();
const HELD: Style = AnsiColor::Green.on_default().bold();

/// Plays everything; returns the table for whoever wants it as data.
///
/// # Errors
/// When the machine has no port for a run, or nobody reads what is printed.
pub fn play(out: &mut impl Write, over: Over, seed: u64) -> io::Result<Matrix> {
    honest_session(out, over, seed)?;
    let mut runs = Vec::new();
    for target in Target::ALL {
        act(out, target)?;
        for (i, attack) in attacks::ALL.into_iter().enumerate() {
            heading(
                out,
                &format!(
                    "{}. {} against {target}: {}",
                    i + 1,
                    attack.id,
                    attack.title
                ),
            )?;
            writeln!(out, "   Mallory is {}.", attack.vantage)?;
            let run = arena::run(attack, against(target), over, seed)?;
            tell(out, &run)?;
            runs.push(run);
        }
    }
    // The table has a row an attack: bring the runs into its order.
    runs.sort_by_key(|run| {
        attacks::ALL
            .iter()
            .position(|attack| attack.id == run.attack)
    });
    let matrix = Matrix { seed, runs };
    heading(out, "What broke and what held")?;
    write!(out, "{matrix}")?;
    writeln!(out)?;
    writeln!(
        out,
        "Every verdict is the arena's, which knows what was typed and what the server believed."
    )?;
    writeln!(
        out,
        "Next: read crates/attacker/src/attacks/, or try it yourself: latchstring lab list"
    )?;
    Ok(matrix)
}

fn honest_session(out: &mut impl Write, over: Over, seed: u64) -> io::Result<()> {
    heading(out, "An honest session of the faithful protocol")?;
    let session = arena::honest(Against::Faithful, over, seed)?;
    for line in arena::describe_wire(&session.trace, Target::Faithful) {
        writeln!(out, "   {line}")?;
    }
    writeln!(
        out,
        "   The server has read: {:?}",
        session.truth.received_on(crate::truth::HONEST)
    )?;
    writeln!(out, "   Every step of this is flawed. Here is how.")
}

fn against(target: Target) -> Against {
    match target {
        Target::Faithful => Against::Faithful,
        Target::Hardened => Against::hardened(),
    }
}

fn act(out: &mut impl Write, target: Target) -> io::Result<()> {
    writeln!(out)?;
    match target {
        Target::Faithful => writeln!(
            out,
            "{HEADING}=== Break it: five attacks on the report's protocol ==={HEADING:#}"
        ),
        Target::Hardened => writeln!(
            out,
            "{HEADING}=== Mend it: the same five against latch/2 ==={HEADING:#}"
        ),
    }
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{HEADING}{text}{HEADING:#}")
}

fn tell(out: &mut impl Write, run: &Run) -> io::Result<()> {
    for line in &run.story {
        writeln!(out, "   {line}")?;
    }
    let style = if run.verdict.outcome == Outcome::Broke {
        BROKE
    } else {
        HELD
    };
    writeln!(
        out,
        "   {style}{}{style:#}: {}.",
        run.verdict.outcome, run.verdict.statement
    )
}
