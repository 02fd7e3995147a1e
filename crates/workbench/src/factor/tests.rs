//! What a person gets for keys of every kind and shape.

use std::{fs, path::Path};

use latchstring_cryptanalysis::rsa::next_prime;
use rsa::{
    BoxedUint, RsaPrivateKey,
    pkcs1::{DecodeRsaPrivateKey, LineEnding},
    pkcs8::EncodePublicKey,
    traits::{PrivateKeyParts, PublicKeyParts},
};
use serde_json::{Value, json};

use super::*;

/// A prime of 512 bits.
fn prime(which: u32) -> UBig {
    next_prime(&((UBig::from(3u8) << 510) + (UBig::from(which) << 300)))
}

fn public_key(folder: &Path, name: &str, p: &UBig, q: &UBig) -> (String, RsaPrivateKey) {
    let number = |n: &UBig| BoxedUint::from_be_slice_vartime(&n.to_be_bytes());
    let e = BoxedUint::from(u64::from(EXPONENT));
    let key = RsaPrivateKey::from_p_q(number(p), number(q), e).unwrap();
    let path = folder.join(name);
    let pem = key.to_public_key().to_public_key_pem(LineEnding::LF);
    fs::write(&path, pem.unwrap()).unwrap();
    (path.to_str().unwrap().to_owned(), key)
}

fn arguments(keys: &[&str], out: Option<PathBuf>) -> Arguments {
    Arguments {
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        out,
        exponent: None,
        gcd_only: false,
        thorough: false,
        resume: None,
        json: false,
    }
}

