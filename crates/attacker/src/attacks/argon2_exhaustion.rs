//! Makes the server spend its memory on password hashes.
//!
//! # Flaw
//! A password hash that is expensive for a thief is expensive for the server too. If a stranger can make the server
//! compute hashes, a stranger can exhaust the server.
//!
//! # Attack
//! Log in as a user, without the user's key, again and again. Every login fails. The attack measures how much work each
//! failed login costs the server.
//!
//! # What it proves
//! A defence can become an attack. A design must state how much a defence costs, and which clients can cause that cost.
//!
//! # Defence
//! The server hashes a password only after the client has proven its key. A stranger costs the server two operations
//! with a key. Of the key holders, two are served at a time, and the number of waiting logins is bounded.
//!
//! # In the wild
//! CWE-400, "uncontrolled resource consumption". Web services that hashed passwords of any length with PBKDF2 could be
//! kept busy with passwords of a megabyte (Django, CVE-2013-1443).

use crate::{
    Attack, Claim, Faithful, Goal, Resource, Run, Story,
    net::keyfile::public_from_pem,
    peer::{Borrowed, log_in},
    protocol::hardened::defence::Defence,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "argon2-exhaustion",
    title: "make the server spend its memory on password hashes",
    goal: Goal::Exhaust(Resource::Hashes),
    vantage: "a client without an account that knows a user's name and public key",
    faithful: Faithful::DoesNotApply("the faithful protocol has no passwords to hash"),
    returns_without: &[&[Defence::SignatureFirst], &[Defence::ClientSignature]],
    run: Run::Dial {
        faithful: None,
        hardened: |outsider, story| Box::pin(junk(outsider, story)),
    },
    ..Attack::PLAIN
};

/// The number of junk logins.
const LOGINS: usize = 3;

async fn junk(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let shown = public_from_pem(outsider.public_key.as_bytes())?;
    let unsigned = Borrowed::unsigned(&shown);
    for _ in 0..LOGINS {
        log_in(outsider, outsider.user, &unsigned, b"a junk password").await?;
    }
    story.tell(format!(
        "Mallory -> server, {LOGINS} times: I am {}, with zeros for a signature and a junk password",
        outsider.user
    ));
    Ok(Claim::Spent)
}
