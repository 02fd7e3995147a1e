//! The client. It reads top to bottom in the order of a session: connection, login, texts, end.

use std::{
    io::{self, BufRead},
    net::TcpStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rsa::{RsaPublicKey, pkcs8::DecodePublicKey};

use crate::{
    args::Args,
    channel::Channel,
    content::Content,
    error::Result,
    exchange::{HELLO, HOST_PROOF, Half, Transcript, check, long},
    files,
    frames::{Direction, Due},
    keys::Keys,
    line::Line,
    login,
    rung::{ENDING, EXCHANGE, NUMBERS, PASSWORD, PROOF, QUIET, TAG, longest_text},
    signature::{PrivateKey, PublicKey},
    textbook,
};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Rung 0: one read of the server is one message, so two texts must not come together.
const PAUSE: Duration = Duration::from_millis(20);

/// What a user has.
enum Credential {
    /// Rungs 0 to 5: only the public key, which is no secret.
    Textbook(RsaPublicKey),
    /// From rung 6 on: the private key, and from rung 7 on a password.
    Signing { key: PrivateKey, password: Vec<u8> },
}

/// Runs a session. It went well only if all texts were sent and answered and the end was proper.
pub fn run(args: &Args) -> Result<()> {
    let (rung, user) = (args.rung, &args.user);
    let credential = credential(rung, &args.dir, user)?;
    let pin = (rung >= EXCHANGE)
        .then(|| files::key(&args.dir.join("host.pub"), PublicKey::from_pem))
        .transpose()?;
    let stream = TcpStream::connect(("127.0.0.1", args.port))
        .map_err(|why| format!("no server answers on port {}: {why}", args.port))?;
    let mut line = Line::new(stream)?;
    line.deadline = Some(Instant::now() + PATIENCE);
    let mut session = Session {
        rung,
        texts: 0,
        is_over: false,
        channel: match pin {
            Some(pin) => log_in_channel(rung, line, &pin, user, &credential)?,
            None => log_in_clear(rung, line, user, &credential)?,
        },
    };
    for text in io::stdin().lock().split(b'\n') {
        session.say(text?)?;
    }
    session.finish()
}

fn credential(rung: u8, dir: &Path, name: &str) -> Result<Credential> {
    if !files::is_name(name) {
        return Err(format!("{name:?} is no name").into());
    }
    let file = |ending: &str| dir.join("client.keys").join(format!("{name}{ending}"));
    if rung < PROOF {
        return Ok(Credential::Textbook(files::key(
            &file(".pub"),
            RsaPublicKey::from_public_key_pem,
        )?));
    }
    let password = if rung >= PASSWORD {
        files::read(&file(".password"))?
    } else {
        String::new()
    };
    let password = password.trim_end_matches(['\r', '\n']).as_bytes();
    if rung >= PASSWORD && !(1..=128).contains(&password.len()) {
        return Err(format!("{} must hold 1 to 128 bytes", file(".password").display()).into());
    }
    Ok(Credential::Signing {
        key: files::key(&file(""), PrivateKey::from_pem)?,
        password: password.to_vec(),
    })
}

/// Rungs 0 to 4: the server's three values are in clear, and anybody may have sent them.
fn log_in_clear(rung: u8, mut line: Line, user: &str, credential: &Credential) -> Result<Channel> {
    let login = login_of(rung, user, credential, &Transcript::default())?;
    line.write(&if rung >= NUMBERS { long(&login) } else { login })?;
    let greeting: [u8; 26] = line.read_array()?;
    if greeting != *b"Authentication Successful!" {
        return Err("the server's greeting is another one".into());
    }
    let (key, iv) = (line.read_array()?, line.read_array()?);
    Ok(channel(rung, line, Keys::from_session_key(rung, key, iv)))
}

/// From rung 5 on: nothing about the user is said before the host is known.
fn log_in_channel(
    rung: u8,
    mut line: Line,
    pin: &PublicKey,
    user: &str,
    credential: &Credential,
) -> Result<Channel> {
    let half = Half::draw(rung);
    let mut transcript = Transcript::default();
    transcript.add(&half.hello);
    line.write(&half.hello)?;
    let theirs: [u8; HELLO] = line.read_array()?;
    transcript.add(&theirs);
    let secret = half.agree(rung, &theirs)?;
    let proof: [u8; HOST_PROOF] = line.read_array()?;
    check(&proof, pin, &mut transcript)?;
    let mut channel = channel(rung, line, Keys::from_exchange(&secret, &transcript.hash()));
    channel.send(&Content::Login(login_of(
        rung,
        user,
        credential,
        &transcript,
    )?))?;
    expect(rung, &mut channel, Due::LoginAnswer, &Content::Welcome)?;
    Ok(channel)
}

fn login_of(
    rung: u8,
    user: &str,
    credential: &Credential,
    transcript: &Transcript,
) -> Result<Vec<u8>> {
    match credential {
        Credential::Textbook(key) => textbook::encrypt(key, user),
        Credential::Signing { key, password } => {
            Ok(login::sign(rung, user, key, password, transcript))
        }
    }
}

fn channel(rung: u8, line: Line, keys: Keys) -> Channel {
    let sending = Direction::new(rung, keys.to_server);
    let receiving = Direction::new(rung, keys.to_client);
    Channel::new(rung, line, sending, receiving)
}

/// Waits for one answer, and takes no other.
fn expect(rung: u8, channel: &mut Channel, due: Due, right: &Content) -> Result<()> {
    channel.line.deadline = Some(Instant::now() + PATIENCE);
    let Some((_, plaintext)) = channel.receive(due)? else {
        return Err("the server ended the connection early: the session was cut short".into());
    };
    if plaintext == right.encode(rung) {
        return Ok(());
    }
    // From rung 8 on the type is behind the length.
    let kind = plaintext.get(if rung >= QUIET { 2 } else { 0 });
    match (right, kind) {
        (Content::Welcome, Some(6)) => Err("the server refused the login".into()),
        _ => Err("the server gave another answer than the one that is due".into()),
    }
}

struct Session {
    rung: u8,
    channel: Channel,
    texts: u32,
    /// Below rung 4 a text can end the session.
    is_over: bool,
}

impl Session {
    /// Sends a text, and waits until the server has it.
    fn say(&mut self, text: Vec<u8>) -> Result<()> {
        let longest = longest_text(self.rung);
        if self.is_over {
            return Err("the text before this one ended the session".into());
        }
        if !(1..=longest).contains(&text.len()) {
            return Err(format!("a text has 1 to {longest} bytes, and not {}", text.len()).into());
        }
        self.is_over = self.rung < ENDING && (text == b"change()" || text == b"quit()");
        let number = self.channel.send(&Content::Text(text))?;
        self.texts += 1;
        if self.rung >= TAG {
            expect(
                self.rung,
                &mut self.channel,
                Due::Any,
                &Content::Acknowledgement(number),
            )?;
        } else if self.rung < NUMBERS {
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        if self.is_over {
            return Ok(());
        }
        if self.rung < ENDING {
            // Nothing answers it: whether it arrives is not known.
            self.channel.send(&Content::Text(b"change()".to_vec()))?;
            return Ok(());
        }
        self.channel.send(&Content::Close(self.texts))?;
        expect(self.rung, &mut self.channel, Due::Any, &Content::Closed)
    }
}