fn said(arguments: &Arguments) -> (ExitCode, String) {
    let mut out = Vec::new();
    let code = run(arguments, &mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

#[test]
fn of_public_keys_that_were_badly_made_the_private_ones_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let (alice, private) = public_key(folder.path(), "alice.pub", &prime(1), &prime(2));
    let (bob, _) = public_key(folder.path(), "bob.pub", &prime(1), &prime(900));
    let close = next_prime(&(prime(5) + UBig::ONE));
    let (carol, _) = public_key(folder.path(), "carol.pub", &prime(5), &close);
    let out = folder.path().join("found");
    let (_, said) = said(&arguments(&[&alice, &bob, &carol], Some(out.clone())));
    assert_eq!(said.matches("batch GCD").count(), 2, "{said}");
    assert_eq!(said.matches("Fermat").count(), 1, "{said}");
    let written = fs::read_to_string(out.join("alice")).unwrap();
    let written = RsaPrivateKey::from_pkcs1_pem(&written).unwrap();
    written.validate().unwrap();
    assert_eq!((written.n(), written.e()), (private.n(), private.e()));
    assert_eq!(written.primes(), private.primes());
    assert!(out.join("bob").exists() && out.join("carol").exists());
}

#[test]
fn a_sound_key_stays_whole_and_a_short_one_does_not() {
    let (p, q) = (
        prime(0x8123_4567),
        next_prime(&(prime(3) + (UBig::ONE << 509))),
    );
    let sound = (&p * &q).to_string();
    let (code, words) = said(&arguments(&[&sound], None));
    assert_eq!(code, ExitCode::from(NOTHING_FOUND));
    assert!(
        words.contains("modulus of 1024 bits: nothing found"),
        "{words}"
    );
    let short = next_prime(&(UBig::from(3u8) << 62)) * next_prime(&(UBig::from(5u8) << 58));
    let (code, words) = said(&arguments(&[&format!("0x{short:x}")], None));
    assert_eq!(code, ExitCode::SUCCESS, "{words}");
    assert!(words.contains("  p = "), "{words}");
}

#[test]
fn what_is_no_key_is_named() {
    let wrong = run(&arguments(&["no-such-file"], None), &mut Vec::new()).unwrap_err();
    assert!(wrong.to_string().contains("no-such-file"), "{wrong}");
    let mut two = arguments(&["15", "21"], None);
    two.resume = Some("sieve.json".into());
    let wrong = run(&two, &mut Vec::new()).unwrap_err();
    assert!(
        wrong.to_string().contains("--resume is for one key"),
        "{wrong}"
    );
}

/// What is found of one modulus and exponent, as JSON.
fn found(n: &UBig, e: u32) -> Value {
    let mut arguments = arguments(&[&n.to_string()], None);
    arguments.exponent = Some(e.into());
    arguments.json = true;
    serde_json::from_str(&said(&arguments).1).unwrap()
}

fn power(base: &UBig, exponent: &UBig, n: &UBig) -> UBig {
    let ring = dashu_int::fast_div::ConstDivisor::new(n.clone());
    ring.reduce(base.clone()).pow(exponent).residue()
}

#[test]
fn a_printed_private_exponent_decrypts_whatever_the_shape_of_the_modulus() {
    let (p, q, r) = (
        next_prime(&(UBig::from(3u8) << 30)),
        next_prime(&(UBig::from(5u8) << 28)),
        next_prime(&(UBig::from(7u8) << 26)),
    );
    let small = UBig::from(101u8);
    let shapes = [
        &p * &q,
        &p * &p,
        p.pow(3),
        &p * &p * &q,
        &small * &p * &q,
        &p * &q * &r,
        p.clone(),
        &p * UBig::from(2u8),
        &p * &q * UBig::from(32u8),
        UBig::from(3u8).pow(40),
    ];
    for n in shapes {
        for e in [3, 17, 65_537] {
            let found = found(&n, e);
            let Some(d) = found["d"].as_str() else {
                // 3 may divide a p - 1, or be the squared prime.
                assert_eq!(e, 3, "{n}: {found}");
                continue;
            };
            let d = UBig::from_str_radix(d, 10).unwrap();
            for message in [5u8, 7, 11, 13, 23, 29, 200].map(UBig::from) {
                let message = power(&message, &UBig::from(9u8), &n);
                let ciphertext = power(&message, &e.into(), &n);
                assert_eq!(power(&ciphertext, &d, &n), message, "{n}, {e}");
            }
        }
    }
}

#[test]
fn what_has_no_private_exponent_gets_none() {
    let n = next_prime(&(UBig::from(3u8) << 62)) * next_prime(&(UBig::from(5u8) << 58));
    let even = found(&n, 2);
    assert!(even["d"].is_null() && even["p"].is_string(), "{even}");
    assert_eq!(found(&n, 1)["d"], "1");
    for n in [0u8, 1] {
        let (code, words) = said(&arguments(&[&n.to_string()], None));
        assert_eq!(code, ExitCode::from(NOTHING_FOUND));
        assert!(words.contains("is no modulus"), "{words}");
    }
    let square = prime(7).pow(2).to_string();
    let (code, words) = said(&arguments(&[&square], None));
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(
        words.contains("(squared)") && words.contains("cannot be decrypted"),
        "{words}"
    );
    let (_, words) = said(&arguments(&[&prime(8).to_string()], None));
    assert!(
        words.contains("itself a prime") && words.contains("verified"),
        "{words}"
    );
    // What only the cheap methods can separate stays, and is said to be there.
    let sound = prime(0x8123_4567) * next_prime(&(prime(3) + (UBig::ONE << 509)));
    let (_, words) = said(&arguments(
        &[&(sound * UBig::from(101u8)).to_string()],
        None,
    ));
    assert!(words.contains("not taken apart"), "{words}");
    assert!(words.contains("not all primes are known"), "{words}");
}

#[test]
fn the_own_exponent_of_a_key_counts_and_several_primes_have_a_pem() {
    let folder = tempfile::tempdir().unwrap();
    let (p, q) = (prime(11), next_prime(&(prime(11) + UBig::ONE)));
    let n = &p * &q;
    let file = folder.path().join("own.txt");
    fs::write(&file, format!("n = {n}\r\ne = 17\r\n")).unwrap();
    let out = folder.path().join("found");
    let (_, words) = said(&arguments(&[file.to_str().unwrap()], Some(out.clone())));
    assert!(words.contains("(for e = 17; verified)"), "{words}");
    let pem = fs::read_to_string(out.join("own")).unwrap();
    let written = RsaPrivateKey::from_pkcs1_pem(&pem).unwrap();
    assert_eq!(written.e().to_string(), BoxedUint::from(17u64).to_string());
    // A key of three primes, which the `rsa` crate does not read, is the one that its numbers say.
    let whole = factor_fully(&(&n * UBig::from(65_521u32)), None, |part| {
        factor(part, &Effort::QUICK)
    });
    let e = UBig::from(65_537u32);
    let d = whole.private_exponent(&e).unwrap();
    let pem = private::pem(&whole, &e, &d).unwrap();
    let contents: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let public = formats::der(&formats::unbase64(&contents).unwrap()).unwrap();
    assert_eq!(public.n, whole.modulus());
    let square = factor_fully(&(&p * &p), None, |_| None);
    let why = private::pem(&square, &e, &e).unwrap_err().to_string();
    assert!(why.contains("divides the modulus twice"), "{why}");
}

/// A key in every format, as OpenSSL and OpenSSH write it, and what is no RSA key.
const ALL: &str = include_str!("testdata/all.txt");
const NONE: &str = include_str!("testdata/none.txt");

fn read(folder: &Path, contents: impl AsRef<[u8]>) -> Keys {
    let file = folder.join("keys");
    fs::write(&file, contents).unwrap();
    Keys::read(&[file.to_str().unwrap().to_owned()]).unwrap()
}

#[test]
fn a_key_is_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let keys = read(folder.path(), ALL);
    assert_eq!((keys.keys.len(), keys.refused), (12, vec![]));
    let (n, e) = (keys.keys[0].n.clone(), UBig::from(65_537u32));
    assert_eq!(n.bit_len(), 1024);
    let same = |keys: &[Key]| keys.iter().all(|key| key.n == n);
    assert!(same(&keys.keys));
    let own = keys.keys[..11].iter().all(|key| key.e.as_ref() == Some(&e));
    assert!(
        own,
        "all but a bare number have an exponent: {:?}",
        keys.keys
    );

    for text in [
        ALL.replace('\n', "\r\n"),
        ALL.replace('\n', "\r"),
        format!("\u{feff}{ALL}"),
    ] {
        let keys = read(folder.path(), text);
        assert_eq!((keys.keys.len(), keys.refused.len()), (12, 0));
    }
    for der in [
        &include_bytes!("testdata/private.der")[..],
        include_bytes!("testdata/certificate.der"),
    ] {
        let keys = read(folder.path(), der);
        assert!(keys.keys.len() == 1 && same(&keys.keys));
    }
    let hexadecimal = format!("{n:x}");
    let colons: Vec<&str> = (0..256)
        .step_by(2)
        .map(|at| &hexadecimal[at..at + 2])
        .collect();
    let base64 = {
        use base64ct::{Base64UrlUnpadded, Encoding};
        Base64UrlUnpadded::encode_string(&n.to_be_bytes())
    };
    let jwk = json!({ "kty": "RSA", "kid": "one", "n": base64, "e": "AQAB" });
    for text in [
        n.to_string(),
        hexadecimal.clone(),
        hexadecimal.to_uppercase(),
        format!("0x{hexadecimal}  "),
        colons.join(":"),
        format!("# a comment\n\nN: {n}\ne: 65537"),
        format!("n=0x{hexadecimal}\n"),
        format!(
            "host,10.0.0.1 {}",
            ALL.lines()
                .find(|line| line.starts_with("ssh-rsa"))
                .unwrap()
        ),
        jwk.to_string(),
        json!({ "keys": [jwk] }).to_string(),
        json!([n.to_string()]).to_string(),
        json!([{ "n": n.to_string(), "e": 65_537 }]).to_string(),
    ] {
        let keys = read(folder.path(), &text);
        assert!(keys.keys.len() == 1 && same(&keys.keys), "{text}: {keys:?}");
        assert!(
            keys.keys[0].e.as_ref().is_none_or(|own| *own == e),
            "{text}"
        );
    }
}

