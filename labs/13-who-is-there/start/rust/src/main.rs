//! Finds out which people of a directory have an account at a server.
//!
//! Usage: cargo run --quiet -- reply HOST PORT DIRECTORY      one name a line
//!        cargo run --quiet -- time HOST PORT DIRECTORY       place in the list and name, one a line

// Some of it is used by your part only.
#![allow(dead_code)]

mod latch;
mod number;

use std::{env, error::Error, fs, io, net::TcpStream, time::Duration};

use latch::read_public_key;
use number::Number;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Where the server listens: host and port.
type Address<'a> = (&'a str, u16);

/// How long the mended server works with one private key.
const KEY_TIME: Duration = Duration::from_millis(150);

/// Somebody in the directory, with the public key (n, e).
struct Person {
    name: String,
    n: Number,
    e: Number,
}

/// The bytes of a login for this user (lab 01).
fn make_login(user: &str, n: &Number, e: &Number) -> Vec<u8> {
    Number::from_bytes(user.as_bytes()).power(e, n).to_bytes()
}

/// A new connection to the server.
fn connect(address: Address) -> io::Result<TcpStream> {
    let server = TcpStream::connect(address)?;
    server.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(server)
}

/// Prints who has an account, by the answers of the old server.
fn by_reply(address: Address, people: &[Person]) -> Result<()> {
    // Your part. `let mut server = connect(address)?;` opens a connection. When `server` goes out of scope, it is closed.
    let _ = (address, people);
    Ok(())
}

/// Prints who has an account, and in which place of the list, by the time of the answers.
fn by_time(address: Address, people: &[Person]) -> Result<()> {
    // Your part. `let begin = Instant::now();` starts a clock, and `begin.elapsed()` reads it.
    let _ = (address, people);
    Ok(())
}

/// The people of a directory, in the order of their names.
fn read_directory(folder: &str) -> Result<Vec<Person>> {
    let mut people = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name().into_string().unwrap_or_default();
        if let Some(name) = file.strip_suffix(".pub") {
            let (n, e) = read_public_key(&format!("{folder}/{file}"))?;
            people.push(Person {
                name: name.to_owned(),
                n,
                e,
            });
        }
    }
    people.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(people)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["reply", host, port, folder] => by_reply((host, port.parse()?), &read_directory(folder)?),
        ["time", host, port, folder] => by_time((host, port.parse()?), &read_directory(folder)?),
        _ => Err("usage: reply HOST PORT DIRECTORY | time HOST PORT DIRECTORY".into()),
    }
}
