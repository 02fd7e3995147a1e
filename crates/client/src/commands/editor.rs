//! Lines that a person types, edited by this program and not by the terminal. A terminal that edits lines itself cuts
//! them at 4,095 bytes without a message.
//!
//! `rustyline` does the editing, on a separate thread, since it waits for keys. A second thread hands it what is to be
//! shown meanwhile, since it may wait until the editor takes it. History is kept in memory alone: messages are secret,
//! and a history file would be one more place to guard.

use std::{
    collections::VecDeque,
    fs::OpenOptions,
    io::{self, IsTerminal, Write, stdin},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use nix::sys::termios::{
    FlushArg, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcflush, tcgetattr, tcsetattr,
};
use rustyline::{
    Behavior, Config, Editor as Rustyline, ExternalPrinter, error::ReadlineError,
    history::MemHistory,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Old lines that the arrow keys bring back.
const HISTORY: usize = 200;
/// The wait for unshown messages at the end of a session.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// The input of a person.
#[derive(Debug)]
pub(super) enum Typed {
    /// A line; one of several, if they were pasted together.
    Line(String),
    /// A character that is not UTF-8. The line is dropped, with everything that was typed ahead.
    NotUtf8,
    /// Ctrl-C: the line is dropped.
    Interrupted,
    /// Ctrl-D on an empty line.
    End,
}

/// The terminal's lines.
pub(super) struct Editor {
    typing: Typing,
    shown: UnboundedReceiver<(u64, bool)>,
    printer: Option<Printer>,
    printed: Receiver<()>,
    _mode: Mode,
}

/// The input from the terminal.
pub(super) struct Typing {
    ask: Sender<()>,
    typed: UnboundedReceiver<Result<Typed, ReadlineError>>,
    asked: bool,
    /// Lines that were pasted together and are not handed out yet.
    pasted: VecDeque<String>,
}

/// Whether lines can be edited: there is a terminal, and it can do more than show one character after the other.
pub(super) fn can_edit() -> bool {
    let dumb = ["dumb", "cons25", "emacs"];
    let term = std::env::var("TERM").unwrap_or_default();
    stdin().is_terminal() && !dumb.iter().any(|dumb| term.eq_ignore_ascii_case(dumb))
}

impl Editor {
    /// Takes the terminal over until it is dropped.
    pub(super) fn open(prompt: &'static str) -> io::Result<Self> {
        let mode = Mode::enter()?;
        let config = Config::builder()
            .behavior(Behavior::PreferTerm)
            .auto_add_history(true)
            .max_history_size(HISTORY)
            .map_err(io::Error::other)?
            .build();
        let history = MemHistory::with_config(&config);
        let mut editor: Rustyline<(), MemHistory> =
            Rustyline::with_history(config, history).map_err(io::Error::other)?;
        let external = editor.create_external_printer().map_err(io::Error::other)?;

        let (ask, asks) = channel();
        let (answers, typed) = unbounded_channel();
        thread::spawn(move || {
            for () in asks {
                let line = match editor.readline(prompt) {
                    Ok(line) => Ok(Typed::Line(line)),
                    Err(ReadlineError::Interrupted) => Ok(Typed::Interrupted),
                    Err(ReadlineError::Eof) => Ok(Typed::End),
                    Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                        // What follows is the rest of the line: it must not become a message of its own.
                        let _ = tcflush(stdin(), FlushArg::TCIFLUSH);
                        Ok(Typed::NotUtf8)
                    }
                    Err(error) => Err(error),
                };
                if answers.send(line).is_err() {
                    return;
                }
            }
        });
        let (to_print, prints) = channel();
        let (tell_shown, shown) = unbounded_channel();
        let (done, printed) = channel();
        thread::spawn(move || {
            print_all(external, &prints, &tell_shown);
            let _ = done.send(());
        });
        let typing = Typing {
            ask,
            typed,
            asked: false,
            pasted: VecDeque::new(),
        };
        Ok(Self {
            typing,
            shown,
            printer: Some(Printer(to_print)),
            printed,
            _mode: mode,
        })
    }

    /// Shows something above the line that is being typed.
    pub(super) fn printer(&self) -> Option<Printer> {
        self.printer.clone()
    }

    /// How many lines of a paste are not handed out yet.
    pub(super) fn pasted(&self) -> usize {
        self.typing.pasted.len()
    }

    /// The typing, and the shown or failed messages, to wait for both at once.
    pub(super) fn split(&mut self) -> (&mut Typing, &mut UnboundedReceiver<(u64, bool)>) {
        (&mut self.typing, &mut self.shown)
    }
}

impl Typing {
    /// Whether a line is being typed, and the keys go to the editor.
    pub(super) fn is_open(&self) -> bool {
        self.asked
    }

    /// Takes back a line that [`Typing::next`] has handed out, and that nobody used. It comes next.
    pub(super) fn put_back(&mut self, line: String) {
        self.pasted.push_front(line);
    }

    /// The next input. Cancel safe: a line that is being typed stays.
    pub(super) async fn next(&mut self) -> io::Result<Typed> {
        if let Some(line) = self.pasted.pop_front() {
            return Ok(Typed::Line(line));
        }
        if !self.asked {
            self.asked = self.ask.send(()).is_ok();
        }
        let typed = self.typed.recv().await;
        self.asked = false;
        match typed {
            Some(Ok(Typed::Line(text))) => {
                self.pasted.extend(text.split('\n').map(str::to_owned));
                Ok(Typed::Line(self.pasted.pop_front().unwrap_or_default()))
            }
            Some(Ok(other)) => Ok(other),
            Some(Err(error)) => Err(io::Error::other(error)),
            None => Err(io::Error::other("the line editor has ended")),
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.printer = None;
        // If the editor takes nothing any more, there is nobody to wait for.
        let _ = self.printed.recv_timeout(LAST_WORDS);
        if self.typing.asked {
            // Below the line that was being typed, and out of the mode in which a paste comes in brackets.
            let terminal = OpenOptions::new().write(true).open("/dev/tty");
            let _ = terminal.and_then(|mut terminal| terminal.write_all(b"\x1b[?2004l\r\n"));
        }
    }
}

/// A way to the terminal while a line is being typed.
#[derive(Debug, Clone)]
pub(super) struct Printer(Sender<(String, Option<u64>)>);

impl Printer {
    /// Shows a line. With an id, [`Editor::shown`] tells when it is there.
    pub(super) fn print(&self, line: String, id: Option<u64>) {
        // The thread ends with the program alone.
        let _ = self.0.send((line, id));
    }
}

fn print_all(
    mut terminal: impl ExternalPrinter,
    prints: &Receiver<(String, Option<u64>)>,
    shown: &UnboundedSender<(u64, bool)>,
) {
    for (line, id) in prints {
        let done = terminal.print(line + "\n").is_ok();
        if let Some(id) = id {
            let _ = shown.send((id, done));
        }
    }
}

/// The terminal between two lines: it edits nothing and shows nothing, and keeps what is typed ahead for the editor.
/// Dropped, it is as it was.
struct Mode;

/// How the terminal was before.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

impl Mode {
    fn enter() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        take_terminal()?;
        Ok(Self)
    }
}

fn take_terminal() -> io::Result<()> {
    let mut mode = tcgetattr(stdin())?;
    mode.local_flags -= LocalFlags::ICANON | LocalFlags::ECHO;
    mode.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
    mode.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
    Ok(tcsetattr(stdin(), SetArg::TCSANOW, &mode)?)
}

/// After Ctrl-Z and `fg` the terminal is as the shell had it, and would cut lines again.
pub(super) fn take_terminal_again() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if before.is_some() {
        // If the terminal is gone, the next key says so.
        let _ = take_terminal();
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        restore_terminal();
    }
}

/// Makes the terminal as it was, if it was changed; also for an end at which nothing is dropped.
pub(super) fn restore_terminal() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // If the terminal is gone, it needs nothing.
        let _ = tcsetattr(stdin(), SetArg::TCSANOW, &before);
    }
}
