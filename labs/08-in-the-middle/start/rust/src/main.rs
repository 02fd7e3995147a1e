//! A server in the bank's place, for one client.
//!
//! Usage: cargo run --quiet -- harvest PORT                        print what the user types, one message a line
//!        cargo run --quiet -- relay PORT BANK BANKPORT WORDS      send WORDS to the bank in the user's name
//!        cargo run --quiet -- show CAPTURE                        what was sent, piece by piece

// Some of it is used by your part only.
#![allow(dead_code)]

mod aes;
mod capture;

use std::{
    env,
    error::Error,
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use aes::apply_keystream;
use capture::show;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const GREETING: &[u8; 26] = b"Authentication Successful!";

/// Reads exactly N bytes. TCP may bring them in any number of pieces.
fn receive_exactly<const N: usize>(connection: &mut TcpStream) -> Result<[u8; N]> {
    let mut received = [0; N];
    let read = connection.read_exact(&mut received);
    read.map_err(|why| format!("the bank did not send {N} bytes: {why}"))?;
    Ok(received)
}

/// Reads what has arrived, at most 1024 bytes. No bytes mean that the other side has closed the connection.
fn receive(connection: &mut TcpStream) -> Result<Vec<u8>> {
    let mut received = [0; 1024];
    let count = connection.read(&mut received)?;
    Ok(received[..count].to_vec())
}

/// Sends all of the bytes.
fn send(connection: &mut TcpStream, data: &[u8]) -> Result<()> {
    Ok(connection.write_all(data)?)
}

/// Draws N bytes.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut drawn = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut drawn)?;
    Ok(drawn)
}

/// Sends what a real server sends after a login. Gives the session key and the IV.
fn answer(client: &mut TcpStream) -> Result<([u8; 32], [u8; 8])> {
    // Your part. Which key would you like? `send(client, ...)` sends bytes.
    let _ = (client, GREETING);
    Ok(([0; 32], [0; 8]))
}

/// What the user types, message by message, until the client closes the connection.
fn hear(client: &mut TcpStream, key: &[u8; 32], iv: &[u8; 8]) -> Result<Vec<Vec<u8>>> {
    // Your part. One `receive(client)` gives one message, and no bytes at the end.
    let _ = (client, apply_keystream(key, iv, b""));
    Ok(Vec::new())
}

/// Answers the login, and prints all messages.
fn harvest(client: &mut TcpStream) -> Result<()> {
    receive(client)?; // the login, which is not needed
    let (key, iv) = answer(client)?;
    for message in hear(client, &key, &iv)? {
        println!("{}", String::from_utf8(message)?);
    }
    Ok(())
}

/// Logs in at the bank with the client's login, says the words there, and keeps the client busy.
fn relay(client: &mut TcpStream, bank: &mut TcpStream, words: &str) -> Result<()> {
    let login = receive(client)?;
    // Your part. `send(bank, ...)` and `receive_exactly(bank)` speak with the bank. How many bytes are received follows
    // from the type of the result: `let key: [u8; 32] = receive_exactly(bank)?;`
    let _ = (login, bank, words);
    Ok(())
}

/// Waits for one client.
fn accept_one(port: &str) -> Result<TcpStream> {
    let server = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    let (client, _) = server.accept()?;
    Ok(client)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["harvest", port] => harvest(&mut accept_one(port)?),
        ["relay", port, host, bank_port, words] => {
            let mut client = accept_one(port)?;
            let mut bank = TcpStream::connect((*host, bank_port.parse()?))?;
            relay(&mut client, &mut bank, words)
        }
        ["show", capture] => show(capture),
        _ => Err("usage: harvest PORT | relay PORT BANK BANKPORT WORDS | show CAPTURE".into()),
    }
}
