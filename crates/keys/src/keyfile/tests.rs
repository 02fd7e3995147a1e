use std::{fs, os::unix::fs::PermissionsExt};

use latchstring_net::{
    keyfile::{load_public, public_from_pem},
    protocol::hardened::signature::Verifier,
    public_key::Bits,
};

use super::*;
use crate::AwsLc;

const OPENSSL: &str = include_str!("../../../net/tests/keys/openssl-3072.pem");
const OPENSSL_PUBLIC: &str = include_str!("../../../net/tests/keys/openssl-3072.pub.pem");

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o7777
}

/// Writes a private file for a test.
fn put(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn a_key_survives_its_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let (private, public) = (dir.path().join("key"), dir.path().join("key.pub"));
    let key = RsaKey::generate(Bits::B3072).expect("a key");
    save_private(&key, &private).expect("saved");
    save_public(&key, &public).expect("saved");
    assert_eq!((mode(&private), mode(&public)), (0o600, 0o644));

    let again = load_private(&private).expect("loaded");
    let spki = load_public(&public).expect("loaded");
    assert_eq!(spki, again.public_key());
    assert!(AwsLc.verify(&spki, b"m", &again.sign(b"m").expect("signed")));
}

#[test]
fn a_key_is_never_overwritten() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("key");
    put(&path, "precious", 0o600);
    let key = private_from_pem(OPENSSL.as_bytes()).expect("a key");
    for done in [save_private(&key, &path), save_public(&key, &path)] {
        assert!(matches!(done, Err(KeyFileError::Exists(_))));
    }
    assert_eq!(fs::read(&path).expect("read"), b"precious");
    let nowhere = save_private(&key, &dir.path().join("missing/key"));
    assert!(matches!(
        nowhere,
        Err(KeyFileError::Io { doing: "write", .. })
    ));
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("key");
    for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
        put(&path, OPENSSL, mode);
        let read = load_private(&path);
        match good {
            true => assert!(read.is_ok(), "{mode:o}"),
            false => assert!(matches!(read, Err(KeyFileError::Exposed(_)))),
        }
    }
}

#[test]
fn what_openssl_writes_is_read_and_what_we_write_is_the_same() {
    let key = private_from_pem(OPENSSL.as_bytes()).expect("a key");
    let spki = public_from_pem(OPENSSL_PUBLIC.as_bytes()).expect("a key");
    assert_eq!(key.public_key(), spki);
    assert_eq!(*private_to_pem(&key).expect("PEM"), OPENSSL);
    assert_eq!(public_to_pem(&spki).expect("PEM"), OPENSSL_PUBLIC);
    let windows = format!("\r\n{}\r\n\r\n", OPENSSL.replace('\n', "\r\n"));
    assert!(private_from_pem(windows.as_bytes()).is_ok());
}

#[test]
fn every_other_file_gets_a_line_that_helps() {
    let private = |pem: &str| {
        let error = private_from_pem(pem.as_bytes()).expect_err("refused");
        let line = error.to_string();
        assert!(!line.contains('\n'), "{line}");
        line
    };
    let small = private(include_str!("../../../net/tests/keys/openssl-2048.pem"));
    assert!(
        small.contains("2048 bits; make one of 3072 or 4096"),
        "{small}"
    );
    let old = private(include_str!(
        "../../../net/tests/keys/openssl-3072-pkcs1.pem"
    ));
    assert!(old.contains("openssl pkcs8 -topk8 -nocrypt"), "{old}");
    let locked = private(include_str!(
        "../../../net/tests/keys/openssl-3072-encrypted.pem"
    ));
    assert!(locked.contains("openssl pkcs8 -in"), "{locked}");
    let swapped = private(OPENSSL_PUBLIC);
    assert!(swapped.contains("holds a PUBLIC KEY; a PRIVATE KEY is needed"));
    assert!(matches!(
        public_from_pem(OPENSSL.as_bytes()),
        Err(KeyError::Label { .. })
    ));
    for broken in ["", "hello", &OPENSSL[..600], &OPENSSL.replace("MII", "!!!")] {
        assert!(private(broken).contains("not PEM"), "{broken}");
    }
    let cut = "-----BEGIN PRIVATE KEY-----\nMIIG\n-----END PRIVATE KEY-----\n";
    assert!(matches!(
        private_from_pem(cut.as_bytes()),
        Err(KeyError::Private(_))
    ));
}

#[test]
fn a_missing_or_endless_file_is_an_error_and_not_a_hang() {
    let missing = load_public(Path::new("/nonexistent/key")).expect_err("missing");
    assert!(
        missing
            .to_string()
            .starts_with("cannot read /nonexistent/key")
    );
    for (path, what) in [("/dev/zero", "a device"), ("/dev", "a directory")] {
        let endless = load_public(Path::new(path)).expect_err("no file");
        assert!(endless.to_string().contains(what), "{endless}");
    }
}
