//! The lines that a script hands to the client, from a file and from a pipe.
//!
//! Besides "no panic": the lines are those of a plain split at newlines; after any number of lines the next reader finds
//! all that was not taken, and not a byte of what was.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    os::fd::OwnedFd,
    thread,
};

use arbitrary::{Arbitrary, Unstructured};
use latchstring_client_core::input::{Line, Lines};
use latchstring_protocol::hardened::message::MAX_TEXT;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread()
        .build()
        .expect("a runtime of one thread");
}

/// An input, and how much of it the client takes.
#[derive(Debug, Arbitrary)]
struct Script {
    /// What comes before the place where a file stands.
    before: u8,
    /// How many lines are taken; one more is looked at, and left.
    taken: u8,
    pieces: Vec<Piece>,
}

#[derive(Debug, Arbitrary)]
enum Piece {
    Bytes(Vec<u8>),
    Newline,
    /// A run of letters about as long as a message may be.
    Long(i8),
}

impl Script {
    fn input(&self) -> Vec<u8> {
        let bytes = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.clone(),
            Piece::Newline => vec![b'\n'],
            Piece::Long(more) => vec![b'x'; MAX_TEXT.saturating_add_signed((*more).into())],
        };
        // A pipe costs two system calls for each byte.
        self.pieces.iter().take(12).flat_map(bytes).collect()
    }
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let input = script.input();
    let before = vec![b'b'; script.before.into()];
    let mut file = tempfile::tempfile().expect("a file can be made");
    file.write_all(&before)
        .and_then(|()| file.write_all(&input))
        .expect("and written");
    file.seek(io::SeekFrom::Start(before.len() as u64))
        .expect("and wound back");
    check(&script, &input, file, true);

    let (reader, mut writer) = io::pipe().expect("a pipe can be made");
    thread::scope(|scope| {
        // What fits into no pipe is written while the other end reads.
        let written = input.clone();
        scope.spawn(move || writer.write_all(&written));
        check(&script, &input, File::from(OwnedFd::from(reader)), false);
    });
}

fn check(script: &Script, input: &[u8], from: File, is_file: bool) {
    let mut after = from.try_clone().expect("a descriptor can be doubled");
    let mut lines = Lines::new(from).expect("it can be read");
    let mut plain = input.split_inclusive(|byte| *byte == b'\n');
    let mut left = input;
    for _ in 0..script.taken {
        let line = plain.next();
        assert_eq!(next(&mut lines), line.map(expected));
        let Some(line) = line else { break };
        lines.take().expect("the position can be moved");
        left = &left[line.len()..];
    }
    let looked_at = plain.next();
    assert_eq!(next(&mut lines), looked_at.map(expected));
    let gone = looked_at.filter(|_| !is_file).unwrap_or_default();
    let newline = u64::from(gone.ends_with(b"\n"));
    assert_eq!(lines.lost() + newline, gone.len() as u64);
    let mut rest = Vec::new();
    after.read_to_end(&mut rest).expect("the rest can be read");
    assert_eq!(rest, left[gone.len()..], "of a file: {is_file}");
    assert!(lines.taken() <= script.taken.into());
}

fn next(lines: &mut Lines) -> Option<Line> {
    RUNTIME
        .with(|runtime| runtime.block_on(lines.next()))
        .expect("it can be read")
}

/// What a line is, with its newline if it has one.
fn expected(line: &[u8]) -> Line {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    match String::from_utf8(line.to_vec()) {
        _ if line.len() > MAX_TEXT => Line::TooLong(line.len() as u64),
        Ok(text) => Line::Text(text),
        Err(_) => Line::NotUtf8,
    }
}
