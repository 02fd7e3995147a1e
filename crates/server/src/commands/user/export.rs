//! `user export`: every user as a line of JSON, for another server.

use std::path::{Path, PathBuf};

use latchstring_net::print::{self, Output};
use latchstring_store::Accounts;

use super::record::Record;
use crate::commands::{
    Place,
    made::{new_file, sync},
};

/// Options of `user export`.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Export {
    /// Write into this new file, which only you can read [default: the standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let lines = lines(place).await?;
        match self.out {
            Some(file) => {
                let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                new_file(&file, &mut text.as_bytes())?;
                let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
                sync(directory.unwrap_or(Path::new(".")))?;
                print::line(format_args!(
                    "Exported {} users to {}. Keep the file secret: it holds password hashes.",
                    lines.len(),
                    file.display()
                ))?;
            }
            None => {
                let mut output = Output::new();
                if output.to_terminal() {
                    print::note(
                        "Warning: the lines below hold password hashes, and this terminal may keep them; use --out FILE instead.",
                    );
                }
                lines.iter().try_for_each(|line| output.line(line))?;
                output.finish()?;
            }
        }
        Ok(())
    }
}

async fn lines(place: &Place) -> anyhow::Result<Vec<String>> {
    let store = place.store().await?;
    let accounts = store.list().await?;
    let mut lines = Vec::new();
    for user in accounts.chunk_by(|one, next| one.user == next.user) {
        let mut failures = Vec::new();
        for account in user {
            failures.push(store.failures(&account.user, &account.kid).await?);
        }
        lines.push(serde_json::to_string(&Record::of(user, &failures)?)?);
    }
    Ok(lines)
}
