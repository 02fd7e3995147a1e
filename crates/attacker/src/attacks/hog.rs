//! Takes all connections that the server has for clients that are not logged in.
//!
//! # Flaw
//! The faithful server serves one client after the other, and waits for each without a limit. One idle connection keeps
//! out all other clients.
//!
//! # Attack
//! Connect, and send nothing. Against hardened, open many such connections.
//!
//! # What it proves
//! A resource that is free for strangers goes to one greedy stranger, unless the server counts.
//!
//! # Defence
//! The server counts the connections of each source that are not logged in. A source has a share of all such
//! connections (here four of twenty), and the server closes further ones at once. Many sources together can still take
//! all connections, but they need as many addresses.
//!
//! # In the wild
//! OpenSSH's `MaxStartups` and `PerSourceMaxStartups` exist because of this attack. Slowloris, CVE-2007-6750, did it to
//! web servers.

use crate::{
    Attack, Claim, Goal, Run, Scene, Story, protocol::hardened::defence::Defence, vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "hog",
    title: "use up all connections for clients that are not logged in",
    goal: Goal::Deny,
    vantage: "a client without an account, at one address",
    scene: Scene {
        user_returns: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::SourceCaps]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(hold(outsider, story, 1))),
        hardened: |outsider, story| Box::pin(hold(outsider, story, MANY)),
    },
    ..Attack::PLAIN
};

/// More connections than the arena's server allows before a login.
const MANY: usize = 24;

/// Opens connections, sends nothing on any of them, and keeps them open.
async fn hold(outsider: &Outsider<'_>, story: &mut Story, many: usize) -> anyhow::Result<Claim> {
    let mut held = outsider.held.lock().await;
    for _ in 0..many {
        if let Ok(stream) = outsider.dial.dial().await {
            held.push(stream);
        }
    }
    story.tell(match held.len() {
        1 => "Mallory opens 1 connection, sends nothing on it, and keeps it open".to_owned(),
        n => format!(
            "Mallory opens {n} connections, sends nothing on any of them, and keeps them open"
        ),
    });
    Ok(Claim::Denied)
}
