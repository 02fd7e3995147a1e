//! Holds a connection by being slow, and announces far too much on another one.
//!
//! One connection sends a byte every ten seconds; the other one announces a frame of 65,535 bytes where a login is due. Rung
//! 8 allows one length there, and ten seconds for a login.

use std::time::Duration;

use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    network::Line,
    rung::Idea,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "slow-and-huge",
    title: "hold a connection by being slow, and announce far too much",
    goal: Goal::HoldOpen,
    needs: None,
    program: Program::Dial(run),
};

/// How long the attacker goes on.
const TWO_MINUTES: Duration = Duration::from_secs(120);

fn run(outside: &Outside<'_>) -> Claim {
    let slow = outside.dial(None);
    let huge = announced(outside);
    outside.held.borrow_mut().extend(slow);
    outside.held.borrow_mut().extend(huge);
    let beginning = first_bytes(outside);
    let step = Duration::from_secs(10);
    let mut passed = Duration::ZERO;
    for byte in beginning.iter().cycle() {
        if passed >= TWO_MINUTES {
            break;
        }
        // On rung 0 one byte is a whole login, so the slowest way is to send none.
        if outside.rung.has(Idea::Numbers) && (passed.as_secs() / 10) < beginning.len() as u64 {
            outside.held.borrow_mut()[0].send(&[*byte]);
        }
        outside.network.pass(step);
        passed += step;
    }
    Claim::Done
}

/// The beginning of a login or a hello, and not all of it.
fn first_bytes(outside: &Outside<'_>) -> Vec<u8> {
    let whole = outside.tap.client.first().cloned().unwrap_or_default();
    whole[..whole.len() / 2].to_vec()
}

/// A hello, and then the length of the largest frame there is.
fn announced(outside: &Outside<'_>) -> Option<Box<dyn Line>> {
    let mut line = outside.dial(None)?;
    if outside.rung.has(Idea::Exchange) {
        line.send(outside.tap.client.first()?);
    }
    if outside.rung.has(Idea::Numbers) {
        line.send(&[0xff, 0xff]);
    }
    Some(line)
}
