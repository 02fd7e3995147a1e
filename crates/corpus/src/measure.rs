//! How good the solver is on texts that no model has seen, beside public ones, as a table.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use latchstring_cryptanalysis::{Byte, Keystream, Language, Mode, solve};

use crate::{
    cases::{Answer, Case, Suite},
    peers::{LIMIT, Peer},
    probe,
};

/// Claims at or above this are counted apart.
const SURE: f32 = 0.95;
/// The lines around the table in the page.
const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->\n";

/// Something that solves cases.
enum Solver {
    Ours(Mode),
    Theirs(Peer),
}

impl Solver {
    fn name(&self) -> &'static str {
        match self {
            Self::Ours(Mode::Fast) => "**ours, fast**",
            Self::Ours(Mode::Deep) => "**ours, deep**",
            Self::Theirs(peer) => peer.name,
        }
    }

    fn solve(&mut self, case: &Case, language: &Language) -> Result<Answer> {
        let mode = match self {
            Self::Ours(mode) => *mode,
            Self::Theirs(peer) => return peer.solve(case),
        };
        let start = Instant::now();
        let found = solve(&case.ciphertexts, language, &Keystream::new(), mode);
        Ok(Answer {
            messages: found.messages,
            pairs: found.pairs,
            time: start.elapsed(),
        })
    }
}

/// Measures on all suites, with the public solvers if there are any; returns the table in Markdown.
///
/// # Errors
/// If a public solver fails, or this program when it calls itself.
pub(crate) fn table(suites: &[Suite], peers: Vec<Peer>) -> Result<String> {
    let ours = [Mode::Fast, Mode::Deep].map(Solver::Ours).into_iter();
    let mut solvers: Vec<Solver> = ours.chain(peers.into_iter().map(Solver::Theirs)).collect();
    let mut out = format!(
        "{}\nA public solver had {} seconds for each case.\n",
        probe::report(suites)?,
        LIMIT.as_secs()
    );
    let mut name = "";
    for suite in suites {
        if suite.name != name {
            name = suite.name;
            out += &format!("\n`{name}`\n\n{HEAD}");
        }
        eprintln!("{name}: {} messages together", suite.together);
        out += &rows(suite, &mut solvers)?;
    }
    Ok(out)
}

const HEAD: &str = "\
| messages | cases | program | right | pairs right | claimed at 95 % | of these right | ms a byte | time, ours = 1 |\n\
| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

fn rows(suite: &Suite, solvers: &mut [Solver]) -> Result<String> {
    let language = Language::named(suite.language).unwrap_or_else(Language::english);
    let mut out = String::new();
    let mut unit = None;
    for solver in solvers {
        let mut total = Counts::default();
        for case in &suite.cases {
            total.add(case, solver.solve(case, language)?);
        }
        let unit = *unit.get_or_insert(total.time);
        let ratio = total.time.as_secs_f64() / unit.as_secs_f64();
        let (together, cases) = (suite.together, suite.cases.len());
        let name = solver.name();
        out += &format!("| {together} | {cases} | {name} | {total} | {ratio:.2} |\n");
    }
    Ok(out)
}

/// Puts the table into a page, in the place of the one that is there.
///
/// # Errors
/// If the page cannot be read or written, or has no place for it.
pub(crate) fn publish(table: &str, page: &Path) -> Result<()> {
    let shown = page.display();
    let text = fs::read_to_string(page).with_context(|| format!("reading {shown}"))?;
    let text = replaced(&text, table)
        .with_context(|| format!("{shown} has no lines {BEGIN:?} and {END:?}: add them"))?;
    fs::write(page, text).with_context(|| format!("writing {shown}"))
}

fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, BEGIN, table, END, after].concat())
}

#[derive(Default)]
struct Counts {
    right: usize,
    pairs: usize,
    covered: usize,
    sure: usize,
    sure_and_right: usize,
    bytes: usize,
    time: Duration,
    two: bool,
}

