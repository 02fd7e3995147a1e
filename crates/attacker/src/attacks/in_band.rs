//! Sends a command to the server as a message.
//!
//! # Flaw
//! The faithful server looks for its commands among the messages. Any user can say `quit()` and end the server for all
//! users.
//!
//! # Attack
//! Log in (to the faithful server with a public key, to the hardened one with an ordinary account) and send `quit()`.
//!
//! # What it proves
//! If data and commands share a channel, one bug turns data into commands. In the faithful protocol the design itself
//! does that.
//!
//! # Defence
//! No text that a user types is a command. The operator stops the server with a signal on its own machine. A fault on
//! one connection ends only that connection.
//!
//! # In the wild
//! Blue boxes: a whistle of 2,600 Hz was a command to the telephone network, because the network listened for commands
//! in the channel for speech. SQL injection (CWE-89) is the same mistake.

use tokio::io::AsyncReadExt;

use crate::{
    Attack, Claim, Goal, Loot, Run, Scene, Story,
    peer::{Login, faithful_login, faithful_session, log_in},
    protocol::hardened::defence::Defence,
    protocol_faithful::message::QUIT,
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "in-band",
    title: "stop the server for all users with a typed command",
    goal: Goal::Deny,
    vantage: "a user of the server like any other",
    loot: &[Loot::OwnAccount],
    scene: Scene {
        user_returns: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::NoInBand]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let login = faithful_login(outsider.user, outsider.public_key)?;
    let mut inside = faithful_session(outsider, &login).await?;
    inside.say(QUIT).await?;
    story.tell(format!("Mallory -> server, logged in: \"{QUIT}\""));
    // Until the server has hung up.
    let _ = inside.stream.read(&mut [0; 16]).await;
    Ok(Claim::Denied)
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let own = (&*outsider.own_key, outsider.own_password);
    let Login::Accepted(mut inside) = log_in(outsider, "mallory", own.0, own.1).await? else {
        anyhow::bail!("the server refused Mallory's own account");
    };
    story.tell(format!(
        "Mallory -> server, logged in as mallory: \"{QUIT}\""
    ));
    if inside.say(QUIT).await.is_ok() {
        story.tell("server -> Mallory: an acknowledgement, as for any other text");
    }
    Ok(Claim::Denied)
}
