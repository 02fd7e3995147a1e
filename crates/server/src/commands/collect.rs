//! `collect`: the files that users have sent as messages, each at `DIR/USER/NAME`. The page: `docs/src/files.md`.

mod report;
mod shelf;

use std::path::PathBuf;

use anyhow::{Context, bail};
use latchstring_net::print;
use latchstring_store_sqlite::collect::{Collector, File, Found};

use self::{
    report::{End, Report},
    shelf::{Came, Outcome, Shelf, is_kept_for_times},
};
use super::{Place, made::make_private};

/// Options of `collect`.
#[derive(Debug, clap::Args)]
pub(super) struct Collect {
    /// Write the files below this directory; it is made if it does not exist
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// Print one JSON object a line to the standard output, for programs
    #[arg(long)]
    json: bool,
}

impl Collect {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let database = place.config()?.database;
        let collector = Collector::open(&database).await;
        let collector = collector.context("cannot open the account store")?;
        make_private(&self.to)?;
        let mut run = Run {
            json: self.json,
            to: self.to,
            shelf: None,
            end: End::default(),
        };
        let left = collector.collect(|found| run.take(found)).await?;
        run.put()?;
        run.end.other_messages = left.others;
        run.end.removed_messages = left.removed;
        let end = run.end.clone();
        run.tell(&Report::End(end.clone()))?;
        if end.not_collected > 0 {
            bail!(
                "{} files were not collected: the lines above say why; repair that, and run the same command again",
                end.not_collected
            );
        }
        Ok(())
    }
}

/// One run, while it lasts.
struct Run {
    json: bool,
    to: PathBuf,
    /// The user whose files come now. What is found comes sorted by users.
    shelf: Option<Shelf>,
    end: End,
}

impl Run {
    fn take(&mut self, found: Found) -> anyhow::Result<()> {
        match found {
            Found::File(file) => self.file(file),
            Found::Incomplete {
                sender,
                head,
                missing,
            } => self.tell(&Report::Incomplete {
                user: sender.user.to_string(),
                name: head.name().to_string(),
                sha256: head.sha256_hex(),
                length: head.length(),
                parts: head.count(),
                missing,
            }),
            Found::Broken { sender, head, why } => self.tell(&Report::Broken {
                user: sender.user.to_string(),
                name: head.name().to_string(),
                sha256: head.sha256_hex(),
                why: why.to_string(),
            }),
            Found::BadPart(bad) => self.tell(&Report::BadPart {
                user: bad.sender.user.to_string(),
                message: bad.id,
                why: bad.why.to_string(),
            }),
        }
    }

    fn file(&mut self, file: File) -> anyhow::Result<()> {
        let (user, name) = (&file.sender.user, file.head.name());
        if is_kept_for_times(name.as_str()) {
            self.end.not_collected += 1;
            return self.tell(&Report::NotCollected {
                user: user.to_string(),
                name: name.to_string(),
                sha256: file.head.sha256_hex(),
                why: format!(
                    "names that end with {} hold times; ask {user} to send it under another name",
                    shelf::RECEIVED
                ),
            });
        }
        if self.shelf.as_ref().is_none_or(|shelf| shelf.user != *user) {
            self.put()?;
            self.shelf = Some(Shelf::open(&self.to, user)?);
        }
        match &mut self.shelf {
            Some(shelf) => shelf.take(file),
            None => Ok(()),
        }
    }

    /// All files of a user have come: each gets its name.
    fn put(&mut self) -> anyhow::Result<()> {
        let Some(shelf) = self.shelf.take() else {
            return Ok(());
        };
        let user = shelf.user.to_string();
        for (came, outcome) in shelf.put()? {
            let Came {
                name,
                sha256,
                length,
                received,
                messages,
                ..
            } = came;
            let report = match outcome {
                Outcome::At { path, new } => {
                    *(if new {
                        &mut self.end.new
                    } else {
                        &mut self.end.as_before
                    }) += 1;
                    Report::File {
                        path: format!("{user}/{path}"),
                        user: user.clone(),
                        name,
                        sha256,
                        length,
                        received: received.map(report::utc),
                        new,
                        messages,
                    }
                }
                Outcome::NotCollected(why) => {
                    self.end.not_collected += 1;
                    Report::NotCollected {
                        user: user.clone(),
                        name,
                        sha256,
                        why,
                    }
                }
            };
            self.tell(&report)?;
        }
        Ok(())
    }

    /// A file is a result. All else is a note for the operator, and for a program a line besides.
    fn tell(&self, report: &Report) -> anyhow::Result<()> {
        if self.json {
            print::line(serde_json::to_string(report)?)?;
        }
        if let Some(note) = report.note() {
            print::note(note);
        }
        match report.line() {
            Some(line) if !self.json => Ok(print::line(line)?),
            _ => Ok(()),
        }
    }
}
