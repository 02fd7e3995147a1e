//! Logs in as somebody else, and says something in their name.
//!
//! Usage: cargo run --quiet -- HOST PORT USER PUBLIC_KEY_FILE WORDS

mod aes;
mod latch;
mod number;

use std::{env, error::Error, io::Write, net::TcpStream};

use latch::{read_public_key, receive_exactly};
use number::Number;

/// The bytes of a login for this user, from the public key (n, e) alone.
fn make_login(user: &str, n: &Number, e: &Number) -> Vec<u8> {
    let m = Number::from_bytes(user.as_bytes());
    m.power(e, n).to_bytes()
}

/// Reads the three replies of the server, and sends one encrypted message.
fn say_words(server: &mut TcpStream, words: &str) -> Result<(), Box<dyn Error>> {
    let greeting: [u8; 26] = receive_exactly(server)?;
    println!("{}", String::from_utf8_lossy(&greeting));
    let key: [u8; 32] = receive_exactly(server)?;
    let iv: [u8; 8] = receive_exactly(server)?;
    server.write_all(&aes::apply_keystream(&key, &iv, words.as_bytes()))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, public_key_file, words] = arguments.as_slice() else {
        return Err("usage: HOST PORT USER PUBLIC_KEY_FILE WORDS".into());
    };
    let (n, e) = read_public_key(public_key_file)?;
    let mut server = TcpStream::connect((host.as_str(), port.parse()?))?;
    server.write_all(&make_login(user, &n, &e))?;
    say_words(&mut server, words)
}
