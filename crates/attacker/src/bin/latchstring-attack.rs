//! `latchstring-attack`: the attacks one by one, and the passive ones on a capture that somebody else made.
//!
//! There is no way to name another machine here: what an attack works on is a file.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use latchstring_attacker::{
    Attack, Claim, Report, Run,
    attacks::{self, cleartext_key, keystream_reuse},
    capture::{self, trace::Trace},
    net::report,
    vantage::{Wiretap, blank_server},
};
use serde_json::json;

/// Attacks on the lab's login protocols.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example: latchstring-attack keystream-reuse --capture captures/faithful-chat.pcap"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the attacks
    #[command(after_help = "Example: latchstring-attack list")]
    List,
    /// Says what an attack does, and from where
    #[command(after_help = "Example: latchstring-attack show bit-flip")]
    Show {
        /// The attack's name, as `list` prints it
        id: String,
    },
    /// Reads every message of a captured session with the session key that it holds in clear
    #[command(
        after_help = "Example: latchstring-attack cleartext-key --capture captures/faithful-chat.pcap"
    )]
    CleartextKey(OnCapture),
    /// Reads messages of a captured session without the session key
    #[command(
        after_help = "Examples:\n  latchstring-attack keystream-reuse --capture captures/faithful-chat.pcap\n  \
                      latchstring-attack keystream-reuse --capture captures/faithful-chat.pcap --known '1=hello my name is alice'"
    )]
    KeystreamReuse {
        #[command(flatten)]
        on: OnCapture,
        /// A message whose text you know: its number in the session, from 1, and the text; may be repeated
        #[arg(long, value_name = "NUMBER=TEXT", value_parser = parse_known)]
        known: Vec<(usize, String)>,
    },
}

#[derive(Args)]
struct OnCapture {
    /// A pcap or pcapng file
    #[arg(long, value_name = "FILE")]
    capture: PathBuf,
    /// Print JSON instead of the story
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("latchstring-attack: {}", report::line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List => {
            for attack in attacks::ALL {
                println!("{:16} {}", attack.id, attack.title);
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { id } => show(&id),
        Command::CleartextKey(on) => {
            let Run::Sniff(program) = cleartext_key::ATTACK.run else {
                bail!("cleartext-key is not a passive attack");
            };
            on_capture(&cleartext_key::ATTACK, &on, |trace| {
                program(&Wiretap::of_deployed(trace.clone()))
            })
        }
        Command::KeystreamReuse { on, known } => {
            let known: Vec<_> = known
                .into_iter()
                .map(|(n, text)| (n - 1, text.into_bytes()))
                .collect();
            // What the server said is blanked before the attack sees anything, as it is in the arena.
            on_capture(&keystream_reuse::ATTACK, &on, |trace| {
                keystream_reuse::run(&blank_server(trace), &known)
            })
        }
    }
}

fn show(id: &str) -> anyhow::Result<ExitCode> {
    let attack = attacks::find(id).with_context(|| {
        format!("there is no attack {id:?}; `latchstring-attack list` names them")
    })?;
    println!("{}: {}", attack.id, attack.title);
    println!("vantage: the attacker is {}", attack.vantage);
    println!("page:    docs/src/attacks/{}.md", attack.id);
    println!(
        "code:    crates/attacker/src/attacks/{}.rs",
        attack.id.replace('-', "_")
    );
    Ok(ExitCode::SUCCESS)
}

/// Runs on each session of the file. The exit code says whether anything was read.
fn on_capture(
    attack: &Attack,
    on: &OnCapture,
    program: impl Fn(&Trace) -> Report,
) -> anyhow::Result<ExitCode> {
    let file = on.capture.display();
    let sessions = capture::read_sessions(&on.capture)?;
    if sessions.is_empty() {
        bail!("{file} holds no TCP session: record one with `latchstring capture`");
    }
    let reports: Vec<Report> = sessions.iter().map(program).collect();
    if on.json {
        let sessions: Vec<_> = reports.iter().map(as_json).collect();
        println!(
            "{:#}",
            json!({ "attack": attack.id, "capture": file.to_string(), "sessions": sessions })
        );
    } else {
        for (session, report) in sessions.iter().zip(&reports) {
            println!("session {} -> {}", session.client, session.server);
            report
                .story
                .lines()
                .iter()
                .for_each(|line| println!("  {line}"));
        }
    }
    let read = reports
        .iter()
        .any(|report| matches!(report.claim, Claim::Read(_)));
    Ok(ExitCode::from(if read { 0 } else { 2 }))
}

fn as_json(report: &Report) -> serde_json::Value {
    let messages = match &report.claim {
        Claim::Read(messages) => messages.iter().map(|message| text(message)).collect(),
        _ => Vec::new(),
    };
    json!({ "messages": messages, "story": report.story.lines() })
}

/// A byte that is not known is U+FFFD, as is what is not UTF-8.
fn text(message: &[Option<u8>]) -> String {
    let bytes: Vec<u8> = message.iter().map(|byte| byte.unwrap_or(0xff)).collect();
    String::from_utf8_lossy(&bytes).into_owned()
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
