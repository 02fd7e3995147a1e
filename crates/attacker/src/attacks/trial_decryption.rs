//! Makes the cost of one junk login grow with the number of users.
//!
//! # Flaw
//! The faithful login does not name its user. The server tries every user's private key on it.
//!
//! # Attack
//! Send one login that fits no user. This login costs the attacker nothing. The same login costs the server an
//! operation for every user that it has.
//!
//! # What it proves
//! The work for a stranger must not grow with the size of the service.
//!
//! # Defence
//! The login names its user and key (encrypted, to an authenticated host), and the server looks them up.
//!
//! # In the wild
//! CWE-405, "asymmetric resource consumption". In the same years as the report, some TLS clients did nothing but ask
//! for new handshakes. Each handshake cost the server a private-key operation (CVE-2011-1473).

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Attack, Claim, Goal, Resource, Run, Story, peer::log_in, protocol::hardened::defence::Defence,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "trial-decryption",
    title: "make the cost of one junk login grow with the number of users",
    goal: Goal::Exhaust(Resource::KeyOperations),
    vantage: "a client without an account",
    returns_without: &[&[Defence::DirectLookup]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Any number below every modulus will do.
async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(&[1; 100]).await?;
    story.tell("Mallory -> server: 100 bytes that are no user's login");
    // The server says nothing; it hangs up once it has tried everything.
    let _ = stream.read(&mut [0; 1]).await;
    Ok(Claim::Spent)
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    log_in(outsider, "nobody", &*outsider.own_key, b"a junk password").await?;
    story.tell("Mallory -> server: I am \"nobody\" (not a user), with a key that is not enrolled");
    Ok(Claim::Spent)
}
