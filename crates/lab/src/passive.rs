//! The attacks that only listen, on any capture.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
use latchstring_attacker::{
    Attack, Claim, Report, Run,
    attacks::keystream_reuse,
    capture::{
        AnnotatedSession, Trace, Wanted, contents,
        dissect::{self, Protocol},
    },
    net::{print::Output, terminal::visible},
    vantage::Wiretap,
};
use serde_json::{Value, json};

use crate::read::{columns, wrapped};

/// The task.
#[derive(Clone)]
pub struct Job<'a> {
    /// With which attack.
    pub attack: &'static Attack,
    /// On which file; `-` is standard input.
    pub file: &'a Path,
    /// Messages whose text is known, by their place in the session, from 0.
    pub known: Vec<(usize, Vec<u8>)>,
    /// Print JSON instead of the story.
    pub json: bool,
}

/// The result for one session.
struct SessionReport {
    number: usize,
    client: String,
    server: String,
    protocol: String,
    lacking: Vec<String>,
    report: Report,
}

/// Runs the attack on each session of the file. The exit code says whether anything was read.
///
/// # Errors
/// If the attack cannot work on a capture, or the capture cannot be read or holds no session.
pub fn run(job: &Job<'_>) -> Result<ExitCode> {
    let listener = listener(job)?;
    let name = match job.file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => job.file.display().to_string(),
    };
    let wanted = match job.attack.run {
        Run::SniffClientOnly(_) => Wanted::OfClient,
        _ => Wanted::Known,
    };
    let mut heard = Vec::new();
    let (losses, _) = contents::each_session(job.file, wanted, |number, session| {
        heard.push(hear(number, session, &listener));
        Ok::<(), anyhow::Error>(())
    })?;
    if heard.is_empty() {
        let mut why = losses.lines();
        why.extend(Some(losses.others()).filter(|others| !others.is_empty()));
        let why = match why.is_empty() {
            true => "no packet at all".to_owned(),
            false => why.join("; "),
        };
        bail!("{name} holds no TCP session: {why}; record one with `latchstring capture`");
    }
    heard.sort_by_key(|heard| heard.number);
    let mut out = Output::new();
    match job.json {
        true => print_json(&mut out, job, &heard, &losses.lines())?,
        false => print(&mut out, &heard, &losses.lines())?,
    }
    out.finish()?;
    let read = heard.iter().any(|heard| claims(&heard.report).is_some());
    Ok(match read {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The result of an attack on a session.
type Listener = Box<dyn Fn(Trace) -> Report>;

fn listener(job: &Job<'_>) -> Result<Listener> {
    let id = job.attack.id;
    if !job.known.is_empty() {
        if id != keystream_reuse::ATTACK.id {
            bail!("--known is for keystream-reuse; {id} takes no message for known");
        }
        let known = job.known.clone();
        return Ok(Box::new(move |trace| {
            keystream_reuse::run(&Wiretap::of_deployed(trace).blanked(), &known)
        }));
    }
    Ok(match job.attack.run {
        Run::Sniff(program) => Box::new(move |trace| program(&Wiretap::of_deployed(trace))),
        // What the server said is blanked before the attack sees anything, as it is in the arena.
        Run::SniffClientOnly(program) => {
            Box::new(move |trace| program(&Wiretap::of_deployed(trace).blanked()))
        }
        _ => Err(anyhow::anyhow!("it has to act, and a capture is over"))
            .with_context(|| format!("{id} cannot work on a capture"))?,
    })
}

fn hear(number: usize, session: AnnotatedSession, listener: &Listener) -> SessionReport {
    let trace = session.trace;
    let identity = dissect::identify(&trace);
    SessionReport {
        number,
        client: trace.client.to_string(),
        server: trace.server.to_string(),
        protocol: identity.to_string(),
        lacking: dissect::lacking_in_short(&trace),
        report: match identity.protocol {
            Protocol::Unknown => stranger(),
            _ => listener(trace),
        },
    }
}

/// For a session of another protocol the attack claims nothing, whatever its bytes are.
fn stranger() -> Report {
    let mut story = latchstring_attacker::Story::default();
    story.tell("not attacked: this is neither of the two protocols that the attack is for");
    Report::new(Claim::Nothing, story)
}

fn claims(report: &Report) -> Option<&Vec<Vec<Option<u8>>>> {
    match &report.claim {
        Claim::Read(messages) => Some(messages),
        _ => None,
    }
}

fn print(out: &mut Output, heard: &[SessionReport], losses: &[String]) -> Result<()> {
    for heard in heard {
        let (client, server) = (&heard.client, &heard.server);
        out.line(format_args!(
            "session {}: {client} -> {server}, {}",
            heard.number + 1,
            heard.protocol
        ))?;
        for line in heard.lacking.iter().chain(heard.report.story.lines()) {
            strangers_line(out, "  ", line)?;
        }
    }
    for line in losses {
        strangers_line(out, "", line)?;
    }
    Ok(())
}

/// A line that may quote what a stranger wrote. On a terminal it is wrapped, and cannot forge another line.
fn strangers_line(out: &mut Output, indent: &str, line: &str) -> Result<()> {
    if !out.to_terminal() {
        return Ok(out.line(format_args!("{indent}{line}"))?);
    }
    for line in wrapped(indent, &visible(line), columns()) {
        out.line(line)?;
    }
    Ok(())
}

fn print_json(
    out: &mut Output,
    job: &Job<'_>,
    heard: &[SessionReport],
    losses: &[String],
) -> Result<()> {
    let sessions: Vec<_> = heard.iter().map(as_json).collect();
    let found = json!({
        "attack": job.attack.id,
        "capture": job.file.display().to_string(),
        "sessions": sessions,
        "losses": losses,
    });
    out.foreign(format!("{found:#}\n").as_bytes())?;
    Ok(())
}

fn as_json(heard: &SessionReport) -> Value {
    let messages = claims(&heard.report).map_or(&[][..], Vec::as_slice);
    let messages: Vec<_> = messages.iter().map(|message| text(message)).collect();
    json!({
        "client": heard.client,
        "server": heard.server,
        "protocol": heard.protocol,
        "lacking": heard.lacking,
        "messages": messages,
        "story": heard.report.story.lines(),
    })
}

/// A byte that is not known is U+FFFD, as is what is not UTF-8.
fn text(message: &[Option<u8>]) -> String {
    let bytes: Vec<u8> = message.iter().map(|byte| byte.unwrap_or(0xff)).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
