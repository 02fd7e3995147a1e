//! Poses as the server.
//!
//! The user reaches the attacker's server, which lets everybody in with the attacker's own host key. Below rung 5 the server
//! proves nothing. From rung 5 on the client compares the host's key with its pin, before it says anything.

use crate::attack::{Attack, Goal, Program};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "rogue-server",
    title: "pose as the server",
    goal: Goal::Harvest,
    needs: None,
    program: Program::Pose,
};
