//! Reads messages that share a keystream, without the key.
//!
//! Usage: cargo run --quiet -- list CAPTURE
//!        cargo run --quiet -- drag CAPTURE CRIB          tries a crib in every pair of messages, at every offset
//!        cargo run --quiet -- open CAPTURE NUMBER TEXT   message NUMBER begins with TEXT: opens the others that far
//!        cargo run --quiet -- show CAPTURE               what was sent, piece by piece

mod capture;

use std::{env, error::Error};

use capture::{pieces, show, Sender};

/// Byte for byte, as far as the shorter one goes.
fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// Slides the crib along two ciphertexts: (offset, text). If one of the two messages has the crib at this offset, the other
/// has the text there.
fn drag(one: &[u8], other: &[u8], crib: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mixed = xor(one, other);
    let places = mixed.windows(crib.len()).enumerate();
    places.map(|(offset, part)| (offset, xor(part, crib))).collect()
}

/// Opens every ciphertext, given that the one with this number begins with `text`. Each is as long as what is known of the
/// keystream, and no longer than its ciphertext.
fn open_with(ciphertexts: &[Vec<u8>], number: usize, text: &[u8]) -> Vec<Vec<u8>> {
    let keystream = xor(&ciphertexts[number - 1], text);
    ciphertexts
        .iter()
        .map(|ciphertext| xor(ciphertext, &keystream))
        .collect()
}

// ---------------------------------------------------------------------------------- from here on everything is complete

/// The ciphertexts of a capture: what the client sent, without its login. The first has the number 1.
fn load(path: &str) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let client = pieces(path)?
        .into_iter()
        .filter(|(sender, _)| *sender == Sender::Client);
    Ok(client.map(|(_, data)| data).skip(1).collect())
}

/// The text, if these bytes could stand in such a message.
fn plausible(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.chars()
        .all(|c| c.is_ascii_lowercase() || " ,.'()".contains(c))
        .then_some(text)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["list", path] => {
            for (i, data) in load(path)?.iter().enumerate() {
                let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
                println!("{}: {:3} bytes  {hex}", i + 1, data.len());
            }
        }
        ["drag", path, crib] => {
            let ciphertexts = load(path)?;
            for (i, one) in ciphertexts.iter().enumerate() {
                for (j, other) in ciphertexts.iter().enumerate().skip(i + 1) {
                    for (offset, text) in drag(one, other, crib.as_bytes()) {
                        if let Some(text) = plausible(&text) {
                            println!("{}+{} at {offset}: {text}", i + 1, j + 1);
                        }
                    }
                }
            }
        }
        ["open", path, number, text] => {
            let ciphertexts = load(path)?;
            let opened = open_with(&ciphertexts, number.parse()?, text.as_bytes());
            for (i, (text, ciphertext)) in opened.iter().zip(&ciphertexts).enumerate() {
                let shown = text.iter().map(|byte| match byte {
                    32..=126 => *byte as char,
                    _ => '?',
                });
                let missing = "_".repeat(ciphertext.len() - text.len());
                println!("{}: {}{missing}", i + 1, shown.collect::<String>());
            }
        }
        ["show", path] => show(path)?,
        _ => return Err("usage: list CAPTURE | drag CAPTURE CRIB | open CAPTURE NUMBER TEXT | show CAPTURE".into()),
    }
    Ok(())
}