impl Counts {
    /// Compares an answer with the truth, as far as at least two messages reach.
    fn add(&mut self, case: &Case, answer: Answer) {
        let (reach, mut messages) = (case.reach(), answer.messages);
        self.time += answer.time;
        self.bytes += case.ciphertexts.iter().map(Vec::len).sum::<usize>();
        self.two = case.texts.len() == 2;
        if self.two {
            let paired = pairs(&messages, case, reach);
            self.pairs += 2 * paired.iter().filter(|right| **right).count();
            for (right, confidence) in paired.iter().zip(&answer.pairs) {
                let sure = usize::from(*confidence >= SURE);
                self.sure += 2 * sure;
                self.sure_and_right += 2 * sure * usize::from(*right);
            }
            let exchanged: Vec<_> = messages.iter().rev().cloned().collect();
            if right(&exchanged, case, reach) > right(&messages, case, reach) {
                messages = exchanged;
            }
        }
        self.right += right(&messages, case, reach);
        let covered = case.texts.iter().map(|text| text.len().min(reach));
        self.covered += covered.sum::<usize>();
        for (byte, truth) in compared(&messages, case, reach) {
            let sure = usize::from(byte.confidence >= SURE);
            self.sure += sure;
            self.sure_and_right += sure * usize::from(byte.value == Some(truth));
        }
    }
}

/// The found and the true bytes, byte by byte.
fn compared(messages: &[Vec<Byte>], case: &Case, reach: usize) -> impl Iterator<Item = (Byte, u8)> {
    let each = messages.iter().zip(&case.texts);
    each.flat_map(move |(found, text)| found.iter().copied().zip(text.iter().copied()).take(reach))
}

fn right(messages: &[Vec<Byte>], case: &Case, reach: usize) -> usize {
    let bytes = compared(messages, case, reach);
    bytes
        .filter(|(byte, truth)| byte.value == Some(*truth))
        .count()
}

/// At each place, whether the pair of bytes is right, in any order of the two messages.
fn pairs(messages: &[Vec<Byte>], case: &Case, reach: usize) -> Vec<bool> {
    let is_right = |at: usize| {
        let found = [0, 1].map(|i: usize| messages.get(i)?.get(at)?.value);
        let truth = [0, 1].map(|i: usize| Some(case.texts[i][at]));
        found == truth || found == [truth[1], truth[0]]
    };
    (0..reach).map(is_right).collect()
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |part: usize, all: usize| match all {
            0 => "-".to_owned(),
            _ => format!("{:.1} %", 100.0 * part as f64 / all as f64),
        };
        let pairs = if self.two { self.pairs } else { 0 };
        write!(
            f,
            "{} | {} | {} | {} | {:.4}",
            percent(self.right, self.covered),
            percent(pairs, if self.two { self.covered } else { 0 }),
            percent(self.sure, self.covered),
            percent(self.sure_and_right, self.sure),
            self.time.as_secs_f64() * 1000.0 / self.bytes.max(1) as f64,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let page = format!("# Title\n{BEGIN}old\n{END}end\n");
        let new = replaced(&page, "new\n").unwrap();
        assert_eq!(new, format!("# Title\n{BEGIN}new\n{END}end\n"));
        assert_eq!(replaced("no place", "new\n"), None);
    }

    #[test]
    fn a_pair_counts_up_to_one_exchange_and_only_as_far_as_both_reach() {
        let case = Case {
            texts: vec![b"abcd".to_vec(), b"xyz".to_vec()],
            ciphertexts: vec![vec![0; 4], vec![0; 3]],
        };
        let byte = |&value: &u8| Byte {
            value: Some(value),
            confidence: 0.9,
        };
        let messages = [&b"xbz"[..], b"ayc"].map(|text| text.iter().map(byte).collect());
        let mut counts = Counts::default();
        let time = Duration::from_millis(7);
        counts.add(
            &case,
            Answer {
                messages: messages.to_vec(),
                pairs: vec![0.96, 0.99, 0.94],
                time,
            },
        );
        assert_eq!((counts.right, counts.covered, counts.pairs), (4, 6, 6));
        assert_eq!((counts.sure, counts.sure_and_right), (4, 4));
        let shown = "66.7 % | 100.0 % | 66.7 % | 100.0 % | 1.0000";
        assert_eq!(counts.to_string(), shown);
    }
}
