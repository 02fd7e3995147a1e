//! The client of rung 4. It reads top to bottom, from the program's start to the end of a session.

use std::{
    io::{self, BufRead},
    net::TcpStream,
    time::Duration,
};

use crate::{
    args::Args,
    error::Result,
    frames::{Channel, directions},
    line::Line,
    login,
    message::{LONGEST_TEXT, Message},
};

const GREETING: &[u8] = b"Authentication Successful!";
/// How long the client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a session: each line of the standard input is a text. It went well if all texts
/// were acknowledged, and so was the close.
pub fn run(args: &Args) -> Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", args.port))
        .map_err(|why| format!("no server answers on port {}: {why}", args.port))?;
    let mut channel = log_in(Line::new(stream, Some(PATIENCE))?, args)?;
    let mut texts = 0;
    for text in io::stdin().lock().split(b'\n') {
        say(&mut channel, text?)?;
        texts += 1;
    }
    channel.send(&Message::Close(texts))?;
    expect(&mut channel, &Message::Closed)
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
    let (to_server, from_server) = directions(&key, iv);
    Ok(Channel::new(line, to_server, from_server))
}

/// Sends a text, and waits for its acknowledgement.
fn say(channel: &mut Channel, text: Vec<u8>) -> Result<()> {
    if text.is_empty() || text.len() > LONGEST_TEXT {
        return Err(format!("a text has 1 to {LONGEST_TEXT} bytes, and not {}", text.len()).into());
    }
    let number = channel.send(&Message::Text(text))?;
    expect(channel, &Message::Acknowledgement(number))
}

/// Takes this answer, and no other.
fn expect(channel: &mut Channel, right: &Message) -> Result<()> {
    match channel.receive()? {
        (_, answer) if answer == *right => Ok(()),
        (_, answer) => Err(format!("the server said {answer:?}, and {right:?} was due").into()),
    }
}
