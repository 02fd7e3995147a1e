//! Reads an old recording with long-term keys that were stolen later.
//!
//! Below rung 5 the recording is enough. From rung 5 on the attack tries every 32 bytes of the stolen keys as the secret of
//! the exchange. But both ends have forgotten the values that the secret came from.

use super::cleartext_key::{with_secrets, with_session_key};
use crate::{
    attack::{Attack, Claim, Goal, Program, Stolen},
    rung::{Idea, Rung},
    session::Tap,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "retrospective",
    title: "read an old recording with keys that were stolen later",
    goal: Goal::Read,
    needs: None,
    program: Program::SniffThenSteal(run),
};

fn run(rung: Rung, tap: &Tap, stolen: &Stolen) -> Claim {
    if !rung.has(Idea::Exchange) {
        return with_session_key(rung, tap);
    }
    let keys = [&stolen.host].into_iter().chain(&stolen.user);
    let keys: Vec<Vec<u8>> = keys.filter_map(|pem| der(pem)).collect();
    with_secrets(rung, tap, keys.iter().flat_map(|key| key.windows(32)))
}

fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, der) = rsa::pkcs8::Document::from_pem(pem).ok()?;
    Some(der.into_vec())
}
