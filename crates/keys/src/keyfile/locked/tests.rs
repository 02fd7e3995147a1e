use std::{
    fs,
    process::{Command, Output},
    time::{Duration, Instant},
};

use latchstring_net::{
    entropy::OsEntropy, keyfile::KeyFileError, protocol::hardened::signature::Signer,
    public_key::Bits,
};

use super::*;
use crate::keyfile::{Private, change_passphrase, open_private, private_from_pem, save_locked};

const OPENSSL: &str = include_str!("../../../../net/tests/keys/openssl-3072.pem");
/// The same key under the passphrase `example`, with PBKDF2.
const OPENSSL_LOCKED: &str = include_str!("../../../../net/tests/keys/openssl-3072-encrypted.pem");

fn key() -> RsaKey {
    private_from_pem(OPENSSL.as_bytes()).unwrap()
}

fn spki(key: &RsaKey) -> Vec<u8> {
    key.public_key().to_vec()
}

fn openssl(arguments: &[&str]) -> Option<Output> {
    Command::new("openssl").args(arguments).output().ok()
}

#[test]
fn a_key_opens_with_its_passphrase_alone() {
    let pem = lock(&key(), b"correct horse", &OsEntropy).unwrap();
    assert!(is_locked(pem.as_bytes()) && !is_locked(OPENSSL.as_bytes()));
    let again = unlock(pem.as_bytes(), b"correct horse").unwrap();
    assert_eq!(spki(&again), spki(&key()));
    for wrong in [&b"correct hors"[..], b"", b"correct horse\n"] {
        let why = unlock(pem.as_bytes(), wrong).unwrap_err();
        assert_eq!(why, KeyError::Passphrase);
    }
    // Nothing of the key is to be seen, and no two files are alike.
    let body: String = OPENSSL.lines().skip(1).take(3).collect();
    assert!(!pem.replace('\n', "").contains(&body));
    assert_ne!(pem, lock(&key(), b"correct horse", &OsEntropy).unwrap());
}

#[test]
fn what_openssl_has_encrypted_is_opened() {
    let opened = unlock(OPENSSL_LOCKED.as_bytes(), b"example").unwrap();
    assert_eq!(spki(&opened), spki(&key()));
    let dir = tempfile::tempdir().unwrap();
    let (plain, locked) = (dir.path().join("plain"), dir.path().join("locked"));
    fs::write(&plain, OPENSSL).unwrap();
    let (plain, file) = (plain.to_str().unwrap(), locked.to_str().unwrap());
    for how in [
        &["-scrypt"][..],
        &["-v2", "aes-128-cbc"],
        &["-v2prf", "hmacWithSHA512"],
    ] {
        let convert = [
            "pkcs8",
            "-topk8",
            "-in",
            plain,
            "-passout",
            "pass:secret",
            "-out",
            file,
        ];
        let Some(done) = openssl(&[&convert[..], how].concat()) else {
            return; // a machine without it
        };
        assert!(done.status.success(), "{done:?}");
        let pem = fs::read(&locked).unwrap();
        assert_eq!(
            spki(&unlock(&pem, b"secret").unwrap()),
            spki(&key()),
            "{how:?}"
        );
    }
    // Older ways are refused with the command that converts them.
    for how in [
        &["-v1", "PBE-SHA1-3DES"][..],
        &["-v2", "des3"],
        &["-v2prf", "hmacWithSHA1"],
    ] {
        let convert = [
            "pkcs8",
            "-topk8",
            "-in",
            plain,
            "-passout",
            "pass:secret",
            "-out",
            file,
        ];
        let done = openssl(&[&convert[..], how].concat()).unwrap();
        if !done.status.success() {
            continue; // a build of OpenSSL that has forgotten it
        }
        let why = unlock(&fs::read(&locked).unwrap(), b"secret").unwrap_err();
        assert_eq!(why, KeyError::Encryption, "{how:?}");
        assert!(
            why.to_string().contains("openssl pkcs8 -topk8 -scrypt"),
            "{why}"
        );
    }
}

#[test]
fn openssl_opens_what_we_have_encrypted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pem");
    save_locked(&key(), &path, b"correct horse", &OsEntropy).unwrap();
    let file = path.to_str().unwrap();
    let open = ["pkey", "-in", file, "-passin", "pass:correct horse"];
    let Some(done) = openssl(&open) else {
        return; // a machine without it
    };
    assert!(done.status.success(), "{done:?}");
    let opened = private_from_pem(&done.stdout).unwrap();
    assert_eq!(spki(&opened), spki(&key()));
    let wrong = openssl(&["pkey", "-in", file, "-passin", "pass:wrong"]).unwrap();
    assert!(!wrong.status.success());
}

/// The file with another cost: `from` is the cost as it stands in the DER of a file of ours.
fn with_cost(from: &[u8], to: &[u8]) -> Result<RsaKey, KeyError> {
    assert_eq!(from.len(), to.len());
    let pem = lock(&key(), b"correct horse", &OsEntropy).unwrap();
    let mut der = decode(pem.as_bytes(), LOCKED).unwrap();
    let at = der.windows(from.len()).position(|bytes| bytes == from);
    let at = at.expect("the cost stands in the file");
    der[at..at + from.len()].copy_from_slice(to);
    unlock(encode(LOCKED, &der).unwrap().as_bytes(), b"correct horse")
}

/// `costParameter 16384, blockSize 8, parallelizationParameter 5`.
const COST: [u8; 10] = [2, 2, 0x40, 0, 2, 1, 8, 2, 1, 5];

