//! `send-file`: a file in messages, with a journal beside it until all of it is stored, and a receipt afterwards.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, ensure};
use latchstring_client_core::{
    journal::Journal,
    receipt::Receipt,
    send_file::{FileSender, Progress, SendError},
};
use latchstring_net::{files, print, report::count};
use latchstring_parcel::{MAX_FILE, Name, NameError, Parts, SizeError, split};
use tokio::select;

use super::{access::Access, screen::Screen, signals::Signals};

/// Options of `send-file`.
#[derive(Debug, clap::Args)]
pub(super) struct SendFile {
    #[command(flatten)]
    access: Access,
    /// Send this file: 1 byte to 16 MiB
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Send the file under this name [default: the name of FILE]
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
}

impl SendFile {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let screen = Screen::new(self.access.quiet, false);
        let bytes = read(&self.file)?;
        let name = match self.name {
            Some(name) => name,
            None => name_of(&self.file)?,
        };
        let parts = split(name, &bytes).with_context(|| self.file.display().to_string())?;
        let mut journal = Journal::open(Journal::beside(&self.file))?;
        let sent = send(self.access, &screen, &parts, &mut journal).await;
        let receipt = match sent {
            Ok(receipt) => receipt,
            Err(error) => {
                journal.discard_if_empty()?;
                return Err(error);
            }
        };
        // The journal goes last: until then, the same command again makes the receipt and sends nothing.
        let path = receipt.save_beside(&self.file)?;
        journal.delete()?;
        if !screen.quiet {
            print::line(format_args!(
                "The server holds {}: {}, SHA-256 {}.\nReceipt: {}",
                receipt.file,
                count(receipt.length as u64, "byte"),
                receipt.sha256,
                path.display()
            ))?;
        }
        Ok(())
    }
}

/// Logs in and sends, until it is done or a signal comes.
async fn send(
    access: Access,
    screen: &Screen,
    parts: &Parts<'_>,
    journal: &mut Journal,
) -> anyhow::Result<Receipt> {
    let host = access.address.host_port();
    let (connection, outbox) = access.log_in(screen).await?;
    let mut signals = Signals::new()?;
    let last = Cell::new(None);
    let tell = |now: Progress| {
        if let Some(line) = said(last.replace(Some(now)), now) {
            screen.note(&line);
        }
    };
    let sender = FileSender::new(parts, journal, now);
    select! {
        sent = sender.send(connection, outbox, &host, tell) => Ok(sent?),
        signal = signals.next() => {
            let Progress { stored, count } = last.get().unwrap_or(Progress {
                stored: 0,
                count: parts.head().count() as usize,
            });
            Err(SendError::Stopped { signal, stored, count }.into())
        }
    }
}

/// A line at the beginning, and one for each further tenth of the file.
fn said(last: Option<Progress>, now: Progress) -> Option<String> {
    let Progress { stored, count: all } = now;
    let parts = count(all as u64, "part");
    match last {
        None if stored == 0 => Some(format!("Sending {parts}.")),
        None => Some(format!(
            "Sending {parts}; the server holds {stored} already."
        )),
        Some(last) if last.stored * 10 / all < stored * 10 / all => {
            Some(format!("Stored: {stored} of {parts}."))
        }
        Some(_) => None,
    }
}

fn name_of(file: &Path) -> anyhow::Result<Name> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Name::new(&name).map_err(|NameError(name)| {
        anyhow::Error::from(NameError(name)).context("give the file another name with --name")
    })
}

/// The whole file, once: what changes in it meanwhile is not sent.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("cannot read {}", path.display());
    let (_, about) = files::open(path).with_context(failed)?;
    ensure!(
        about.is_file(),
        "cannot send {}: it is a pipe; write its content into a file, so that an interrupted transfer can go on",
        path.display()
    );
    if about.len() > MAX_FILE as u64 {
        let why = SizeError::TooLong(about.len());
        return Err(why).with_context(|| path.display().to_string());
    }
    let (bytes, _) = files::read(path, MAX_FILE + 1).with_context(failed)?;
    Ok(bytes.to_vec())
}

/// Seconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_of_a_file_is_one_line() {
        let mut last = None;
        let mut lines = Vec::new();
        for stored in 0..=88 {
            let now = Progress { stored, count: 88 };
            lines.extend(said(last.replace(now), now));
        }
        assert_eq!(lines.len(), 11, "{lines:?}");
        assert_eq!(lines[0], "Sending 88 parts.");
        assert_eq!(lines[10], "Stored: 88 of 88 parts.");
        let now = Progress {
            stored: 3,
            count: 5,
        };
        let first = said(None, now).unwrap();
        assert_eq!(first, "Sending 5 parts; the server holds 3 already.");
    }

    #[test]
    fn a_name_that_cannot_be_sent_needs_another() {
        assert_eq!(name_of(Path::new("/tmp/a.zip")).unwrap().as_str(), "a.zip");
        for bad in ["/tmp/my file.zip", "/", ".."] {
            let error = name_of(Path::new(bad)).unwrap_err();
            let line = latchstring_net::report::line(error.as_ref());
            assert!(
                line.contains("--name") && line.contains("letters"),
                "{line}"
            );
        }
    }
}
