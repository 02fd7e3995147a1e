//! An error as one line for a person.

use std::error::Error;

use crate::terminal::visible_lines;

/// The error and its causes, joined by colons; a cause that the line already has is not repeated. Errors quote file
/// names and other texts of strangers, so what would steer a terminal is escaped.
pub fn line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    visible_lines(&line).into_owned()
}

/// `1 attempt`, `2 attempts`.
pub fn count(n: impl Into<u64>, thing: &str) -> String {
    match n.into() {
        1 => format!("1 {thing}"),
        n => format!("{n} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    enum Outer {
        #[error("cannot read it: {source}")]
        Told { source: io::Error },
        #[error("cannot read it")]
        Untold { source: io::Error },
    }

    #[test]
    fn a_name_in_an_error_cannot_steer_the_terminal() {
        let source = io::Error::other("no file \u{1b}[2J\u{202e}gnp.exe");
        let told = line(&Outer::Untold { source });
        assert_eq!(told, r"cannot read it: no file \u{1b}[2J\u{202e}gnp.exe");
    }

    #[test]
    fn each_cause_is_told_once() {
        let source = || io::Error::other("no such file");
        let told = line(&Outer::Told { source: source() });
        let untold = line(&Outer::Untold { source: source() });
        assert_eq!(
            (&told[..], &untold[..]),
            (
                "cannot read it: no such file",
                "cannot read it: no such file"
            )
        );
    }
}