#[test]
fn a_file_with_an_absurd_cost_is_refused_before_any_work() {
    for (cost, expected) in [
        // As it is, for the comparison.
        (COST, None),
        // 2^14 · 127 · 128 bytes are within the memory, and five times of it are too much work.
        ([2, 2, 0x40, 0, 2, 1, 127, 2, 1, 5], Some(true)),
        ([2, 2, 0x40, 0, 2, 1, 8, 2, 1, 127], Some(true)),
        // No power of two, one, and zero.
        ([2, 2, 0x40, 1, 2, 1, 8, 2, 1, 5], Some(false)),
        ([2, 2, 0x40, 0, 2, 1, 8, 2, 1, 0], Some(false)),
        ([2, 2, 0x40, 0, 2, 1, 0, 2, 1, 5], Some(false)),
    ] {
        let began = Instant::now();
        let opened = with_cost(&COST, &cost);
        match (expected, opened) {
            (None, opened) => assert!(opened.is_ok()),
            (Some(true), Err(KeyError::Cost(_))) | (Some(false), Err(KeyError::Encryption)) => {
                assert!(began.elapsed() < Duration::from_secs(20));
            }
            (expected, opened) => panic!("{cost:?}: {expected:?} {opened:?}"),
        }
    }
    for n in [0, 1] {
        let kdf = Kdf::Scrypt(pkcs5::pbes2::ScryptParams {
            salt: pkcs5::pbes2::Salt::new([0; 16]).unwrap(),
            cost_parameter: n,
            block_size: 8,
            parallelization: 1,
            key_length: None,
        });
        assert_eq!(check_cost(&kdf), Err(KeyError::Encryption), "{n}");
    }
}

#[test]
fn the_bounds_of_the_cost_are_where_they_are_said_to_be() {
    let scrypt = |log_n: u32, r: u16, p: u16| {
        check_cost(&Kdf::Scrypt(pkcs5::pbes2::ScryptParams {
            salt: pkcs5::pbes2::Salt::new([0; 16]).unwrap(),
            cost_parameter: 1 << log_n,
            block_size: r,
            parallelization: p,
            key_length: None,
        }))
    };
    assert!(scrypt(18, 8, 1).is_ok() && scrypt(18, 8, 4).is_ok());
    let dear = |done: Result<(), KeyError>| matches!(done, Err(KeyError::Cost(_)));
    assert!(dear(scrypt(19, 8, 1)) && dear(scrypt(18, 8, 5)) && dear(scrypt(63, 65_535, 65_535)));
    let rounds = |n| {
        let params = pkcs5::pbes2::Pbkdf2Params::hmac_sha256(n, &[0; 8]).unwrap();
        check_cost(&Kdf::Pbkdf2(params))
    };
    assert!(rounds(2048).is_ok() && rounds(MAX_ROUNDS).is_ok());
    assert!(dear(rounds(MAX_ROUNDS + 1)));
    assert_eq!(rounds(0), Err(KeyError::Encryption));
}

#[test]
fn a_passphrase_is_changed_and_taken_away_and_the_old_one_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pem");
    save_locked(&key(), &path, b"first one", &OsEntropy).unwrap();
    let open = |passphrase: &[u8]| match open_private(&path).unwrap() {
        Private::Locked(locked) => locked.unlock(passphrase),
        Private::Open(key) => Ok(key),
    };
    change_passphrase(&key(), &path, Some(b"second one"), &OsEntropy).unwrap();
    assert!(open(b"second one").is_ok());
    let old = open(b"first one").unwrap_err();
    assert!(matches!(
        old,
        KeyFileError::Key {
            source: KeyError::Passphrase,
            ..
        }
    ));
    assert!(old.to_string().contains("key.pem"), "{old}");
    // A leftover of a crash is not overwritten, and the key stays as it is.
    let leftover = dir.path().join("key.pem.new");
    fs::write(&leftover, "x").unwrap();
    assert!(change_passphrase(&key(), &path, None, &OsEntropy).is_err());
    assert!(open(b"second one").is_ok());
    fs::remove_file(&leftover).unwrap();
    change_passphrase(&key(), &path, None, &OsEntropy).unwrap();
    assert!(matches!(open_private(&path).unwrap(), Private::Open(_)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_damaged_file_is_an_error_and_no_panic() {
    let pem = lock(&key(), b"correct horse", &OsEntropy).unwrap();
    let der = decode(pem.as_bytes(), LOCKED).unwrap();
    // The head holds everything that is read before the passphrase is used.
    for at in 0..110 {
        let mut damaged = der.clone();
        damaged[at] ^= 0x80;
        let damaged = encode(LOCKED, &damaged).unwrap();
        if let Ok(opened) = unlock(damaged.as_bytes(), b"correct horse") {
            panic!("byte {at} makes no difference: {opened:?}");
        }
    }
    for length in [0, 1, 10, 100, der.len() - 1] {
        let cut = encode(LOCKED, &der[..length]).unwrap();
        assert!(unlock(cut.as_bytes(), b"correct horse").is_err());
    }
}

#[test]
fn a_new_key_of_every_size_is_locked() {
    let key = RsaKey::generate(Bits::B3072).unwrap();
    let pem = lock(&key, b"correct horse", &OsEntropy).unwrap();
    assert_eq!(
        spki(&unlock(pem.as_bytes(), b"correct horse").unwrap()),
        spki(&key)
    );
}
