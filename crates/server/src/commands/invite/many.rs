//! `invite --from`: an invitation for each person of a list, each in a file that can be handed on.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use latchstring_net::{
    files,
    protocol::hardened::message::{Invite, UserName},
};

use crate::commands::made::{Made, make_private, new_file, sync};

/// The longest list. A longer file is another kind of file.
const MAX_FILE: usize = 1024 * 1024;

/// The names in the first column of a table. A first line that says `user` or `name` is a heading.
pub(super) fn names(path: &Path) -> anyhow::Result<Vec<UserName>> {
    let shown = path.display();
    let (bytes, _) =
        files::read(path, MAX_FILE + 1).with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        bytes.len() <= MAX_FILE,
        "{shown} is longer than 1 MiB; invite in parts"
    );
    let text = std::str::from_utf8(&bytes);
    let text = text.with_context(|| format!("{shown} is not UTF-8 text; save it as UTF-8"))?;
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let cell = line.split([',', ';', '\t']).next().unwrap_or_default();
        let cell = cell.trim().trim_matches('"').trim();
        let heading = number == 1 && ["user", "name"].contains(&&*cell.to_lowercase());
        if cell.is_empty() || heading {
            continue;
        }
        let name: UserName = cell.parse().with_context(|| {
            format!(
                "{shown}: line {number}: \"{}\" is no name of a user; correct the line",
                cell.escape_debug()
            )
        })?;
        if let Some(first) = seen.insert(cell, number) {
            bail!(
                "{shown}: line {number}: {name} is in line {first} too; take one of the two lines out"
            );
        }
        names.push(name);
    }
    ensure!(
        !names.is_empty(),
        "{shown} names nobody; write one user in each line, in the first column"
    );
    Ok(names)
}

/// A new file `NAME.invite` for each of them, all or none. They are removed again unless they are kept.
pub(super) fn write(directory: &Path, invites: &[Invite]) -> anyhow::Result<Made> {
    make_private(directory)?;
    let mut made = Made::default();
    for invite in invites {
        let path = file(directory, &invite.user);
        ensure!(
            path.symlink_metadata().is_err(),
            "{} exists already and is not overwritten; choose another directory",
            path.display()
        );
        new_file(&path, &mut format!("{invite}\n").as_bytes())?;
        made.add(path);
    }
    sync(directory)?;
    Ok(made)
}

/// A name has no dot and no slash, so it cannot lead out of the directory.
fn file(directory: &Path, user: &UserName) -> PathBuf {
    directory.join(format!("{user}.invite"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        fs::write(&path, text).unwrap();
        let names = names(&path).map_err(|why| format!("{why:#}"))?;
        Ok(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_are_in_the_first_column() {
        let names = vec!["alice".to_owned(), "bob".to_owned()];
        for text in [
            "alice\nbob",
            "user,mail\r\nalice,a@example.org\r\nbob,\r\n",
            "\u{feff}\"Name\";x\n\"alice\";\"1\"\n\n bob ;2\n",
            "alice\t1\nbob\t2\n",
        ] {
            assert_eq!(read(text), Ok(names.clone()), "{text}");
        }
    }

    #[test]
    fn a_faulty_line_is_named() {
        for (text, why) in [
            ("alice\nBob\n", "line 2: \"Bob\""),
            ("alice\nuser\nalice\n", "line 3: alice is in line 1 too"),
            ("../alice\n", "line 1"),
            ("user\n\n", "names nobody"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
