//! The course's own server, where students hand in. The program `latchstring-server` does the work, beside this one. A
//! student's id is the name of the account: each id is a valid name there.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use latchstring_cli::beside;
use latchstring_course::roster::Id;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The program.
const PROGRAM: &str = "latchstring-server";

/// A server on this machine.
pub struct Server {
    program: PathBuf,
    directory: PathBuf,
}

/// What was collected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Collected {
    /// Files that are new.
    pub new: usize,
    /// Files that were there.
    pub as_before: usize,
}

impl Server {
    /// The server with this directory.
    ///
    /// # Errors
    /// When the program is not there.
    pub fn at(directory: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            program: beside::program(PROGRAM)?,
            directory: directory.to_owned(),
        })
    }

    /// The names of all accounts.
    ///
    /// # Errors
    /// When the program cannot read them.
    pub fn accounts(&self) -> anyhow::Result<BTreeSet<String>> {
        let printed = self.run(["user", "list"])?;
        let names = printed.lines().filter_map(|line| line.split('\t').next());
        Ok(names.map(str::to_owned).collect())
    }

    /// The names with an invitation that can be used, and when each of them expires.
    ///
    /// # Errors
    /// When the program cannot read them.
    pub fn open_invitations(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let printed = self.run(["invite", "list"])?;
        let open = printed.lines().filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            match cells[..] {
                [name, _, expires, "open"] => Some((name.to_owned(), expires.to_owned())),
                _ => None,
            }
        });
        Ok(open.collect())
    }

    /// A new invitation. It is a secret, so it comes over a pipe, and is in no argument.
    ///
    /// # Errors
    /// When the program makes none.
    pub fn invite(&self, student: &Id, lasting: &str) -> anyhow::Result<Zeroizing<String>> {
        // An id may be the name of one of its commands.
        let arguments = ["invite", "--expires", lasting, "--", student.as_str()];
        let line = self.run(arguments)?;
        let begin = format!("{student}:");
        ensure!(
            line.starts_with(&begin) && line.trim().lines().count() == 1,
            "{} printed something else than an invitation; it must have the version of this program: {}",
            self.program.display(),
            env!("CARGO_PKG_VERSION")
        );
        Ok(line)
    }

    /// Writes all files that users have sent below a folder. Its notes go to the standard error of this program.
    ///
    /// # Errors
    /// When the program fails; it says why.
    pub fn collect(&self, to: &Path) -> anyhow::Result<Collected> {
        let arguments = [
            OsStr::new("collect"),
            OsStr::new("--json"),
            OsStr::new("--"),
        ];
        let mut command = self.command(arguments);
        let output = command.arg(to).stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("cannot run {}", self.program.display()))?;
        ensure!(
            output.status.success(),
            "{PROGRAM} could not collect all files: its lines above say why"
        );
        let printed = String::from_utf8_lossy(&output.stdout);
        let last = printed.lines().last().unwrap_or_default();
        serde_json::from_str(last).with_context(|| {
            format!("{PROGRAM} printed something else than what it has collected: {last:?}")
        })
    }

    fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--dir").arg(&self.directory);
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// What the program prints.
    fn run<const N: usize>(&self, arguments: [&str; N]) -> anyhow::Result<Zeroizing<String>> {
        let output = self.command(arguments).output();
        let output = output.with_context(|| format!("cannot run {}", self.program.display()))?;
        let printed = Zeroizing::new(output.stdout);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim();
            bail!("{}", said.strip_prefix("Error: ").unwrap_or(said));
        }
        let text = std::str::from_utf8(&printed).context("the server's program printed no text")?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use latchstring_course::roster;
    use latchstring_protocol::hardened::message::UserName;
    use proptest::prelude::*;

    use super::*;

    /// The ids that a list of students with these logins or addresses gets.
    fn ids(logins: &[&str]) -> Vec<Id> {
        let rows = logins.iter().map(|login| format!("Somebody,{login}\n"));
        let csv = format!("name,login\n{}", rows.collect::<String>());
        let roster = roster::read("roster.csv", csv.as_bytes()).unwrap().roster;
        roster.people().iter().map(|one| one.id.clone()).collect()
    }

    #[test]
    fn the_ids_of_all_kinds_of_logins_are_names_of_users() {
        let ids = ids(&[
            "amuster",
            "AMuster2",
            "a_m-2",
            "anna.muster@uni.example",
            "0012345",
            "con",
            "list",
            "revoke",
            "-rf",
            "../../etc/passwd",
            "Žofie",
            "小明",
            "a-login-that-is-longer-than-thirty-two-characters",
            "x@y",
        ]);
        assert_eq!(ids.len(), 14);
        for id in ids {
            let name = UserName::parse(id.as_str()).unwrap();
            assert_eq!(name.as_str(), id.as_str());
        }
    }

    proptest! {
        #[test]
        fn every_id_is_the_name_of_a_user(text in "[a-z][a-z0-9_-]{0,31}|[a-zA-Z0-9_.@-]{0,40}") {
            let Ok(id) = Id::try_from(text.clone()) else {
                return Ok(());
            };
            let name = UserName::parse(id.as_str()).unwrap();
            prop_assert_eq!(name.as_str(), text);
        }

        #[test]
        fn every_login_gives_the_name_of_a_user(login in "[^\",;\\p{C}\\p{Z}=+@-][^\",;\\p{C}\\p{Z}]{0,40}") {
            for id in ids(&[&login]) {
                prop_assert!(UserName::parse(id.as_str()).is_ok(), "{}: {}", login, id);
            }
        }
    }
}
