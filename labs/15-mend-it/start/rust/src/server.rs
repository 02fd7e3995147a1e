//! The server. It reads top to bottom in the order of a session: connection, login, texts, end.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    process, thread,
    time::Duration,
};

use crate::{accounts::Accounts, args::Args, error::Result, files, keys::SessionKey, line::Line};

const GREETING: &[u8] = b"Authentication Successful!";
/// A client reads each value with one call, so they must not come together.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves until the process is ended. One client at a time: the next one waits in the listen queue.
pub fn run(args: &Args) -> Result<()> {
    let accounts = Accounts::read(&args.dir)?;
    let listener = TcpListener::bind(("127.0.0.1", args.port))
        .map_err(|why| format!("cannot listen on port {}: {why}", args.port))?;
    print(&format!(
        "rung {}, listening on {}",
        args.rung,
        listener.local_addr()?
    ));
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // The client is gone already, or there is no room for another file.
            thread::sleep(PAUSE);
            continue;
        };
        // An error ends this connection alone.
        if let Err(why) = attend(&accounts, stream) {
            eprintln!("a connection ended: {why}");
        }
    }
}

/// One connection from its beginning to its end.
fn attend(accounts: &Accounts, stream: TcpStream) -> Result<()> {
    let mut line = Line::new(stream)?;
    let (user, key) = log_in(accounts, &mut line)?;
    talk(user, &key, &mut line)
}

/// Nothing is proven, and the session key goes out in clear.
fn log_in<'a>(accounts: &'a Accounts, line: &mut Line) -> Result<(&'a str, SessionKey)> {
    let login = line.read_some()?.ok_or("the client said nothing")?;
    let user = accounts
        .check(&login)
        .ok_or("a login was refused: there is no such name")?;
    let key = SessionKey::draw();
    line.write(GREETING)?;
    thread::sleep(PAUSE);
    line.write(&key.key)?;
    thread::sleep(PAUSE);
    line.write(&key.iv)?;
    Ok((user, key))
}

/// Takes texts until the session ends. A message is what one read returns; nothing answers it.
fn talk(user: &str, key: &SessionKey, line: &mut Line) -> Result<()> {
    while let Some(mut text) = line.read_some()? {
        key.keystream(&mut text);
        match &text[..] {
            b"change()" => return Ok(()),
            b"quit()" => process::exit(0),
            _ => print(&format!("{user}: {}", files::printable(&text))),
        }
    }
    // Nothing tells an end that is meant from one that is not.
    Ok(())
}

/// Prints a line. A reader that is gone is no reason to end.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
