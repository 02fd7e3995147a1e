//! Locks a user out by failing to log in as her.
//!
//! # Flaw
//! A server that counts failed logins against the account that was named lets anybody fail for anybody.
//!
//! # Attack
//! Log in as the victim, without her key, until the server has had enough. Then let her try.
//!
//! # What it proves
//! Whoever pays for a failure must be whoever failed. Before the key is proven that is an address, and not a user.
//!
//! # Defence
//! A login without the key is held against its source alone. The account's own counter is raised only by somebody who
//! has proven its key.
//!
//! # In the wild
//! CWE-645, "overly restrictive account lockout mechanism": directories that lock an account after five wrong passwords
//! can be emptied of users by whoever has the list of names.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    Attack, Claim, Faithful, Goal, Run, Scene, Story,
    net::keyfile::public_from_pem,
    peer::{Borrowed, greet, show},
    protocol::hardened::defence::Defence,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "lockout",
    title: "lock a user out by failing to log in as her",
    goal: Goal::Deny,
    vantage: "a client of the server, of no account, who knows a user's name and public key",
    scene: Scene {
        user_returns: true,
        ..Scene::PLAIN
    },
    faithful: Faithful::DoesNotApply("it counts nothing"),
    returns_without: &[&[Defence::SourceFirst], &[Defence::ClientSignature]],
    run: Run::Dial {
        faithful: None,
        hardened: |outsider, story| Box::pin(lock_out(outsider, story)),
    },
    ..Attack::PLAIN
};

/// So many failures are counted: the next login is then not looked at for eight seconds, and so on.
const FAILURES: u32 = 6;

async fn lock_out(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut refused = 0;
    for failure in 0..FAILURES {
        // What comes too soon is refused and not counted, so even to lock somebody out takes time.
        if let Some(doublings) = failure.checked_sub(3) {
            sleep(Duration::from_secs(1 << doublings)).await;
        }
        match fail(outsider).await {
            Ok(()) => refused += 1,
            Err(error) => {
                story.tell(format!(
                    "after {refused} failures the door is shut: {error}"
                ));
                break;
            }
        }
    }
    story.tell(format!(
        "Mallory -> server, {refused} times: I am {}, with zeros for a signature and a junk password; the server says no",
        outsider.user
    ));
    Ok(Claim::Denied)
}

async fn fail(outsider: &Outsider<'_>) -> anyhow::Result<()> {
    let (stream, trusted) = greet(outsider).await?;
    let shown = public_from_pem(outsider.public_key.as_bytes())?;
    let unsigned = Borrowed::unsigned(&shown);
    show(
        stream,
        trusted,
        outsider.user,
        &unsigned,
        b"a junk password",
    )
    .await?;
    Ok(())
}