#[test]
fn short_keys_and_large_numbers_are_read_like_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let number = UBig::from(3u8).pow(300);
    let n = number.to_string();
    let e = Some(UBig::from(65_537u32));
    let json = format!("[{n}, {{\"n\": {n}, \"e\": 65537, \"kid\": \"a \\\" {n}\"}}]");
    let keys = read(folder.path(), json).keys;
    let read_back: Vec<_> = keys.iter().map(|key| (&key.n, &key.e)).collect();
    assert_eq!(read_back, [(&number, &None), (&number, &e)]);
    assert!(keys[1].name.contains(&n), "its name stays as it is");

    // 16 bytes: the last line of OpenSSL's digits holds a single pair.
    let pairs =
        "Modulus:\n    00:c3:1f:05:07:09:0b:0d:0f:11:13:15:17:19:1b:\n    1d\nExponent: 3\n";
    let keys = read(folder.path(), pairs);
    let expected = UBig::from_str_radix("c31f0507090b0d0f11131517191b1d", 16).unwrap();
    assert_eq!((keys.keys[0].n.clone(), keys.keys.len()), (expected, 1));

    // All bytes of this DER are ASCII.
    let keys = read(folder.path(), b"\x30\x06\x02\x01\x23\x02\x01\x03").keys;
    assert_eq!(keys[0].n, UBig::from(35u8));
}

