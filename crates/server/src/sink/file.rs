//! A file with a line for each message.
//!
//! *Durable*: a delivery returns after `fsync`. *Whole*: what a full disk or a crash leaves of a line is cut off before
//! the next line is written. *Once*: after a failure or a start, the last line tells which messages are there already.
//! *Rotated at any time*: the file at the path is looked at before each delivery, and opened when it is another one.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use latchstring_net::files::{check_secret, open_ours};
use latchstring_store_sqlite::Waiting;

use super::line::{BEGIN, Name, line};

/// No line is longer: a text has at most 16372 bytes, and JSON writes each in at most 6.
const LONGEST_LINE: u64 = 128 * 1024;

/// A file with a line for each message.
#[derive(Debug)]
pub(crate) struct FileSink {
    path: PathBuf,
    open: Option<Open>,
    /// Whether lines may be there of messages that still wait: after a start, and after a failure.
    in_doubt: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Device and inode: another file at the same path has others.
    id: (u64, u64),
}

impl FileSink {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            open: None,
            in_doubt: true,
        }
    }

    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Appends a line for each message that is not there yet.
    pub(super) fn deliver(&mut self, messages: &[Waiting]) -> anyhow::Result<usize> {
        let failed = format!("cannot write messages to {}", self.path.display());
        let delivered = self.append(messages).context(failed);
        if delivered.is_err() {
            // The next delivery opens the file again, and looks at the end of it.
            self.open = None;
            self.in_doubt = true;
        }
        delivered
    }

    fn append(&mut self, messages: &[Waiting]) -> anyhow::Result<usize> {
        let mut lines = String::new();
        for message in messages {
            lines.push_str(&line(message)?);
        }
        let (mut open, last) = self.current()?;
        if self.in_doubt {
            // A rotation may have moved the last line into another file.
            let candidates = last.into_iter().chain(last_lines_beside(&self.path));
            let there = candidates.filter_map(|name| position(&name, messages));
            if let Some(there) = there.max() {
                // A line that is there may still be in the cache alone.
                open.file.sync_all()?;
                self.in_doubt = false;
                self.open = Some(open);
                return Ok(there + 1);
            }
        }
        write_whole(&mut open.file, lines.as_bytes())?;
        self.in_doubt = false;
        self.open = Some(open);
        Ok(messages.len())
    }

    /// The file that is at the path now, and the name of its last message if it was opened just now.
    fn current(&mut self) -> anyhow::Result<(Open, Option<Name>)> {
        let there = fs::metadata(&self.path).ok();
        let there = there.map(|about| (about.dev(), about.ino()));
        match self.open.take() {
            Some(open) if Some(open.id) == there => Ok((open, None)),
            _ => {
                let mut open = open(&self.path)?;
                let last = repair(&mut open.file)?;
                Ok((open, last))
            }
        }
    }
}

/// Opens the file, or makes it for its owner alone. No other server may write to it.
fn open(path: &Path) -> anyhow::Result<Open> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let file = open_ours(path, &mut options)?;
    let about = file.metadata()?;
    check_secret(path, &about)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            bail!("another program holds a lock on it; give each server another `path` in [sink]")
        }
        Err(TryLockError::Error(why)) => return Err(why.into()),
    }
    if about.len() == 0 {
        // A new name is on the disk only once its directory is.
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    let id = (about.dev(), about.ino());
    Ok(Open { file, id })
}

/// Cuts a torn line off the end. Returns the name of the last whole line.
///
/// # Errors
/// When the end is not what this program writes: nobody knows whose file that is.
fn repair(file: &mut File) -> anyhow::Result<Option<Name>> {
    let (start, end) = tail(file)?;
    let whole = end.iter().rposition(|byte| *byte == b'\n');
    let whole = whole.map_or(0, |newline| newline + 1);
    let torn = &end[whole..];
    let shared = torn.len().min(BEGIN.len());
    let ours = torn[..shared] == BEGIN.as_bytes()[..shared];
    let name = last_line(&end[..whole]).map(Name::read);
    ensure!(
        ours && name != Some(None) && (whole > 0 || start == 0),
        "its last line is no message of this server; name a new file in [sink]"
    );
    if !torn.is_empty() {
        file.set_len(start + whole as u64)?;
        file.sync_all()?;
    }
    Ok(name.flatten())
}

/// The last bytes of a file, and where they begin: at least the last whole line, and a torn one.
fn tail(file: &mut File) -> io::Result<(u64, Vec<u8>)> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * LONGEST_LINE);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length - start).read_to_end(&mut bytes)?;
    Ok((start, bytes))
}

