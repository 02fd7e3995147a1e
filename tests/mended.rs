//! The halves of labs in which a peer is mended: the solution is the ladder's peer in Python, and the commands of the handout
//! run as they are printed. In Rust that takes a build for each lab; tests/climb.rs does it.

#[path = "mended/section.rs"]
mod section;

use std::{
    fs,
    path::{Path, PathBuf},
};

use latchstring_classroom::labs;
use latchstring_tests::workspace;
use section::{commands, halves, in_place_of, mended, talk};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

#[test]
fn the_solution_of_each_half_is_the_peer_of_its_rung() {
    let halves = halves();
    assert!(halves.len() >= 3, "{halves:?}");
    for (lab, mend) in halves {
        let peer = format!("tests/peers/ladder/rung{}", mend.rung);
        let folder = mended(&lab, "python");
        for ours in files(&folder.path().join("mend")) {
            let name = ours.file_name().unwrap();
            if name == "requirements.txt" {
                continue;
            }
            let theirs = workspace().join(&peer).join(name);
            let wanted = fs::read_to_string(&theirs).unwrap_or_default();
            assert!(
                fs::read_to_string(&ours).unwrap() == wanted,
                "{lab}, mend/{}: the solution differs from {}: copy it",
                name.display(),
                theirs.display()
            );
        }
    }
}

#[test]
fn a_half_in_rust_begins_with_the_peer_of_its_rung_and_ends_with_it() {
    for (id, mend) in halves() {
        let lab = labs::find(labs::built_in().unwrap(), &id).unwrap();
        let rust = lab.language(Some("rust")).unwrap().unwrap();
        let peer = rust.peer.as_ref();
        let peer = peer.unwrap_or_else(|| panic!("{id}: the half has no peer in Rust"));
        assert_eq!(peer.rung, mend.rung, "{id}");
        let trial = lab.trials.iter().find(|trial| trial.mend.is_some());
        let build = trial
            .unwrap()
            .build_in(rust)
            .join(" ")
            .replace(" --offline", "");
        let handout = lab.files.text("README.md").unwrap();
        let handout: Vec<&str> = handout.split_whitespace().collect();
        assert!(
            handout.join(" ").contains(&build),
            "{id}: the handout does not say `{build}`"
        );
        let start = tempfile::tempdir().unwrap();
        lab.lay_out("start", Some(rust), start.path()).unwrap();
        let solution = mended(&id, "rust");
        let sources = |folder: &tempfile::TempDir| files(&folder.path().join("mend/src"));
        let with_a_gap = sources(&start).into_iter().filter(|path| {
            let text = fs::read_to_string(path).unwrap();
            let done = solution
                .path()
                .join("mend/src")
                .join(path.file_name().unwrap());
            let has_a_gap = text.contains("Your part");
            assert_eq!(
                has_a_gap,
                text != fs::read_to_string(done).unwrap(),
                "{id}: {}",
                path.display()
            );
            has_a_gap
        });
        let with_a_gap: Vec<String> = with_a_gap
            .map(|path| format!("mend/src/{}", path.file_name().unwrap().display()))
            .collect();
        assert!(!with_a_gap.is_empty(), "{id}: nothing is left to mend");
        for file in with_a_gap {
            let named = in_place_of(&id).into_iter().any(|(rust, _)| rust == file);
            assert!(named, "{id}: the section `Mend it` does not name {file}");
        }
        for path in sources(&solution) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("Your part"), "{id}: {}", path.display());
        }
    }
}

#[test]
fn the_commands_of_each_handout_let_the_mended_peer_talk_to_ours() {
    for (lab, _) in halves() {
        let folder = mended(&lab, "python");
        talk(
            &lab,
            folder.path(),
            &folder.path().join("target"),
            commands(&lab),
        );
    }
}
