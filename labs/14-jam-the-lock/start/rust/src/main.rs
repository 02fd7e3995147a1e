//! Keeps a server from its users. Each way holds on until the program is stopped.
//!
//! Usage: cargo run --quiet -- hold|queue|work HOST PORT

use std::{env, error::Error, io, net::TcpStream, time::Duration};

/// Where the server listens: host and port.
type Address<'a> = (&'a str, u16);

/// Longer than anybody waits here.
const FOR_EVER: Duration = Duration::from_secs(60);

/// A new connection to the server.
fn connect(address: Address) -> io::Result<TcpStream> {
    TcpStream::connect(address)
}

/// Against the old server: 1 connection, no byte.
fn hold(address: Address) -> io::Result<()> {
    // Your part. `thread::sleep(FOR_EVER)` waits; `use std::thread`. A connection is closed when its variable goes out of
    // scope, and `let _ = connect(address)` closes it at once.
    let _ = (address, connect, FOR_EVER);
    Ok(())
}

/// Against a deadline of 500 ms: 8 connections, no byte.
fn queue(address: Address) -> io::Result<()> {
    // Your part.
    let _ = address;
    Ok(())
}

/// Against a small machine: 4 connections, 512 bytes.
fn work(address: Address) -> io::Result<()> {
    // Your part.
    let _ = address;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["hold", host, port] => hold((host, port.parse()?))?,
        ["queue", host, port] => queue((host, port.parse()?))?,
        ["work", host, port] => work((host, port.parse()?))?,
        _ => return Err("usage: hold|queue|work HOST PORT".into()),
    }
    Ok(())
}
