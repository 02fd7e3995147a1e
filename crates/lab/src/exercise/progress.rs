//! What a check is doing while it does it: a line that moves where somebody looks on, plain lines elsewhere.

use std::{
    cell::RefCell,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{MissedTickBehavior, interval};

/// Where nothing happens, a sign of life comes this often.
const EVERY: Duration = Duration::from_secs(1);

/// Hears of each step of something that takes a while.
pub trait Steps {
    /// This is done now, and what was done before is over.
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
    now: RefCell<(String, Instant)>,
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
            now: RefCell::new((String::new(), Instant::now())),
        })
    }

    /// Waits for something that begins steps of this, and says each second how long the present one takes.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                _ = ticks.tick() => self.tick(),
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

    fn tick(&self) {
        let (what, since) = &*self.now.borrow();
        let seconds = since.elapsed().as_secs();
        match &self.bar {
            // What is said of it has just been said.
            _ if what.is_empty() || seconds == 0 => {}
            Some(bar) => bar.set_message(format!("{what} ({seconds} s)")),
            None => say(&format!("... still {what} ({seconds} s)")),
        }
    }
}

impl Steps for Told {
    fn begin(&self, what: &str) {
        self.now.replace((what.to_owned(), Instant::now()));
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => say(what),
        }
    }
}

/// Nobody reads it, perhaps; the work goes on.
fn say(what: &str) {
    let line = crate::screen::folded(what, crate::screen::USUAL).into_owned();
    let _ = writeln!(io::stderr(), "{line}");
}
