//! Writes the lines of the log in a separate thread, so that the server never waits for a reader of the log.
//!
//! The standard error may be closed, full, or a pipe that nobody reads. Serving goes on if the log is blocked. A
//! bounded number of lines waits, and further lines are counted and dropped. The next line that can be written says how
//! many were lost.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tracing_subscriber::fmt::{
    MakeWriter,
    format::Writer,
    time::{FormatTime, SystemTime},
};

use super::LogFormat;

/// This many lines may wait, of about 200 bytes each.
const WAITING: usize = 4096;
/// How long a descriptor that takes nothing at the moment is left alone.
const PAUSE: Duration = Duration::from_millis(10);
/// How often a writer that lost lines tries to say so while nothing else happens.
const IDLE: Duration = Duration::from_secs(1);

/// Takes lines from all threads and never makes them wait.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    queue: SyncSender<Item>,
    /// Since a line of the log said how many.
    lost: Arc<AtomicU64>,
    /// Since the start.
    all_lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Item {
    /// A line, and how many were dropped before it.
    Line { dropped: u64, bytes: Vec<u8> },
    /// Everything before this is to be written; then the sender is dropped, and a waiting caller sees that.
    Flush(#[expect(dead_code, reason = "dropped, not read")] SyncSender<()>),
}

impl Lines {
    /// Starts to write to the standard error.
    ///
    /// # Errors
    /// When the system has no descriptor or no thread left.
    pub(super) fn to_stderr(format: LogFormat) -> io::Result<Self> {
        // A descriptor of its own: while it blocks, nobody else must wait for the lock of the standard error.
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        Self::start(stderr, format, WAITING)
    }

    fn start(
        to: impl Write + Send + 'static,
        format: LogFormat,
        waiting: usize,
    ) -> io::Result<Self> {
        let (queue, lines) = sync_channel(waiting);
        let lost = Arc::<AtomicU64>::default();
        let all_lost = Arc::<AtomicU64>::default();
        let mut worker = Worker {
            to,
            format,
            dropped: Arc::clone(&lost),
            all_lost: Arc::clone(&all_lost),
            lost: 0,
            torn: false,
        };
        (thread::Builder::new().name("log".to_owned())).spawn(move || worker.work(&lines))?;
        Ok(Self {
            queue,
            lost,
            all_lost,
        })
    }

    /// Counts the lines that were lost since the start.
    pub(super) fn all_lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.all_lost)
    }

    fn push(&self, bytes: Vec<u8>) {
        let dropped = self.lost.swap(0, Ordering::Relaxed);
        if self.queue.try_send(Item::Line { dropped, bytes }).is_err() {
            self.lost.fetch_add(dropped + 1, Ordering::Relaxed);
            self.all_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything is written, but not for longer than this.
    pub(super) fn flush(&self, within: Duration) {
        let by = Instant::now() + within;
        let (held, written) = sync_channel(0);
        let mut flush = Item::Flush(held);
        loop {
            flush = match self.queue.try_send(flush) {
                Ok(()) => break,
                Err(TrySendError::Full(flush)) if Instant::now() < by => flush,
                Err(_) => return,
            };
            thread::sleep(PAUSE);
        }
        let _ = written.recv_timeout(by.saturating_duration_since(Instant::now()));
    }
}

/// One line on its way: an event is formatted into it, and it is queued when it is complete.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    bytes: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        let bytes = Vec::new();
        Line { lines: self, bytes }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.lines.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// The writing thread.
struct Worker<W> {
    to: W,
    format: LogFormat,
    /// Lines that found no place in the queue.
    dropped: Arc<AtomicU64>,
    all_lost: Arc<AtomicU64>,
    /// Lines that could not be written, and the lost lines that were not reported yet.
    lost: u64,
    /// Whether the last line was written in part, as a disk that is full leaves it.
    torn: bool,
}

impl<W: Write> Worker<W> {
    fn work(&mut self, lines: &Receiver<Item>) {
        loop {
            match lines.recv_timeout(IDLE) {
                Ok(Item::Line { dropped, bytes }) => {
                    self.lost += dropped;
                    self.tell_lost();
                    // In the order of the events: not before what was lost is told.
                    if self.lost > 0 || self.write(&bytes).is_err() {
                        self.lost += 1;
                        self.all_lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Ok(Item::Flush(_)) => self.tell_dropped(),
                Err(RecvTimeoutError::Timeout) => self.tell_dropped(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// For when no line follows that could bring the number with it.
    fn tell_dropped(&mut self) {
        self.lost += self.dropped.swap(0, Ordering::Relaxed);
        self.tell_lost();
    }

    fn tell_lost(&mut self) {
        if self.lost > 0 && self.write(lost(self.lost, self.format).as_bytes()).is_ok() {
            self.lost = 0;
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.write_all(b"\n")?;
            self.torn = false;
        }
        self.write_all(line)
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.to.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    self.torn = !bytes.is_empty();
                }
                // Another program that shares it may have set it to O_NONBLOCK.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The line that says so. Made here, because the way of all other lines is where they are lost.
fn lost(lines: u64, format: LogFormat) -> String {
    let mut time = String::new();
    // A string takes everything.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    match format {
        LogFormat::Human => format!("{time}  WARN log lines were lost lines={lines}\n"),
        LogFormat::Json => format!(
            "{{\"timestamp\":\"{time}\",\"level\":\"WARN\",\"message\":\"log lines were lost\",\"lines\":{lines}}}\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    /// The output for a test, and whether writing fails, blocks, or succeeds in part.
    #[derive(Default, Clone)]
    struct TestOutput(Arc<Mutex<State>>);

    #[derive(Default)]
    struct State {
        written: Vec<u8>,
        /// The number of bytes that still fit; `None` is no limit.
        room: Option<usize>,
    }

    impl Write for TestOutput {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.lock().unwrap();
            let fits = state.room.unwrap_or(usize::MAX).min(bytes.len());
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.room = state.room.map(|room| room - fits);
            state.written.extend(&bytes[..fits]);
            Ok(fits)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl TestOutput {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().written.clone()).unwrap()
        }
        fn give_room(&self, room: Option<usize>) {
            self.0.lock().unwrap().room = room;
        }
    }

    fn write(lines: &Lines, text: &str) {
        writeln!(lines.make_writer(), "{text}").unwrap();
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_full_disk_costs_lines_and_says_how_many_when_there_is_room_again() {
        let paper = TestOutput::default();
        let lines = Lines::start(paper.clone(), LogFormat::Human, 100).unwrap();
        write(&lines, "one");
        lines.flush(LONG);
        paper.give_room(Some(2));
        for text in ["two", "three", "four"] {
            write(&lines, text);
        }
        lines.flush(LONG);
        assert_eq!(paper.text(), "one\ntw", "cut in the middle");
        paper.give_room(None);
        write(&lines, "five");
        lines.flush(LONG);
        let text = paper.text();
        let told: Vec<_> = text.lines().collect();
        assert_eq!((told[0], told[1], told[3]), ("one", "tw", "five"), "{text}");
        assert!(
            told[2].ends_with("WARN log lines were lost lines=3"),
            "{text}"
        );
        assert_eq!(lines.all_lost().load(Ordering::Relaxed), 3);
    }

    /// Blocks until the test says go.
    struct BlockedOutput(mpsc::Receiver<()>, TestOutput);

    impl Write for BlockedOutput {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Free for ever once the test has dropped its end.
            let _ = self.0.recv();
            self.1.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let (go, wait) = mpsc::channel();
        let paper = TestOutput::default();
        let lines = Lines::start(BlockedOutput(wait, paper.clone()), LogFormat::Json, 10).unwrap();
        let began = Instant::now();
        for n in 0..1000 {
            write(&lines, &format!("{{\"n\":{n}}}"));
        }
        lines.flush(Duration::from_millis(50));
        assert!(began.elapsed() < LONG, "nothing waits for long");
        drop(go);
        lines.flush(LONG);
        write(&lines, "{\"n\":1000}");
        lines.flush(LONG);
        let (mut lost, mut written) = (0, 0);
        for line in paper.text().lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect(line);
            match line["lines"].as_u64() {
                Some(lines) => lost += lines,
                None => written += 1,
            }
        }
        assert_eq!(lost + written, 1001, "each is written or counted");
        assert_eq!(lines.all_lost().load(Ordering::Relaxed), lost);
        assert!((10..=12).contains(&written), "{written}");
    }
}
