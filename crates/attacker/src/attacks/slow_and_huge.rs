//! Holds a connection open for ever by being slow, and announces a record of 4 GiB.
//!
//! # Flaw
//! The faithful server waits for the next bytes without a limit, and serves no other client meanwhile.
//!
//! # Attack
//! Announce a record of 4 GiB. Then, on another connection, begin a login and never finish it.
//!
//! # What it proves
//! A length field from a stranger is only a wish. Waiting costs the stranger nothing, and costs the server a
//! connection.
//!
//! # Defence
//! In every state the server knows the legal lengths. Any other length ends the connection before the server reads a
//! byte of the record. A handshake has ten seconds; a record that has begun has five.
//!
//! # In the wild
//! Slowloris, CVE-2007-6750: requests that never ended held open all connections of web servers.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};

use crate::{
    Attack, Claim, Goal, Resource, Run, Story,
    peer::greet,
    protocol::hardened::defence::Defence,
    vantage::{BoxStream, Outsider},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "slow-and-huge",
    title: "hold a connection open for ever by being slow",
    goal: Goal::Exhaust(Resource::Time),
    vantage: "a client without an account",
    returns_without: &[&[Defence::Deadlines]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Longer than a client that is not logged in may stay.
pub const PATIENCE: Duration = Duration::from_secs(13);

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut stream = outsider.dial.dial().await?;
    story.tell("Mallory connects, and sends nothing");
    Ok(wait(&mut stream, story).await)
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let (mut huge, _) = greet(outsider).await?;
    huge.write_all(&u32::MAX.to_be_bytes()).await?;
    let asked = Instant::now();
    let refused = timeout(PATIENCE, huge.read(&mut [0; 1])).await;
    story.tell(format!(
        "Mallory -> server: a record of 4 GiB follows; the server {} {} ms",
        if refused.is_ok() {
            "hangs up after"
        } else {
            "still waits after"
        },
        asked.elapsed().as_millis()
    ));

    let (mut slow, _) = greet(outsider).await?;
    story.tell("Mallory -> server, on another connection: a hello, and then nothing");
    Ok(wait(&mut slow, story).await)
}

/// Until the server hangs up, or for longer than it may take to do so.
async fn wait(stream: &mut BoxStream, story: &mut Story) -> Claim {
    let began = Instant::now();
    let hung_up = timeout(PATIENCE, stream.read(&mut [0; 1])).await;
    let seconds = began.elapsed().as_secs_f32();
    match hung_up {
        Ok(_) => story.tell(format!("the server hangs up after {seconds:.0} s")),
        Err(_) => story.tell(format!("after {seconds:.0} s the connection is still open")),
    }
    Claim::Spent
}
