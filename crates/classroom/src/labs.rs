//! The place of the labs: inside this program, so that a copy of it works anywhere, or in a given folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use include_dir::{Dir, include_dir};

use super::{catalogue::Lab, files::Files};
use latchstring_cli::suggest::did_you_mean;

pub mod own;

/// The folder `labs/` of the repository, as it was when this program was built.
static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../labs");
/// The folder beside the labs with the sources of peers, which they share.
pub const PEERS: &str = "peers";

/// The labs inside this program, in the order of their numbers.
///
/// # Errors
/// When one of them is broken, which the tests of this project do not let pass.
pub fn built_in() -> anyhow::Result<Vec<Lab>> {
    let mut labs = Vec::new();
    let is_lab = |folder: &&Dir<'_>| folder.path() != Path::new(PEERS);
    for folder in BUILT_IN.dirs().filter(is_lab) {
        let id = folder.path().display().to_string();
        let lab = Lab::read(&id, below(folder), built_in_peers());
        labs.push(lab.with_context(|| format!("{id}/lab.toml is not a lab"))?);
    }
    labs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(labs)
}

fn built_in_peers() -> Files {
    BUILT_IN.get_dir(PEERS).map(below).unwrap_or_default()
}

fn below(folder: &'static Dir<'_>) -> Files {
    let mut files = Files::default();
    files.built_in(folder.path(), folder);
    files
}

/// The labs of a folder, in the order of their numbers.
///
/// # Errors
/// When the folder has no lab, or a broken one.
pub fn in_folder(labs: &Path) -> anyhow::Result<Vec<Lab>> {
    let name = labs.display();
    ensure!(
        labs.is_dir(),
        "{name} is not a folder: give the folder with the labs with --labs DIR"
    );
    let entries = fs::read_dir(labs).with_context(|| format!("cannot list {name}"))?;
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()
        .with_context(|| format!("cannot list {name}"))?;
    folders.retain(|folder| folder.join("lab.toml").is_file());
    folders.sort();
    ensure!(
        !folders.is_empty(),
        "{name} holds no lab: give the right folder with --labs DIR"
    );
    folders.iter().map(|folder| read(folder)).collect()
}

/// The lab in a folder, which is called as the lab is. If there are no sources of peers beside it, it has those inside this
/// program.
///
/// # Errors
/// When the lab is broken; the error names the file, the line and the column.
pub fn read(folder: &Path) -> anyhow::Result<Lab> {
    let id = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut files = Files::default();
    files.read(folder, folder)?;
    let beside = folder.with_file_name(PEERS);
    let mut peers = Files::default();
    match beside.is_dir() {
        true => peers.read(&beside, &beside)?,
        false => peers = built_in_peers(),
    }
    let path = folder.join("lab.toml");
    Lab::read(&id, files, peers).with_context(|| format!("{} is not a lab", path.display()))
}

/// The lab with this id (`01-say-the-name`), number (`01`, `1`) or name (`say-the-name`).
///
/// # Errors
/// When there is no such lab; the message lists the labs.
pub fn find(labs: Vec<Lab>, wanted: &str) -> anyhow::Result<Lab> {
    let asked = wanted.trim().trim_end_matches('/').to_lowercase();
    let ids: Vec<String> = labs.iter().map(|lab| lab.id.clone()).collect();
    let found = labs.into_iter().find(|lab| {
        let number = lab.number();
        let name = lab.id.get(number.len() + 1..).unwrap_or_default();
        let same_number = asked.parse::<u32>().is_ok() && asked.parse::<u32>() == number.parse();
        lab.id == asked || name == asked || same_number
    });
    if let Some(lab) = found {
        return Ok(lab);
    }
    let names = ids.iter().flat_map(|id| {
        let name = id.split_once('-').map_or(id.as_str(), |(_, name)| name);
        [(id.as_str(), id.as_str()), (name, id.as_str())]
    });
    let hint = did_you_mean(&asked, names);
    bail!(
        "there is no lab {wanted:?}{hint}; there are: {}",
        ids.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_is_found_by_what_people_type() {
        for lab in built_in().unwrap() {
            let number = lab.number();
            let short: u32 = number.parse().unwrap();
            let name = &lab.id[number.len() + 1..];
            for typed in [
                number,
                name,
                &short.to_string(),
                &format!("00{short}"),
                &format!("{}/", lab.id),
                &name.to_uppercase(),
            ] {
                let found = find(built_in().unwrap(), typed).unwrap();
                assert_eq!(found.id, lab.id, "{typed}");
            }
        }
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant_and_with_all_there_are() {
        let refused = |typed: &str| find(built_in().unwrap(), typed).unwrap_err().to_string();
        let slip = refused("two-time-pda");
        assert!(slip.contains("did you mean 04-two-time-pad?"), "{slip}");
        let far = refused("77");
        assert!(
            !far.contains("did you mean") && far.contains("01-say-the-name"),
            "{far}"
        );
    }

    #[test]
    fn what_is_inside_the_program_is_what_is_in_the_repository() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../labs");
        let there = in_folder(&top).unwrap();
        let inside = built_in().unwrap();
        assert_eq!(there.len(), inside.len());
        for (there, inside) in there.iter().zip(&inside) {
            assert_eq!(there.files.0, inside.files.0, "{}", there.id);
        }
    }
}
