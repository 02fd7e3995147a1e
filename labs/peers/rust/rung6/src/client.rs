//! The client of rung 6. It reads top to bottom, from the program's start to the end of a session.

use std::{
    io::{self, BufRead},
    net::TcpStream,
    time::Duration,
};

use crate::{
    args::Args,
    error::Result,
    exchange, files,
    frames::Channel,
    keys::PublicKey,
    line::Line,
    login,
    message::{LONGEST_TEXT, Message},
};

/// How long the client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a session: each line of the standard input is a text. It went well if all texts
/// were acknowledged, and so was the close.
pub fn run(args: &Args) -> Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", args.port))
        .map_err(|why| format!("no server answers on port {}: {why}", args.port))?;
    let pinned = files::key(&args.dir.join("host.pub"), PublicKey::from_pem)?;
    let (mut channel, exchanged) = exchange::as_client(Line::new(stream, Some(PATIENCE))?, &pinned)?;
    log_in(&mut channel, &exchanged, args)?;
    let mut texts = 0;
    for text in io::stdin().lock().split(b'\n') {
        say(&mut channel, text?)?;
        texts += 1;
    }
    channel.send(&Message::Close(texts))?;
    expect(&mut channel, &Message::Closed)
}

/// Sends the login, and waits for its answer.
fn log_in(channel: &mut Channel, exchanged: &[u8], args: &Args) -> Result<()> {
    channel.send(&Message::Login(login::make(exchanged, &args.dir, &args.user)?))?;
    expect(channel, &Message::Welcome)
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
