//! Your server. Make it that of rung 8. It reads top to bottom, from the program's start to the end of a session.

use std::{
    collections::HashMap,
    io::{self, Write},
    net::{IpAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
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
/// From the beginning of a connection to the whole login.
pub const FOR_A_LOGIN: Duration = Duration::from_secs(10);
/// From the login to its refusal, whatever the reason.
pub const REFUSAL_AFTER: Duration = Duration::from_secs(1);
/// Connections of one source that are not logged in.
pub const MOST_STRANGERS: usize = 8;

/// Counts the connections that are not logged in, for each source.
#[derive(Default)]
struct Strangers(Mutex<HashMap<IpAddr, usize>>);

impl Strangers {
    /// Whether there is room for a further one of this source.
    fn enter(&self, source: IpAddr) -> bool {
        // Your part: at most MOST_STRANGERS of one source. Several threads come here at a time: `self.count()` locks.
        let _ = source;
        false
    }

    /// One of them is logged in, or gone.
    fn leave(&self, source: IpAddr) {
        let mut count = self.count();
        let strangers = count.entry(source).or_default();
        *strangers = strangers.saturating_sub(1);
        // A source that is gone takes no memory.
        if *strangers == 0 {
            count.remove(&source);
        }
    }

    fn count(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().expect("no thread panics while it counts")
    }
}

/// What the server holds.
struct Server {
    users: Users,
    host: PrivateKey,
    strangers: Strangers,
}

/// Serves until the process is ended, many clients at a time.
pub fn run(args: &Args) -> Result<()> {
    let server = Arc::new(Server {
        users: Users::read(&args.dir)?,
        host: files::key(&args.dir.join("host.key"), PrivateKey::from_pem)?,
        strangers: Strangers::default(),
    });
    let listener = TcpListener::bind(("127.0.0.1", args.port))
        .map_err(|why| format!("cannot listen on port {}: {why}", args.port))?;
    print(&format!("listening on {}", listener.local_addr()?));
    loop {
        let Ok((stream, from)) = listener.accept() else {
            // The client is gone already, or there is no room for another file.
            thread::sleep(PAUSE);
            continue;
        };
        let source = from.ip();
        if server.strangers.enter(source) {
            let attending = server.clone();
            let thread = thread::Builder::new().spawn(move || attending.attend(stream, source));
            // If there is no thread for it, the connection is closed.
            if thread.is_err() {
                server.strangers.leave(source);
            }
        }
    }
}

impl Server {
    /// Serves one connection. Whatever its client does, the server goes on.
    fn attend(&self, stream: TcpStream, source: IpAddr) {
        if let Err(why) = self.serve(stream, source) {
            print(&format!("a connection was cut short: {why}"));
        }
    }

    /// One session, from the exchange to its end.
    fn serve(&self, stream: TcpStream, source: IpAddr) -> Result<()> {
        let greeted = self.greet(stream);
        self.strangers.leave(source);
        let (name, mut channel) = greeted?;
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

    /// From the first byte to the answer to the login.
    fn greet(&self, stream: TcpStream) -> Result<(String, Channel)> {
        let mut line = Line::new(stream, None)?;
        // Your part: the time at which the whole login must be there.
        line.deadline = None;
        let (mut channel, exchanged) = exchange::as_server(line, &self.host)?;
        let name = self.log_in(&mut channel, &exchanged)?;
        Ok((name, channel))
    }

    /// Reads the login, which is the first message, and answers it.
    fn log_in(&self, channel: &mut Channel, exchanged: &[u8]) -> Result<String> {
        let (_, message) = channel.receive()?;
        let arrived = Instant::now();
        let Message::Login(login) = message else {
            return Err("a login is due".into());
        };
        match self.users.check(exchanged, &login) {
            Ok(name) => {
                channel.send(&Message::Welcome)?;
                Ok(name)
            }
            Err(refusal) => {
                thread::sleep((arrived + REFUSAL_AFTER).saturating_duration_since(Instant::now()));
                channel.send(&Message::Refused(None))?;
                Err(format!("a login was refused: {refusal:?}").into())
            }
        }
    }
}

/// Prints a line. A reader that is gone is no reason to end.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
