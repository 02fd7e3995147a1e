//! A program on a terminal of its own: what it draws is read from the screen, as a person would.

use std::{
    fs::File,
    io::{Read, Write},
    num::NonZeroU16,
    process::Command,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use nix::sys::{signal::Signal, wait::WaitStatus};
use rexpect::process::PtyProcess;
use rustix::termios::{Winsize, tcsetwinsize};
use vt100::{Parser, Screen};

/// How long a screen may take to show what is waited for. Nothing waits that long unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pseudo-terminal with a program on it.
pub(crate) struct Terminal {
    process: PtyProcess,
    keyboard: File,
    drawn: Receiver<Vec<u8>>,
    parser: Parser,
}

impl Terminal {
    /// Starts a program on a terminal of so many lines and columns.
    ///
    /// # Panics
    /// If it cannot be started.
    pub(crate) fn start(command: Command, rows: u16, columns: u16) -> Self {
        let mut process = PtyProcess::new(command).expect("the program starts");
        process.set_kill_timeout(Some(2_000));
        let keyboard = process.get_file_handle().expect("a terminal");
        let mut screen = process.get_file_handle().expect("a terminal");
        let (sender, drawn) = channel();
        thread::spawn(move || {
            let mut bytes = vec![0; 1 << 16];
            // On Linux a terminal that everybody has left gives an error and not an end.
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut terminal = Self {
            process,
            keyboard,
            drawn,
            parser: Parser::default(),
        };
        terminal.resize(rows, columns);
        terminal
    }

    /// Makes the terminal so large. The program is told.
    ///
    /// # Panics
    /// If that fails, or one of them is 0.
    pub(crate) fn resize(&mut self, rows: u16, columns: u16) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.keyboard, size).expect("a terminal");
        let some = |count| NonZeroU16::new(count).expect("not 0");
        self.parser.screen_mut().set_size(some(rows), some(columns));
    }

    /// Types keys.
    ///
    /// # Panics
    /// If the terminal is gone.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("a terminal");
    }

    /// What is on the screen now, a line each, without the spaces at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let screen = self.parser.screen();
        let lines = screen.rows(0, screen.size().1.get());
        lines.map(|line| line.trim_end().to_owned()).collect()
    }

    /// The screen with its colours and styles.
    pub(crate) fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    /// Waits until the screen is as it should be.
    ///
    /// # Panics
    /// If it does not become so; with the screen.
    pub(crate) fn wait(&mut self, what: &str, good: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !good(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.drawn.recv_timeout(left) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no {what} on\n{}", self.lines().join("\n"))
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!(
                        "the program ended without {what} on\n{}",
                        self.lines().join("\n")
                    )
                }
            }
        }
    }

    /// Waits until a text is on the screen.
    ///
    /// # Panics
    /// As [`Terminal::wait`].
    pub(crate) fn see(&mut self, text: &str) {
        self.wait(text, |terminal| terminal.shows(text));
    }

    /// Whether a text is on one line of the screen.
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// Sends the program a signal.
    ///
    /// # Panics
    /// If it has ended.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.process.signal(signal).expect("the program runs");
    }

    /// Waits until the program ends; returns its code. What it printed last is on the screen then.
    ///
    /// # Panics
    /// If it does not end, or is killed.
    pub(crate) fn end(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.drawn.recv_timeout(left) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the program does not end:\n{}", self.lines().join("\n"))
                }
            }
        }
        match self.process.wait() {
            Ok(WaitStatus::Exited(_, code)) => code,
            other => panic!("{other:?}"),
        }
    }
}
