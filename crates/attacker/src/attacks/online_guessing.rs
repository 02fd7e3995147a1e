//! Guesses the password of a user whose key was stolen, at the server itself.
//!
//! # Flaw
//! People choose passwords that others have chosen too. A server that answers every guess at once answers thousands an
//! hour.
//!
//! # Attack
//! Prove the stolen key, and try the likeliest passwords in order. If the server delays guesses, wait exactly until it
//! will check the next one.
//!
//! # What it proves
//! A password can fall offline in a moment and still be good enough online, if the server counts.
//!
//! # Defence
//! From the third wrong password in a row on, a delay precedes the next check. The delay doubles, up to 15 minutes.
//! After a hundred wrong passwords the key is disabled. The server refuses early guesses like wrong ones, without a
//! check.
//!
//! # In the wild
//! Attackers try the likeliest passwords for `root` on SSH servers on the open network all day long.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    Attack, Claim, Faithful, Goal, Loot, Run, Scene, Story,
    peer::{Login, log_in},
    protocol::hardened::defence::{Defence, Defences},
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "online-guessing",
    title: "guess the password of a stolen key at the server",
    goal: Goal::Guess,
    vantage: "a client of the server who has the victim's private key, a list of passwords, many addresses and an hour",
    loot: &[Loot::UserKey],
    faithful: Faithful::DoesNotApply("the faithful protocol has no passwords"),
    scene: Scene {
        many_addresses: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::Throttling], &[Defence::Password]],
    run: Run::Dial {
        faithful: None,
        hardened: |outsider, story| Box::pin(guess(outsider, story)),
    },
};

/// The likeliest passwords of at least eight characters. The victim's is the twentieth.
const LIST: [&str; 24] = [
    "password",
    "12345678",
    "123456789",
    "1234567890",
    "qwertyuiop",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "letmein1",
    "welcome1",
    "password1",
    "whatever",
    "starwars",
    "computer",
    "michelle",
    "correct horse battery staple",
    "jennifer",
    "hello123",
    "freedom1",
    "open sesame",
];
/// Left on the server as the victim's words.
const SAID: &str = "it was on the list";

async fn guess(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let Some(key) = &outsider.user_key else {
        return Ok(Claim::Nothing);
    };
    let began = Instant::now();
    for (wrong, password) in LIST.iter().enumerate() {
        let delay = delay_after(outsider, wrong);
        if began.elapsed() + delay > outsider.patience {
            story.tell(format!(
                "Mallory gives up after {wrong} guesses: the server will check the next guess in {} s",
                delay.as_secs()
            ));
            return Ok(Claim::Nothing);
        }
        sleep(delay).await;
        let login = log_in(outsider, outsider.user, &**key, password.as_bytes()).await?;
        if let Login::Accepted(mut inside) = login {
            story.tell(format!("guess {}, \"{password}\", is right", wrong + 1));
            inside.say(SAID).await?;
            return Ok(Claim::logged_in(outsider.user, Some(SAID)));
        }
    }
    story.tell("no password of the list is right");
    Ok(Claim::Nothing)
}

/// The server's delay after `wrong` wrong passwords, as its documentation says: 2^(wrong - 3) s, at most 15 minutes.
fn delay_after(outsider: &Outsider<'_>, wrong: usize) -> Duration {
    if wrong < 3 || !outsider.dialect.defences.keeps(Defence::Throttling) {
        return Duration::ZERO;
    }
    Duration::from_secs(1 << (wrong - 3).min(20)).min(Duration::from_secs(900))
}
