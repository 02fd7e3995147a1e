//! Logs in with the key file alone.
//!
//! # Flaw
//! A file can be copied. A server that asks only for a key lets in every holder of the copy.
//!
//! # Attack
//! Prove the stolen key, and give any password.
//!
//! # What it proves
//! Two factors of different kinds, a thing that a user has and a secret that a user knows, are seldom lost in the same
//! accident.
//!
//! # Defence
//! The server checks the password as well, once the key is proven.
//!
//! # In the wild
//! Keys that were committed to public repositories by mistake are found within minutes by people who look for them.
//! Most SSH keys have no passphrase.

use crate::{
    Attack, Claim, Faithful, Loot, Run, Story,
    peer::{Login, log_in},
    protocol::hardened::defence::Defence,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "stolen-key",
    title: "log in with the key file alone",
    vantage: "a client of the server who has the victim's private key and not the password",
    loot: &[Loot::UserKey],
    faithful: Faithful::DoesNotApply(
        "a login needs no private key, so a stolen one adds nothing (impersonate)",
    ),
    returns_without: &[&[Defence::Password]],
    run: Run::Dial {
        faithful: None,
        hardened: |outsider, story| Box::pin(with_the_key(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Left on the server as the victim's words.
const SAID: &str = "found on a lost laptop";
/// Any password will do if the server does not check it.
const ANY_PASSWORD: &[u8] = b"letmein1";

async fn with_the_key(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let Some(key) = &outsider.user_key else {
        return Ok(Claim::Nothing);
    };
    story.tell(format!(
        "Mallory -> server: I am {}, signed with the stolen key; the password is a guess",
        outsider.user
    ));
    let Login::Accepted(mut inside) = log_in(outsider, outsider.user, &**key, ANY_PASSWORD).await?
    else {
        story.tell("server -> Mallory: refused");
        return Ok(Claim::Nothing);
    };
    inside.say(SAID).await?;
    story.tell(format!(
        "server -> Mallory: welcome; Mallory says \"{SAID}\""
    ));
    Ok(Claim::logged_in(outsider.user, Some(SAID)))
}
