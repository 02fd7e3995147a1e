//! Takes over a user's name by making new keys for it.
//!
//! # Flaw
//! The report's key generation overwrites existing files, in a folder that server and clients share. Any person who may
//! make keys can also replace alice's.
//!
//! # Attack
//! Make keys for the victim's name, and log in with them. Against hardened, present an invented token.
//!
//! # What it proves
//! A login is only as good as its enrolment, the step in which the server got the key. If anybody may enrol a key, the
//! attacker may.
//!
//! # Defence
//! The server enrols a key only with an invitation: a token of 128 bits that the operator made for that name. It is
//! valid for a day and for one use. A name that is taken cannot be enrolled again.
//!
//! # In the wild
//! CWE-306, "missing authentication for critical function". Certificate authorities have issued certificates for other
//! people's domains, because they asked the wrong party for consent.

use tokio::io::AsyncWriteExt;
use zeroize::Zeroizing;

use crate::{
    Attack, Claim, Run, Story,
    peer::{Inside, faithful_login, faithful_session, greet},
    protocol::hardened::{
        defence::Defence,
        handshake::Verdict,
        message::{Token, UserName},
    },
    vantage::{Outsider, read_record},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "enrolment-takeover",
    title: "make new keys for another user's name",
    vantage: "a person who may make keys like any user",
    returns_without: &[&[Defence::EnrolmentToken]],
    run: Run::Dial {
        faithful: Some(|outsider, story| Box::pin(faithful(outsider, story))),
        hardened: |outsider, story| Box::pin(hardened(outsider, story)),
    },
    ..Attack::PLAIN
};

/// Left on the server as the victim's words.
const SAID: &str = "i have a new key now";

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let Some(menu) = outsider.menu else {
        return Ok(Claim::Nothing);
    };
    let public = menu.generate_keys(outsider.user)?;
    story.tell(format!(
        "Mallory chooses \"generate keys\" and types \"{0}\": the program asks for no proof, and replaces {0}'s keys",
        outsider.user
    ));
    let login = faithful_login(outsider.user, &public)?;
    faithful_session(outsider, &login).await?.say(SAID).await?;
    Ok(welcome(outsider, story))
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let (mut stream, trusted) = greet(outsider).await?;
    let password = Zeroizing::new(b"chosen by mallory".to_vec());
    let name = UserName::parse(outsider.user)?;
    let invented = Token::new([0x5a; 16]);
    let (state, record) = trusted.enrol(&name, &*outsider.new_key, &password, &invented)?;
    story.tell(format!(
        "Mallory -> server: enrol this key for {}; the token is invented",
        outsider.user
    ));
    stream.write_all(&record).await?;
    match state.verdict(&read_record(&mut stream).await?)? {
        Verdict::Refused(_) => {
            story.tell("server -> Mallory: refused");
            Ok(Claim::Nothing)
        }
        Verdict::Accepted { session, .. } => {
            let session = *session;
            Inside { stream, session }.say(SAID).await?;
            Ok(welcome(outsider, story))
        }
    }
}

fn welcome(outsider: &Outsider<'_>, story: &mut Story) -> Claim {
    story.tell(format!(
        "server -> Mallory: welcome; Mallory says \"{SAID}\""
    ));
    Claim::logged_in(outsider.user, Some(SAID))
}
