//! Where ciphertexts come from: a file of hexadecimal lines, a capture, or a capture that is still growing.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use latchstring_attacker::capture::{
    self, CaptureError, Trace,
    dissect::{self, Protocol},
    live::{Limits, capture_live},
    pcapfile,
    reassembly::Reassembler,
};

use super::Event;

/// How often a growing capture is read again.
const EVERY: Duration = Duration::from_secs(1);

/// The first bytes of captures: pcapng, and pcap in both byte orders, with microseconds and nanoseconds.
const MAGICS: [[u8; 4]; 5] = [
    [0x0a, 0x0d, 0x0d, 0x0a],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
];

/// A file with ciphertexts of one keystream.
pub(super) struct Source {
    file: PathBuf,
    /// The session of a capture, counted from 1. Chosen at the first look that finds messages, unless it was named.
    session: Option<usize>,
    /// Whether the file may be empty, or end in the middle of a packet.
    growing: bool,
}

impl Source {
    /// The file is not opened yet.
    pub(super) fn new(file: &Path, session: Option<usize>, growing: bool) -> Self {
        Self {
            file: file.to_owned(),
            session,
            growing,
        }
    }

    /// The ciphertexts that are in the file now.
    ///
    /// # Errors
    /// If it cannot be read, or is neither of the formats; the place in the file is named.
    pub(super) fn read(&mut self) -> Result<Vec<Vec<u8>>> {
        let name = self.file.display().to_string();
        let bytes = pcapfile::read_file(&self.file)?;
        let capture = MAGICS.iter().any(|magic| bytes.starts_with(magic));
        let ciphertexts = match capture {
            // Too short for the header of a capture.
            false if self.growing && bytes.len() < 4 => Vec::new(),
            false if self.growing => bail!("{name} is no capture: only captures are followed"),
            false if self.session.is_some() => {
                bail!("{name} is no capture, so it has no sessions: leave --session away")
            }
            false => hexadecimal(&name, &bytes)?,
            true => self.of_capture(&name, &bytes)?,
        };
        let found = ciphertexts.len();
        ensure!(
            self.growing || found >= 2,
            "{name} holds {found} ciphertext(s): two under one keystream are needed"
        );
        Ok(ciphertexts)
    }

    fn of_capture(&mut self, name: &str, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        // The header of the file itself may not be whole yet.
        if self.growing && bytes.len() < 24 {
            return Ok(Vec::new());
        }
        let sessions = sessions(name, bytes, self.growing)?;
        let messages: Vec<_> = sessions.iter().map(messages).collect();
        if self.session.is_none() {
            self.session = longest(&messages);
        }
        let Some(number) = self.session else {
            ensure!(
                self.growing,
                "{name} holds no faithful session with messages: `latchstring read {name}` says what it holds"
            );
            return Ok(Vec::new());
        };
        match number.checked_sub(1).and_then(|at| messages.get(at)) {
            Some(Some(messages)) => Ok(messages.clone()),
            None if self.growing => Ok(Vec::new()),
            Some(None) => bail!(
                "session {number} of {name} is not of the faithful protocol: {}",
                overview(&messages)
            ),
            None => bail!("{name} has no session {number}: {}", overview(&messages)),
        }
    }

    /// Reads the file again and again on a thread, and tells what it holds when that has changed.
    pub(super) fn follow(mut self, events: Sender<Event>) {
        thread::spawn(move || {
            let (mut last, mut size) = (Vec::new(), None);
            loop {
                thread::sleep(EVERY);
                let now = fs::metadata(&self.file).map(|about| about.len()).ok();
                if now.is_some() && now == size {
                    continue;
                }
                size = now;
                let event = match self.read() {
                    Ok(ciphertexts) if ciphertexts == last => continue,
                    Ok(ciphertexts) => {
                        last.clone_from(&ciphertexts);
                        Event::Grown(ciphertexts)
                    }
                    Err(error) => Event::Trouble(format!("{error:#}")),
                };
                if events.send(event).is_err() {
                    break;
                }
            }
        });
    }
}

/// One ciphertext a line.
fn hexadecimal(name: &str, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let lines = lines.zip(1..).filter(|(line, _)| !line.is_empty());
    let decode = |(line, number): (&[u8], usize)| {
        let wrong = || {
            format!(
                "line {number} of {name} is not hexadecimal: give a capture, or put one ciphertext on each line"
            )
        };
        hex::decode(line).with_context(wrong)
    };
    lines.map(decode).collect()
}

/// The sessions of a capture. One that is growing may end in the middle of a packet.
fn sessions(name: &str, bytes: &[u8], growing: bool) -> Result<Vec<Trace>> {
    if !growing {
        return Ok(capture::sessions_from_bytes(name, bytes)?);
    }
    let mut reassembler = Reassembler::default();
    for packet in pcapfile::packets(name, bytes)? {
        match packet {
            Err(CaptureError::Truncated { .. }) => break,
            packet => reassembler.push(&packet?),
        }
    }
    Ok(reassembler.finish())
}

/// The ciphertexts of a faithful session; `None` of any other.
fn messages(trace: &Trace) -> Option<Vec<Vec<u8>>> {
    let faithful = dissect::protocol(trace) == Protocol::Faithful;
    faithful.then(|| dissect::faithful(trace).messages)
}

