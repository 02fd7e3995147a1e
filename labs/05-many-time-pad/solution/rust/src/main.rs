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
    (0..=255)
        .max_by(|a, b| value(column, *a, model).total_cmp(&value(column, *b, model)))
        .unwrap_or(0)
}

/// The keystream, one byte for each column, so that in each message each letter fits the letter before it.
fn best_keystream(columns: &[Column], model: &Model) -> Vec<u8> {
    let Some((first, rest)) = columns.split_first() else {
        return Vec::new();
    };
    let paths = candidates(first, model).into_iter();
    let mut paths: Vec<Path> = paths.map(|key| (value(first, key, model), vec![key])).collect();
    let mut before = first;
    for column in rest {
        let keys = candidates(column, model).into_iter();
        paths = keys.map(|key| longer(&paths, key, before, column, model)).collect();
        before = column;
    }
    let best = paths.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(Vec::new(), |(_, keys)| keys)
}

/// How likely a sequence of keys is, and the keys.
type Path = (f64, Vec<u8>);

/// How likely the letters are that a key leaves in a column.
fn value(column: &Column, key: u8, model: &Model) -> f64 {
    column.iter().flatten().map(|byte| model.score(b' ', byte ^ key)).sum()
}

/// The 12 likeliest keys of a column.
fn candidates(column: &Column, model: &Model) -> Vec<u8> {
    let mut keys: Vec<(f64, u8)> = (0..=255).map(|key| (value(column, key, model), key)).collect();
    keys.sort_by(|a, b| b.0.total_cmp(&a.0));
    keys.into_iter().map(|(_, key)| key).take(12).collect()
}

/// The best of the paths so far, with this key behind it.
fn longer(paths: &[Path], key: u8, before: &Column, column: &Column, model: &Model) -> Path {
    let fits = |last: u8| -> f64 {
        let pairs = before.iter().zip(column);
        let pairs = pairs.filter_map(|(a, b)| Some((a.as_ref()? ^ last, b.as_ref()? ^ key)));
        pairs.map(|(a, b)| model.score(a, b)).sum()
    };
    let value = |path: &Path| path.0 + fits(path.1[path.1.len() - 1]);
    let best = paths.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
    let best = best.expect("a column has candidates");
    (value(best), [&best.1[..], &[key]].concat())
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
