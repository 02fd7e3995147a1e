//! The progress of a check: one moving line on a terminal, plain lines elsewhere.

use std::{
    cell::RefCell,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use latchstring_cli::screen;
use tokio::time::sleep;

/// Where nothing happens, a sign of life comes this often.
const EVERY: Duration = Duration::from_secs(1);

/// Hears of each step of something that takes a while.
pub trait Steps {
    /// Begins a step and ends the previous one.
    fn begin(&self, what: &str);
}

/// Says nothing.
pub struct Silent;

impl Steps for Silent {
    fn begin(&self, _: &str) {}
}

/// Says it on the standard error, so that a report in a file or a pipe holds nothing of it.
pub struct Told {
    bar: Option<ProgressBar>,
    now: RefCell<Now>,
}

/// The present step.
struct Now {
    what: String,
    since: Instant,
    /// When something was said last.
    said: Instant,
}

impl Now {
    fn begin(what: &str) -> Self {
        let (what, now) = (what.to_owned(), Instant::now());
        Self {
            what,
            since: now,
            said: now,
        }
    }
}

impl Told {
    /// Begins with nothing to say.
    ///
    /// # Errors
    /// Never: the template is a constant, and a test reads it.
    pub fn new() -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{spinner} {wide_msg}")?;
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_style(style);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Ok(Self {
            bar,
            now: RefCell::new(Now::begin("")),
        })
    }

    /// Waits for something that begins steps of this, and says each second how long the present one takes.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        let done = loop {
            let silent = self.now.borrow().said.elapsed();
            tokio::select! {
                done = &mut work => break done,
                // A step may have begun in the meantime, and then something has just been said.
                () = sleep(EVERY.saturating_sub(silent)) => self.speak(),
            }
        };
        self.end();
        done
    }

    /// Leaves no trace on a terminal.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// After a second of silence.
    fn speak(&self) {
        let mut now = self.now.borrow_mut();
        if now.said.elapsed() < EVERY {
            return;
        }
        now.said = Instant::now();
        let (what, seconds) = (&now.what, now.since.elapsed().as_secs());
        match &self.bar {
            _ if what.is_empty() => {}
            Some(bar) => bar.set_message(format!("{what} ({seconds} s)")),
            None => say(&format!("... still {what} ({seconds} s)")),
        }
    }
}

impl Steps for Told {
    fn begin(&self, what: &str) {
        self.now.replace(Now::begin(what));
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => say(what),
        }
    }
}

/// Nobody reads it, perhaps; the work goes on.
fn say(what: &str) {
    let line = screen::folded(what, screen::USUAL).into_owned();
    let _ = writeln!(io::stderr(), "{line}");
}
