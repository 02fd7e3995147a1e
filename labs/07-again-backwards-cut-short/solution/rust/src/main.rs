//! Decides which messages of an honest session reach the bank, without reading one.
//!
//! Usage: cargo run --quiet -- again|backwards|cut|quiet MESSAGES
//!        cargo run --quiet -- show CAPTURE                          what was sent, piece by piece
//!
//! MESSAGES is hex, with spaces between the messages. Prints the messages for the bank in hex, one a line.

mod capture;

use std::{env, error::Error};

use capture::show;

/// The bytes of one encrypted message.
type Message = Vec<u8>;

/// The payment twice, and everything else once.
fn again(messages: &[Message]) -> Vec<Message> {
    [&messages[..2], &messages[1..]].concat()
}

/// The second limit first.
fn backwards(messages: &[Message]) -> Vec<Message> {
    [&messages[..2], &messages[3..4], &messages[2..3], &messages[4..]].concat()
}

/// Everything before the payment is stopped.
fn cut(messages: &[Message]) -> Vec<Message> {
    messages[..4].to_vec()
}

/// Everything but the message that stops the payment.
fn quiet(messages: &[Message]) -> Vec<Message> {
    [&messages[..4], &messages[5..]].concat()
}

// ---------------------------------------------------------------------------------- from here on everything is complete

const USAGE: &str = "usage: again|backwards|cut|quiet MESSAGES | show CAPTURE";

/// From the messages of the clerk to those that the bank gets.
type Way = fn(&[Message]) -> Vec<Message>;

const WAYS: [(&str, Way); 4] = [
    ("again", again),
    ("backwards", backwards),
    ("cut", cut),
    ("quiet", quiet),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Result<Message, Box<dyn Error>> {
    if digits.len() % 2 == 1 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("{digits:?} is no message: write an even number of hex digits").into());
    }
    let bytes = (0..digits.len()).step_by(2);
    let bytes = bytes.map(|at| Ok(u8::from_str_radix(&digits[at..at + 2], 16)?));
    bytes.collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, argument] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    if name == "show" {
        return show(argument);
    }
    let (_, way) = WAYS.iter().find(|(known, _)| known == name).ok_or(USAGE)?;
    let messages: Result<Vec<Message>, _> = argument.split_whitespace().map(from_hex).collect();
    for message in way(&messages?) {
        println!("{}", hex(&message));
    }
    Ok(())
}
