//! Logs in with a recorded login.
//!
//! Below rung 5 the login stands on the wire, and is as good the next time. From rung 5 on it is inside the channel, so
//! the attack sends all recorded bytes again. But the server's half of the exchange is new, so their tags are wrong.

use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    login::Ready,
    rung::Idea,
    session::PATIENCE,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "login-replay",
    title: "log in with a recorded login",
    goal: Goal::LogIn,
    needs: None,
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    match outside.rung.has(Idea::Exchange) {
        false => {
            let login = outside.tap.client.first().cloned().unwrap_or_default();
            // The length in front is made again.
            let from = if outside.rung.has(Idea::Numbers) {
                2
            } else {
                0
            };
            let login = login.get(from..).unwrap_or_default().to_vec();
            outside.say_as_user(Ready(login), b"mallory was here")
        }
        true => verbatim(outside),
    }
}

/// Sends every recorded write again. If that were a session, the server would take the user's first text again.
fn verbatim(outside: &Outside<'_>) -> Claim {
    let Some(mut line) = outside.dial(None) else {
        return Claim::Nothing;
    };
    for bytes in &outside.tap.client {
        line.send(bytes);
        line.receive(PATIENCE);
    }
    Claim::Said(b"hello my name is alice".to_vec())
}
