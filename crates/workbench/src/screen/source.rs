//! Where ciphertexts come from: a file of hexadecimal lines, a capture, or a capture that is still growing.

use std::{
    fs,
    io::Read,
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
use latchstring_capture::{
    self as capture, AnnotatedSession, CaptureError,
    dissect::{self, Identity, Protocol},
    live::{Limits, capture_live},
    pcapfile,
};

use super::Event;
use crate::input::Input;

/// How often a growing capture is read again.
const EVERY: Duration = Duration::from_secs(1);

/// A file with ciphertexts of one keystream.
pub(super) struct Source {
    file: PathBuf,
    /// The session of a capture, counted from 1. Chosen at the first look that finds messages, unless it was named.
    session: Option<usize>,
    /// Whether the file may be empty, or end in the middle of a packet.
    growing: bool,
    /// The remarks on the last reading.
    remarks: Vec<String>,
}

impl Source {
    /// The file is not opened yet.
    pub(super) fn new(file: &Path, session: Option<usize>, growing: bool) -> Self {
        Self {
            file: file.to_owned(),
            session,
            growing,
            remarks: Vec::new(),
        }
    }

    /// The remarks on the last reading: the losses of the capture, and the certainty of the protocol.
    pub(super) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The ciphertexts that are in the file now.
    ///
    /// # Errors
    /// If it cannot be read, or is neither of the formats; the place in the file is named.
    pub(super) fn read(&mut self) -> Result<Vec<Vec<u8>>> {
        self.remarks.clear();
        let name = self.file.display().to_string();
        let first = beginning(&self.file)?;
        let ciphertexts = match pcapfile::is_capture(&first) {
            // Too short for the header of a capture.
            false if self.growing && first.len() < 4 => Vec::new(),
            false if self.growing => bail!("{name} is no capture: only captures are followed"),
            false if self.session.is_some() => {
                bail!("{name} is no capture, so it has no sessions: leave --session away")
            }
            false => {
                let lines = Input::read(&self.file)?.hexadecimal()?;
                lines.into_iter().map(|line| line.bytes).collect()
            }
            true => self.of_capture(&name)?,
        };
        let found = ciphertexts.len();
        ensure!(
            self.growing || found >= 2,
            "{name} holds {found} ciphertext(s): two under one keystream are needed"
        );
        Ok(ciphertexts)
    }

    fn of_capture(&mut self, name: &str) -> Result<Vec<Vec<u8>>> {
        let contents = match capture::read(&self.file) {
            // The header of the file itself may not be whole yet.
            Err(CaptureError::Truncated { .. }) if self.growing => return Ok(Vec::new()),
            contents => contents?,
        };
        let sessions: Vec<_> = contents
            .sessions
            .into_iter()
            .map(SessionContent::of)
            .collect();
        if self.session.is_none() {
            self.session = longest(&sessions);
        }
        let losses = contents.losses.lines();
        let Some(number) = self.session else {
            let why = match losses.is_empty() {
                true => String::new(),
                false => format!(" ({})", losses.join("; ")),
            };
            ensure!(
                self.growing,
                "{name} holds no faithful session with messages: `latchstring read {name}` shows its content{why}"
            );
            return Ok(Vec::new());
        };
        let Some(heard) = number.checked_sub(1).and_then(|at| sessions.get(at)) else {
            ensure!(
                self.growing,
                "{name} has no session {number}: {}",
                overview(&sessions)
            );
            return Ok(Vec::new());
        };
        ensure!(
            heard.is_faithful(),
            "session {number} of {name} is not of the faithful protocol: {}",
            overview(&sessions)
        );
        if !heard.identity.is_certain() {
            self.remarks
                .push(format!("session {number}: {}", heard.identity));
        }
        self.remarks.extend(heard.lacking.iter().cloned());
        if !self.growing {
            self.remarks.extend(losses);
        }
        Ok(heard.messages.clone())
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

/// The first bytes of a file, as many as tell a capture.
fn beginning(file: &Path) -> Result<Vec<u8>> {
    let read = fs::File::open(file).and_then(|file| {
        let mut first = Vec::new();
        file.take(4).read_to_end(&mut first)?;
        Ok(first)
    });
    read.with_context(|| format!("cannot read {}", file.display()))
}

/// The content of a session for the workbench.
struct SessionContent {
    identity: Identity,
    messages: Vec<Vec<u8>>,
    lacking: Vec<String>,
}

impl SessionContent {
    fn of(session: AnnotatedSession) -> Self {
        let trace = session.trace;
        let identity = dissect::identify(&trace);
        let faithful = identity.protocol == Protocol::Faithful;
        let messages = faithful.then(|| dissect::faithful(&trace).messages);
        Self {
            identity,
            messages: messages.unwrap_or_default(),
            lacking: dissect::lacking_in_short(&trace),
        }
    }

    fn is_faithful(&self) -> bool {
        self.identity.protocol == Protocol::Faithful
    }
}

/// The number of the session with most messages, the first of several. One that is certainly faithful comes before one
/// that only could be.
fn longest(sessions: &[SessionContent]) -> Option<usize> {
    let some = (1..)
        .zip(sessions)
        .filter(|(_, heard)| !heard.messages.is_empty());
    let most = some.max_by_key(|&(number, heard)| {
        let (certain, count) = (heard.identity.is_certain(), heard.messages.len());
        (certain, count, std::cmp::Reverse(number))
    });
    most.map(|(number, _)| number)
}

fn overview(sessions: &[SessionContent]) -> String {
    let each = (1..).zip(sessions);
    let each = each.map(|(number, heard): (usize, _)| match heard.is_faithful() {
        true => format!("{number} has {} messages", heard.messages.len()),
        false => format!("{number} is not faithful"),
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
    use latchstring_capture::{Chunk, Side, Trace, frames::synthesize, pcapfile::write_file};

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
