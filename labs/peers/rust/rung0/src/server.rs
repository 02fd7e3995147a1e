//! The server of rung 0. It reads top to bottom, from the program's start to the end of a session.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    process, thread,
    time::Duration,
};

use crate::{args::Args, error::Result, files::printable, frames::Channel, line::Line, login::Users, random::draw};

const GREETING: &[u8] = b"Authentication Successful!";
/// The report's client reads each value with one call, so they must not come together.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves until the process is ended. One client at a time: the next one waits in the listen queue.
pub fn run(args: &Args) -> Result<()> {
    let users = Users::read(&args.dir)?;
    let listener = TcpListener::bind(("127.0.0.1", args.port))
        .map_err(|why| format!("cannot listen on port {}: {why}", args.port))?;
    print(&format!("listening on {}", listener.local_addr()?));
    for stream in listener.incoming() {
        match stream {
            Ok(stream) => attend(stream, &users),
            // The client is gone already, or there is no room for another file.
            Err(_) => thread::sleep(PAUSE),
        }
    }
    Ok(())
}

/// Serves one connection. Whatever its client does, the server goes on.
fn attend(stream: TcpStream, users: &Users) {
    if let Err(why) = serve(stream, users) {
        print(&format!("a connection ended: {why}"));
    }
}

/// One session, from the login to its end.
fn serve(stream: TcpStream, users: &Users) -> Result<()> {
    let (name, mut channel) = log_in(Line::new(stream, None)?, users)?;
    print(&format!("{name} is logged in"));
    loop {
        let text = channel.receive()?;
        match &text[..] {
            b"change()" => return Ok(()),
            b"quit()" => process::exit(0),
            _ => print(&format!("{name}: {}", printable(&text))),
        }
    }
}

/// Reads the login, and answers with greeting, session key and IV, all in clear.
fn log_in(mut line: Line, users: &Users) -> Result<(&str, Channel)> {
    let login = line.read_some(1024)?;
    let name = users.find(&login).ok_or("nobody's key opens the login")?;
    let (key, iv) = (draw(), draw());
    for reply in [GREETING, &key, &iv] {
        line.write(reply)?;
        thread::sleep(PAUSE);
    }
    Ok((name, Channel::new(line, key, iv)))
}

/// Prints a line. A reader that is gone is no reason to end.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
