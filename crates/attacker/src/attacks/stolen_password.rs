//! Logs in with the name and the password alone.
//!
//! # Flaw
//! A password goes to every server that asks for it. Users type it where others look on, and use it again elsewhere.
//!
//! # Attack
//! Give the stolen password. Show the victim's public key, which anybody may have, with a signature of zeros. Or show
//! the attacker's key.
//!
//! # What it proves
//! A user can give away a password. A proof with a private key gives nothing away.
//!
//! # Defence
//! The client signs the transcript with the user's private key, and the server checks that signature before it checks
//! the password.
//!
//! # In the wild
//! Credential stuffing: attackers try passwords that leaked at one service at all others. For this reason SSH servers
//! on the open network have passwords switched off.

use crate::{
    Attack, Claim, Faithful, Loot, Run, Story,
    net::keyfile::public_from_pem,
    peer::{Borrowed, Login, log_in},
    protocol::hardened::{defence::Defence, signature::Signer},
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "stolen-password",
    title: "log in with the name and the password alone",
    vantage: "a client of the server who has the victim's password and not the key",
    loot: &[Loot::Password],
    faithful: Faithful::DoesNotApply("the faithful protocol has no passwords"),
    returns_without: &[&[Defence::ClientSignature]],
    run: Run::Dial {
        faithful: None,
        hardened: |outsider, story| Box::pin(with_the_password(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Left on the server as the victim's words.
const SAID: &str = "read over a shoulder";

async fn with_the_password(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let Some(password) = outsider.password else {
        return Ok(Claim::Nothing);
    };
    let shown = public_from_pem(outsider.public_key.as_bytes())?;
    let unsigned = Borrowed::unsigned(&shown);
    let own = &*outsider.own_key;
    let keys: [(&str, &dyn Signer); 2] = [
        ("Mallory's own key", own),
        (
            "the victim's public key, with zeros for a signature",
            &unsigned,
        ),
    ];
    for (which, key) in keys {
        story.tell(format!(
            "Mallory -> server: I am {}; {which}; the right password",
            outsider.user
        ));
        if let Login::Accepted(mut inside) = log_in(outsider, outsider.user, key, password).await? {
            inside.say(SAID).await?;
            story.tell(format!(
                "server -> Mallory: welcome; Mallory says \"{SAID}\""
            ));
            return Ok(Claim::logged_in(outsider.user, Some(SAID)));
        }
        story.tell("server -> Mallory: refused");
    }
    Ok(Claim::Nothing)
}
