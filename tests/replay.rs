//! Every input that the fuzzers began with or found, once more: `tests/fuzz/corpus/`, without a fuzzer.

#[path = "fuzz/src/lib.rs"]
pub mod fuzz;

use std::{
    collections::BTreeSet,
    fs,
    panic::{catch_unwind, resume_unwind},
    path::PathBuf,
    thread,
};

use latchstring_tests::workspace;

fn corpora() -> PathBuf {
    workspace().join("tests/fuzz/corpus")
}

fn names(folder: PathBuf) -> BTreeSet<String> {
    let entries = fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a plain name");
    entries.map(|entry| name(entry.unwrap())).collect()
}

/// The inputs of a corpus with the names of their files.
type Corpus = Vec<(String, Vec<u8>)>;

/// Runs `each` for every target with its corpus, all at once; the names of those that panicked.
fn failing(each: fn(&str, fuzz::Target, Corpus)) -> Vec<&'static str> {
    let begun = fuzz::TARGETS.map(|(name, target)| {
        let folder = corpora().join(name);
        let read = |file: String| {
            let bytes = fs::read(folder.join(&file)).unwrap();
            (file, bytes)
        };
        let corpus = names(folder.clone()).into_iter().map(read).collect();
        (name, thread::spawn(move || each(name, target, corpus)))
    });
    let ended = begun
        .into_iter()
        .map(|(name, thread)| (name, thread.join()));
    ended
        .filter_map(|(name, ended)| ended.is_err().then_some(name))
        .collect()
}

#[test]
fn every_input_of_every_corpus_holds() {
    let failed = failing(|name, target, corpus| {
        for (file, bytes) in corpus {
            println!("{name}/{file}");
            target(&bytes);
        }
    });
    assert_eq!(failed, Vec::<&str>::new());
}

/// A few, the same each time. `LATCHSTRING_SHAKES=100000` tries more, and `.ci/fuzz` better ones.
#[test]
fn inputs_like_those_of_the_corpora_hold() {
    let failed = failing(|name, target, corpus| {
        let shakes = std::env::var("LATCHSTRING_SHAKES")
            .ok()
            .map(|shakes| shakes.parse().unwrap());
        let corpus: Vec<_> = corpus.into_iter().map(|(_, bytes)| bytes).collect();
        let mut shaker = fuzz::shake::Shaker::new(&corpus, 0x9e37_79b9_7f4a_7c15);
        for number in 0..shakes.unwrap_or(150) {
            let input = shaker.input();
            if let Err(why) = catch_unwind(|| target(&input)) {
                let path = std::env::temp_dir().join(format!("latchstring-{name}-{number}"));
                fs::write(&path, input).unwrap();
                eprintln!("the input is in {}", path.display());
                resume_unwind(why);
            }
        }
    });
    assert_eq!(failed, Vec::<&str>::new());
}

/// A script that stops at its first step would check nothing, and nobody would notice.
#[test]
fn the_honest_scripts_reach_the_end() {
    assert!(fuzz::hardened_client::reaches_the_end(&[]));
    assert!(fuzz::hardened_server::reaches_the_end(&[]));
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
            "{} is another one: run `cargo run -p latchstring-tests --example fuzz-seeds`",
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

/// The crates of the workspace that a text names, as they are called in code.
fn crates_in(text: &str) -> BTreeSet<String> {
    let names = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let ours = names.filter(|name| name.starts_with("latchstring_"));
    ours.map(str::to_owned).collect()
}

/// The fuzzers are built by hand alone, so nothing else notices a crate that has moved.
#[test]
fn the_fuzzers_manifest_names_the_crates_that_the_targets_use_and_finds_them() {
    let folder = workspace().join("tests/fuzz");
    let sources = names(folder.join("src")).into_iter();
    let used: BTreeSet<String> = sources
        .flat_map(|file| crates_in(&fs::read_to_string(folder.join("src").join(file)).unwrap()))
        .collect();
    let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    let paths = dependencies
        .iter()
        .filter_map(|(name, about)| Some((name.replace('-', "_"), about.get("path")?.as_str()?)));
    let mut named = BTreeSet::new();
    for (name, path) in paths {
        assert!(folder.join(path).join("Cargo.toml").exists(), "{path}");
        named.insert(name);
    }
    assert!(used.len() > 5, "{used:?}");
    assert_eq!(named, used);
}
