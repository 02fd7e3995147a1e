//! `latchstring-attack`: the attacks one by one, against targets that it starts, and the passive ones on any capture.
//!
//! No option names another machine: an attack works on a file, or on a server that this program starts in memory or on
//! loopback.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use latchstring_arena::{self as arena, DEFAULT_SEED, against::Against, verdict::Outcome};
use latchstring_attacker::{
    Attack, Faithful, attacks,
    net::{print, report},
    protocol::hardened::defence::Defence,
};
use latchstring_cli::screen;
use latchstring_lab::{carrier::Carrier, passive};
use latchstring_matrix::attack;

/// Run attacks on the lab's login protocols.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example: latchstring-attack run bit-flip --against hardened-minus=mac"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the attacks, and the defences that can be left out
    #[command(after_help = "Example: latchstring-attack list")]
    List,
    /// Show an attack: its goal, its vantage, and the defences that stop it
    #[command(after_help = "Example: latchstring-attack show bit-flip")]
    Show {
        /// Show the attack of this name, as `list` prints it
        id: String,
    },
    /// Run an attack against a server that is started for it, or on a capture
    #[command(after_help = "Examples:\n  \
                      latchstring-attack run bit-flip\n  \
                      latchstring-attack run bit-flip --against hardened-minus=mac --over tcp\n  \
                      latchstring-attack run cleartext-key --capture chat.pcap\n  \
                      latchstring-attack run keystream-reuse --capture chat.pcap --known 1=hello\n\n\
                      Ends with 0 when the attack succeeds, and with 1 when it does not or when there is an\n\
                      error. 2 is wrong usage.")]
    Run(RunArgs),
}

#[derive(Args)]
struct RunArgs {
    /// Run the attack of this name, as `list` prints it
    id: String,
    /// Attack this target: faithful, hardened, or hardened-minus=DEFENCE, with commas between several [default: faithful, or the
    /// first target that the attack applies to]
    #[arg(long, value_name = "TARGET")]
    against: Option<Against>,
    /// Carry the bytes to the target over this wire
    #[arg(long, value_enum, default_value = "memory")]
    over: Carrier,
    /// Derive all randomness from this seed
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Work on the sessions of this pcap or pcapng file instead (or .gz; - for standard input): for the attacks that only
    /// listen
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "over", "seed"])]
    capture: Option<PathBuf>,
    /// Give keystream-reuse a message whose text you know, by its number in the session, from 1; may be repeated
    #[arg(long, value_name = "NUMBER=TEXT", value_parser = parse_known, requires = "capture")]
    known: Vec<(usize, String)>,
    /// Print JSON instead of the story
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match command(latchstring_cli::parse::<Cli>(env!("CARGO_BIN_NAME")).command) {
        Ok(code) => code,
        Err(error) => {
            print::note(format!(
                "latchstring-attack: {}",
                report::line(error.as_ref())
            ));
            ExitCode::FAILURE
        }
    }
}

fn command(command: Command) -> anyhow::Result<ExitCode> {
    let mut out = screen::out();
    match command {
        Command::List => list(&mut out),
        Command::Show { id } => show(&mut out, attack(&id)?),
        Command::Run(arguments) => match &arguments.capture {
            Some(file) => on_capture(&arguments, file),
            None => in_the_arena(&mut out, &arguments),
        },
    }
}

/// Where JSON goes, which is not folded.
fn json_out() -> std::io::Stdout {
    std::io::stdout()
}

/// A line of the list, with the text in a second column.
fn item(id: &str, about: &str) -> String {
    screen::item(id, 20, about, screen::width())
}

fn list(out: &mut impl Write) -> anyhow::Result<ExitCode> {
    writeln!(out, "attacks:")?;
    for attack in attacks::ALL {
        writeln!(out, "{}", item(attack.id, attack.title))?;
    }
    writeln!(out, "\ndefences:")?;
    for defence in Defence::ALL {
        writeln!(out, "{}", item(defence.id(), defence.about()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(out: &mut impl Write, attack: &Attack) -> anyhow::Result<ExitCode> {
    let against_faithful = match attack.faithful {
        Faithful::Broken => "it succeeds".to_owned(),
        Faithful::Held(why) => format!("it fails: {why}"),
        Faithful::DoesNotApply(why) => format!("it does not apply: {why}"),
    };
    writeln!(out, "{}: {}", attack.id, attack.title)?;
    writeln!(out, "vantage:  the attacker is {}", attack.vantage)?;
    writeln!(out, "faithful: {against_faithful}")?;
    let sets = attack.returns_without.iter();
    for set in sets.map(|set| Against::without(set)) {
        writeln!(out, "returns:  against {set}")?;
    }
    let id = attack.id;
    writeln!(out, "page:     docs/src/attacks/{id}.md")?;
    writeln!(
        out,
        "code:     crates/attacker/src/attacks/{}.rs",
        id.replace('-', "_")
    )?;
    writeln!(out, "capture:  captures/{id}.pcapng")?;
    Ok(ExitCode::SUCCESS)
}

fn in_the_arena(out: &mut impl Write, arguments: &RunArgs) -> anyhow::Result<ExitCode> {
    let attack = attack(&arguments.id)?;
    let against = arguments.against.unwrap_or_else(|| first_target(attack));
    if let (None, Faithful::DoesNotApply(why)) = (arguments.against, attack.faithful) {
        let note = format!("{} does not apply to faithful: {why}.", attack.id);
        let note =
            format!("{note} It runs against {against}; choose another target with --against.");
        // Beside the JSON, which names its target itself.
        match arguments.json {
            true => print::note(&note),
            false => writeln!(out, "{note}\n")?,
        }
    }
    // Drawn on standard error, and only where that is a terminal.
    let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")?;
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.set_message(format!("{} against {against}", attack.id));
    bar.enable_steady_tick(Duration::from_millis(100));
    let run = arena::run(attack, against, arguments.over.into(), arguments.seed);
    bar.finish_and_clear();
    let run = run?;
    if arguments.json {
        writeln!(json_out(), "{}", serde_json::to_string_pretty(&run)?)?;
    } else {
        write!(out, "{run}")?;
    }
    Ok(match run.verdict.outcome {
        Outcome::Broke => ExitCode::SUCCESS,
        Outcome::Held | Outcome::DoesNotApply | Outcome::Inconclusive => ExitCode::FAILURE,
    })
}

/// The target of an attack where none is named: faithful, unless the attack does not apply to it.
fn first_target(attack: &Attack) -> Against {
    match (attack.faithful, attack.returns_without.first()) {
        (Faithful::DoesNotApply(_), Some(removed)) => Against::without(removed),
        _ => Against::Faithful,
    }
}

/// Runs on each session of the file. The exit code says whether anything was read.
fn on_capture(arguments: &RunArgs, file: &Path) -> anyhow::Result<ExitCode> {
    let known = arguments.known.iter();
    let known = known.map(|(n, text)| (n - 1, text.clone().into_bytes()));
    passive::run(&passive::Job {
        attack: attack(&arguments.id)?,
        file,
        known: known.collect(),
        json: arguments.json,
    })
}

fn parse_known(argument: &str) -> Result<(usize, String), String> {
    let (number, text) = argument.split_once('=').ok_or("it must be NUMBER=TEXT")?;
    match number.parse() {
        Ok(n) if n >= 1 => Ok((n, text.to_owned())),
        _ => Err(format!(
            "{number:?} is not the number of a message; they count from 1"
        )),
    }
}
