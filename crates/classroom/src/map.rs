//! The course as a map: the labs in their order, what comes before what, and how far the student is.

use std::io::{self, Write};

use latchstring_cli::screen;

use super::report::{Standing, next};

/// Prints the map. It reads line by line, without colour.
///
/// # Errors
/// When nobody reads it any more.
pub fn print(out: &mut impl Write, all: &[Standing]) -> io::Result<()> {
    let earned: u32 = all.iter().filter_map(Standing::points).sum();
    let of: u32 = all.iter().map(|standing| standing.lab.points()).sum();
    let done = all.iter().filter(|standing| standing.done()).count();
    writeln!(
        out,
        "{earned} of {of} points, {done} of {} labs done.\n",
        all.len()
    )?;
    for standing in all {
        let line = line(standing, all);
        writeln!(out, "{}", screen::folded_under(&line, screen::width(), 10))?;
    }
    writeln!(out, "\n{}", next(all))
}

/// `ready       01 Say the name, 0 of 8 points, 45 minutes, after 00`: further to the right, the more comes before it.
fn line(standing: &Standing, all: &[Standing]) -> String {
    let lab = &standing.lab;
    let before: Vec<&str> = lab.prerequisites.iter().map(|id| number(id)).collect();
    let after = match before.is_empty() {
        true => String::new(),
        false => format!(", after {}", before.join(" and ")),
    };
    format!(
        "{:8}{:indent$}{} {}, {} of {} points, {} minutes{after}",
        word(standing, all),
        "",
        lab.number(),
        lab.title,
        standing.points().unwrap_or_default(),
        lab.points(),
        lab.minutes,
        indent = 2 * depth(&lab.id, all, all.len()),
    )
}

/// How far a lab is. Nothing is locked: `later` says only that other labs come first.
fn word(standing: &Standing, all: &[Standing]) -> &'static str {
    let is_done = |id: &String| all.iter().any(|other| other.lab.id == *id && other.done());
    match &standing.started {
        _ if standing.done() => "done",
        Some((_, None)) => "lost",
        Some(_) => "started",
        None if standing.lab.prerequisites.iter().all(is_done) => "ready",
        None => "later",
    }
}

/// How many labs come before this one, one after the other. `most` ends a circle.
fn depth(id: &str, all: &[Standing], most: usize) -> usize {
    let lab = all.iter().find(|standing| standing.lab.id == id);
    let before = lab.iter().flat_map(|standing| &standing.lab.prerequisites);
    let depths = before.map(|before| match most {
        0 => 0,
        _ => 1 + depth(before, all, most - 1),
    });
    depths.max().unwrap_or(0)
}

fn number(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    #[test]
    fn each_lab_says_how_far_it_is_and_what_comes_before_it() {
        let standings: Vec<Standing> = labs::built_in()
            .unwrap()
            .into_iter()
            .map(|lab| Standing {
                started: (lab.number() == "00").then(|| (".".to_owned(), Some(lab.points()))),
                lab,
            })
            .collect();
        let mut out = Vec::new();
        print(&mut out, &standings).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("1 of"), "{text}");
        assert!(
            text.contains("done    00 First contact, 13 of 13 points"),
            "{text}"
        );
        assert!(text.contains("ready     01 Say the name, 0 of "), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }
}