#[test]
fn a_number_with_a_sign_is_no_modulus() {
    for text in ["+35", "-35", "0x+23", "0x-23", "0X+23", "+0x23", "23:+1"] {
        assert_eq!(formats::number(text), None, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_named_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let keys = read(folder.path(), format!("{NONE}35\n"));
    assert_eq!(keys.keys.len(), 1);
    let refused = keys.refused.join("\n");
    for why in [
        ":1: it is encrypted",
        ": a EC PRIVATE KEY is not an RSA key",
        "another algorithm (1.2.840.10045.2.1), not RSA",
        "another algorithm (ssh-ed25519), not RSA",
        "no number, no ssh-rsa key",
    ] {
        assert!(refused.contains(why), "{why}: {refused}");
    }
    assert_eq!(keys.refused.len(), 6, "{refused}");
    let ec = json!({ "keys": [{ "kty": "EC" }, { "n": "35", "e": "3" }] });
    let keys = read(folder.path(), ec.to_string());
    assert_eq!((keys.keys.len(), keys.refused.len()), (1, 1));
    assert!(
        keys.refused[0].contains(".keys[0]: \"EC\" without n"),
        "{:?}",
        keys.refused
    );
    // Cut anywhere, nothing is invented and nothing panics.
    for end in (0..ALL.len()).step_by(7) {
        let file = folder.path().join("cut");
        fs::write(&file, &ALL[..end]).unwrap();
        if let Ok(keys) = Keys::read(&[file.to_str().unwrap().to_owned()]) {
            let whole = keys.keys.iter().filter(|key| key.n.bit_len() == 1024);
            assert!(
                keys.keys.len() - whole.count() <= 1,
                "only the last one may be cut"
            );
        }
    }
    let numbers = b"\x30\x82\xff\xff\x00";
    let file = folder.path().join("damaged");
    fs::write(&file, numbers).unwrap();
    let error = Keys::read(&[file.to_str().unwrap().to_owned()]).unwrap_err();
    assert!(
        error.to_string().contains("no RSA key was found"),
        "{error}"
    );
}

#[test]
fn a_number_that_is_folded_is_one_number() {
    let folder = tempfile::tempdir().unwrap();
    let n = prime(7) * prime(8);
    let decimal = n.to_string();
    let pairs = hex::encode(n.to_be_bytes());
    let (mut folded, mut colons) = (String::new(), String::new());
    for (i, digit) in decimal.chars().enumerate() {
        folded.extend((i > 0 && i % 68 == 0).then_some("\\\n"));
        folded.push(digit);
    }
    for (i, pair) in pairs.as_bytes().chunks(2).enumerate() {
        colons.extend((i > 0).then_some(if i % 15 == 0 { ":\n    " } else { ":" }));
        colons.push_str(std::str::from_utf8(pair).unwrap());
    }
    for text in [folded, colons] {
        let keys = read(folder.path(), format!("{text}\n35\n"));
        let moduli: Vec<&UBig> = keys.keys.iter().map(|key| &key.n).collect();
        assert_eq!(moduli, [&n, &UBig::from(35u8)], "{text}");
        assert!(keys.refused.is_empty(), "{:?}", keys.refused);
    }
    let cut = read(folder.path(), "00:c3:\n 1f:\n\n35\n");
    assert_eq!((cut.keys.len(), cut.refused.len()), (1, 1));
    assert!(
        cut.refused[0].contains("ends too early"),
        "{:?}",
        cut.refused
    );
}

#[test]
fn an_exponent_belongs_to_the_modulus_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "n = 35\ne = 5\nn = 77\ne = 7\n",
        "e = 5\nn = 35\ne = 7\nn = 77\n",
    ] {
        let keys = read(folder.path(), text);
        let e: Vec<u32> = keys
            .keys
            .iter()
            .map(|key| key.e.clone().unwrap().try_into().unwrap())
            .collect();
        assert_eq!(e, [5, 7], "{text}");
        assert!(keys.refused.is_empty(), "{:?}", keys.refused);
    }
    let alone = read(folder.path(), "n = 35\ne = 5\ne = 7\n");
    assert!(
        alone.refused[0].contains(":3: an exponent without"),
        "{:?}",
        alone.refused
    );
}

