//! The server. It reads top to bottom in the order of a session: connection, login, texts, end.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    process,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rsa::rand_core::Rng;

use crate::{
    accounts::Accounts,
    admission::{Admission, Place},
    args::Args,
    channel::Channel,
    content::Content,
    error::Result,
    exchange::{HELLO, Half, Transcript, prove},
    files,
    frames::{Direction, Due},
    keys::Keys,
    random::generator,
    line::Line,
    login::Refusal,
    rung::{ENDING, EXCHANGE, NUMBERS, PASSWORD, PROOF, QUIET, TAG},
    signature::PrivateKey,
};

const GREETING: &[u8] = b"Authentication Successful!";
/// Rung 0: a client reads each value with one call, so they must not come together.
const PAUSE: Duration = Duration::from_millis(20);
/// Rung 8: from the beginning of a connection to its whole login.
const LOGIN_DEADLINE: Duration = Duration::from_secs(10);
/// Rung 8: from a login to its refusal, whatever the reason.
const REFUSAL_AFTER: Duration = Duration::from_secs(1);

struct Server {
    rung: u8,
    /// From rung 5 on.
    host: Option<PrivateKey>,
    accounts: Accounts,
}

/// Serves until the process is ended.
pub fn run(args: &Args) -> Result<()> {
    let (rung, dir) = (args.rung, &args.dir);
    let host = (rung >= EXCHANGE).then(|| files::key(&dir.join("host.key"), PrivateKey::from_pem));
    let server = Server {
        rung,
        host: host.transpose()?,
        accounts: Accounts::read(rung, dir)?,
    };
    let listener = TcpListener::bind(("127.0.0.1", args.port))
        .map_err(|why| format!("cannot listen on port {}: {why}", args.port))?;
    print(&format!(
        "rung {rung}, listening on {}",
        listener.local_addr()?
    ));
    let (server, admission) = (Arc::new(server), Admission::default());
    loop {
        let Ok((stream, from)) = listener.accept() else {
            // The client is gone already, or there is no room for another file.
            thread::sleep(PAUSE);
            continue;
        };
        if rung < NUMBERS {
            // One client at a time: the next one waits in the listen queue.
            server.attend(stream, None);
        } else if let Some(place) = admission.admit(rung, from.ip()) {
            let server = server.clone();
            // If there is no thread for it, the connection is closed.
            let _ = thread::Builder::new().spawn(move || server.attend(stream, Some(place)));
        }
    }
}

impl Server {
    /// One connection from its beginning to its end. An error ends this connection alone.
    fn attend(&self, stream: TcpStream, mut place: Option<Place>) {
        let ended = Line::new(stream).and_then(|line| {
            let (user, mut channel) = self.log_in(line)?;
            if let Some(place) = &mut place {
                place.logged_in();
            }
            channel.line.deadline = None;
            self.talk(user, &mut channel)
        });
        if let Err(why) = ended {
            eprintln!("a connection ended: {why}");
        }
    }

    fn log_in(&self, mut line: Line) -> Result<(&str, Channel)> {
        if self.rung >= QUIET {
            line.deadline = Some(Instant::now() + LOGIN_DEADLINE);
        }
        match &self.host {
            Some(host) => self.log_in_channel(line, host),
            None => self.log_in_clear(line),
        }
    }

    /// Rungs 0 to 4. Nothing is proven, and the session key goes out in clear.
    fn log_in_clear(&self, mut line: Line) -> Result<(&str, Channel)> {
        let login = match self.rung >= NUMBERS {
            true => read_login(&mut line)?,
            false => line.read_some()?.ok_or("the client said nothing")?,
        };
        let user = self
            .accounts
            .check(&login, &Transcript::default())
            .map_err(Refusal::words)?;
        let (mut key, mut iv) = ([0; 32], [0; 8]);
        generator().fill_bytes(&mut key);
        generator().fill_bytes(&mut iv);
        for value in [GREETING, &key, &iv] {
            if self.rung < NUMBERS && value != GREETING {
                thread::sleep(PAUSE);
            }
            line.write(value)?;
        }
        Ok((
            user,
            self.channel(line, Keys::from_session_key(self.rung, key, iv)),
        ))
    }

