//! The client. It reads top to bottom in the order of a session: connection, login, texts, end.

use std::{
    io::{self, BufRead},
    net::TcpStream,
    path::Path,
    thread,
    time::Duration,
};

use rsa::{RsaPublicKey, pkcs8::DecodePublicKey};

use crate::{
    args::Args, error::Result, files, keys::SessionKey, line::Line, rung::LONGEST_TEXT, textbook,
};

/// One read of the server is one message, so two texts must not come together.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a session: each line of the standard input is a text.
pub fn run(args: &Args) -> Result<()> {
    let public = public_key(&args.dir, &args.user)?;
    let stream = TcpStream::connect(("127.0.0.1", args.port))
        .map_err(|why| format!("no server answers on port {}: {why}", args.port))?;
    let mut line = Line::new(stream)?;
    let key = log_in(&mut line, &args.user, &public)?;
    for text in io::stdin().lock().split(b'\n') {
        let text = text?;
        let ends = text == b"change()" || text == b"quit()";
        say(&mut line, &key, text)?;
        if ends {
            return Ok(());
        }
    }
    // Nothing answers it: whether it arrives is not known.
    say(&mut line, &key, b"change()".to_vec())
}

fn public_key(dir: &Path, name: &str) -> Result<RsaPublicKey> {
    if !files::is_name(name) {
        return Err(format!("{name:?} is no name").into());
    }
    let path = dir.join("client.keys").join(format!("{name}.pub"));
    files::key(&path, RsaPublicKey::from_public_key_pem)
}

/// The server's three values are in clear, and anybody may have sent them.
fn log_in(line: &mut Line, user: &str, public: &RsaPublicKey) -> Result<SessionKey> {
    line.write(&textbook::encrypt(public, user)?)?;
    let greeting: [u8; 26] = line.read_array()?;
    if greeting != *b"Authentication Successful!" {
        return Err("the server's greeting is another one".into());
    }
    Ok(SessionKey {
        key: line.read_array()?,
        iv: line.read_array()?,
    })
}

fn say(line: &mut Line, key: &SessionKey, mut text: Vec<u8>) -> Result<()> {
    if !(1..=LONGEST_TEXT).contains(&text.len()) {
        return Err(format!(
            "a text has 1 to {LONGEST_TEXT} bytes, and not {}",
            text.len()
        )
        .into());
    }
    key.keystream(&mut text);
    line.write(&text)?;
    thread::sleep(PAUSE);
    Ok(())
}
