//! The workbench's file of pins and notes, as an editor may have left it.
//!
//! Besides "no panic": the file is taken as a whole or not at all, every pin tells the keystream where it stands, and an
//! error names the file.

use latchstring_cryptanalysis::xor;
use latchstring_workbench::screen;
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use super::scratch;

/// Runs one input: the file.
pub fn run(data: &[u8]) {
    let folder = scratch::folder("workbench");
    let path = scratch::file(&folder, "chat.workbench.toml", data);
    let ciphertexts = ciphertexts();
    let keystream = match screen::pinned(&path, &ciphertexts) {
        Ok(keystream) => keystream.expect("there is a file"),
        Err(error) => return assert!(format!("{error:#}").contains("workbench.toml"), "{error:#}"),
    };
    let text = std::str::from_utf8(data).expect("only text is taken");
    let table: Table = text.parse().expect("only TOML is taken");
    let hashes = table["ciphertexts"]
        .as_array()
        .expect("it lists the ciphertexts");
    let pins = table.get("pin").and_then(Value::as_array);
    for pin in pins.into_iter().flatten() {
        let number = |name: &str| pin[name].as_integer().and_then(|n| usize::try_from(n).ok());
        let (message, offset) = (number("message"), number("offset").expect("a place"));
        let hash = hashes[message.expect("a message") - 1]
            .as_str()
            .expect("a hash");
        let text = pin["text"].as_str().expect("a text").as_bytes();
        let of = |ciphertext: &&Vec<u8>| name(ciphertext) == hash.to_ascii_lowercase();
        let ciphertext = ciphertexts.iter().find(of).expect("one of ours");
        let tells = xor(&ciphertext[offset..], text);
        assert_eq!(tells.len(), text.len(), "a pin reaches over the end");
        for (byte, at) in tells.iter().zip(offset..) {
            assert_eq!(keystream.get(at), Some(*byte));
        }
    }
}

/// The messages that the files are about.
pub fn ciphertexts() -> Vec<Vec<u8>> {
    let message = |number: u8| {
        (0..40 + 10 * number)
            .map(|at| at.wrapping_mul(number + 3))
            .collect()
    };
    (0..3).map(message).collect()
}

/// What a file calls a ciphertext: its SHA-256.
pub fn name(ciphertext: &[u8]) -> String {
    hex::encode(Sha256::digest(ciphertext))
}
