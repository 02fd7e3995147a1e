//! The two protocols have the same files with the same items in the same order, wherever both have a step.

use std::{collections::BTreeMap, fs, path::Path};

use latchstring_tests::workspace;

use crate::sources::{code_of, sources};

/// Files that the hardened protocol alone has, each with the reason.
const HARDENED_ALONE: &[(&str, &str)] = &[
    ("defence.rs", "nothing is a defence"),
    (
        "driver.rs",
        "nothing keeps a session alive or ends it in time",
    ),
    ("framing.rs", "a message is whatever one read returns"),
    ("full.rs", "nothing can be left out"),
    (
        "message/fingerprint.rs",
        "no key is compared with one that is known",
    ),
    (
        "message/invite.rs",
        "a client writes its own key into the server's folder",
    ),
    ("message/proof.rs", "neither end proves anything"),
    (
        "message/types.rs",
        "a message is recognised by its place in the session",
    ),
    ("parts.rs", "no part can be replaced"),
    (
        "primitives.rs",
        "no key is derived and nothing is authenticated",
    ),
    ("role.rs", "nothing says which end made it"),
    (
        "session.rs",
        "messages are neither numbered nor acknowledged",
    ),
    (
        "session/rekey.rs",
        "a session keeps its key from the login to the end",
    ),
    ("signature.rs", "nothing is signed"),
];

/// Each file of a protocol by its name. A crate's root and a module's root are the same step.
fn files(folder: &str) -> BTreeMap<String, String> {
    let folder = workspace().join(folder);
    let name = |path: &Path| {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        match name {
            "lib.rs" => "mod.rs".to_owned(),
            name => name.to_owned(),
        }
    };
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let paths = sources(&folder).into_iter();
    paths.map(|path| (name(&path), text(&path))).collect()
}

/// A line's public item: its kind and its name.
fn item(line: &str) -> Option<(&str, &str)> {
    let (kind, rest) = line.strip_prefix("pub ")?.split_once(' ')?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    match kind {
        "use" | "mod" => None,
        kind => Some((kind, &rest[..end.unwrap_or(rest.len())])),
    }
}

/// The type that an `impl` line is for.
fn implemented(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let named = rest.rsplit_once(" for ").map(|(_, named)| named);
    let named = named.or_else(|| rest.split_once("> ").map(|(_, named)| named));
    let named = named.unwrap_or(rest).trim_start();
    named.split(|c: char| !c.is_alphanumeric()).next()
}

/// The public items of a file in their order; a method with its type in front. The layout is that of `cargo fmt`.
fn items(text: &str) -> Vec<String> {
    let mut of = "";
    let mut found = Vec::new();
    for line in code_of(text).lines() {
        if let Some(named) = implemented(line) {
            of = named;
        } else if let Some((_, name)) = item(line) {
            found.push(name.to_owned());
        } else if let Some(("fn" | "const", name)) = line.strip_prefix("    ").and_then(item) {
            found.push(format!("{of}::{name}"));
        }
    }
    found
}

fn out_of_order(faithful: &str, hardened: &str) -> Option<(Vec<String>, Vec<String>)> {
    let (faithful, hardened) = (items(faithful), items(hardened));
    let both = |here: &[String], there: &[String]| -> Vec<String> {
        let both = here.iter().filter(|item| there.contains(item));
        both.cloned().collect()
    };
    let (here, there) = (both(&faithful, &hardened), both(&hardened, &faithful));
    (here != there).then_some((here, there))
}

/// Public types of the hardened file that the faithful one neither has nor names where it says that they are missing.
fn unexplained(faithful: &str, hardened: &str) -> Vec<String> {
    let types = code_of(hardened).lines().filter_map(item);
    let types = types.filter(|(kind, _)| ["struct", "enum", "trait"].contains(kind));
    let here = items(faithful);
    let missing = types.filter(|(_, name)| {
        !here.iter().any(|item| item == name) && !faithful.contains(&format!("`{name}`"))
    });
    missing.map(|(_, name)| name.to_owned()).collect()
}

#[test]
fn the_two_protocols_have_the_same_files() {
    let faithful = files("crates/protocol-faithful/src");
    let mut hardened = files("crates/protocol/src/hardened");
    for (file, reason) in HARDENED_ALONE {
        assert!(hardened.remove(*file).is_some(), "{file}: {reason}");
    }
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&faithful), names(&hardened));
}

#[test]
fn what_both_protocols_have_comes_in_the_same_order() {
    let hardened = files("crates/protocol/src/hardened");
    for (file, faithful) in files("crates/protocol-faithful/src") {
        assert_eq!(out_of_order(&faithful, &hardened[&file]), None, "{file}");
    }
}

#[test]
fn a_step_that_is_missing_is_named() {
    let hardened = files("crates/protocol/src/hardened");
    for (file, faithful) in files("crates/protocol-faithful/src") {
        let unexplained = unexplained(&faithful, &hardened[&file]);
        assert_eq!(unexplained, Vec::<String>::new(), "{file}");
    }
}

#[test]
fn another_order_and_a_step_that_nobody_names_are_found() {
    let faithful = "impl Sealer {\n    pub fn new() {}\n}\npub struct Opener;\n";
    let hardened = "pub struct Opener;\nimpl<D: Defences> Sealer<D> {\n    pub fn new() {}\n}\n";
    let (here, there) = out_of_order(faithful, hardened).unwrap();
    assert_eq!(here, ["Sealer::new", "Opener"]);
    assert_eq!(there, ["Opener", "Sealer::new"]);
    assert_eq!(out_of_order(faithful, faithful), None);

    assert_eq!(unexplained("", hardened), ["Opener"]);
    assert!(unexplained("// No `Opener`.", hardened).is_empty());
    assert!(unexplained(faithful, hardened).is_empty());
}
