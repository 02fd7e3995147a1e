//! Changes encrypted messages on their way, without a key.
//!
//! Usage: cargo run --quiet -- flip CIPHERTEXT KNOWN WANTED     the message begins with KNOWN; let it begin with WANTED
//!        cargo run --quiet -- forge CIPHERTEXT TEXT WORDS      TEXT has this CIPHERTEXT; give the ciphertext of WORDS
//!        cargo run --quiet -- show CAPTURE                     what was sent, piece by piece
//!
//! Ciphertexts are hex.

mod capture;

use std::{env, error::Error};

use capture::show;

/// Byte for byte, as far as the shorter one goes.
fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(x, y)| x ^ y).collect()
}

/// The ciphertext of the same message, with `wanted` at its beginning in place of `known`.
fn flip(ciphertext: &[u8], known: &[u8], wanted: &[u8]) -> Vec<u8> {
    // Your part.
    let _ = (xor(known, wanted), ciphertext);
    ciphertext.to_vec()
}

/// The ciphertext of `words`, under the keystream under which `text` has this ciphertext.
fn forge(ciphertext: &[u8], text: &[u8], words: &[u8]) -> Vec<u8> {
    // Your part.
    let _ = (text, words);
    ciphertext.to_vec()
}

// ---------------------------------------------------------------------------------- from here on everything is complete

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    if digits.len() % 2 == 1 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("{digits:?} is no ciphertext: write an even number of hex digits").into());
    }
    let bytes = (0..digits.len()).step_by(2);
    let bytes = bytes.map(|at| Ok(u8::from_str_radix(&digits[at..at + 2], 16)?));
    bytes.collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["flip", ciphertext, known, wanted] => {
            println!(
                "{}",
                hex(&flip(&from_hex(ciphertext)?, known.as_bytes(), wanted.as_bytes()))
            )
        }
        ["forge", ciphertext, text, words] => {
            println!(
                "{}",
                hex(&forge(&from_hex(ciphertext)?, text.as_bytes(), words.as_bytes()))
            )
        }
        ["show", capture] => show(capture)?,
        _ => return Err("usage: flip CIPHERTEXT KNOWN WANTED | forge CIPHERTEXT TEXT WORDS | show CAPTURE".into()),
    }
    Ok(())
}
