//! Reads the server's log, in the format for people. Complete.

use std::{fs, io};

/// The messages that an alarm is about.
const MESSAGES: [&str; 3] = ["login refused", "turned away", "logged in"];

/// A line of the log.
pub struct Event {
    /// One of `MESSAGES`.
    pub message: &'static str,
    /// The address of the client, without its port.
    pub address: String,
    /// The name that the client gave; empty if it gave none.
    pub user: String,
    /// Why a login was refused; empty for the other messages.
    pub reason: String,
}

/// The events of a log, in their order.
pub fn read_log(path: &str) -> io::Result<Vec<Event>> {
    Ok(fs::read_to_string(path)?.lines().filter_map(event).collect())
}

/// What a line says; None if it has none of `MESSAGES`.
fn event(line: &str) -> Option<Event> {
    let is_in_line = |message: &&str| line.contains(&format!(" {message} connection="));
    let (address, _port) = field(line, "peer")?.rsplit_once(':')?;
    Some(Event {
        message: MESSAGES.into_iter().find(is_in_line)?,
        address: address.to_owned(),
        user: field(line, "user").unwrap_or_default().to_owned(),
        // The reason has spaces, and is the last field.
        reason: line.split_once(" reason=").map_or("", |(_, reason)| reason).to_owned(),
    })
}

/// The value of a field: what follows NAME=, up to the next space.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut words = line.split(' ');
    words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}
