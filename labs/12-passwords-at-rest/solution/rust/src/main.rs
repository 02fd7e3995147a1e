//! Guesses passwords of a stolen store.
//!
//! Usage: cargo run --quiet -- STORE WORDS    prints the name and the password of each user whose password falls

use std::{env, error::Error, fs, time::Instant};

use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// All guesses: each word as it is and with a capital letter, alone and with each of the usual additions.
fn candidates(words: &[&str]) -> Vec<String> {
    let digits = (0..10).map(|digit| digit.to_string());
    let years = (1990..2030).map(|year| year.to_string());
    let plain = ["", "!"].map(str::to_owned).into_iter();
    let additions: Vec<String> = plain.chain(digits).chain(years).collect();
    let mut guesses = Vec::new();
    for word in words {
        for form in [word.to_string(), capitalize(word)] {
            guesses.extend(additions.iter().map(|addition| format!("{form}{addition}")));
        }
    }
    guesses
}

/// Whether this is the password behind a stored hash: SHA-256 over the salt and the password.
fn matches(password: &str, salt: &[u8], stored: &[u8]) -> bool {
    Sha256::digest([salt, password.as_bytes()].concat())[..] == *stored
}

/// The guess that is the password; None if none of them is.
fn crack<'a>(salt: &[u8], stored: &[u8], guesses: &'a [String]) -> Option<&'a str> {
    let found = guesses.iter().find(|guess| matches(guess, salt, stored));
    found.map(String::as_str)
}

// ---------------------------------------------------------------------------------- from here on everything is complete

/// A line of a store.
struct User {
    name: String,
    salt: Vec<u8>,
    stored: Vec<u8>,
}

/// The users of a store, from lines NAME:sha256:SALT:HASH.
fn read_store(path: &str) -> Result<Vec<User>> {
    let text = fs::read_to_string(path)?;
    let user = |line: &str| match line.split(':').collect::<Vec<_>>()[..] {
        [name, _, salt, stored] => Ok(User {
            name: name.to_owned(),
            salt: from_hex(salt)?,
            stored: from_hex(stored)?,
        }),
        _ => Err(format!("{path}: {line:?} is not NAME:sha256:SALT:HASH").into()),
    };
    text.lines().map(user).collect()
}

/// A word with a capital letter at its beginning.
fn capitalize(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn from_hex(digits: &str) -> Result<Vec<u8>> {
    if !digits.is_ascii() || digits.len() % 2 == 1 {
        return Err(format!("{digits:?} is not an even number of hex digits").into());
    }
    let bytes = (0..digits.len()).step_by(2);
    let bytes = bytes.map(|at| Ok(u8::from_str_radix(&digits[at..at + 2], 16)?));
    bytes.collect()
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [store, words] = arguments.as_slice() else {
        return Err("usage: STORE WORDS".into());
    };
    let words = fs::read_to_string(words)?;
    let guesses = candidates(&words.split_whitespace().collect::<Vec<_>>());
    let (store, began) = (read_store(store)?, Instant::now());
    for user in &store {
        if let Some(password) = crack(&user.salt, &user.stored, &guesses) {
            println!("{} {password}", user.name);
        }
    }
    let (guesses, users, took) = (guesses.len(), store.len(), began.elapsed().as_secs_f64());
    eprintln!("{guesses} guesses for each of {users} users took {took:.1} s");
    Ok(())
}
