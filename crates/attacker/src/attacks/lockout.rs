//! Locks a user out with failed logins in her name.
//!
//! # Flaw
//! Some servers count failed logins against the account that the login names. There, any stranger can fail in the name
//! of any user.
//!
//! # Attack
//! Log in as the victim, without her key, until the server locks the account. Then let the victim try.
//!
//! # What it proves
//! A failure must be charged to the party that failed. Before the key is proven, that party is a source, not a user.
//!
//! # Defence
//! A login without the key is charged to its source only. Only a client that has proven the account's key can raise the
//! account's counter.
//!
//! # In the wild
//! CWE-645, "overly restrictive account lockout mechanism". Some directories lock an account after five wrong
//! passwords. There, an attacker with the list of names can lock out every user.

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
    title: "lock a user out with failed logins in her name",
    goal: Goal::Deny,
    vantage: "a client without an account that knows a user's name and public key",
    scene: Scene {
        user_returns: true,
        ..Scene::PLAIN
    },
    faithful: Faithful::DoesNotApply("the faithful server counts no failed logins"),
    returns_without: &[&[Defence::SourceFirst], &[Defence::ClientSignature]],
    run: Run::Dial {
        faithful: None,
        hardened: |outsider, story| Box::pin(lock_out(outsider, story)),
    },
    ..Attack::PLAIN
};

/// The failures that the attack makes. After them the server refuses every password for eight seconds.
const FAILURES: u32 = 6;

async fn lock_out(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let mut refused = 0;
    for failure in 0..FAILURES {
        // An early login is refused and not counted, so even this attack takes time.
        if let Some(doublings) = failure.checked_sub(3) {
            sleep(Duration::from_secs(1 << doublings)).await;
        }
        match fail(outsider).await {
            Ok(()) => refused += 1,
            Err(error) => {
                story.tell(format!(
                    "after {refused} failures the server closes the connection: {error}"
                ));
                break;
            }
        }
    }
    story.tell(format!(
        "Mallory -> server, {refused} times: I am {}, with zeros for a signature and a junk password; the server refuses each login",
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
