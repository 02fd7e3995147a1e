//! `send-file`: a file in messages, with a journal beside it until all of it is stored, and a receipt afterwards.

use std::{
    cell::Cell,
    io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use latchstring_client_core::{
    send_file::{Progress, SendError},
    transfer::{Sent, Transfer},
};
use latchstring_net::{print, report::count};
use latchstring_parcel::Name;
use tokio::{select, sync::Notify};

use super::{
    access::{Access, Login},
    screen::Screen,
    signals::Signals,
};

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
        let login = self.access.resolve()?;
        let screen = Screen::new(login.quiet, false);
        let transfer = Transfer::read(&self.file, self.name)?;
        let Sent { receipt, path } = send(login, &screen, Duration::ZERO, &transfer).await?;
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
pub(super) async fn send(
    login: Login,
    screen: &Screen,
    reconnect: Duration,
    transfer: &Transfer,
) -> anyhow::Result<Sent> {
    let (last, is_open) = (Cell::new(None), Notify::new());
    let tell = |now: Progress| {
        is_open.notify_one();
        if let Some(line) = said(last.replace(Some(now)), now) {
            screen.note(&line);
        }
    };
    let sent = login.redial(screen, reconnect, async |redial| {
        Ok(transfer.send(redial, now, tell).await?)
    });
    // Before the login a signal just ends the program, also at the question for the password.
    let signal = async {
        is_open.notified().await;
        Ok::<_, io::Error>(Signals::new()?.next().await)
    };
    select! {
        sent = sent => sent,
        signal = signal => {
            let all = transfer.head().count() as usize;
            let Progress { stored, count } = last.get().unwrap_or(Progress { stored: 0, count: all });
            let signal = signal?;
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

/// Seconds since 1970.
pub(super) fn now() -> u64 {
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
}
