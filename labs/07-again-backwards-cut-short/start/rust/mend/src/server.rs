//! Your server. Make it that of rung 4. It reads top to bottom, from the program's start to the end of a session.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use crate::{
    args::Args,
    error::Result,
    files::printable,
    frames::{Channel, directions},
    line::Line,
    login::Users,
    message::Message,
    random::draw,
};

const GREETING: &[u8] = b"Authentication Successful!";
/// How long the server waits after a connection that it could not take.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves until the process is ended, many clients at a time.
pub fn run(args: &Args) -> Result<()> {
    let users = Arc::new(Users::read(&args.dir)?);
    let listener = TcpListener::bind(("127.0.0.1", args.port))
        .map_err(|why| format!("cannot listen on port {}: {why}", args.port))?;
    print(&format!("listening on {}", listener.local_addr()?));
    for stream in listener.incoming() {
        match stream {
            Ok(stream) => {
                let users = users.clone();
                // If there is no thread for it, the connection is closed.
                let _ = thread::Builder::new().spawn(move || attend(stream, &users));
            }
            // The client is gone already, or there is no room for another file.
            Err(_) => thread::sleep(PAUSE),
        }
    }
    Ok(())
}

/// Serves one connection. Whatever its client does, the server goes on.
fn attend(stream: TcpStream, users: &Users) {
    if let Err(why) = serve(stream, users) {
        print(&format!("a connection was cut short: {why}"));
    }
}

/// One session, from the login to its end.
fn serve(stream: TcpStream, users: &Users) -> Result<()> {
    let (name, mut channel) = log_in(Line::new(stream, None)?, users)?;
    print(&format!("{name} is logged in"));
    loop {
        match channel.receive()? {
            (number, Message::Text(text)) => {
                print(&format!("{name}: {}", printable(&text)));
                channel.send(&Message::Acknowledgement(number))?;
            }
            // Your part. The client closes the session.
            (_, other) => return Err(format!("a client may not say this now: {other:?}").into()),
        }
    }
}

/// Reads the login, and answers with greeting, session key and IV, all in clear.
fn log_in(mut line: Line, users: &Users) -> Result<(&str, Channel)> {
    let n = u16::from_be_bytes(line.read_array()?);
    if !(1..=128).contains(&n) {
        return Err(format!("a login has 1 to 128 bytes, and this one states {n}").into());
    }
    let login = line.read_exact(n.into())?;
    let name = users.find(&login).ok_or("nobody's key opens the login")?;
    let (key, iv) = (draw(), draw());
    line.write(&[GREETING, &key, &iv].concat())?;
    let (from_client, to_client) = directions(&key, iv);
    Ok((name, Channel::new(line, to_client, from_client)))
}

/// Prints a line. A reader that is gone is no reason to end.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
