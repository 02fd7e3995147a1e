//! The capture of an attack: a successful run and an unsuccessful one, with comments on the important packets.

use std::{net::IpAddr, time::Duration};

use latchstring_attacker::{
    Attack, Faithful, Run as Program,
    capture::{self as pcap, AnnotatedSession, trace::Trace},
};

use super::remarks::{self, Remark, Tampering};
use latchstring_arena::{
    self as arena, DEFAULT_SEED, Recorded,
    against::Against,
    seen::Seen,
    wire::{ATTACKER_SOURCE, HONEST_SOURCE},
};
use latchstring_matrix::attack;

/// When the first session of every capture begins: the start of 2020, the year of the report.
const EPOCH: Duration = Duration::from_secs(1_577_836_800);
/// The number of connections that a capture of a long run shows.
const CONNECTIONS: usize = 8;
/// The number of lines of a server's log that are shown for one connection.
const LINES: usize = 10;

/// The bytes of `captures/<id>.pcapng`.
///
/// # Errors
/// When there is no such attack, or the machine has no memory for its runs.
pub fn capture(id: &str) -> anyhow::Result<Vec<u8>> {
    let attack = attack(id)?;
    let mut about = format!(
        "{}: {}\nMallory is {}.\n",
        attack.id, attack.title, attack.vantage
    );
    let mut sessions = Vec::new();
    for against in targets(attack) {
        let recorded = arena::run_recorded(attack, against, DEFAULT_SEED)?;
        about += &told(&recorded, sessions.len());
        sessions.extend(annotated(attack, &recorded));
    }
    Ok(pcap::annotated_to_bytes(&sessions, about.trim_end(), EPOCH))
}

/// A target that the attack breaks, and one that it does not.
fn targets(attack: &Attack) -> Vec<Against> {
    let broken = match attack.faithful {
        Faithful::Broken => Some(Against::Faithful),
        _ => attack
            .returns_without
            .first()
            .map(|set| Against::without(set)),
    };
    broken.into_iter().chain([Against::hardened()]).collect()
}

fn told(recorded: &Recorded, before: usize) -> String {
    let run = &recorded.run;
    let all = recorded.connections.len();
    let shown = all.min(CONNECTIONS);
    let left_out = match all - shown {
        0 => String::new(),
        n => format!(" ({n} more connections are left out)"),
    };
    let (first, last) = (before, before + shown.max(1) - 1);
    let story: String = run.story.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "\nAgainst {}, TCP streams {first} to {last}{left_out}, one after the other:\n{story}{}: {}.\n",
        run.against, run.verdict.outcome, run.verdict.statement
    )
}

/// The connections of a run with what is to be said about them.
fn annotated(attack: &Attack, recorded: &Recorded) -> Vec<AnnotatedSession> {
    let traces = &recorded.connections;
    let mut remarked: Vec<Vec<Remark>> = traces
        .iter()
        .map(|trace| {
            let mut remarks = vec![(
                0,
                format!("Against {}: {}", recorded.run.against, whose(trace)),
            )];
            remarks.extend(remarks::names(trace));
            remarks
        })
        .collect();
    if let (Program::OnPath(_), [user_side, server_side, ..]) = (attack.run, &traces[..]) {
        let tampering = Tampering::between(user_side, server_side);
        remarked[0].extend(tampering.user_side);
        remarked[1].extend(tampering.server_side);
    }
    for (index, number) in numbered(traces) {
        remarked[index].push((traces[index].chunks.len(), beliefs(&recorded.seen, number)));
    }
    let verdict = &recorded.run.verdict;
    if let Some(last) = remarked.iter_mut().take(CONNECTIONS).last() {
        last.push((
            usize::MAX,
            format!("{}: {}", verdict.outcome, verdict.statement),
        ));
    }
    let sessions = traces.iter().zip(remarked).take(CONNECTIONS);
    sessions
        .map(|(trace, mut comments)| {
            comments.retain(|(_, text)| !text.is_empty());
            comments.sort_by_key(|(on, _)| *on);
            AnnotatedSession {
                trace: trace.clone(),
                comments,
            }
        })
        .collect()
}

fn whose(trace: &Trace) -> &'static str {
    let mallory = IpAddr::V4(ATTACKER_SOURCE);
    let called = trace.client.ip() != IpAddr::V4(HONEST_SOURCE);
    match (called, trace.server.ip() == mallory) {
        (false, false) => "alice and the server",
        (false, true) => "alice, whose packets reach Mallory first",
        (true, _) => "Mallory and the server",
    }
}

/// The connections that reached the server, with their numbers there.
fn numbered(traces: &[Trace]) -> impl Iterator<Item = (usize, u64)> {
    let mallory = IpAddr::V4(ATTACKER_SOURCE);
    let reached = traces
        .iter()
        .enumerate()
        .filter(move |(_, trace)| trace.server.ip() != mallory);
    reached.zip(1..).map(|((index, _), number)| (index, number))
}

/// The server's decisions on one connection.
fn beliefs(seen: &[Seen], number: u64) -> String {
    let lines: Vec<String> = seen
        .iter()
        .filter(|seen| seen.is_logged() && seen.on() == number)
        .map(ToString::to_string)
        .collect();
    let mut shown: Vec<&str> = lines.iter().take(LINES).map(String::as_str).collect();
    if let (true, Some(last)) = (lines.len() > LINES, lines.last()) {
        shown.extend(["...", last]);
    }
    shown.join("\n")
}
