//! `messages prune`: removes old messages for ever.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use latchstring_net::{
    print::{self, Output},
    protocol::hardened::message::UserName,
};
use latchstring_store::StoreError;
use latchstring_store_sqlite::{Keep, Plan, PlannedLog, Sqlite, StoreLock};

use crate::{
    commands::{Place, now},
    retention::rules,
};

/// Options of `messages prune`.
#[derive(Debug, clap::Args)]
pub(super) struct Prune {
    /// Remove messages that came longer ago than this, for example 90d
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,
    /// Keep only the last N messages of each key
    #[arg(long, value_name = "N")]
    keep_last: Option<u64>,
    /// Remove only messages of this user; needs --older-than or --keep-last
    #[arg(long, value_name = "NAME")]
    user: Option<UserName>,
    /// Only print the messages that would be removed
    #[arg(long)]
    dry_run: bool,
    /// Remove without a question
    #[arg(long)]
    yes: bool,
}

impl Prune {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let keep = self.keep(place)?;
        let store = place.store().await?;
        let plan = store.plan(&keep, self.user.as_ref()).await?;
        print_plan(&plan)?;
        let waiting = store.count_waiting().await?;
        if waiting > 0 {
            print::note(format_args!(
                "{waiting} messages wait for the sink. They stay, and so do later messages of the same keys."
            ));
        }
        let (messages, bytes) = (plan.messages(), plan.bytes());
        if self.dry_run {
            return Ok(print::line(format_args!(
                "{messages} messages with {bytes} bytes would be removed."
            ))?);
        }
        if messages == 0 {
            print::line("No messages to remove.")?;
        } else {
            if !self.yes {
                ask(messages)?;
            }
            store.prune(&plan).await?;
            print::line(format_args!(
                "Removed {messages} messages with {bytes} bytes."
            ))?;
        }
        // Also without a message: an earlier run may have left room that it could not give back.
        shrink(&store, place).await?;
        store.close().await;
        Ok(())
    }

    /// The rules of the command line, or else those of the configuration.
    fn keep(&self, place: &Place) -> anyhow::Result<Keep> {
        let now = now()?;
        if self.older_than.is_some() || self.keep_last.is_some() {
            return Ok(Keep {
                since: (self.older_than).map(|time| now.saturating_sub(time.as_secs())),
                last_of_key: self.keep_last,
                ..Keep::default()
            });
        }
        ensure!(
            self.user.is_none(),
            "which messages of this user are to be removed? Add --older-than TIME or --keep-last N"
        );
        let retention = place.config()?.retention;
        ensure!(
            !retention.is_for_ever(),
            "which messages are to be removed? Add --older-than TIME or --keep-last N, or write rules into the section [retention] of {}",
            place.config_path().display()
        );
        Ok(rules(&retention, now))
    }
}

fn print_plan(plan: &Plan) -> anyhow::Result<()> {
    let mut output = Output::new();
    for log in &plan.logs {
        let PlannedLog {
            kid,
            last,
            messages,
            bytes,
            ..
        } = log;
        let user = match &log.user {
            Some(user) => user.as_str(),
            None => "(a removed user)",
        };
        let first = last - messages + 1;
        output.line(format_args!(
            "{user}\t{kid}\t{first} to {last}\t{bytes} bytes"
        ))?;
    }
    Ok(output.finish()?)
}

/// Asks a person at a terminal; a script says `--yes`.
fn ask(messages: u64) -> anyhow::Result<()> {
    ensure!(
        io::stdin().is_terminal(),
        "nothing is removed without a confirmation: add --yes, or --dry-run to see the messages"
    );
    print::ask(format_args!(
        "Remove {messages} messages for ever? Write yes to remove them: "
    ));
    let mut answer = String::new();
    (io::stdin().read_line(&mut answer)).context("cannot read the answer; add --yes instead")?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => bail!("nothing was removed: the answer was not yes"),
    }
}

/// Gives the room back to the disk.
async fn shrink(store: &Sqlite, place: &Place) -> anyhow::Result<()> {
    if store.shrink().await? {
        return Ok(());
    }
    // An older version made the store: the whole file is written again once, and no server may write meanwhile.
    match StoreLock::acquire(&place.config()?.database) {
        Ok(_lock) => {
            let rebuilt = store.rebuild().await;
            Ok(rebuilt.context("the messages are removed, and the file is as long as before")?)
        }
        Err(StoreError::Served { .. }) => {
            print::note(
                "The file of the store keeps its length, and new messages use the room. To give the room back to the disk, \
                 stop the server once and run this command again.",
            );
            Ok(())
        }
        Err(why) => Err(why.into()),
    }
}
