//! Reads public key files (BEGIN PUBLIC KEY). Complete.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use dashu_int::UBig;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A public key: the modulus n and the exponent e.
pub type Key = (UBig, UBig);

/// The public keys of a folder, in the order of the names.
pub fn read_folder(folder: &str) -> Result<BTreeMap<String, Key>> {
    let mut keys = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|why| format!("{folder}: {why}"))? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some(name) = file.strip_suffix(".pub") {
            keys.insert(name.to_owned(), read_public_key(&entry.path())?);
        }
    }
    Ok(keys)
}

/// The modulus n and the exponent e of a public key file.
fn read_public_key(path: &Path) -> Result<Key> {
    let path = path.display();
    let text = fs::read_to_string(path.to_string()).map_err(|why| format!("{path}: {why}"))?;
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    let der = base64(&lines.collect::<String>());
    numbers(&der).ok_or_else(|| format!("{path}: this is no public key").into())
}

/// SEQUENCE { SEQUENCE { algorithm }, BIT STRING { SEQUENCE { INTEGER n, INTEGER e } } }
fn numbers(der: &[u8]) -> Option<Key> {
    let [_algorithm, bit_string] = children(content(der)?)?[..] else {
        return None;
    };
    // A bit string begins with the number of unused bits: 0.
    let [n, e] = children(content(bit_string.get(1..)?)?)?[..] else {
        return None;
    };
    Some((UBig::from_be_bytes(n), UBig::from_be_bytes(e)))
}

/// The contents of the DER elements that stand one after the other in `data`.
fn children(mut data: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !data.is_empty() {
        let (inside, rest) = split(data)?;
        found.push(inside);
        data = rest;
    }
    Some(found)
}

/// The content of the one DER element at the beginning of `data`.
fn content(data: &[u8]) -> Option<&[u8]> {
    split(data).map(|(inside, _)| inside)
}

/// The content of the first DER element, and what follows it.
fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut length, mut begin) = (usize::from(*data.get(1)?), 2);
    if length & 0x80 != 0 {
        // A long length: this many bytes of it follow.
        begin += length & 0x7f;
        let bytes = data.get(2..begin)?;
        length = bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    }
    data.get(begin..)?.split_at_checked(length)
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
