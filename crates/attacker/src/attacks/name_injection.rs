//! Writes a forged line into the operator's log, through a user name.
//!
//! # Flaw
//! A name that may hold any bytes reaches many places: file names, lists and logs. A line break in the name begins a
//! forged line.
//!
//! # Attack
//! Log in under a name that ends in a line break and a log line. The login fails, and the log holds the forged line.
//!
//! # What it proves
//! Check input where it enters, against a list of allowed values. All code behind that check may then trust it.
//!
//! # Defence
//! A name is 1 to 32 of `a-z`, `0-9`, `_` and `-`. The server checks this when it reads the name off the wire. The
//! store finds users by the hash of their name.
//!
//! # In the wild
//! CWE-117, "improper output neutralization for logs", and CWE-22, "path traversal". A name with `../` is among the
//! oldest attacks on servers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::{
    Attack, Claim, Faithful, Goal, Run, Story,
    peer::greet,
    protocol::hardened::{defence::Defence, message::UserName},
    protocol_faithful::keys::PublicKey,
    vantage::{Outsider, read_record},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "name-injection",
    title: "write into the operator's log through a user name",
    goal: Goal::ForgeLog,
    vantage: "a client without an account",
    faithful: Faithful::Held(
        "the faithful programs refuse such names, and the report's do not: this one change protects the reader's files",
    ),
    returns_without: &[&[Defence::NameGrammar]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(forge(story, faithful(outsider)))),
        hardened: |outsider, story| Box::pin(forge(story, hardened(outsider))),
    },
    ..Attack::PLAIN
};

/// The line that the log is to have.
pub const FORGED: &str = "server, on connection 9: let root in";

/// The name, which breaks the log's line.
fn name() -> String {
    format!("x\n{FORGED}\n")
}

/// A login under that name. However it ends: the line is in the log by then, or it is not.
async fn forge(
    story: &mut Story,
    login: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<Claim> {
    story.tell(format!("Mallory -> server: my name is {:?}", name()));
    if login.await.is_err() {
        story.tell("the server hung up without an answer");
    }
    Ok(Claim::Logged(FORGED.to_owned()))
}

/// The name, encrypted as a login, by hand: the client's own code would not take it.
async fn faithful(outsider: &Outsider<'_>) -> anyhow::Result<()> {
    let login = PublicKey::from_pem(outsider.public_key)?.encrypt(name().as_bytes())?;
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(&login).await?;
    stream.read_exact(&mut [0; 1]).await?;
    Ok(())
}

async fn hardened(outsider: &Outsider<'_>) -> anyhow::Result<()> {
    let (mut stream, trusted) = greet(outsider).await?;
    let name = UserName::as_claimed(&name());
    let password = Zeroizing::new(b"no matter".to_vec());
    let (state, proof) = trusted.login(&name, &*outsider.own_key, &password)?;
    stream.write_all(&proof).await?;
    state.verdict(&read_record(&mut stream).await?)?;
    Ok(())
}
