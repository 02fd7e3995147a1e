//! Output that fits the terminal: its width, and lines that are folded at words.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

/// Columns where nobody says how many there are: in a pipe, or in a file.
pub const USUAL: usize = 80;
/// Lines are folded to no fewer columns than this, however narrow the terminal is.
const LEAST: usize = 40;
/// Prose is hard to read in lines that are longer than this.
const MOST: usize = 100;
/// A line that is folded goes on this far to the right of where it began.
const HANGING: usize = 2;

/// The usable columns: the number in `COLUMNS`, else those of the terminal, else 80.
pub fn width() -> usize {
    let told = std::env::var("COLUMNS").ok();
    let told = told.and_then(|columns| columns.trim().parse::<usize>().ok());
    let told = told.filter(|columns| *columns > 0);
    let terminal = || {
        let out = io::stdout();
        let size = out
            .is_terminal()
            .then(|| terminal_size::terminal_size_of(&out));
        size.flatten().map(|(width, _)| usize::from(width.0))
    };
    told.or_else(terminal).unwrap_or(USUAL).clamp(LEAST, MOST)
}

/// A line folded at words. The rest is indented like the line, and a little more.
pub fn folded(line: &str, width: usize) -> Cow<'_, str> {
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    folded_under(line, width, indent + HANGING)
}

/// A line of prose folded at words: the rest begins where the line began.
pub fn prose(line: &str, width: usize) -> Cow<'_, str> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let item = line.trim_start_matches(' ').starts_with("- ");
    folded_under(line, width, indent + if item { HANGING } else { 0 })
}

/// A line folded at words, with this number of spaces before the rest.
pub fn folded_under(line: &str, width: usize, hanging: usize) -> Cow<'_, str> {
    if textwrap::core::display_width(line) <= width {
        return Cow::Borrowed(line);
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let first = " ".repeat(indent.min(width / 2));
    let rest = " ".repeat(hanging.min(width / 2));
    let options = textwrap::Options::new(width)
        .initial_indent(&first)
        .subsequent_indent(&rest)
        // What a student types or compares must not be cut at a hyphen.
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace);
    Cow::Owned(textwrap::fill(line.trim_start_matches(' '), options))
}

/// A name and its description, with the text in a second column: `  name   text`.
pub fn item(name: &str, column: usize, text: &str, width: usize) -> String {
    let line = format!("  {name:column$} {text}");
    folded_under(&line, width, column + 3).into_owned()
}

/// Folds each line that is written to it. Lines go on when they are complete or flushed.
pub struct Folded<W: Write> {
    to: W,
    width: usize,
    line: Vec<u8>,
}

impl<W: Write> Folded<W> {
    /// With this number of columns.
    pub fn new(to: W, width: usize) -> Self {
        Self {
            to,
            width,
            line: Vec::new(),
        }
    }

    fn put(&mut self, end: &str) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        write!(self.to, "{}{end}", folded(&text, self.width)).map_err(|why| {
            let told = match why.kind() {
                io::ErrorKind::BrokenPipe => "nobody reads it any more".to_owned(),
                _ => why.to_string(),
            };
            io::Error::new(why.kind(), format!("cannot print: {told}"))
        })
    }
}

impl<W: Write> Write for Folded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            match byte {
                b'\n' => self.put("\n")?,
                byte => self.line.push(byte),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.line.is_empty() {
            self.put("")?;
        }
        self.to.flush()
    }
}

/// The standard output of this program, folded to the terminal's width; colours only where they are wanted.
pub fn out() -> Folded<impl Write> {
    Folded::new(anstream::stdout(), width())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_at_words_and_keep_their_indentation() {
        let mut out = Folded::new(Vec::new(), 30);
        let line = "   Mallory encrypts \"alice\" with the public key of alice";
        writeln!(out, "{line}\nshort").unwrap();
        let text = String::from_utf8(out.to).unwrap();
        assert_eq!(
            text,
            "   Mallory encrypts \"alice\"\n     with the public key of\n     alice\nshort\n"
        );
    }

    #[test]
    fn what_has_no_spaces_is_cut_and_colours_have_no_width() {
        let digits = "00".repeat(50);
        assert!(folded(&digits, 40).lines().all(|line| line.len() <= 40));
        let red = "\u{1b}[1m\u{1b}[31mBroke\u{1b}[0m: of what alice typed";
        assert_eq!(folded(red, 40), red);
    }

    #[test]
    fn a_text_stays_in_its_column() {
        let text = item("mac", 8, "a tag is checked before a byte is decrypted", 30);
        assert_eq!(
            text,
            "  mac      a tag is checked\n           before a byte is\n           decrypted"
        );
    }
}
