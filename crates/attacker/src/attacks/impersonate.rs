//! Logs in as a user from the name and the *public* key.
//!
//! # Flaw
//! The faithful login is the user's name, encrypted with the user's public key. The server decrypts it with the private key (it
//! has everybody's) and compares. But *encrypting* takes the public key only, and that one is public.
//!
//! # Attack
//! Encrypt the name; send it. Against hardened the attacker also gets the right password, so that the signature alone has to
//! hold, and tries the victim's key with a signature of its own, the victim's key with a signature of zeros, and its own
//! key under the victim's name.
//!
//! # What it proves
//! Encryption *to* somebody says nothing about who encrypted. A login has to be a proof of something that only the user has,
//! and the proof has to be made with it. The report's remedy, a password, would not repair this: it would be a second secret
//! beside a key that still proves nothing.
//!
//! # Defence
//! The client signs the transcript of this very handshake with its private key (`sigC`), and the server checks that against
//! the key that was enrolled for this user, before it looks at the password. In the code a login goes on only with a
//! `KeyHolder`, and only a checked signature makes one (`crates/protocol/src/hardened/handshake/server.rs`). The attacker hears
//! "no" and nothing more; the reason is in the server's own log.
//!
//! # In the wild
//! - libssh, CVE-2018-10933: a client that sent "authentication succeeded" to the server, a message that is the server's to
//!   send, was logged in without any proof.
//! - Erlang/OTP SSH, CVE-2025-32433: messages that belong to an open session were acted upon before the login.

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
            "the victim's key, signed with Mallory's own",
            &stolen,
            &|m| own.sign(m),
        ),
        ("the victim's key, signed with zeros", &stolen, &|_| {
            Ok(vec![0; 384])
        }),
        (
            "Mallory's own key, honestly signed",
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
        story.tell("server -> Mallory: no");
    }
    Ok(Claim::Nothing)
}
