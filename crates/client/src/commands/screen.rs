//! The output of `connect`: notes for a person, messages, and with `--json` one object a line for a program.

use std::{
    cell::RefCell,
    io::{self, IsTerminal},
};

use latchstring_net::{
    print::{self, OutputError},
    terminal::{is_visible, visible},
};
use serde::Serialize;

use super::editor::Printer;

/// The report to a program that reads `--json`, one object a line. Names and meanings stand in the operator's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Report<'a> {
    /// The server turned the connection away; another one follows.
    Waiting { milliseconds: u64, attempt: u32 },
    /// The session is open.
    LoggedIn {
        host: &'a str,
        session: &'a str,
        last_message: u64,
    },
    /// The result for the waiting messages, unless all of them are simply sent again.
    Settled {
        held_already: u64,
        renumbered: bool,
        others: bool,
    },
    /// A message of an earlier session goes out again.
    SentAgain { id: u64 },
    /// A line of the input is on the disk under this number, and goes out.
    Kept { line: u64, id: u64 },
    /// A line of the input is no message.
    NotSent { line: u64, why: &'a str },
    /// The server holds all messages up to this number.
    Stored { up_to: u64 },
    /// The server says something.
    Message { id: u64, text: &'a str },
    /// The last line, also after an error.
    End {
        exit_code: u8,
        error: Option<&'a str>,
        #[serde(flatten)]
        tally: InputCount,
    },
}

/// How far the input was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct InputCount {
    /// Lines that were read; the next reader of the input begins behind them.
    pub(super) lines_taken: u64,
    /// Those of them that became messages: they are stored, or in the outbox.
    pub(super) lines_kept: u64,
    /// Those of them that are too long or not UTF-8.
    pub(super) lines_not_sent: u64,
    /// Whether the input was read to its end.
    pub(super) end_of_input: bool,
    /// Bytes of a line that was begun, and is neither taken nor still in the input.
    pub(super) bytes_lost: u64,
    /// Messages that wait in the outbox; not known before the login.
    pub(super) waiting: Option<u64>,
}

/// The output and its place.
pub(super) struct Screen {
    pub(super) quiet: bool,
    pub(super) json: bool,
    /// While a line is being typed, everything for the terminal goes through here.
    printer: RefCell<Option<Printer>>,
}

impl Screen {
    pub(super) fn new(quiet: bool, json: bool) -> Self {
        Self {
            quiet,
            json,
            printer: RefCell::new(None),
        }
    }

    /// From now on the terminal belongs to an editor; `None` gives it back.
    pub(super) fn edited_by(&self, printer: Option<Printer>) {
        *self.printer.borrow_mut() = printer;
    }

    /// Says something that need not be known.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.warn(text);
        }
    }

    /// Says something that must be known.
    pub(super) fn warn(&self, text: &str) {
        match &*self.printer.borrow() {
            Some(printer) if io::stderr().is_terminal() => printer.print(text.to_owned(), None),
            _ => print::note(text),
        }
    }

    /// Tells a program, if one reads.
    ///
    /// # Errors
    /// When the standard output takes nothing.
    pub(super) fn report(&self, report: &Report<'_>) -> Result<(), OutputError> {
        if self.json {
            self.result(json_line(report), None)?;
        }
        Ok(())
    }

    /// Shows a message of the server. `true` if it is shown; else the editor's printer says when.
    ///
    /// # Errors
    /// When the standard output takes nothing.
    pub(super) fn message(&self, id: u64, text: &str) -> Result<bool, OutputError> {
        let line = match self.json {
            true => json_line(&Report::Message { id, text }),
            false => visible(text).into_owned(),
        };
        self.result(line, Some(id))
    }

    fn result(&self, line: String, id: Option<u64>) -> Result<bool, OutputError> {
        match &*self.printer.borrow() {
            Some(printer) if io::stdout().is_terminal() => {
                printer.print(line, id);
                Ok(false)
            }
            _ => print::line(line).map(|()| true),
        }
    }
}

/// A JSON text in which every character is visible. An invisible or steering character is written as `\u202e`, and any
/// reader of JSON turns this back into the character.
pub(super) fn json_line(value: &impl Serialize) -> String {
    // Maps with keys of text, numbers and text: nothing of that can fail.
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if is_visible(c) {
            line.push(c);
        } else {
            // Only texts hold other characters than ASCII, or a DEL.
            for unit in c.encode_utf16(&mut [0; 2]) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_line_is_safe_to_look_at_and_reads_back_exactly() {
        let text = "größer \u{202e}\u{1b}[2J\u{7f}\u{9b}\u{e0041}\"\\\n\t👋";
        let line = json_line(&Report::Message { id: 1, text });
        assert!(line.chars().all(is_visible), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["text"], text);
        assert_eq!(read["event"], "message");
    }

    #[test]
    fn the_last_line_has_the_counts_beside_the_code() {
        let tally = InputCount {
            lines_taken: 7,
            ..InputCount::default()
        };
        let end = Report::End {
            exit_code: 5,
            error: Some("cut"),
            tally,
        };
        let read: serde_json::Value = serde_json::from_str(&json_line(&end)).unwrap();
        assert_eq!(read["lines_taken"], 7);
        assert_eq!(read["exit_code"], 5);
    }
}
