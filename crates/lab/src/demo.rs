//! The whole idea on one terminal: an honest session, the attacks on it, the same attacks on the hardened protocol.

use std::io::{self, Write};

use latchstring_attacker::Target;

use anstyle::{AnsiColor, Style};
use latchstring_arena::{
    self as arena, Run, against::Against, seen::HONEST, verdict::Outcome, wire::Over,
};
use latchstring_cli::screen;
use latchstring_matrix::{self as matrix, Matrix, Row, Selection};

const HEADING: Style = Style::new().bold();
const BROKE: Style = AnsiColor::Red.on_default().bold();
const HELD: Style = AnsiColor::Green.on_default().bold();

/// The attacks of the demo: one of each kind, on visible things.
const STORIES: [&str; 5] = [
    "impersonate",
    "login-replay",
    "cleartext-key",
    "keystream-reuse",
    "bit-flip",
];

/// Runs the demo's columns: faithful, hardened, and hardened without the defences against these attacks.
///
/// # Errors
/// When the machine has no port for a run.
pub fn run(over: Over, seed: u64) -> io::Result<Matrix> {
    let stories = STORIES.map(str::to_owned);
    let mut wanted = Selection::of(&stories, &[]).map_err(io::Error::other)?;
    let sets = wanted
        .attacks
        .iter()
        .flat_map(|attack| attack.returns_without);
    let sets: Vec<Against> = sets.map(|set| Against::without(set)).collect();
    wanted
        .columns
        .retain(|column| column.removed().is_empty() || sets.contains(column));
    Matrix::run(&wanted, over, seed, |_| ())
}

/// Plays the demo; returns the table as data.
///
/// # Errors
/// When the machine has no port for a run, or nobody reads what is printed.
pub fn play(out: &mut impl Write, over: Over, seed: u64) -> io::Result<Matrix> {
    honest_session(out, over, seed)?;
    let matrix = run(over, seed)?;
    act(out, "Break it: five attacks on the report's protocol")?;
    for (n, row) in (1..).zip(&matrix.rows) {
        tell(out, n, row, "faithful", matrix.cell(row, "faithful"))?;
    }
    act(out, "Mend it: the same five against latch/2")?;
    for (n, row) in (1..).zip(&matrix.rows) {
        tell(out, n, row, "hardened", matrix.cell(row, "hardened"))?;
    }
    act(
        out,
        "Doubt it: latch/2 without the one defence that stopped each",
    )?;
    for (n, row) in (1..).zip(&matrix.rows) {
        for column in matrix.returns_without(row).into_iter().take(1) {
            tell(out, n, row, &column.target(), matrix.cell(row, &column.id))?;
        }
    }
    act(out, "What broke, what held, and why")?;
    write!(out, "\n{}", matrix::tables(&matrix, screen::width()))?;
    writeln!(
        out,
        "\nEvery verdict is the arena's, which knows what was typed and what the server believed.\n\
         Next: all attacks and all defences with `latchstring matrix`, \
         one attack with `latchstring-attack run ID`, or try it yourself: `latchstring lab list`."
    )?;
    Ok(matrix)
}

fn honest_session(out: &mut impl Write, over: Over, seed: u64) -> io::Result<()> {
    heading(out, "An honest session of the faithful protocol")?;
    let session = arena::honest(Against::Faithful, over, seed)?;
    for line in arena::describe_wire(&session.trace, Target::Faithful) {
        writeln!(out, "   {line}")?;
    }
    writeln!(out, "   The server has read:")?;
    for text in session.truth.received_on(HONEST) {
        writeln!(out, "     \"{text}\"")?;
    }
    writeln!(out, "   Every step of this is flawed. Here is how.")
}

fn act(out: &mut impl Write, title: &str) -> io::Result<()> {
    writeln!(out, "\n{HEADING}=== {title} ==={HEADING:#}")
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{HEADING}{text}{HEADING:#}")
}

fn tell(
    out: &mut impl Write,
    number: usize,
    row: &Row,
    target: &str,
    run: Option<&Run>,
) -> io::Result<()> {
    let Some(run) = run else { return Ok(()) };
    let title = format!("{number}. {} against {target}: {}", row.attack, row.title);
    heading(out, &title)?;
    writeln!(out, "   Mallory is {}.", row.vantage)?;
    for line in &run.story {
        writeln!(out, "   {line}")?;
    }
    let style = match run.verdict.outcome {
        Outcome::Broke => BROKE,
        _ => HELD,
    };
    let verdict = &run.verdict;
    writeln!(
        out,
        "   {style}{}{style:#}: {}.",
        verdict.outcome, verdict.statement
    )
}
