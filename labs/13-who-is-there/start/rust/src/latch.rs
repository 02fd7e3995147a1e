//! Small things that every client of the faithful protocol needs. Complete; standard library only.

use std::{
    fs,
    io::{Error, Read},
    net::TcpStream,
};

use crate::number::Number;

/// The modulus n and the exponent e of a public key file (BEGIN PUBLIC KEY).
pub fn read_public_key(path: &str) -> Result<(Number, Number), Error> {
    let text = fs::read_to_string(path)?;
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    let der = base64(&lines.collect::<String>());
    // SEQUENCE { SEQUENCE { algorithm }, BIT STRING { SEQUENCE { INTEGER n, INTEGER e } } }
    let (outer, _) = split(&der);
    let (_algorithm, rest) = split(outer);
    let (bit_string, _) = split(rest);
    // A bit string begins with the number of unused bits: 0.
    let (numbers, _) = split(&bit_string[1..]);
    let (n, rest) = split(numbers);
    let (e, _) = split(rest);
    Ok((Number::from_bytes(n), Number::from_bytes(e)))
}

/// The content of the first DER element, and what follows it.
fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let (mut length, mut begin) = (data[1] as usize, 2);
    if length & 0x80 != 0 {
        // A long length: so many bytes of it follow.
        begin += length & 0x7f;
        length = data[2..begin].iter().fold(0, |sum, byte| sum << 8 | *byte as usize);
    }
    data[begin..].split_at(length)
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for digit in text.chars().filter_map(|c| DIGITS.find(c)) {
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// Reads exactly N bytes. TCP may bring them in any number of pieces.
pub fn receive_exactly<const N: usize>(connection: &mut TcpStream) -> Result<[u8; N], Error> {
    let mut received = [0; N];
    connection.read_exact(&mut received)?;
    Ok(received)
}
