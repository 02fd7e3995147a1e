//! Types a command to the server where others type messages.
//!
//! # Flaw
//! The faithful server looks for its commands among the messages: whoever may say `quit()` ends it, for everybody.
//!
//! # Attack
//! Log in (to the faithful server with a public key, to the hardened one with an account of one's own) and say so.
//!
//! # What it proves
//! Data and commands in one channel are one bug away from each other; here it is no bug but the design.
//!
//! # Defence
//! Nothing that a user can type is a command. The server is stopped by a signal from its own machine, and a fault on one
//! connection ends that connection.
//!
//! # In the wild
//! Blue boxes: a whistle of 2,600 Hz was a command to the telephone network, because it listened for commands where
//! people spoke. SQL injection (CWE-89) is the same mistake.

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Attack, Claim, Goal, Loot, Report, Run, Scene, Story, Target,
    peer::{Login, log_in},
    protocol::hardened::defence::Defence,
    protocol_faithful::{
        handshake,
        keys::PublicKey,
        message::{self, QUIT},
        record::Sealer,
    },
    vantage::Outsider,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "in-band",
    title: "end the server for everybody with a typed command",
    goal: Goal::Deny,
    vantage: "a user of the server like any other",
    loot: &[Loot::OwnAccount],
    scene: Scene {
        user_returns: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::NoInBand]],
    run: Run::Dial(run),
    ..Attack::PLAIN
};

fn run<'a>(outsider: &'a Outsider<'a>) -> BoxFuture<'a, Report> {
    Box::pin(async move {
        let mut story = Story::default();
        let result = match outsider.dialect.target {
            Target::Faithful => faithful(outsider, &mut story).await,
            Target::Hardened => hardened(outsider, &mut story).await,
        };
        Report::of_dialogue(result, story)
    })
}

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let key = PublicKey::from_pem(outsider.public_key)?;
    let user = message::UserName::parse(outsider.user)?;
    let (state, login) = handshake::ExpectReplies::start(&user, &key)?;
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(&login).await?;
    let mut replies = [0; message::REPLIES_LEN];
    stream.read_exact(&mut replies).await?;
    let secrets = state.replies(&replies)?;
    let record = Sealer::new(&secrets).seal(QUIT.as_bytes())?;
    stream.write_all(&record).await?;
    story.tell(format!("Mallory -> server, logged in: \"{QUIT}\""));
    // Until the server has hung up.
    let _ = stream.read(&mut [0; 16]).await;
    Ok(Claim::Denied)
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let own = (&*outsider.own_key, outsider.own_password);
    let Login::Accepted(mut inside) = log_in(outsider, "mallory", own.0, own.1).await? else {
        anyhow::bail!("Mallory's own account is not good");
    };
    story.tell(format!(
        "Mallory -> server, logged in as mallory: \"{QUIT}\""
    ));
    if inside.say(QUIT).await.is_ok() {
        story.tell("server -> Mallory: an acknowledgement, as for any other text");
    }
    Ok(Claim::Denied)
}