/// The number of the session with most messages, the first of several.
fn longest(sessions: &[Option<Vec<Vec<u8>>>]) -> Option<usize> {
    let counts = (1..).zip(
        sessions
            .iter()
            .map(|session| session.as_ref().map_or(0, Vec::len)),
    );
    let some = counts.filter(|&(_, count)| count > 0);
    let most = some.max_by_key(|&(number, count)| (count, std::cmp::Reverse(number)));
    most.map(|(number, _)| number)
}

fn overview(sessions: &[Option<Vec<Vec<u8>>>]) -> String {
    let each = (1..)
        .zip(sessions)
        .map(|(number, session): (usize, _)| match session {
            Some(messages) => format!("{number} has {} messages", messages.len()),
            None => format!("{number} is not faithful"),
        });
    let each: Vec<String> = each.collect();
    format!("of its {} sessions, {}", sessions.len(), each.join(", "))
}

/// A recording that goes on until this is dropped.
pub(super) struct Recording {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Recording {
    /// Records what passes an interface into a file. Returns once packets are being captured.
    ///
    /// # Errors
    /// If the interface cannot be captured from.
    pub(super) fn start(
        interface: &str,
        port: Option<u16>,
        file: &Path,
        events: Sender<Event>,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, told) = channel();
        let (interface, file, stopped) = (interface.to_owned(), file.to_owned(), stop.clone());
        let thread = thread::spawn(move || {
            let started = || drop(tell.send(Ok(())));
            let limits = Limits::default();
            let ended = capture_live(&interface, port, &file, limits, &stopped, started);
            if let Err(error) = ended {
                let _ = events.send(Event::Trouble(format!("the recording ended: {error}")));
                let _ = tell.send(Err(error));
            }
        });
        told.recv()
            .map_err(|_| anyhow!("the recording did not start"))??;
        let thread = Some(thread);
        Ok(Self { stop, thread })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use latchstring_attacker::capture::{
        Chunk, Side, frames::synthesize, pcapfile::write_file, trace::Trace,
    };

    use super::*;

    const CHAT: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../captures/faithful-chat.pcap"
    );
    const TWO: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../captures/faithful-two-sessions.pcap"
    );
    const HARDENED: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../captures/hardened-chat.pcap"
    );

    fn read(file: &str, session: Option<usize>) -> Result<Vec<Vec<u8>>> {
        Source::new(Path::new(file), session, false).read()
    }

    fn refusal(file: &str, session: Option<usize>) -> String {
        format!("{:#}", read(file, session).unwrap_err())
    }

    #[test]
    fn the_session_with_most_messages_is_read_unless_another_is_named() {
        let lengths = |session| {
            read(TWO, session)
                .unwrap()
                .iter()
                .map(Vec::len)
                .collect::<Vec<_>>()
        };
        assert_eq!(lengths(None), lengths(Some(1)));
        assert_ne!(lengths(Some(2)), lengths(Some(1)));
        let none = refusal(TWO, Some(3));
        assert!(
            none.contains("has no session 3: of its 2 sessions, 1 has"),
            "{none}"
        );
        refusal(TWO, Some(0));
        assert!(refusal(HARDENED, None).contains("no faithful session"));
        assert!(refusal(HARDENED, Some(1)).contains("not of the faithful protocol"));
    }

    #[test]
    fn what_is_malformed_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.hex");
        let file = path.to_str().unwrap();
        for (bytes, why) in [
            (&b"0a0b\n\n0c0\n"[..], "line 3 of "),
            (b"0a0b\r\n0g\r\n", "line 2 of "),
            (b"0a0b\n\xff\xfe\n", "line 2 of "),
            (b"\n0a0b\n", "holds 1 ciphertext(s)"),
            (b"", "holds 0 ciphertext(s)"),
            (b"\xd4\xc3\xb2\xa1\x02\x00", "x.hex"),
        ] {
            fs::write(&path, bytes).unwrap();
            let error = refusal(file, None);
            assert!(error.contains(why) && error.contains("x.hex"), "{error}");
        }
        fs::write(&path, " 0a0B \r\n\r\n0c\n").unwrap();
        assert_eq!(read(file, None).unwrap(), [vec![10, 11], vec![12]]);
        assert!(refusal(file, Some(1)).contains("no sessions"));
    }

    #[test]
    fn a_growing_capture_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("growing.pcap");
        let whole = fs::read(CHAT).unwrap();
        let all = read(CHAT, None).unwrap();
        let mut source = Source::new(&path, None, true);
        for end in 0..=whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let now = source.read().unwrap();
            assert_eq!(now, all[..now.len()], "after {end} bytes");
        }
        assert_eq!(source.session, Some(1));
        assert_eq!(source.read().unwrap(), all);
        fs::write(&path, "0a0b\n0c0d\n").unwrap();
        assert!(source.read().is_err(), "hexadecimal is not followed");
    }

    #[test]
    fn packets_of_strangers_are_no_messages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.pcap");
        let mut trace = Trace::default();
        trace.chunks.push(Chunk {
            from: Side::Client,
            at: Duration::ZERO,
            bytes: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        });
        write_file(&path, &synthesize(&[trace], Duration::ZERO)).unwrap();
        assert_eq!(
            Source::new(&path, None, true).read().unwrap(),
            Vec::<Vec<u8>>::new()
        );
        assert!(refusal(path.to_str().unwrap(), None).contains("no faithful session"));
    }
}
