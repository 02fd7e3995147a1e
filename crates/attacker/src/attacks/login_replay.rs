//! Logs in as a user from one login that was seen on the wire.
//!
//! # Flaw
//! The faithful login is textbook RSA of the username: no padding, no randomness, nothing from the server, no time. So a
//! user's login is the same bytes every time, for as long as the key lives.
//!
//! # Attack
//! Send the sniffed bytes again. No key is used, not even a public one; the name need not be known. Against hardened the whole
//! of the client's side is replayed: hello, proof and messages.
//!
//! # What it proves
//! A proof that can be repeated by whoever saw it proves nothing about who repeats it. It does not help that nobody could
//! *make* it.
//!
//! # Defence
//! Both sides put fresh values into every handshake: `rc` and `rs`, and ephemeral X25519 values. Every key and the client's
//! signature are computed over the whole transcript, the *server's* fresh values included. The old proof fits no new session;
//! here it does not even open, because the keys it is encrypted under are others.
//!
//! # In the wild
//! KRACK, CVE-2017-13077: a *replayed* message of the WPA2 handshake made a client install a key a second time and start its
//! nonces again.

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
        "sniffed: a login of {} bytes; Mallory does not know what is in it",
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
            "another than last time"
        } else {
            "the same as last time"
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