/// The last of these whole lines, without its end.
fn last_line(lines: &[u8]) -> Option<&[u8]> {
    let lines = lines.strip_suffix(b"\n")?;
    lines.rsplit(|byte| *byte == b'\n').next()
}

/// The last message of each file beside it whose name goes on from its name: what a rotation leaves there. A torn line is
/// cut off there, too, because its message is written again.
fn last_lines_beside(path: &Path) -> Vec<Name> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
    let entries = fs::read_dir(directory.unwrap_or(Path::new(".")));
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let names = entries.into_iter().flatten().flatten().filter_map(|entry| {
        let beside = entry.file_name();
        let rest = beside.as_encoded_bytes().strip_prefix(name)?;
        if rest.is_empty() || !entry.file_type().ok()?.is_file() {
            return None;
        }
        let mut options = OpenOptions::new();
        let mut file = open_ours(&entry.path(), options.read(true).append(true)).ok()?;
        repair(&mut file).ok()?
    });
    names.collect()
}

fn position(name: &Name, messages: &[Waiting]) -> Option<usize> {
    messages.iter().position(|message| name.is_of(message))
}

/// Writes all lines durably, or none of them.
fn write_whole(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let before = file.metadata()?.len();
    let written = file.write_all(lines).and_then(|()| file.sync_all());
    if written.is_err() {
        // Also after a failed fsync: a second one may succeed without the bytes, so they must be written again.
        let _ = file.set_len(before);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::sink::line::tests::waiting;

    struct Place {
        keep: tempfile::TempDir,
        sink: FileSink,
    }

    impl Place {
        fn new() -> Self {
            let keep = tempfile::tempdir().unwrap();
            let sink = FileSink::new(&keep.path().join("messages.jsonl"));
            Self { keep, sink }
        }

        /// As after a start.
        fn restart(&mut self) {
            self.sink = FileSink::new(&self.path());
        }

        fn path(&self) -> PathBuf {
            self.keep.path().join("messages.jsonl")
        }

        fn write(&self, text: &str) {
            fs::write(self.path(), text).unwrap();
            fs::set_permissions(self.path(), fs::Permissions::from_mode(0o600)).unwrap();
        }

        fn deliver(&mut self, ids: std::ops::RangeInclusive<u64>) -> usize {
            self.sink.deliver(&batch(ids)).unwrap()
        }

        fn error(&mut self, ids: std::ops::RangeInclusive<u64>) -> String {
            let error = self.sink.deliver(&batch(ids)).unwrap_err();
            format!("{error:#}")
        }

        fn ids(&self) -> Vec<u64> {
            ids_in(&self.path())
        }
    }

    fn batch(ids: std::ops::RangeInclusive<u64>) -> Vec<Waiting> {
        ids.map(|id| waiting(id, &format!("text {id}"))).collect()
    }

    fn ids_in(path: &Path) -> Vec<u64> {
        let text = fs::read_to_string(path).unwrap();
        assert!(
            text.is_empty() || text.ends_with('\n'),
            "half a line: {text}"
        );
        let lines = text
            .lines()
            .map(|line| Name::read(line.as_bytes()).unwrap().id);
        lines.collect()
    }

    #[test]
    fn lines_are_appended_to_a_file_for_its_owner_alone() {
        let mut place = Place::new();
        assert_eq!(place.deliver(1..=3), 3);
        assert_eq!(place.deliver(4..=4), 1);
        assert_eq!(place.ids(), [1, 2, 3, 4]);
        let mode = fs::metadata(place.path()).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }

    #[test]
    fn after_a_crash_messages_that_are_there_are_not_written_again() {
        let mut place = Place::new();
        place.deliver(1..=3);
        place.restart();
        // The server died before it noted that 2 and 3 are delivered.
        assert_eq!(place.deliver(2..=5), 2);
        assert_eq!(place.deliver(4..=5), 2);
        assert_eq!(place.ids(), [1, 2, 3, 4, 5]);
        // Without the look at the last line, each would be there twice: 4 and 5 are written again on purpose here.
        place.sink.in_doubt = false;
        place.deliver(4..=5);
        assert_eq!(place.ids(), [1, 2, 3, 4, 5, 4, 5]);
    }

    #[test]
    fn a_torn_line_is_cut_off_and_written_again_at_every_length() {
        let mut place = Place::new();
        place.deliver(1..=2);
        let whole = fs::read_to_string(place.path()).unwrap();
        let first = whole.find('\n').unwrap() + 1;
        for cut in first..whole.len() {
            place.write(&whole[..cut]);
            place.restart();
            assert_eq!(place.deliver(2..=3), 2, "{cut}");
            assert_eq!(place.ids(), [1, 2, 3], "{cut}");
        }
    }

    #[test]
    fn a_rotated_file_is_left_alone_and_a_new_one_is_made() {
        let mut place = Place::new();
        place.deliver(1..=2);
        let old = place.keep.path().join("messages.jsonl.1");
        fs::rename(place.path(), &old).unwrap();
        place.deliver(3..=3);
        assert_eq!(ids_in(&old), [1, 2]);
        assert_eq!(place.ids(), [3]);
        // `create` of logrotate makes the new file itself.
        fs::rename(place.path(), &old).unwrap();
        place.write("");
        place.deliver(4..=4);
        assert_eq!(place.ids(), [4]);
        // `copytruncate` keeps the file and empties it.
        fs::write(place.path(), "").unwrap();
        place.deliver(5..=5);
        assert_eq!(place.ids(), [5]);
    }

    #[test]
    fn a_rotation_between_a_crash_and_the_start_doubles_nothing() {
        let mut place = Place::new();
        place.deliver(1..=3);
        let old = place.keep.path().join("messages.jsonl-20261128");
        fs::rename(place.path(), &old).unwrap();
        place.write("");
        place.restart();
        assert_eq!(place.deliver(3..=4), 1);
        assert_eq!(place.deliver(4..=4), 1);
        assert_eq!((ids_in(&old), place.ids()), (vec![1, 2, 3], vec![4]));
        // A crash in the middle of a line, and then a rotation.
        let torn = fs::read_to_string(place.path()).unwrap() + "{\"user\":\"ali";
        let older = place.keep.path().join("messages.jsonl.2");
        fs::rename(place.path(), &older).unwrap();
        fs::write(&older, torn).unwrap();
        place.restart();
        assert_eq!(place.deliver(4..=5), 1);
        assert_eq!(place.deliver(5..=5), 1);
        assert_eq!((ids_in(&older), place.ids()), (vec![4], vec![5]));
    }

    #[test]
    fn a_directory_that_vanishes_is_an_error_until_it_is_back() {
        let keep = tempfile::tempdir().unwrap();
        let dir = keep.path().join("dir");
        fs::create_dir(&dir).unwrap();
        let path = dir.join("messages.jsonl");
        let mut sink = FileSink::new(&path);
        sink.deliver(&batch(1..=1)).unwrap();
        let away = keep.path().join("away");
        fs::rename(&dir, &away).unwrap();
        let error = format!("{:#}", sink.deliver(&batch(2..=2)).unwrap_err());
        assert!(error.contains("cannot write messages to"), "{error}");
        fs::rename(&away, &dir).unwrap();
        sink.deliver(&batch(2..=2)).unwrap();
        assert_eq!(ids_in(&path), [1, 2]);
    }

    #[test]
    fn a_file_of_another_program_is_not_touched() {
        let mut place = Place::new();
        for text in [
            "root:x:0:0\n",
            "half a line",
            "{\"user\":\"alice\"}\n",
            "x\n{\"use",
        ] {
            place.write(text);
            place.restart();
            let error = place.error(1..=1);
            assert!(error.contains("name a new file"), "{error}");
            assert_eq!(fs::read_to_string(place.path()).unwrap(), text);
        }
        fs::remove_file(place.path()).unwrap();
        fs::create_dir(place.path()).unwrap();
        place.error(1..=1);
    }

    #[test]
    fn a_file_that_others_can_read_and_one_of_another_server_are_refused() {
        let mut place = Place::new();
        place.write("");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(place.error(1..=1).contains("chmod 600"));
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o600)).unwrap();
        place.deliver(1..=1);
        let mut other = FileSink::new(&place.path());
        let error = format!("{:#}", other.deliver(&batch(1..=1)).unwrap_err());
        assert!(error.contains("another program holds a lock"), "{error}");
        place.sink.close();
        assert_eq!(other.deliver(&batch(1..=2)).unwrap(), 1);
    }

    #[test]
    fn a_device_is_no_file() {
        let error = FileSink::new(Path::new("/dev/full")).deliver(&batch(1..=1));
        assert!(format!("{:#}", error.unwrap_err()).contains("something else than a file"));
    }
}
