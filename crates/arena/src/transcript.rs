//! One run as a short story.

use std::fmt;

use crate::Run;

/// The numbers of lines shown from the beginning and from the end of a long list of packets.
const SHOWN: (usize, usize) = (24, 8);

impl fmt::Display for Run {
    /// The bytes on the wire, the attacker's story, and the verdict.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} against {}", self.attack, self.against)?;
        part(f, "on the honest connection:", &abridged(&self.wire))?;
        part(f, "the attacker:", &self.story)?;
        writeln!(f, "\n{}: {}", self.verdict.outcome, self.verdict.statement)
    }
}

fn part(f: &mut fmt::Formatter<'_>, heading: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{heading}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}

/// The lines, or the first and the last of them where there are many.
pub fn abridged(lines: &[String]) -> Vec<String> {
    let (first, last) = SHOWN;
    let Some(left_out) = lines.len().checked_sub(first + last + 1) else {
        return lines.to_vec();
    };
    let mut shown = lines[..first].to_vec();
    shown.push(format!("... {} more ...", left_out + 1));
    shown.extend_from_slice(&lines[lines.len() - last..]);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_lists_are_cut_and_no_line_is_counted_twice() {
        let lines: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        assert_eq!(abridged(&lines[..32]), &lines[..32]);
        let shown = abridged(&lines);
        assert_eq!(shown.len(), 33);
        assert_eq!(shown[24], "... 8 more ...");
        assert_eq!((&shown[23], &shown[25]), (&lines[23], &lines[32]));
    }
}