#[test]
fn what_cannot_be_read_does_not_keep_the_rest_from_being_tried() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let arguments = [
        folder.path().to_str().unwrap().to_owned(),
        path("cut.gz", b"\x1f\x8b\x08\0"),
        path("wide", b"\xff\xfe3\x005\0"),
        path("ini", b"[keys]\nn = 35\n"),
        "-35".to_owned(),
        path("lines.json", b"{\"n\":\"35\"}\n{\"n\":\"77\"}\n{\"n\n"),
    ];
    let keys = Keys::read(&arguments).unwrap();
    assert_eq!(keys.keys.len(), 2);
    let refused = keys.refused.join("\n");
    for why in [
        "it is a directory",
        "cut.gz: cannot unpack",
        "wide is UTF-16 text",
        "ini: it looks like JSON and is not",
        "-35: it is neither a natural number",
        "lines.json (value 3): it looks like JSON and is not",
    ] {
        assert!(refused.contains(why), "{why}: {refused}");
    }
}

#[test]
fn shared_primes_come_first_and_alone_where_they_are_asked_for() {
    let (p, q, r) = (prime(21), prime(40_000_022), prime(80_000_023));
    let close = prime(5) * next_prime(&(prime(5) + UBig::ONE));
    let keys = [
        close.to_string(),
        (&p * &q).to_string(),
        (&p * &r).to_string(),
    ];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (_, words) = said(&arguments(&keys, None));
    let at = |what: &str| {
        words
            .find(what)
            .unwrap_or_else(|| panic!("{what}: {words}"))
    };
    assert!(at("batch GCD") < at("Fermat"), "{words}");
    let mut gcd_only = arguments(&keys, None);
    gcd_only.gcd_only = true;
    let (code, words) = said(&gcd_only);
    assert_eq!(code, ExitCode::SUCCESS);
    assert_eq!(
        (words.matches("batch GCD").count(), words.contains("Fermat")),
        (2, false),
        "{words}"
    );
    gcd_only.keys.truncate(2);
    assert_eq!(said(&gcd_only).0, ExitCode::from(NOTHING_FOUND));
    let twice = said(&arguments(&["143", "15", "143"], None)).1;
    assert!(twice.contains("it has the modulus of"), "{twice}");
}

#[test]
fn progress_that_could_not_be_kept_is_said_at_the_start() {
    let n = next_prime(&(UBig::from(3u8) << 100)) * next_prime(&(UBig::from(5u8) << 100));
    let mut arguments = arguments(&[&n.to_string()], None);
    arguments.resume = Some("no/such/folder/sieve.json".into());
    let wrong = format!("{:#}", run(&arguments, &mut Vec::new()).unwrap_err());
    assert!(wrong.contains("cannot keep progress in"), "{wrong}");
}
