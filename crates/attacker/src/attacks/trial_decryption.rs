//! Makes one junk login cost as much as there are users.
//!
//! # Flaw
//! The faithful login does not say who it is from. The server finds out by trying every user's private key on it.
//!
//! # Attack
//! Send one login that fits nobody. It costs the attacker nothing and the server an operation for every user it has.
//!
//! # What it proves
//! Work must not grow with the size of the service for those who have not shown that they belong to it.
//!
//! # Defence
//! The login names its user and key (encrypted, to a host that has proven itself), and the server looks them up.
//!
//! # In the wild
//! CWE-405, "asymmetric resource consumption". In the same years as the report, TLS servers met clients that did nothing
//! but ask for new handshakes, each of which cost the server a private-key operation (CVE-2011-1473).

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Attack, Claim, Goal, Resource, Run, Story, peer::log_in, protocol::hardened::defence::Defence,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "trial-decryption",
    title: "make one junk login cost as much as there are users",
    goal: Goal::Exhaust(Resource::KeyOperations),
    vantage: "a client of the server, of no account",
    returns_without: &[&[Defence::DirectLookup]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Any number will do that is below every modulus.
async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(&[1; 100]).await?;
    story.tell("Mallory -> server: 100 bytes that are nobody's login");
    // The server says nothing; it hangs up once it has tried everything.
    let _ = stream.read(&mut [0; 1]).await;
    Ok(Claim::Spent)
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    log_in(outsider, "nobody", &*outsider.own_key, b"a junk password").await?;
    story.tell("Mallory -> server: I am nobody, with a key that nobody knows");
    Ok(Claim::Spent)
}
