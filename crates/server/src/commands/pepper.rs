//! `pepper new | show`: a file of random bytes for password hashes.

use std::path::{Path, PathBuf};

use latchstring_net::{
    entropy::{Entropy, OsEntropy},
    print,
};
use latchstring_server_core::{pepper::load_one, store::password::MIN_PEPPER};
use zeroize::Zeroizing;

use super::made::{new_file, sync};

/// The commands for peppers.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Pepper {
    /// Make a pepper: a new file of 32 random bytes that only you can read
    #[command(
        after_help = "Keep the file on another disk than the account store, and a copy in a safe place. If it is lost, every \
                      user needs a new password.\n\n\
                      Example:\n  latchstring-server pepper new /etc/latchstring/pepper"
    )]
    New {
        /// Write the pepper to this new file
        file: PathBuf,
    },
    /// Show the public name of a pepper, which stands in each hash that was made with it
    #[command(after_help = "Example:\n  latchstring-server pepper show /etc/latchstring/pepper")]
    Show {
        /// Read the pepper from this file
        file: PathBuf,
    },
}

impl Pepper {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::New { file } => make(file),
            Self::Show { file } => Ok(print::line(load_one(file)?.id())?),
        }
    }
}

fn make(file: &Path) -> anyhow::Result<()> {
    let bytes = Zeroizing::new(OsEntropy.array::<MIN_PEPPER>());
    new_file(file, &mut &bytes[..])?;
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
    sync(directory.unwrap_or(Path::new(".")))?;
    let pepper = load_one(file)?;
    print::line(format_args!(
        "Made the pepper {} in {}.",
        pepper.id(),
        file.display()
    ))?;
    print::note(
        "Copy it to a safe place, away from the account store and its backups. Then put its path into server.toml, in the section \
         [passwords], as pepper_file = \"…\", and run: latchstring-server reload",
    );
    Ok(())
}
