//! Reads old recordings.
//!
//! Usage: cargo run --quiet -- read CAPTURE             a session of the old program: prints its messages
//!        cargo run --quiet -- later CAPTURE KEYFILE    a session of the new one, and a stolen key: prints what it opens
//!        cargo run --quiet -- show CAPTURE             what was sent, piece by piece

// Some of it is used by your part only.
#![allow(dead_code)]

mod aes;
mod capture;
mod latch2;
mod number;
mod sha256;

use std::{env, error::Error, fs};

use aes::apply_keystream;
use capture::{pieces, show, Sender};
use latch2::{messages, unpad};
use number::Number;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// In the client's hello: behind the magic (8), the version (2) and the random (32).
const SHARE_AT: usize = 42;

/// The messages of a session of the old program, from all that was sent, in order.
fn read_old(sent: &[(Sender, Vec<u8>)]) -> Result<Vec<String>> {
    let (client, server) = (from(sent, Sender::Client), from(sent, Sender::Server));
    let [_greeting, key, iv] = server[..] else {
        return Err("the server did not send three pieces".into());
    };
    let (key, iv) = (key.try_into()?, iv.try_into()?);
    let open = |data: &&[u8]| Ok(String::from_utf8(apply_keystream(&key, &iv, data))?);
    client[1..].iter().map(open).collect()
}

/// The secret that the client put into its hello for the owner of this RSA key; None if there is none.
fn secret_in(hello: &[u8], n: &Number, d: &Number) -> Result<Option<Vec<u8>>> {
    let (value, size) = (&hello[SHARE_AT..], n.size());
    if value.len() != size {
        return Ok(None);
    }
    let block = Number::from_bytes(value).power(d, n).to_block(size);
    Ok(Some(unpad(&block)?))
}

// ---------------------------------------------------------------------------------- from here on everything is complete

/// What one side sent, piece by piece.
fn from(sent: &[(Sender, Vec<u8>)], side: Sender) -> Vec<&[u8]> {
    let sent = sent.iter().filter(|(sender, _)| *sender == side);
    sent.map(|(_, data)| &data[..]).collect()
}

/// The messages of a session of the new program, as far as the stolen key opens them.
fn read_later(sent: &[(Sender, Vec<u8>)], (n, d): (Number, Number)) -> Result<Vec<String>> {
    let client = from(sent, Sender::Client);
    let hello = client.first().ok_or("the capture is empty")?;
    match secret_in(hello, &n, &d)? {
        Some(secret) => messages(sent, &secret),
        None => Ok(vec!["this key opens nothing here".to_owned()]),
    }
}

/// The number with these hex digits.
fn from_hex(digits: &str) -> Option<Number> {
    let digits: Option<Vec<u8>> = digits.trim().chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let pairs = digits?;
    let pairs = pairs.rchunks(2).rev();
    let bytes: Vec<u8> = pairs.map(|pair| pair.iter().fold(0, |sum, d| sum << 4 | d)).collect();
    Some(Number::from_bytes(&bytes))
}

/// The modulus n and the private exponent d of a key file.
fn read_key(path: &str) -> Result<(Number, Number)> {
    let text = fs::read_to_string(path)?;
    let number = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.and_then(from_hex).ok_or(format!("{path} has no number {name}"))
    };
    Ok((number("n")?, number("d")?))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let read = match arguments.as_slice() {
        ["read", capture] => read_old(&pieces(capture)?)?,
        ["later", capture, key] => read_later(&pieces(capture)?, read_key(key)?)?,
        ["show", capture] => return show(capture),
        _ => return Err("usage: read CAPTURE | later CAPTURE KEYFILE | show CAPTURE".into()),
    };
    for message in read {
        println!("{message}");
    }
    Ok(())
}
