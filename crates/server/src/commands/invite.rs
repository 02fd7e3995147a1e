//! `invite`: a line of text that lets one person make one account; and `invite list | revoke`.

mod many;

use std::{
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use anyhow::ensure;
use latchstring_net::{
    entropy::{Entropy, OsEntropy},
    print,
    protocol::hardened::{
        message::{Fingerprint, Invite, Token, UserName},
        signature::Signer,
    },
};
use latchstring_store::{Accounts, Invitation, Invite as Kept};

use super::{Place, now};

/// Too short to hand over, or a slip of the keyboard.
const SHORTEST: Duration = Duration::from_secs(60);
/// A person who finds the line may use it, so it has a limited life.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Options of `invite`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub(super) struct Options {
    #[command(flatten)]
    make: Option<Make>,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Debug, clap::Args)]
struct Make {
    /// Name the new user: 1 to 32 of a-z, 0-9, _ and -, beginning with a letter
    #[arg(required_unless_present = "from")]
    name: Option<UserName>,
    /// Let the invitation expire after this time, from 1m to 30d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = lifetime)]
    expires: Duration,
    /// Invite every user in the first column of this file instead; a line is a row of a table, as in CSV
    #[arg(
        long,
        value_name = "FILE.csv",
        requires = "out",
        conflicts_with = "name"
    )]
    from: Option<PathBuf>,
    /// Write the invitations into this directory: NAME.invite for each user
    #[arg(long, value_name = "DIR", requires = "from")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Other {
    /// List the unused invitations: name, time of creation, time of expiry, and state
    #[command(
        after_help = "Columns are separated by tabs. Times are UTC. The state is \"open\" or \"expired\".\n\n\
                      Example:\n  latchstring-server invite list"
    )]
    List,
    /// Revoke the invitation for a name: it is not valid from now on
    #[command(after_help = "Example:\n  latchstring-server invite revoke alice")]
    Revoke {
        /// Name the invited user
        name: UserName,
    },
}

fn new(user: UserName, host: Fingerprint) -> Invite {
    Invite {
        user,
        host,
        token: Token::new(OsEntropy.array()),
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let time: Duration = humantime::parse_duration(text).map_err(|why| why.to_string())?;
    match (SHORTEST..=LONGEST).contains(&time) {
        true => Ok(time),
        false => Err("use 1m to 30d".to_owned()),
    }
}

impl Options {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match (self.other, self.make) {
            (Some(Other::List), _) => list(place).await,
            (Some(Other::Revoke { name }), _) => revoke(place, &name).await,
            (None, Some(make)) => make.run(place).await,
            (None, None) => anyhow::bail!("no name was given; name the user to invite"),
        }
    }
}

impl Make {
    async fn run(self, place: &Place) -> anyhow::Result<()> {
        let host = Place::host_key(&place.config()?)?;
        let host = Fingerprint::of(host.public_key());
        match (&self.name, &self.from, &self.out) {
            (Some(name), ..) => self.one(place, new(name.clone(), host)).await,
            (None, Some(from), Some(out)) => {
                let names = many::names(from)?;
                let invites: Vec<_> = names.into_iter().map(|name| new(name, host)).collect();
                self.many(place, &invites, out).await
            }
            _ => anyhow::bail!("no name was given; name the user to invite"),
        }
    }

    fn kept(&self, invite: &Invite) -> anyhow::Result<Kept> {
        let kept = Kept::new(invite.user.clone(), invite.token.hash(), now()?);
        Ok(kept.lasting(self.expires.as_secs()))
    }

    async fn many(&self, place: &Place, invites: &[Invite], out: &Path) -> anyhow::Result<()> {
        let store = place.store().await?;
        let enrolled = store.list().await?;
        for invite in invites {
            let known = enrolled.iter().any(|account| account.user == invite.user);
            ensure!(
                !known,
                "user {} exists already, so nobody was invited; take this name out of the list",
                invite.user
            );
        }
        let made = many::write(out, invites)?;
        for invite in invites {
            store.invite(&self.kept(invite)?).await?;
        }
        made.keep();
        print::line(format_args!(
            "Invited {} users. Each file in {} is for one of them, and for nobody else.",
            invites.len(),
            out.display()
        ))?;
        Ok(())
    }

    async fn one(&self, place: &Place, invite: Invite) -> anyhow::Result<()> {
        place.store().await?.invite(&self.kept(&invite)?).await?;
        // The line alone, so that a script can hand it on.
        print::line(&invite)?;
        let user = &invite.user;
        print::note(format_args!(
            "Give this line to {user} by a way that you both trust, and to nobody else: whoever has it can become {user}.\n\
             It is good once, for {}. {user} then runs: latchstring-client enrol {user}@THIS-HOST",
            humantime::format_duration(self.expires)
        ));
        Ok(())
    }
}

async fn list(place: &Place) -> anyhow::Result<()> {
    let now = now()?;
    let mut output = print::Output::new();
    for invitation in place.store().await?.invitations(now).await? {
        output.line(row(&invitation, now))?;
    }
    Ok(output.finish()?)
}

fn row(invitation: &Invitation, now: u64) -> String {
    let name = match &invitation.user {
        Some(name) => name.as_str(),
        // Made by a version that kept no names.
        None => "?",
    };
    let made = clock(invitation.made_at);
    match invitation.seconds_left {
        0 => format!("{name}\t{made}\t-\texpired"),
        left => format!("{name}\t{made}\t{}\topen", clock(now.saturating_add(left))),
    }
}

/// A time as people write it, in UTC.
fn clock(since_1970: u64) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(since_1970));
    // Beyond the year 9999 there is no such form.
    let shown = time.filter(|_| since_1970 < 253_402_300_800);
    shown.map_or("-".to_owned(), |time| {
        humantime::format_rfc3339_seconds(time).to_string()
    })
}

async fn revoke(place: &Place, name: &UserName) -> anyhow::Result<()> {
    place.store().await?.revoke(name).await?;
    Ok(print::line(format_args!(
        "Revoked the invitation for {name}."
    ))?)
}
