//! The client of rung 1. It reads top to bottom, from the program's start to the end of a session.

use std::{
    io::{self, BufRead},
    net::TcpStream,
    time::Duration,
};

use crate::{
    args::Args,
    error::Result,
    frames::{Channel, LONGEST_TEXT},
    line::Line,
    login,
};

const GREETING: &[u8] = b"Authentication Successful!";
/// How long the client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a session: each line of the standard input is a text.
pub fn run(args: &Args) -> Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", args.port))
        .map_err(|why| format!("no server answers on port {}: {why}", args.port))?;
    let mut channel = log_in(Line::new(stream, Some(PATIENCE))?, args)?;
    for text in io::stdin().lock().split(b'\n') {
        say(&mut channel, &text?)?;
    }
    // Nothing answers it: whether it arrives is not known.
    channel.send(b"change()")
}

/// Sends the login, and reads greeting, session key and IV. Anybody may have sent them.
fn log_in(mut line: Line, args: &Args) -> Result<Channel> {
    let login = login::make(&args.dir, &args.user)?;
    let n = u16::try_from(login.len()).map_err(|_| "the login is too long")?;
    line.write(&[&n.to_be_bytes()[..], &login].concat())?;
    if line.read_exact(GREETING.len())? != GREETING {
        return Err("the server did not greet".into());
    }
    let (key, iv) = (line.read_array()?, line.read_array()?);
    Ok(Channel::new(line, key, iv))
}

/// Sends a text.
fn say(channel: &mut Channel, text: &[u8]) -> Result<()> {
    if text.is_empty() || text.len() > LONGEST_TEXT {
        return Err(format!("a text has 1 to {LONGEST_TEXT} bytes, and not {}", text.len()).into());
    }
    channel.send(text)
}
