//! `cargo run` and `cargo build --workspace` build a package that both need alike, so that it is built once.
//!
//! Cargo builds a package with all features that the packages of *this* build ask for. If the whole workspace asks for one
//! more than the lab does, the package and all that stand on it are built twice.

use std::collections::{BTreeMap, BTreeSet};

use latchstring_tests::cargo;

/// The features of each package that a build needs.
type Features = BTreeMap<String, BTreeSet<String>>;

fn features(of: &[&str]) -> Features {
    let tree = ["tree", "--offline", "--locked", "--edges", "normal"];
    let one_a_line = ["--prefix", "none", "--format", "{p}|{f}"];
    parsed(&cargo(&[&tree[..], of, &one_a_line].concat()))
}

fn parsed(lines: &str) -> Features {
    let mut features = Features::new();
    for (package, asked) in lines.lines().filter_map(|line| line.split_once('|')) {
        let asked = asked
            .trim_end_matches(" (*)")
            .split(',')
            .filter(|name| !name.is_empty());
        features
            .entry(package.to_owned())
            .or_default()
            .extend(asked.map(str::to_owned));
    }
    features
}

/// What the larger build asks for in a package of the smaller one, and the smaller one does not.
fn built_twice(lab: &Features, all: &Features) -> Vec<String> {
    let shared = lab
        .iter()
        .filter_map(|(package, few)| Some((package, few, all.get(package)?)));
    let more = shared.flat_map(|(package, few, many)| {
        many.difference(few)
            .map(move |feature| format!("{package}: {feature}"))
    });
    more.collect()
}

#[test]
fn nothing_that_the_lab_is_built_with_is_built_again_for_the_workspace() {
    let (lab, all) = (
        features(&["--package", "latchstring-lab"]),
        features(&["--workspace"]),
    );
    assert!(
        lab.len() > 100 && all.len() > lab.len(),
        "{} {}",
        lab.len(),
        all.len()
    );
    let twice = built_twice(&lab, &all);
    assert_eq!(
        twice,
        Vec::<String>::new(),
        "ask for them in crates/lab/Cargo.toml as well"
    );
}

#[test]
fn a_feature_that_only_one_build_asks_for_is_found() {
    let lab = parsed("log v0.4|\nserde v1.0|derive,std (*)");
    let all = parsed("log v0.4|std\nserde v1.0|derive,std\nsqlx v0.9|");
    assert_eq!(built_twice(&lab, &all), ["log v0.4: std"]);
    assert!(built_twice(&all, &all).is_empty());
}
