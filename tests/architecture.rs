//! The arrows between the crates, and what else the layout promises. `docs/src/architecture.md` says why.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use latchstring_tests::{cargo, workspace};
use serde_json::Value;

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/features.rs"]
mod features;
#[path = "architecture/questions.rs"]
mod questions;
#[path = "architecture/side_by_side.rs"]
mod side_by_side;
#[path = "architecture/sources.rs"]
mod sources;

/// Who may depend on whom; nothing else is allowed. The tests see all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("cli", &[]),
    ("protocol", &[]),
    ("protocol-faithful", &["protocol"]),
    ("cryptanalysis", &[]),
    ("corpus", &["cli", "cryptanalysis"]),
    ("capture", &["protocol"]),
    ("net", &["protocol"]),
    ("parcel", &["protocol"]),
    ("keys", &["net"]),
    ("store", &["protocol"]),
    ("store-sqlite", &["parcel", "store"]),
    ("faithful", &["cli", "protocol-faithful", "net"]),
    ("client-core", &["net", "parcel"]),
    ("client", &["cli", "client-core", "keys", "net", "parcel"]),
    ("server-core", &["net", "store"]),
    (
        "server",
        &["cli", "keys", "net", "server-core", "store", "store-sqlite"],
    ),
    (
        "attacker",
        &[
            "protocol",
            "protocol-faithful",
            "net",
            "capture",
            "cryptanalysis",
        ],
    ),
    (
        "arena",
        &["cli", "faithful", "client-core", "server-core", "attacker"],
    ),
    ("matrix", &["cli", "attacker", "arena"]),
    ("ladder", &["attacker", "arena"]),
    ("confine", &[]),
    (
        "classroom",
        &[
            "cli", "confine", "course", "faithful", "attacker", "arena", "ladder",
        ],
    ),
    ("course", &[]),
    ("instructor", &["classroom", "cli", "confine", "course"]),
    (
        "book",
        &["cli", "arena", "attacker", "capture", "ladder", "matrix"],
    ),
    ("workbench", &["net", "capture", "cryptanalysis"]),
    (
        "lab",
        &[
            "cli",
            "faithful",
            "attacker",
            "capture",
            "arena",
            "ladder",
            "matrix",
            "classroom",
            "instructor",
            "workbench",
        ],
    ),
];

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn metadata() -> Value {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ];
    serde_json::from_str(&cargo(&arguments)).unwrap()
}

/// A package's own name in the architecture: `latchstring-net` is `net`.
fn member(name: &Value) -> Option<String> {
    Some(name.as_str()?.strip_prefix("latchstring-")?.to_owned())
}

/// What each member is built with. Dependencies of its tests do not count: they are in no program.
fn arrows(metadata: &Value) -> Arrows {
    let packages = metadata["packages"].as_array().unwrap();
    let of = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        dependencies
            .filter(|dependency| dependency["kind"] != "dev")
            .filter_map(|dependency| member(&dependency["name"]))
            .collect()
    };
    let named = packages
        .iter()
        .filter_map(|package| Some((member(&package["name"])?, of(package))));
    named.filter(|(name, _)| name != "tests").collect()
}

fn forbidden(arrows: &Arrows) -> Vec<String> {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let mut found = Vec::new();
    for (from, to) in arrows {
        match allowed.get(from.as_str()) {
            None => found.push(format!("{from} is not in the architecture")),
            Some(allowed) => {
                let more = to.iter().filter(|to| !allowed.contains(&to.as_str()));
                found.extend(more.map(|to| format!("{from} -> {to}")));
            }
        }
    }
    found
}

#[test]
fn no_crate_depends_on_one_that_it_may_not_see() {
    let arrows = arrows(&metadata());
    assert_eq!(arrows.len(), ALLOWED.len(), "{arrows:?}");
    assert_eq!(forbidden(&arrows), Vec::<String>::new());
}

#[test]
fn an_arrow_that_is_not_allowed_is_found() {
    let arrow =
        |from: &str, to: &str| Arrows::from([(from.to_owned(), BTreeSet::from([to.to_owned()]))]);
    for (from, to) in [
        ("server", "faithful"),
        ("net", "protocol-faithful"),
        ("client", "attacker"),
        ("client-core", "keys"),
        ("protocol", "net"),
        ("server", "lab"),
        ("server-core", "store-sqlite"),
        ("arena", "server"),
    ] {
        assert_eq!(forbidden(&arrow(from, to)), [format!("{from} -> {to}")]);
    }
    assert_eq!(
        forbidden(&arrow("shortcut", "net")),
        ["shortcut is not in the architecture"]
    );
    assert!(forbidden(&arrow("server", "store")).is_empty());
}

/// Packages of a program's face: arguments, logs, databases, and the RSA that a program chooses.
const FACE: [&str; 6] = [
    "clap",
    "tracing",
    "tracing-subscriber",
    "sqlx",
    "aws-lc-rs",
    "rustyline",
];

/// Which of these a member names in its manifest, dependencies of its tests left out.
fn face_of(metadata: &Value, name: &str) -> BTreeSet<String> {
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let package = packages.find(|package| member(&package["name"]).as_deref() == Some(name));
    let dependencies = package.unwrap()["dependencies"].as_array().unwrap().iter();
    let built_in = dependencies.filter(|dependency| dependency["kind"] != "dev");
    let names = built_in.filter_map(|dependency| dependency["name"].as_str());
    let face = names.filter(|name| FACE.contains(name));
    face.map(str::to_owned).collect()
}

#[test]
fn the_libraries_of_client_and_server_have_no_face_and_their_programs_have() {
    let metadata = metadata();
    for library in [
        "client-core",
        "server-core",
        "net",
        "parcel",
        "protocol",
        "store",
    ] {
        assert_eq!(face_of(&metadata, library), BTreeSet::new(), "{library}");
    }
    for (program, known) in [("client", "rustyline"), ("server", "tracing-subscriber")] {
        let face = face_of(&metadata, program);
        assert!(face.contains("clap") && face.contains(known), "{face:?}");
    }
}

#[test]
fn every_crate_inherits_the_lints_and_unsafe_code_is_forbidden() {
    let root = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    assert!(root.contains("unsafe_code = \"forbid\""));
    for package in metadata()["packages"].as_array().unwrap() {
        let path = package["manifest_path"].as_str().unwrap();
        let manifest = fs::read_to_string(path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{path}");
    }
}

#[test]
fn the_packages_that_the_project_is_built_on_are_in_it() {
    let lock = fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    for name in [
        "rsa", "aes", "ctr", "rand", "argon2", "pcap", "clap", "insta", "tokio",
    ] {
        assert!(lock.contains(&format!("name = \"{name}\"\n")), "{name}");
    }
}

#[test]
fn the_top_level_holds_what_it_should_and_nothing_else() {
    // The setting lets git read a clone that somebody else made, as on a machine for continuous integration.
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files"])
        .current_dir(workspace())
        .output();
    let files = String::from_utf8(output.unwrap().stdout).unwrap();
    let top: BTreeSet<&str> = files
        .lines()
        .map(|file| file.split('/').next().unwrap())
        .filter(|entry| !entry.starts_with('.'))
        .collect();
    let agreed = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
        "captures",
        "crates",
        "docs",
        "labs",
        "tests",
    ];
    assert_eq!(top, BTreeSet::from(agreed));
}
