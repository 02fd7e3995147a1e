//! `send`: one message, or one file, and the server's acknowledgement as the result.

use std::{
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use latchstring_client_core::{
    delivery::Event,
    receipt::Receipt,
    redial::Redial,
    send_text::{Message, MessageReceipt, SendTextError},
    transfer::{Sent, Transfer},
};
use latchstring_net::{
    print, protocol::hardened::message::MAX_TEXT, report::count, terminal::visible,
};
use latchstring_parcel::Name;
use serde::Serialize;
use tokio::{select, sync::Notify};

use super::{
    access::{Access, Login},
    exit_codes::exit_code,
    outbox_notes::tell_of,
    screen::{Screen, json_line},
    send_file::{now, send as send_file},
    signals::Signals,
};
use crate::usage::Usage;

/// How long to come again after a session that broke off.
const RECONNECT: Duration = Duration::from_secs(60);

/// Options of `send`.
#[derive(Debug, clap::Args)]
pub(super) struct SendOne {
    #[command(flatten)]
    access: Access,
    /// Send this text [default: the whole standard input, without the newline at its end]
    #[arg(value_name = "MESSAGE", conflicts_with_all = ["file", "name"])]
    message: Option<String>,
    /// Send this file, as send-file does: 1 byte to 16 MiB
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Send the file under this name [default: the name of FILE]
    #[arg(long, value_name = "NAME", requires = "file")]
    name: Option<Name>,
    /// Print one JSON object with the result to the standard output, also after an error
    #[arg(long)]
    json: bool,
}

/// What the server has acknowledged.
enum Done {
    Message(MessageReceipt),
    File(Receipt, PathBuf),
}

/// The result for a program. Names and meanings stand in the operator's page.
#[derive(Debug, Serialize)]
struct Outcome<'a, R> {
    exit_code: u8,
    error: Option<&'a str>,
    /// Whether the message waits in the outbox: it must not be sent again by hand.
    kept: bool,
    receipt: Option<&'a R>,
    /// Where the receipt of a file is.
    receipt_file: Option<&'a Path>,
}

impl SendOne {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let json = self.json;
        let result = self.send(json).await;
        if !json {
            return result.map(drop);
        }
        let told = print::line(outcome(&result));
        match result {
            Ok(_) => Ok(told?),
            Err(why) => Err(why),
        }
    }

    async fn send(self, json: bool) -> anyhow::Result<Done> {
        let from_input = self.message.is_none() && self.file.is_none();
        if from_input && self.access.password_fd == Some(0) {
            let why = "the standard input is the message, so it cannot be the password too; use --password-fd 3 3<FILE";
            return Err(Usage(why.to_owned()).into());
        }
        let login = self.access.resolve()?;
        let screen = Screen::new(login.quiet, false);
        let done = match (self.file, self.message) {
            (Some(file), _) => {
                let transfer = Transfer::read(&file, self.name)?;
                let Sent { receipt, path } =
                    send_file(login, &screen, RECONNECT, &transfer).await?;
                Done::File(receipt, path)
            }
            (None, Some(text)) => Done::Message(send_text(login, &screen, &text).await?),
            (None, None) => {
                let text = read_input(&screen)?;
                Done::Message(send_text(login, &screen, &text).await?)
            }
        };
        if !json && !screen.quiet {
            print::line(sentence(&done))?;
        }
        Ok(done)
    }
}

/// The whole standard input as one message.
fn read_input(screen: &Screen) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        screen.note("Type the message; Ctrl-D at the beginning of a line ends it.");
    }
    let mut bytes = Vec::new();
    // Enough to see that it is too long.
    let limit = 64 * MAX_TEXT as u64;
    (io::stdin().lock().take(limit).read_to_end(&mut bytes))
        .context("cannot read the standard input")?;
    let mut text = String::from_utf8(bytes).map_err(|_| {
        Usage("the standard input is not UTF-8; send it as a file, with --file".to_owned())
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// Logs in and sends, until it is acknowledged or a signal comes.
async fn send_text(login: Login, screen: &Screen, text: &str) -> anyhow::Result<MessageReceipt> {
    let mut message = Message::new(text)?;
    let is_open = Notify::new();
    let hear = |event: &Event| {
        is_open.notify_one();
        match event {
            // Nothing goes to the standard output: this screen has no reports.
            Event::Settled(settled) => drop(tell_of(screen, settled)),
            Event::Message { id, text } => {
                screen.warn(&format!("Message {id} of the server: {}", visible(text)));
            }
            _ => {}
        }
    };
    let stopped = {
        let sent = login.redial(screen, RECONNECT, async |redial: Redial<'_>| {
            Ok(message.send(redial, now, hear).await?)
        });
        // Before the login a signal just ends the program, also at the question for the password.
        let signal = async {
            is_open.notified().await;
            Ok::<_, io::Error>(Signals::new()?.next().await)
        };
        select! {
            sent = sent => return sent,
            signal = signal => signal?,
        }
    };
    Err(message.stopped(stopped).into())
}

fn sentence(done: &Done) -> String {
    match done {
        Done::Message(receipt) => format!(
            "Stored as message {} at {}: {}, SHA-256 {}.",
            receipt.id,
            receipt.host,
            count(receipt.length as u64, "byte"),
            receipt.sha256
        ),
        Done::File(receipt, path) => format!(
            "The server holds {}: {}, SHA-256 {}.\nReceipt: {}",
            receipt.file,
            count(receipt.length as u64, "byte"),
            receipt.sha256,
            path.display()
        ),
    }
}

fn outcome(result: &anyhow::Result<Done>) -> String {
    let ok = |receipt_file| (0, None, false, receipt_file);
    match result {
        Ok(Done::Message(receipt)) => object(ok(None), Some(receipt)),
        Ok(Done::File(receipt, path)) => object(ok(Some(path)), Some(receipt)),
        Err(error) => {
            let kept = error.downcast_ref().is_some_and(SendTextError::is_kept);
            let text = latchstring_net::report::line(error.as_ref());
            object::<()>((exit_code(error), Some(&text), kept, None), None)
        }
    }
}

fn object<R: Serialize>(
    (exit_code, error, kept, receipt_file): (u8, Option<&str>, bool, Option<&PathBuf>),
    receipt: Option<&R>,
) -> String {
    json_line(&Outcome {
        exit_code,
        error,
        kept,
        receipt,
        receipt_file: receipt_file.map(PathBuf::as_path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_of_an_error_is_one_object_without_a_receipt() {
        let error = anyhow::Error::from(Usage("no\u{202e}".to_owned()));
        let line = outcome(&Err(error));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["exit_code"], 2);
        assert_eq!(read["kept"], false);
        assert!(read["receipt"].is_null() && read["receipt_file"].is_null());
        assert!(
            !line.contains('\u{202e}') && read["error"].is_string(),
            "{line}"
        );
    }
}
