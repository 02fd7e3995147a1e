//! The server of rung 5. It reads top to bottom, from the program's start to the end of a session.

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
    exchange,
    files::{self, printable},
    frames::Channel,
    keys::PrivateKey,
    line::Line,
    login::Users,
    message::Message,
};

/// How long the server waits after a connection that it could not take.
const PAUSE: Duration = Duration::from_millis(20);

/// What the server holds.
struct Server {
    users: Users,
    host: PrivateKey,
}

/// Serves until the process is ended, many clients at a time.
pub fn run(args: &Args) -> Result<()> {
    let server = Arc::new(Server {
        users: Users::read(&args.dir)?,
        host: files::key(&args.dir.join("host.key"), PrivateKey::from_pem)?,
    });
    let listener = TcpListener::bind(("127.0.0.1", args.port))
        .map_err(|why| format!("cannot listen on port {}: {why}", args.port))?;
    print(&format!("listening on {}", listener.local_addr()?));
    for stream in listener.incoming() {
        match stream {
            Ok(stream) => {
                let server = server.clone();
                // If there is no thread for it, the connection is closed.
                let _ = thread::Builder::new().spawn(move || server.attend(stream));
            }
            // The client is gone already, or there is no room for another file.
            Err(_) => thread::sleep(PAUSE),
        }
    }
    Ok(())
}

impl Server {
    /// Serves one connection. Whatever its client does, the server goes on.
    fn attend(&self, stream: TcpStream) {
        if let Err(why) = self.serve(stream) {
            print(&format!("a connection was cut short: {why}"));
        }
    }

    /// One session, from the exchange to its end.
    fn serve(&self, stream: TcpStream) -> Result<()> {
        let (mut channel, _) = exchange::as_server(Line::new(stream, None)?, &self.host)?;
        let name = self.log_in(&mut channel)?;
        print(&format!("{name} is logged in"));
        let mut texts = 0;
        loop {
            match channel.receive()? {
                (number, Message::Text(text)) => {
                    texts += 1;
                    print(&format!("{name}: {}", printable(&text)));
                    channel.send(&Message::Acknowledgement(number))?;
                }
                (_, Message::Close(stated)) if stated == texts => {
                    print(&format!("{name} has left"));
                    channel.send(&Message::Closed)?;
                    return Ok(());
                }
                (_, Message::Close(stated)) => {
                    return Err(format!("the close states {stated} texts, and {texts} came").into());
                }
                (_, other) => return Err(format!("a client may not say this now: {other:?}").into()),
            }
        }
    }

    /// Reads the login, which is the first message, and answers it.
    fn log_in(&self, channel: &mut Channel) -> Result<&str> {
        let (_, Message::Login(login)) = channel.receive()? else {
            return Err("a login is due".into());
        };
        match self.users.find(&login) {
            Some(name) => {
                channel.send(&Message::Welcome)?;
                Ok(name)
            }
            None => {
                channel.send(&Message::Refused(None))?;
                Err("nobody's key opens the login".into())
            }
        }
    }
}

/// Prints a line. A reader that is gone is no reason to end.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
