//! What PyCrypto 2.6.1 wrote, and what the report's screenshots show.

use latchstring_faithful::protocol::{
    handshake::{ExpectReplies, accept},
    keys::{PrivateKey, PublicKey, SessionSecrets},
    message::UserName,
    record::{Opener, Sealer},
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/faithful.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

#[test]
fn the_reports_transcript_decrypts_itself() {
    let transcript = &vectors()["transcript"];
    let sealer = Sealer::new(&SessionSecrets::new([1; 32], [2; 8]));
    for (session, known, opens) in [(0, "change()", "hello my"), (1, "quit()", "test t")] {
        let messages = &transcript[session]["messages"];
        assert_eq!(messages[0]["text"], known);
        let (first, second) = (
            bytes(&messages[0]["ciphertext"]),
            bytes(&messages[1]["ciphertext"]),
        );
        let keystream = xor(known.as_bytes(), &first);
        assert_eq!(xor(&keystream, &second), opens.as_bytes());
        // Ours repeats its keystream from the first byte on, exactly as theirs.
        let ours = |text: &str| sealer.seal(text.as_bytes()).unwrap();
        assert_eq!(xor(&ours(known), &ours(opens)), xor(&first, &second));
    }
    // The ciphertext is as long as the text: the second message of session A has 31 bytes.
    assert_eq!(bytes(&transcript[0]["messages"][1]["ciphertext"]).len(), 31);
    assert_eq!(
        transcript[1]["messages"][1]["text"].as_str().unwrap().len(),
        9
    );
}

#[test]
fn keys_of_pycrypto_are_read_and_written_back_byte_for_byte() {
    for user in vectors()["pycrypto"]["users"].as_array().unwrap() {
        let (private, public) = (
            user["private"].as_str().unwrap(),
            user["public"].as_str().unwrap(),
        );
        let key = PrivateKey::from_pem(private).unwrap();
        assert_eq!(key.public_key(), PublicKey::from_pem(public).unwrap());
        assert_eq!(*key.to_pem().unwrap(), private);
        assert_eq!(key.public_key().to_pem().unwrap(), public);
        // What editors and other systems do to a file.
        let crlf = format!("\n {}\r\n\r\n", private.replace('\n', "\r\n"));
        assert_eq!(
            PrivateKey::from_pem(&crlf).unwrap().public_key(),
            key.public_key()
        );
    }
}

#[test]
fn logins_of_pycrypto_are_ours_also_when_they_are_short() {
    let mut lengths = Vec::new();
    for user in vectors()["pycrypto"]["users"].as_array().unwrap() {
        let name = UserName::parse(user["name"].as_str().unwrap()).unwrap();
        let key = PrivateKey::from_pem(user["private"].as_str().unwrap()).unwrap();
        let (_, login) = ExpectReplies::start(&name, &key.public_key()).unwrap();
        assert_eq!(login, bytes(&user["login"]));
        assert_eq!(accept(&login, [(name.clone(), key)]).unwrap().user(), &name);
        lengths.push(login.len());
    }
    assert_eq!(
        lengths.iter().filter(|n| **n < 128).count(),
        1,
        "the last user's login is short"
    );
}

#[test]
fn messages_of_pycrypto_open_and_seal() {
    let session = &vectors()["pycrypto"]["session"];
    let secrets = SessionSecrets::new(
        bytes(&session["key"]).try_into().unwrap(),
        bytes(&session["iv"]).try_into().unwrap(),
    );
    for message in session["messages"].as_array().unwrap() {
        let (text, record) = (
            message["text"].as_str().unwrap(),
            bytes(&message["ciphertext"]),
        );
        assert_eq!(Sealer::new(&secrets).seal(text.as_bytes()).unwrap(), record);
        assert_eq!(&Opener::new(&secrets).open(&record)[..], text.as_bytes());
    }
}

#[test]
fn what_is_not_a_key_of_this_protocol_is_refused() {
    let vectors = vectors();
    let alice = &vectors["pycrypto"]["users"][0];
    let (private, public) = (
        alice["private"].as_str().unwrap(),
        alice["public"].as_str().unwrap(),
    );
    let cut = &private[..private.len() / 2];
    let changed = private.replacen('A', "B", 3);
    let encrypted = private.replace("KEY-----\nMII", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nMII");
    for bad in [
        "",
        "hello",
        cut,
        public,
        &changed,
        &encrypted,
        "-----BEGIN RSA PRIVATE KEY-----",
    ] {
        assert!(PrivateKey::from_pem(bad).is_err(), "{bad}");
    }
    assert!(PublicKey::from_pem(private).is_err());
    let error = PrivateKey::from_pem(include_str!("data/rsa-512.pem"))
        .err()
        .unwrap();
    assert!(error.to_string().contains("512 bits"), "{error}");
}
