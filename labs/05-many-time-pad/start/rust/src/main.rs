//! Reads many messages that share one keystream, without a key and without a person.
//!
//! Usage: cargo run --quiet -- CAPTURE
//!        cargo run --quiet -- show CAPTURE    what was sent, piece by piece

// Some of it is used by your part only.
#![allow(dead_code)]

mod capture;
mod model;

use std::{env, error::Error};

use capture::{pieces, show, Sender};
use model::{is_letter, Model};

/// The bytes at one place of all messages, one for each message; `None` where the message is over.
type Column = Vec<Option<u8>>;

/// The keystream byte that leaves the likeliest letters in a column.
fn best_key(column: &Column, model: &Model) -> u8 {
    // Your part. `model.score(b' ', letter)` is large for a likely letter, and very small for what is no letter.
    let _ = (column, model.score(b' ', b'e'));
    0
}

/// The keystream, one byte for each column, so that in each message each letter fits the letter before it.
fn best_keystream(columns: &[Column], model: &Model) -> Vec<u8> {
    // Your part. To begin with, each column by itself:
    columns.iter().map(|column| best_key(column, model)).collect()
}

// ---------------------------------------------------------------------------------- from here on everything is complete

/// The ciphertexts of a capture: what the client sent, without its login.
fn load(path: &str) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let sent = pieces(path)?.into_iter();
    let client = sent.filter(|(sender, _)| *sender == Sender::Client);
    Ok(client.map(|(_, data)| data).skip(1).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let path = match arguments.as_slice() {
        ["show", capture] => return show(capture),
        [path] => path,
        _ => return Err("usage: CAPTURE | show CAPTURE".into()),
    };
    let (ciphertexts, model) = (load(path)?, Model::learnt_from("english.txt")?);
    let length = ciphertexts.iter().map(Vec::len).max().unwrap_or(0);
    let column = |place| ciphertexts.iter().map(|message| message.get(place).copied()).collect();
    let columns: Vec<Column> = (0..length).map(column).collect();
    let keystream = best_keystream(&columns, &model);
    for ciphertext in &ciphertexts {
        let letters = ciphertext.iter().zip(&keystream).map(|(byte, key)| byte ^ key);
        let shown = letters.map(|letter| if is_letter(letter) { letter as char } else { '?' });
        println!("{}", shown.collect::<String>());
    }
    Ok(())
}
