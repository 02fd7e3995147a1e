//! Lines that fit the terminal.

use std::io::Write;

use anyhow::Result;
use latchstring_attacker::{
    capture::dissect::Named,
    net::{print::Output, terminal::visible},
};

/// Columns where nobody says how many there are.
const COLUMNS: usize = 80;

/// The limit on the bytes of a field on its line.
pub(super) const SHOWN: usize = 16;

/// How many columns the terminal has.
pub(crate) fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| width.0.into())
}

/// Lines of at most `columns` columns, wrapped at words where that is possible.
pub(crate) fn wrapped(indent: &str, text: &str, columns: usize) -> Vec<String> {
    let options = textwrap::Options::new(columns)
        .initial_indent(indent)
        .subsequent_indent(indent)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let lines = textwrap::wrap(text, options).into_iter();
    lines.map(|line| line.into_owned()).collect()
}

/// Where lines go.
pub(super) struct Listing {
    out: Output,
    width: usize,
    full: bool,
}

impl Listing {
    pub(super) fn new(out: Output, full: bool) -> Self {
        let terminal = out.to_terminal().then(terminal_size::terminal_size);
        let width = terminal
            .flatten()
            .map_or(COLUMNS, |(width, _)| width.0.into());
        Self { out, width, full }
    }

    pub(super) fn line(&mut self, text: &str) -> Result<()> {
        Ok(self.out.line(text)?)
    }

    /// Text of ours, wrapped.
    pub(super) fn paragraph(&mut self, indent: &str, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        for line in wrapped(indent, &visible(text), self.width) {
            self.out.line(line)?;
        }
        Ok(())
    }

    /// Text from a stranger: wrapped and harmless on a terminal, and otherwise unchanged.
    pub(super) fn strangers(&mut self, indent: &str, text: &str) -> Result<()> {
        match self.out.to_terminal() {
            true => self.paragraph(indent, text),
            false => self.line(&format!("{indent}{text}")),
        }
    }

    /// The bytes of a message, which are a stranger's too.
    pub(super) fn text(&mut self, label: &str, bytes: &[u8], after: &str) -> Result<()> {
        if self.out.to_terminal() {
            let text = String::from_utf8_lossy(bytes).into_owned();
            return self.paragraph("  ", &format!("{label}: \"{text}\"{after}"));
        }
        self.out.foreign(format!("  {label}: \"").as_bytes())?;
        self.out.foreign(bytes)?;
        Ok(self.out.line(format_args!("\"{after}"))?)
    }

    /// One field: when, who, where, what, and how it begins.
    pub(super) fn field(&mut self, field: &Named) -> Result<()> {
        let end = field.offset + field.range.len() as u64;
        let range = format!("{}..{end}", field.offset);
        let cut = if field.lacks > 0 { ", cut" } else { "" };
        let label = format!("{}{cut}", field.part);
        let head = format!(
            "{:>10.6} {} {range:<12} {label:<23}",
            field.at.as_secs_f64(),
            field.from
        );
        let room = self.width.saturating_sub(head.chars().count() + 1);
        self.line(
            format!(
                "{head} {}",
                beginning(&field.bytes, field.range.len(), room)
            )
            .trim_end(),
        )?;
        if self.full {
            self.dump(field.offset, &field.bytes)?;
        }
        if field.lacks > 0 {
            let lacks = field.lacks;
            let bytes = latchstring_attacker::capture::losses::bytes(lacks);
            self.paragraph("           ", &format!("the capture lacks {bytes} of it"))?;
        }
        Ok(())
    }

    /// All bytes, sixteen a line, as `hexdump -C` shows them.
    fn dump(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        for (line, offset) in bytes.chunks(16).zip((offset..).step_by(16)) {
            let mut hex = String::new();
            for (at, byte) in line.iter().enumerate() {
                let gap = if at == 8 { "  " } else { " " };
                hex += &format!("{gap}{byte:02x}");
            }
            let shown = |byte: &u8| match byte {
                b' '..=b'~' => char::from(*byte),
                _ => '.',
            };
            let text: String = line.iter().map(shown).collect();
            self.line(&format!(" {offset:08x} {hex:<49} |{text}|"))?;
        }
        Ok(())
    }

    /// Somebody who looks on sees what has come so far.
    pub(super) fn show(&mut self) -> Result<()> {
        if self.out.to_terminal() {
            self.out.flush()?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<()> {
        Ok(self.out.finish()?)
    }
}

/// The first bytes, as many as fit into `room` columns.
fn beginning(bytes: &[u8], len: usize, room: usize) -> String {
    if len <= bytes.len().min(SHOWN) && len * 2 <= room {
        return hex::encode(bytes);
    }
    let shown = bytes.len().min(SHOWN).min(room.saturating_sub(1) / 2);
    hex::encode(&bytes[..shown]) + "…"
}
