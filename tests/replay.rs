//! Every input that the fuzzers began with or found, once more: `tests/fuzz/corpus/`, without a fuzzer.

#[path = "fuzz/src/lib.rs"]
pub mod fuzz;

use std::{collections::BTreeSet, fs, path::PathBuf, thread};

use latchstring_tests::workspace;

fn corpora() -> PathBuf {
    workspace().join("tests/fuzz/corpus")
}

fn names(folder: PathBuf) -> BTreeSet<String> {
    let entries = fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a plain name");
    entries.map(|entry| name(entry.unwrap())).collect()
}

#[test]
fn every_input_of_every_corpus_holds() {
    let begun = fuzz::TARGETS.map(|(name, target)| {
        let replay = move || {
            let folder = corpora().join(name);
            for file in names(folder.clone()) {
                println!("{name}/{file}");
                target(&fs::read(folder.join(file)).unwrap());
            }
        };
        (name, thread::spawn(replay))
    });
    let failed = begun
        .into_iter()
        .filter_map(|(name, thread)| thread.join().err().map(|_| name));
    assert_eq!(failed.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn every_target_has_a_program_and_a_corpus_and_no_corpus_is_left_over() {
    let targets = || fuzz::TARGETS.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(names(corpora()), targets().collect());
    let programs = targets().map(|name| name + ".rs").collect();
    assert_eq!(names(workspace().join("tests/fuzz/fuzz_targets")), programs);
    let manifest = fs::read_to_string(workspace().join("tests/fuzz/Cargo.toml")).unwrap();
    for (name, _) in fuzz::TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is not in the manifest"
        );
        let program = workspace().join(format!("tests/fuzz/fuzz_targets/{name}.rs"));
        let text = fs::read_to_string(program).unwrap();
        assert!(
            text.contains(&format!("latchstring_fuzz::{name}::run")),
            "{name}"
        );
    }
}

#[test]
fn the_seeds_are_what_their_program_makes() {
    for seed in fuzz::seeds::all() {
        let path = corpora().join(seed.target).join(&seed.name);
        let committed = fs::read(&path).unwrap_or_default();
        assert!(
            committed == seed.bytes,
            "{} is another one: run `cargo run -p latchstring-tests --bin fuzz-seeds`",
            path.display()
        );
    }
}

#[test]
fn the_corpora_stay_small() {
    let mut total = 0;
    for (name, _) in fuzz::TARGETS {
        for file in names(corpora().join(name)) {
            total += fs::metadata(corpora().join(name).join(file)).unwrap().len();
        }
    }
    assert!(total < 2 << 20, "{total} bytes");
}
