//! Long runs: how far they are, how to end them, and how to go on later.
//!
//! A bar on standard error says how far a run is, how fast, and how long it will take. Ctrl-C ends it at the next safe
//! place, with what was found so far. With `--resume FILE` that place is kept in the file, several times a minute and at
//! the end, and the same command goes on from there.

use std::{
    fs,
    io::{self, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use latchstring_net::print::note;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::runtime::Runtime;

/// The time between two writes of the file to go on from.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// The exit code that a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Whether Ctrl-C was pressed. A second Ctrl-C ends the program at once, so a program listens once and clones.
#[derive(Clone)]
pub struct CtrlC {
    pressed: Arc<AtomicBool>,
    _listens: Arc<Runtime>,
}

impl CtrlC {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system has no thread or signal handler left.
    pub fn listen() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let pressed = Arc::new(AtomicBool::new(false));
        let heard = pressed.clone();
        runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if heard.swap(true, Ordering::SeqCst) {
                    std::process::exit(INTERRUPTED);
                }
            }
        });
        Ok(Self {
            pressed,
            _listens: Arc::new(runtime),
        })
    }

    /// Set once Ctrl-C was pressed.
    pub fn pressed(&self) -> &Arc<AtomicBool> {
        &self.pressed
    }
}

/// The content of a file of `--resume`.
#[derive(Serialize, Deserialize)]
struct SavedRun<S> {
    /// The task of the run: another run must not go on from here.
    run: Value,
    state: S,
}

/// One long run, whose state between two steps is an `S`.
pub struct Job<S> {
    bar: ProgressBar,
    ctrl_c: CtrlC,
    /// The task of the run.
    run: Value,
    file: Option<PathBuf>,
    kept: Instant,
    state: Option<S>,
}

impl<S: Serialize + DeserializeOwned> Job<S> {
    /// Prepares a run over `total` of `things`. `run` is all that its outcome depends on, as a JSON object.
    ///
    /// # Errors
    /// If the file to go on from exists but cannot be read, or is about another run; or if it could not be written later.
    pub fn begin(
        (total, things): (u64, &str),
        run: Value,
        file: Option<&Path>,
        ctrl_c: &CtrlC,
    ) -> Result<Self> {
        let state = file.map(|file| kept(file, &run)).transpose()?.flatten();
        file.map(can_be_written).transpose()?;
        let style = format!(
            "{{bar:30}} {{percent}} % of {{human_len}} {things}, {{per_sec}}, {{eta}} left {{msg}}"
        );
        let style = ProgressStyle::with_template(&style)?.progress_chars("=> ");
        Ok(Self {
            bar: ProgressBar::new(total).with_style(style),
            ctrl_c: ctrl_c.clone(),
            run,
            file: file.map(Path::to_owned),
            kept: Instant::now(),
            state,
        })
    }

    /// Where an earlier run stopped, if there was one. Counts for the bar as `done`.
    pub fn take_up(&mut self, done: impl Fn(&S) -> u64) -> Option<S> {
        let state = self.state.take()?;
        self.bar.set_position(done(&state));
        self.bar.reset_eta();
        Some(state)
    }

