//! Nothing weak is reachable from the programs that people deploy.
//!
//! They are not built with it: neither the faithful protocol nor the crate `rsa` is among their dependencies. And it is
//! not in them: what such code leaves in a program is not found in theirs. Each search is also run where it must find.

use std::{collections::BTreeSet, fs};

use latchstring_tests::{binary, cargo};

/// Packages that no deployable program may be built with: what is weak on purpose, and the crate that makes it so.
const WEAK: [&str; 7] = [
    "latchstring-protocol-faithful",
    "latchstring-faithful",
    "latchstring-attacker",
    "latchstring-arena",
    "latchstring-ladder",
    "latchstring-lab",
    "rsa",
];
/// What only the faithful server says: in its program, and in no other.
const FAITHFUL_GREETING: &[u8] = b"Authentication Successful!";
/// The magic of `latch/2`: what a hardened program must hold.
const HARDENED_MAGIC: &[u8] = b"latch/2\n";
/// What the names of functions of the crate `rsa` begin with in a program that holds any. (`aws_lc_rs::rsa` begins otherwise.)
const RSA_SYMBOL: &[u8] = b"_ZN3rsa";

/// The names of all packages that a package is built with, itself included: no dependencies of tests.
fn graph(package: &str) -> BTreeSet<String> {
    let tree = ["tree", "--offline", "--locked", "--edges", "no-dev"];
    let one_a_line = ["--prefix", "none", "--format", "{p}", "--package", package];
    let lines = cargo(&[&tree[..], &one_a_line].concat());
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

fn weak_in(package: &str) -> Vec<String> {
    let graph = graph(package);
    assert!(graph.contains(package), "{graph:?}");
    let weak = graph.into_iter().filter(|name| WEAK.contains(&&name[..]));
    weak.collect()
}

fn holds(program: &str, needle: &[u8]) -> bool {
    let bytes = fs::read(binary(program)).unwrap();
    // Programs are large: only where the first byte fits is the rest compared.
    let mut rest = &bytes[..];
    while let Some(at) = rest.iter().position(|byte| *byte == needle[0]) {
        rest = &rest[at..];
        if rest.starts_with(needle) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[test]
fn the_deployable_programs_are_not_built_with_anything_weak() {
    for package in ["latchstring-client", "latchstring-server"] {
        assert_eq!(weak_in(package), Vec::<String>::new(), "{package}");
        assert!(graph(package).contains("latchstring-keys"), "{package}");
    }
}

/// The features that a package asks for in what it is built with.
fn features(package: &str, of: &str) -> Option<BTreeSet<String>> {
    let tree = ["tree", "--offline", "--locked", "--edges", "no-dev"];
    let one_a_line = [
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
        "--package",
        package,
    ];
    let lines = cargo(&[&tree[..], &one_a_line].concat());
    let line = lines
        .lines()
        .find(|line| line.starts_with(&format!("{of} v")))?;
    let (_, features) = line.trim_end_matches(" (*)").split_once('|')?;
    let names = features.split(',').filter(|name| !name.is_empty());
    Some(names.map(str::to_owned).collect())
}

/// The page of the metrics is all that these programs have of HTTP: they can ask nobody.
#[test]
fn the_server_answers_http_1_and_has_no_client_of_it() {
    let server = features("latchstring-server", "hyper").expect("the page of the metrics");
    assert_eq!(
        server,
        ["default", "http1", "server"].map(str::to_owned).into()
    );
    assert_eq!(features("latchstring-client", "hyper"), None);
    let known = features("latchstring-client", "serde").unwrap();
    assert!(
        known.contains("derive"),
        "the search finds features: {known:?}"
    );
}

#[test]
fn the_same_search_finds_what_is_weak_where_it_is() {
    assert_eq!(
        weak_in("latchstring-faithful"),
        [
            "latchstring-faithful",
            "latchstring-protocol-faithful",
            "rsa"
        ]
    );
    let lab = weak_in("latchstring-lab");
    assert_eq!(lab.len(), WEAK.len(), "{lab:?}");
}

#[test]
fn the_deployable_programs_hold_nothing_of_it() {
    for program in ["latchstring-client", "latchstring-server"] {
        assert!(!holds(program, FAITHFUL_GREETING), "{program}");
        assert!(!holds(program, RSA_SYMBOL), "{program}");
        assert!(
            holds(program, HARDENED_MAGIC),
            "{program}: the search finds what is there"
        );
    }
    assert!(holds("faithful-server", FAITHFUL_GREETING));
    assert!(holds("faithful-server", RSA_SYMBOL));
}
