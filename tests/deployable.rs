//! Nothing weak is reachable from the programs that people deploy.
//!
//! The crate `protocol` holds both protocols side by side, so the deployable programs are *built* with a crate that knows
//! the faithful one. What must be, and is shown here, is that none of it is *in* them: their sources do not name it, and
//! the linker finds nothing of it to keep.

use std::{fs, path::Path};

use latchstring_tests::{binary, workspace};

/// What only the faithful server says: in its program, and in no other.
const FAITHFUL_GREETING: &[u8] = b"Authentication Successful!";
/// The magic of `latch/2`: what a hardened program must hold.
const HARDENED_MAGIC: &[u8] = b"latch/2\n";
/// What the names of functions of the crate `rsa` begin with in a program that holds any. (`aws_lc_rs::rsa` begins otherwise.)
const RSA_SYMBOL: &[u8] = b"_ZN3rsa";

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

fn sources(folder: &Path, visit: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// Lines of code, not of comment, that name the faithful protocol.
fn named_in(krate: &str) -> Vec<String> {
    let mut found = Vec::new();
    let folder = workspace().join("crates").join(krate).join("src");
    sources(&folder, &mut |path, text| {
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        found.extend(
            code.filter(|line| line.contains("faithful"))
                .map(|line| format!("{}: {line}", path.display())),
        );
    });
    found
}

#[test]
fn the_sources_of_the_deployable_programs_do_not_name_the_faithful_protocol() {
    for krate in ["client", "server", "store", "net"] {
        assert_eq!(named_in(krate), Vec::<String>::new());
    }
    assert!(
        !named_in("faithful").is_empty(),
        "the search finds it where it is"
    );
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

#[test]
fn the_hardened_protocol_names_nothing_of_the_faithful_one() {
    let mut found = Vec::new();
    sources(
        &workspace().join("crates/protocol/src/hardened"),
        &mut |path, text| {
            if text
                .lines()
                .any(|line| line.trim_start().starts_with("use ") && line.contains("faithful"))
            {
                found.push(path.to_owned());
            }
        },
    );
    assert!(found.is_empty(), "{found:?}");
}
