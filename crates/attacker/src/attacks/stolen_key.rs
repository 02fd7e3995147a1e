//! Logs in with the key file alone.
//!
//! # Flaw
//! A file can be copied. A server that asks for a key and nothing else lets in whoever has the copy.
//!
//! # Attack
//! Prove the stolen key, which is no trouble. Give any password.
//!
//! # What it proves
//! Two things of different kinds, one that is had and one that is known, are not lost in the same accident.
//!
//! # Defence
//! The server checks the password as well, once the key is proven.
//!
//! # In the wild
//! Keys that were committed to public repositories by mistake are found within minutes by those who look for them, and
//! most SSH keys have no passphrase.

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
        "a login needs no private key at all, so there is none to steal (impersonate)",
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
/// Anything will do where nobody looks.
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
        story.tell("server -> Mallory: no");
        return Ok(Claim::Nothing);
    };
    inside.say(SAID).await?;
    story.tell(format!(
        "server -> Mallory: welcome; Mallory says \"{SAID}\""
    ));
    Ok(Claim::logged_in(outsider.user, Some(SAID)))
}
