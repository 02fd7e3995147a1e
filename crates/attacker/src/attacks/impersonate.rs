//! Logs in as a user from the name and the *public* key.
//!
//! # Flaw
//! The faithful login is the user's name, encrypted with the user's public key. The server decrypts it with the private
//! key (it has every user's) and compares. But *encrypting* takes only the public key, which everybody may have.
//!
//! # Attack
//! Encrypt the name; send it. Against hardened the attacker also gets the right password, so that only the signature is
//! in the way. The attacker tries three logins. Two show the victim's key, one with the attacker's signature and one
//! with a signature of zeros. The third shows the attacker's key under the victim's name.
//!
//! # What it proves
//! Encryption *to* a user does not show the author. A login must prove that the client has a secret that only the user
//! has, and the proof must use that secret. The report's remedy, a password, would not repair this: the password would
//! be a second secret beside a key that still proves nothing.
//!
//! # Defence
//! The client signs the transcript of this very handshake with its private key (`sigC`). The server checks the
//! signature with the key that was enrolled for this user, before it checks the password. In the code a login goes on
//! only with a `KeyHolder`, and only a checked signature makes one
//! (`crates/protocol/src/hardened/handshake/server.rs`). The attacker sees a refusal without a reason; the reason is in
//! the server's log.
//!
//! # In the wild
//! - libssh, CVE-2018-10933: only the server may send the message "authentication succeeded". A client that sent it to
//!   the server was logged in without any proof.
//! - Erlang/OTP SSH, CVE-2025-32433: the server acted on messages of an open session before the login.

use crate::{
    Attack, Claim, Loot, Run, Story,
    net::keyfile::public_from_pem,
    peer::{Borrowed, Forge, Login, faithful_login, faithful_session, log_in},
    protocol::hardened::defence::Defence,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "impersonate",
    title: "log in from the name and the public key",
    vantage: "a client of the server who has the victim's name and public key (and the password, where there is one)",
    loot: &[Loot::Password],
    returns_without: &[&[Defence::ClientSignature]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Left on the server as the victim's words.
const SAID: &str = "this is not who you think it is";

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let login = faithful_login(outsider.user, outsider.public_key)?;
    story.tell(format!(
        "Mallory encrypts \"{}\" with the public key: {} bytes, made without any secret",
        outsider.user,
        login.len()
    ));
    let mut inside = faithful_session(outsider, &login).await?;
    story.tell("server -> Mallory: \"Authentication Successful!\", a session key and an IV");
    inside.say(SAID).await?;
    story.tell(format!(
        "Mallory -> server, as {}: \"{SAID}\"",
        outsider.user
    ));
    Ok(Claim::logged_in(outsider.user, Some(SAID)))
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let own = &*outsider.own_key;
    let stolen = public_from_pem(outsider.public_key.as_bytes())?;
    let tries: [(&str, &[u8], &Forge<'_>); 3] = [
        (
            "the victim's public key, with a signature by Mallory's key",
            &stolen,
            &|m| own.sign(m),
        ),
        (
            "the victim's public key, with zeros for a signature",
            &stolen,
            &|_| Ok(vec![0; 384]),
        ),
        (
            "Mallory's own key, with a valid signature",
            own.public_key(),
            &|m| own.sign(m),
        ),
    ];
    for (how, shown, forge) in tries {
        story.tell(format!(
            "Mallory -> server: I am {}; {how}; the right password",
            outsider.user
        ));
        let key = Borrowed { shown, forge };
        let password = outsider.password.unwrap_or(b"none");
        if let Login::Accepted(mut inside) = log_in(outsider, outsider.user, &key, password).await?
        {
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
