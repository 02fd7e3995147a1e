//! Learns which users have an account from the time that an answer takes.
//!
//! # Flaw
//! The faithful server tries its users' keys one after the other, and stops at the one that fits. So the time shows the
//! user's place in the list. A name that is not in the list takes longest.
//!
//! # Attack
//! Send a login for a name that no user has, and note the time. Then send one login for each name that a user may have.
//!
//! # What it proves
//! The answers of a program can be equal while its work differs. Equal answers must also take equal work.
//!
//! # Defence
//! For an unknown name the server checks a dummy key, so the work is the same. No answer leaves before a fixed time
//! that depends on neither the name nor the work. Each measure alone would leave something to measure: the machine's
//! load, or the limit of the fixed time.
//!
//! # In the wild
//! OpenSSH, CVE-2016-6210: with a long password, names that existed took longer, because the server hashed only their
//! passwords with SHA-256.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use crate::{
    Attack, Claim, Goal, Run, Scene, Story, Target,
    net::keyfile::public_from_pem,
    peer::{Borrowed, faithful_login, greet, show},
    protocol::hardened::defence::Defence,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "enumerate-time",
    title: "learn from the time of the answer which users have an account",
    goal: Goal::Enumerate,
    vantage: "a client of the server with many addresses and a public directory of names and keys, and no account",
    scene: Scene {
        many_addresses: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::ConstantWork]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(compare(outsider, story))),
        hardened: |outsider, story| Box::pin(compare(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Times that differ by this much are different. This step is less than a key operation takes on a small machine, and
/// more than the delays of a network on one machine vary.
const STEP: Duration = Duration::from_millis(50);

async fn compare(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let somebody = outsider.directory.first().map_or("", |(_, key)| *key);
    let nobody = answer_time(outsider, "nobody", somebody).await?;
    story.tell(format!(
        "a login for an unknown name is answered after {nobody:?}"
    ));
    let mut exist = Vec::new();
    for (name, key) in outsider.directory {
        let time = answer_time(outsider, name, key).await?;
        let differs = time.abs_diff(nobody) >= STEP;
        story.tell(format!(
            "{name}: {time:?}{}",
            if differs {
                ", so this account exists"
            } else {
                ""
            }
        ));
        if differs {
            exist.push((*name).to_owned());
        }
    }
    Ok(match exist.is_empty() {
        true => Claim::Nothing,
        false => Claim::Exist(exist),
    })
}

/// The time from the last byte of a login with this name and public key to the server's answer.
async fn answer_time(outsider: &Outsider<'_>, name: &str, key: &str) -> anyhow::Result<Duration> {
    let began;
    match outsider.dialect.target {
        Target::Faithful => {
            let login = faithful_login(name, key)?;
            let mut stream = outsider.dial.dial().await?;
            began = Instant::now();
            stream.write_all(&login).await?;
            // A greeting or an end, either of them is an answer.
            let _ = stream.read(&mut [0; 1]).await;
        }
        Target::Hardened => {
            let shown = public_from_pem(key.as_bytes())?;
            let unsigned = Borrowed::unsigned(&shown);
            let (stream, trusted) = greet(outsider).await?;
            began = Instant::now();
            show(stream, trusted, name, &unsigned, b"a junk password").await?;
        }
    }
    Ok(began.elapsed())
}