    /// Tells how many are done. `state` is asked for when it is time to write it down.
    ///
    /// # Errors
    /// If the file to go on from cannot be written.
    pub fn at(&mut self, done: u64, state: impl FnOnce() -> S) -> Result<ControlFlow<()>> {
        self.bar.set_position(done);
        let stop = self.ctrl_c.pressed().load(Ordering::SeqCst);
        if stop || self.kept.elapsed() >= KEEP_EVERY {
            self.keep(state())?;
        }
        Ok(match stop {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    }

    /// Shows a few words behind the bar.
    pub fn say(&self, words: String) {
        self.bar.set_message(words);
    }

    /// The run is over. When all is done, nothing is left to go on from.
    ///
    /// # Errors
    /// If the file to go on from cannot be removed.
    pub fn end(self, stopped: bool) -> Result<()> {
        self.bar.finish_and_clear();
        match (&self.file, stopped) {
            (Some(file), true) => note(format_args!(
                "ended by Ctrl-C; the same command with --resume {} goes on",
                file.display()
            )),
            (None, true) => {
                note("ended by Ctrl-C; with --resume FILE the next one could go on where it stops")
            }
            (Some(file), false) if file.exists() => fs::remove_file(file)
                .with_context(|| format!("cannot remove {}", file.display()))?,
            _ => {}
        }
        Ok(())
    }

    /// Writes the state beside the file and then puts it in its place: a crash leaves the old one.
    fn keep(&mut self, state: S) -> Result<()> {
        self.kept = Instant::now();
        let Some(file) = &self.file else {
            return Ok(());
        };
        let run = self.run.clone();
        let write = || -> Result<()> {
            let mut beside = temporary(folder_of(file))?;
            serde_json::to_writer(&mut beside, &SavedRun { run, state })?;
            beside.flush()?;
            beside.persist(file)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write to {}", file.display()))
    }
}

/// A file that gets its name later. An error does not name it, because nobody has heard of it.
fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(folder).map_err(|why| io::Error::from(why.kind()))
}

/// The folder that a file is in, or will be.
fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Tries it before hours of work are to be saved there.
fn can_be_written(file: &Path) -> Result<()> {
    let name = file.display();
    ensure!(
        file.file_name().is_some() && !file.is_dir(),
        "cannot keep progress in {name}: it is a folder; give --resume the name of a file"
    );
    let folder = folder_of(file);
    temporary(folder).with_context(|| {
        format!(
            "cannot keep progress in {name}: nothing can be written into {}; make that folder, or give --resume another one",
            folder.display()
        )
    })?;
    Ok(())
}

/// No run leaves a longer file.
const LONGEST: u64 = 256 << 20;

/// The state in `file`, if there is such a file.
fn kept<S: DeserializeOwned>(file: &Path, run: &Value) -> Result<Option<S>> {
    let name = file.display();
    let about = match fs::metadata(file) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
    };
    // A pipe or a device would never end.
    ensure!(
        about.is_dir() || (about.is_file() && about.len() <= LONGEST),
        "{name} is not a file to go on from: give --resume another name"
    );
    if about.is_dir() {
        return Ok(None);
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let what = || format!("{name} is not a file to go on from: give --resume another name");
    let kept: SavedRun<Value> = serde_json::from_str(&text).with_context(what)?;
    if let Some(differs) = difference(&kept.run, run) {
        bail!(
            "{name} is from another run, {differs}: give --resume another name, or the same arguments"
        );
    }
    serde_json::from_value(kept.state)
        .with_context(what)
        .map(Some)
}

/// The first argument in which two runs differ.
fn difference(there: &Value, here: &Value) -> Option<String> {
    if there == here {
        return None;
    }
    let empty = serde_json::Map::new();
    let (there, here) = (
        there.as_object().unwrap_or(&empty),
        here.as_object().unwrap_or(&empty),
    );
    let of = |run: &serde_json::Map<String, Value>, name: &str| {
        run.get(name).map_or("nothing".to_owned(), Value::to_string)
    };
    let names = here.keys().chain(there.keys());
    let mut differing = names.filter(|name| here.get(*name) != there.get(*name));
    let name = differing.next()?;
    Some(format!(
        "whose {name} is {} and not {}",
        of(there, name),
        of(here, name)
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn begin(file: &Path, from: u64) -> Result<Job<u64>> {
        let ctrl_c = CtrlC::listen()?;
        Job::begin((100, "tries"), json!({ "from": from }), Some(file), &ctrl_c)
    }

    #[test]
    fn a_run_that_was_ended_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run");
        let mut job = begin(&file, 3).unwrap();
        assert_eq!(job.take_up(|done| *done), None);
        assert!(job.at(41, || 41).unwrap().is_continue());
        assert!(!file.exists(), "it is not time to write anything down");
        job.ctrl_c.pressed().store(true, Ordering::SeqCst);
        assert!(job.at(42, || 42).unwrap().is_break());
        job.end(true).unwrap();

        let mut job = begin(&file, 3).unwrap();
        assert_eq!(job.take_up(|done| *done), Some(42));
        job.end(false).unwrap();
        assert!(!file.exists(), "all is done");
    }

    #[test]
    fn another_run_and_another_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run");
        begin(&file, 3).unwrap().keep(42).unwrap();
        let refused = begin(&file, 4).err().unwrap().to_string();
        assert!(refused.contains("whose from is 3 and not 4"), "{refused}");
        for nowhere in ["no/such/folder/run", "", "."] {
            let nowhere = folder.path().join(nowhere);
            let refused = format!("{:#}", begin(&nowhere, 3).err().unwrap());
            assert!(refused.contains("cannot keep progress in"), "{refused}");
        }
        let device = begin(Path::new("/dev/zero"), 3).err().unwrap().to_string();
        assert!(device.contains("not a file to go on from"), "{device}");
        fs::write(&file, "a diary").unwrap();
        let refused = begin(&file, 3).err().unwrap().to_string();
        assert!(refused.contains("not a file to go on from"), "{refused}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "a diary");
    }
}
