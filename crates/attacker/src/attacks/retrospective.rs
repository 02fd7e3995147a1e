//! Decrypts an old recording with keys that were stolen long after the recording was made.
//!
//! # Flaw
//! A secret that travelled encrypted to a long-term key is only as safe as that key, as long as a recording exists. The
//! faithful protocol is weaker still: its session key travels in clear.
//!
//! # Attack
//! Record today, steal later. The attack first tries the bytes that are in clear in the recording: every 32 bytes of
//! the hellos as the secret. Then it decrypts the client's value in the hello with each private key from the stolen
//! disk, under each known padding. It tries each result as the secret of the session. Against faithful the attacker
//! does not need to steal anything; the users' private keys would only show which user logged in.
//!
//! # What it proves
//! Encryption is a promise about the future. A protocol keeps it only if the keys that could break it no longer exist
//! by then.
//!
//! # Defence
//! Forward secrecy: both ends agree on the secret with X25519 values. They make these values for this one connection,
//! and wipe them after it. The host's key signs and never decrypts, so it opens no recording, however old.
//!
//! # In the wild
//! - TLS until 1.2 let the client encrypt the secret to the server's RSA key. TLS 1.3 removed it: every key exchange
//!   "now provides forward secrecy" (RFC 8446, section 1.2).
//! - Lavabit, 2013: a court ordered a mail service to hand over its TLS keys. The keys would have opened the traffic of
//!   all its users.

use rsa::{Oaep, Pkcs1v15Encrypt, RsaPrivateKey, pkcs8::DecodePrivateKey, traits::PublicKeyParts};
use sha2::Sha256;

use super::cleartext_key;
use crate::{
    Attack, Claim, Goal, Report, Run, Story,
    capture::trace::Side,
    eavesdrop::open_session,
    protocol::hardened::defence::Defence,
    vantage::{StolenFiles, Wiretap},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "retrospective",
    goal: Goal::Read,
    title: "decrypt an old recording with keys that were stolen later",
    vantage: "a sniffer of one session who steals every long-term key much later",
    returns_without: &[
        &[Defence::EphemeralExchange],
        &[Defence::OracleFreeExchange],
        &[Defence::SecretExchange],
    ],
    run: Run::SniffThenSteal(run),
    ..Attack::PLAIN
};

/// Where the client's value of the key exchange begins in its hello: after magic (8), version (2) and random (32).
const SHARE_AT: usize = 42;

fn run(wiretap: &Wiretap, stolen: &StolenFiles) -> Report {
    let mut report = cleartext_key::run(wiretap);
    if report.claim != Claim::Nothing {
        (report.story).tell("so the attack needs no stolen key");
        return report;
    }
    let mut story = report.story;
    match with_stolen_keys(wiretap, stolen, &mut story) {
        Some(messages) => Report::of_reading(messages, story),
        None => {
            story.tell(
                "no stolen key opens the session: both ends wiped the session's keys when it ended",
            );
            Report::new(Claim::Nothing, story)
        }
    }
}

fn with_stolen_keys(
    wiretap: &Wiretap,
    stolen: &StolenFiles,
    story: &mut Story,
) -> Option<Vec<String>> {
    let hello = wiretap.pieces(Side::Client).into_iter().next()?;
    let value = hello.get(SHARE_AT..)?;
    story.tell(format!(
        "later, Mallory steals the server's disk; the client's hello has {} bytes for the key exchange",
        value.len()
    ));
    // Each with the padding that is published for it.
    let keys = [
        ("the host key", Some(&stolen.host_key), OAEP),
        ("the key for secrets", stolen.transport_key.as_ref(), PKCS1),
    ];
    let held = |(name, pem, decrypt): (_, Option<&String>, Decrypt)| {
        let key = RsaPrivateKey::from_pkcs8_pem(pem?).ok()?;
        Some((name, key, decrypt))
    };
    (keys.into_iter().filter_map(held)).find_map(|(name, key, decrypt)| {
        let Some(ciphertext) = value.get(..key.size()) else {
            story.tell(format!(
                "{name} decrypts only values of {} bytes: this value was not encrypted to it",
                key.size()
            ));
            return None;
        };
        let secret = decrypt(&key, ciphertext).ok()?;
        story.tell(format!(
            "{name} decrypts this value to {} bytes, which are tried as the secret behind all keys",
            secret.len()
        ));
        open_session(wiretap, &secret)
    })
}

/// Decrypts in one of the paddings.
type Decrypt = fn(&RsaPrivateKey, &[u8]) -> rsa::Result<Vec<u8>>;
/// RFC 8017, section 7.1.
const OAEP: Decrypt = |key, ciphertext| key.decrypt(Oaep::<Sha256>::new(), ciphertext);
/// RFC 8017, section 7.2.
const PKCS1: Decrypt = |key, ciphertext| key.decrypt(Pkcs1v15Encrypt, ciphertext);
