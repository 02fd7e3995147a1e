//! The client's screen: the menu, the questions and the answers of the report's client.

use std::{
    io::{self, BufRead, Write},
    time::Duration,
};

use latchstring_net::loopback::Loopback;
use latchstring_protocol_faithful::message::{CHANGE, QUIT, SUCCESS, UserName};
use rand::CryptoRng;
use tokio::{net::TcpStream, time::sleep};

use crate::{
    client::{self, Session},
    keys::KeyDir,
    python::Bytes,
};

/// How long the client waits after a message before it asks for the next.
///
/// Nothing is framed, so two messages that reach the server within one read are one message with a garbled end. A person
/// never types that fast; a script that drives this program does, and its `quit()` would be lost in the garble.
pub const MESSAGE_PAUSE: Duration = Duration::from_millis(100);

const MENU: &str = "\n1.Login into server.\n2.Generate ssh keys.\n\nOption 1 or 2: ";

/// How a session ended, for the menu.
enum End {
    /// By `quit()`, or the input is at its end: the program ends.
    Quit,
    /// By `change()` or an error: the menu comes again.
    Menu,
}

/// Shows the menu until `quit()` or the end of the input.
///
/// Reading the input blocks the thread, which is right for a program that has nothing else to do.
///
/// # Errors
/// When the input cannot be read or the output cannot be written. All else is an `Error:` line and the menu again.
pub async fn run<R: CryptoRng + ?Sized>(
    keys: &KeyDir,
    server: Loopback,
    input: &mut impl BufRead,
    output: &mut impl Write,
    rng: &mut R,
) -> io::Result<()> {
    while let Some(option) = ask(MENU, input, output)? {
        let result = match option.trim() {
            "1" => log_in(keys, server, input, output).await?,
            "2" => generate(keys, input, output, rng)?,
            other => Err(format!("there is no option {other:?}: type 1 or 2")),
        };
        match result {
            Ok(End::Quit) => break,
            Ok(End::Menu) => {}
            Err(why) => writeln!(output, "Error: {why}")?,
        }
    }
    output.flush()
}

/// Option 2.
fn generate<R: CryptoRng + ?Sized>(
    keys: &KeyDir,
    input: &mut impl BufRead,
    output: &mut impl Write,
    rng: &mut R,
) -> io::Result<Result<End, String>> {
    let Some(name) = ask("Username: ", input, output)? else {
        return Ok(Ok(End::Quit));
    };
    let made = UserName::parse(&name)
        .map_err(|e| e.to_string())
        .and_then(|user| keys.generate(&user, rng).map_err(|e| e.to_string()));
    if made.is_ok() {
        writeln!(output, "SSH Key Successfully Generated")?;
    }
    Ok(made.map(|_| End::Menu))
}

/// Option 1.
async fn log_in(
    keys: &KeyDir,
    server: Loopback,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<Result<End, String>> {
    let Some(name) = ask("Username: ", input, output)? else {
        return Ok(Ok(End::Quit));
    };
    let mut session = match connect(keys, server, &name).await {
        Ok(session) => session,
        Err(why) => return Ok(Err(why)),
    };
    writeln!(output, "{}", String::from_utf8_lossy(&SUCCESS))?;
    talk(&mut session, input, output).await
}

async fn connect(
    keys: &KeyDir,
    server: Loopback,
    name: &str,
) -> Result<Session<TcpStream>, String> {
    let user = UserName::parse(name).map_err(|e| e.to_string())?;
    let key = keys.public_key(&user).map_err(|e| e.to_string())?;
    let stream = server.connect().await.map_err(|e| {
        format!("cannot connect to {server}: {e}; start faithful-server there, or give its --port")
    })?;
    client::login(stream, &user, &key)
        .await
        .map_err(|e| e.to_string())
}

async fn talk(
    session: &mut Session<TcpStream>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<Result<End, String>> {
    while let Some(text) = ask("Client: ", input, output)? {
        match session.send(&text).await {
            Ok(record) => writeln!(output, "Encrypted Message: {}", Bytes(&record))?,
            // The text is at fault and the session is not.
            Err(client::ClientError::Protocol(why)) => {
                writeln!(output, "Error: {why}")?;
                continue;
            }
            Err(why) => return Ok(Err(why.to_string())),
        }
        match text.as_str() {
            QUIT => return Ok(Ok(End::Quit)),
            CHANGE => return Ok(Ok(End::Menu)),
            _ => sleep(MESSAGE_PAUSE).await,
        }
    }
    Ok(Ok(End::Quit))
}

/// Asks until the answer is text. `None` at the end of the input.
fn ask(
    prompt: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<Option<String>> {
    loop {
        write!(output, "{prompt}")?;
        output.flush()?;
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            writeln!(output)?;
            return Ok(None);
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match std::str::from_utf8(line) {
            Ok(text) => return Ok(Some(text.to_owned())),
            Err(_) => writeln!(output, "Error: that is not UTF-8: type it again")?,
        }
    }
}
