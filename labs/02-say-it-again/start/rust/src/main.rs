//! Logs in with a recorded login, and says something in that user's name.
//!
//! Usage: cargo run --quiet -- HOST PORT CAPTURE WORDS
//!        cargo run --quiet -- show CAPTURE               what was sent, piece by piece

// Some of it is used by your part only.
#![allow(dead_code)]

mod aes;
mod capture;

use std::{
    env,
    error::Error,
    io::{Read, Write},
    net::TcpStream,
};

use capture::{pieces, show, Sender};

/// The bytes of the login in a capture.
fn recorded_login(capture: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    // Your part. `pieces(capture)` gives what was sent, in order: pairs of a `Sender` and bytes.
    let _ = (pieces(capture)?, Sender::Client);
    Ok(b"please let me in".to_vec())
}

/// Reads exactly N bytes. TCP may bring them in any number of pieces.
fn receive_exactly<const N: usize>(connection: &mut TcpStream) -> Result<[u8; N], Box<dyn Error>> {
    let mut received = [0; N];
    connection.read_exact(&mut received)?;
    Ok(received)
}

/// Reads the three replies of the server, and sends one encrypted message.
fn say_words(server: &mut TcpStream, words: &str) -> Result<(), Box<dyn Error>> {
    let greeting: [u8; 26] = receive_exactly(server)?;
    println!("{}", String::from_utf8_lossy(&greeting));
    let key: [u8; 32] = receive_exactly(server)?;
    let iv: [u8; 8] = receive_exactly(server)?;
    // Your part. Now the message goes out: `aes::apply_keystream(&key, &iv, data)` encrypts bytes.
    let _ = (key, iv, words, aes::apply_keystream);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["show", capture] => show(capture),
        [host, port, capture, words] => {
            let mut server = TcpStream::connect((*host, port.parse()?))?;
            server.write_all(&recorded_login(capture)?)?;
            say_words(&mut server, words)
        }
        _ => Err("usage: HOST PORT CAPTURE WORDS | show CAPTURE".into()),
    }
}
