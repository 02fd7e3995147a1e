//! Names the user of a sniffed login.
//!
//! # Flaw
//! Textbook RSA has no randomness: the same name under the same key always gives the same bytes. An attacker recognises
//! the login without decrypting it.
//!
//! # Attack
//! Take a public directory of names and public keys. Compute the login of every person in it, and compare each with the
//! sniffed login. A longer key changes nothing.
//!
//! # What it proves
//! Deterministic encryption does not hide a text that can be guessed. Randomised encryption does: equal messages look
//! different.
//!
//! # Defence
//! No name is in the hello, encrypted or not. The name travels in a record under keys that are new for each connection,
//! and only after the host is authenticated.
//!
//! # In the wild
//! Adobe, 2013: the stolen passwords of 153 million accounts were encrypted without randomness. Equal passwords were
//! visible, and attackers could read the hints of all their owners together. Goldwasser and Micali had explained the
//! problem in 1982.

use crate::{
    Attack, Claim, Goal, Report, Run, Story, capture::trace::Side,
    protocol::hardened::defence::Defence, protocol_faithful::keys::PublicKey, vantage::Wiretap,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "login-dictionary",
    goal: Goal::Identify,
    title: "name the user of a sniffed login",
    vantage: "a sniffer of one session with a public directory of names and public keys",
    returns_without: &[&[Defence::HiddenName]],
    run: Run::Sniff(run),
    ..Attack::PLAIN
};

fn run(wiretap: &Wiretap) -> Report {
    let mut story = Story::default();
    let seen = wiretap.trace.stream(Side::Client);
    story.tell(format!("sniffed: {} bytes from the client", seen.len()));
    for (name, key) in &wiretap.directory {
        let Some(login) = login_of(name, key) else {
            continue;
        };
        let place = (seen.windows(login.len())).position(|window| window == login);
        story.tell(format!(
            "\"{name}\" under {name}'s public key gives {} bytes, which begin with {:02x}{:02x}: {}",
            login.len(),
            login[0],
            login[1],
            match place {
                Some(place) => format!("found at byte {place}"),
                None => "not found".to_owned(),
            }
        ));
        if place.is_some() {
            return Report::new(Claim::Identified((*name).to_owned()), story);
        }
    }
    Report::new(Claim::Nothing, story)
}

/// The login that the report's client would send.
fn login_of(name: &str, public_key: &str) -> Option<Vec<u8>> {
    let key = PublicKey::from_pem_of_any_size(public_key).ok()?;
    key.encrypt(name.as_bytes()).ok()
}