    /// From rung 5 on: the exchange, and the login inside the channel.
    fn log_in_channel(&self, mut line: Line, host: &PrivateKey) -> Result<(&str, Channel)> {
        let theirs: [u8; HELLO] = line.read_array()?;
        let half = Half::draw(self.rung);
        let ours = half.hello;
        let secret = half.agree(self.rung, &theirs)?;
        let mut transcript = Transcript::default();
        transcript.add(&theirs);
        transcript.add(&ours);
        let proof = prove(host, &mut transcript);
        line.write(&[&ours[..], &proof].concat())?;
        let mut channel = self.channel(line, Keys::from_exchange(&secret, &transcript.hash()));

        let (_, plaintext) = channel
            .receive(Due::Login)?
            .ok_or("the client hung up before its login")?;
        let arrived = Instant::now();
        let Content::Login(login) = Content::from_client(self.rung, &plaintext)? else {
            return Err("the first frame is no login".into());
        };
        match self.accounts.check(&login, &transcript) {
            Ok(user) => {
                channel.send(&Content::Welcome)?;
                Ok((user, channel))
            }
            Err(refusal) => {
                self.refuse(refusal, arrived, &mut channel)?;
                Err(format!("a login was refused: {}", refusal.words()).into())
            }
        }
    }

    /// From rung 8 on all refusals are one frame at one time, so a stranger learns nothing from them.
    fn refuse(&self, refusal: Refusal, arrived: Instant, channel: &mut Channel) -> Result<()> {
        if self.rung >= QUIET {
            thread::sleep((arrived + REFUSAL_AFTER).saturating_duration_since(Instant::now()));
        }
        let says_why = (PROOF..=PASSWORD).contains(&self.rung);
        channel.send(&Content::Refused(says_why.then_some(refusal as u8)))?;
        Ok(())
    }

    fn channel(&self, line: Line, keys: Keys) -> Channel {
        let sending = Direction::new(self.rung, keys.to_client);
        let receiving = Direction::new(self.rung, keys.to_server);
        Channel::new(self.rung, line, sending, receiving)
    }

    /// Takes texts until the session ends.
    fn talk(&self, user: &str, channel: &mut Channel) -> Result<()> {
        let mut texts = 0;
        while let Some((number, plaintext)) = channel.receive(Due::Any)? {
            match Content::from_client(self.rung, &plaintext)? {
                Content::Text(text) => {
                    texts += 1;
                    if self.rung >= TAG {
                        channel.send(&Content::Acknowledgement(number))?;
                    }
                    // The flaw that rung 4 mends: a text can be a command.
                    match &text[..] {
                        b"change()" if self.rung < ENDING => return Ok(()),
                        b"quit()" if self.rung < ENDING => process::exit(0),
                        _ => {}
                    }
                    print(&format!("{user}: {}", files::printable(&text)));
                }
                Content::Close(stated) if stated == texts => {
                    channel.send(&Content::Closed)?;
                    return Ok(());
                }
                Content::Close(stated) => {
                    return Err(format!("{user} sent {stated} texts, and {texts} came").into());
                }
                _ => return Err(format!("{user} logged in a second time").into()),
            }
        }
        match self.rung >= ENDING {
            true => Err(format!("the session of {user} was cut short").into()),
            // Nothing tells an end that is meant from one that is not.
            false => Ok(()),
        }
    }
}

/// The login of rungs 1 to 4: `u16 n ‖ login`, with 1 to 128 bytes.
fn read_login(line: &mut Line) -> Result<Vec<u8>> {
    let n = usize::from(u16::from_be_bytes(line.read_array()?));
    match (1..=128).contains(&n) {
        true => line.read_exact(n),
        false => Err(format!("a login has 1 to 128 bytes, and not {n}").into()),
    }
}

/// Prints a line. A reader that is gone is no reason to end.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
