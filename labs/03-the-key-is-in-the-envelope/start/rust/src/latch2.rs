//! Opens the records of latch/2 for a reader who has the secret of the session. Complete.

use std::error::Error;

use crate::{
    aes::Aes,
    capture::Sender,
    sha256::{derive, hmac, sha256},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Version (2), random (32), value of the key exchange (32).
const SERVER_HELLO: usize = 66;
// Types of messages.
const SERVER_AUTH: u8 = 0x02;
const CLIENT_AUTH: u8 = 0x03;
const MESSAGE: u8 = 0x10;
const TAG: usize = 32;

/// The texts of the client, from the pieces of a capture and the secret that both ends shared. An error if it is another
/// secret.
pub fn messages(sent: &[(Sender, Vec<u8>)], shared: &[u8]) -> Result<Vec<String>> {
    let (hello, client) = records(sent, Sender::Client, None)?;
    let (server_hello, server) = records(sent, Sender::Server, Some(SERVER_HELLO))?;
    let first = |records: &[Vec<u8>]| records.first().cloned().ok_or("the capture ends in the handshake");

    // The secret and the hellos give the keys of the handshake; the whole handshake gives the keys of the session.
    let secret = hmac(b"latch/2 handshake", shared);
    let mut transcript = [hello, server_hello].concat();
    let so_far = sha256(&transcript);
    let key = |label| derive(&secret, label, &so_far, 32);
    let (_, server_proof) = open_record(&key("hs s2c"), 0, 0, &first(&server)?)?;
    let (_, client_proof) = open_record(&key("hs c2s"), 0, 0, &first(&client)?)?;
    transcript.push(SERVER_AUTH);
    transcript.extend(server_proof);
    transcript.push(CLIENT_AUTH);
    transcript.extend(without_password(&client_proof));
    let session = derive(&key("root"), "ap c2s", &sha256(&transcript), 32);

    let mut texts = Vec::new();
    for (number, record) in client[1..].iter().enumerate() {
        let (kind, body) = open_record(&session, 1, number as u64, record)?;
        if kind == MESSAGE {
            // Its number (8 bytes), its kind (1 byte), and the text.
            texts.push(String::from_utf8(body[9..].to_vec())?);
        }
    }
    Ok(texts)
}

/// One side's hello, and its records: u32 length, then so many bytes.
fn records(sent: &[(Sender, Vec<u8>)], from: Sender, hello: Option<usize>) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let pieces: Vec<&[u8]> = sent
        .iter()
        .filter(|(sender, _)| *sender == from)
        .map(|(_, data)| &data[..])
        .collect();
    let hello = hello.or(pieces.first().map(|piece| piece.len())).unwrap_or(0);
    let stream = pieces.concat();
    let mut rest = stream.get(hello..).ok_or("the capture ends in the hello")?;
    let mut found = Vec::new();
    while let Some(length) = rest.first_chunk::<4>() {
        let end = 4 + u32::from_be_bytes(*length) as usize;
        found.push(rest.get(..end).ok_or("the capture ends in a record")?.to_vec());
        rest = &rest[end..];
    }
    Ok((stream[..hello].to_vec(), found))
}

/// The type and the body of a record. The tag is checked first.
fn open_record(secret: &[u8], epoch: u32, number: u64, record: &[u8]) -> Result<(u8, Vec<u8>)> {
    let key = |label, length| derive(secret, label, &[], length);
    let (covered, tag) = record.split_at(record.len().saturating_sub(TAG));
    let place = [&epoch.to_be_bytes()[..], &number.to_be_bytes()].concat();
    if hmac(&key("mac", 32), &[&place, covered].concat()) != tag {
        return Err("the tag is wrong: this is not the secret of the session".into());
    }
    let encryption: [u8; 32] = key("enc", 32).try_into().unwrap();
    let iv = key("iv", 4);
    let (aes, mut plaintext) = (Aes::new(&encryption), Vec::new());
    for (block, piece) in (0u32..).zip(covered[4..].chunks(16)) {
        let counter_block = [&iv[..], &number.to_be_bytes(), &block.to_be_bytes()].concat();
        let keystream = aes.encrypt_block(counter_block.try_into().unwrap());
        plaintext.extend(piece.iter().zip(keystream).map(|(byte, key)| byte ^ key));
    }
    let length = usize::from(u16::from_be_bytes([plaintext[1], plaintext[2]]));
    Ok((plaintext[0], plaintext[3..3 + length].to_vec()))
}

/// The client's proof as the transcript has it: all but the password.
fn without_password(proof: &[u8]) -> Vec<u8> {
    let at = 2 + usize::from(proof[1]) + 32; // mode (1), name with its length, fingerprint (32)
    let at = at + 2 + usize::from(u16::from_be_bytes([proof[at], proof[at + 1]])); // signature
    [&proof[..at], &proof[proof.len() - 32..]].concat() // then the password, and a hash (32)
}

/// The message in a decrypted RSA block (OAEP with SHA-256, RFC 8017, section 7.1.2). An error if the block has another
/// form.
pub fn unpad(block: &[u8]) -> Result<Vec<u8>> {
    let (seed, data) = block[1..].split_at(32);
    let seed = xor(seed, &mask(data, 32));
    let data = xor(data, &mask(&seed, data.len()));
    let (hash, rest) = data.split_at(32);
    let zeros = rest.iter().take_while(|byte| **byte == 0).count();
    if block[0] != 0 || hash != sha256(b"") || rest.get(zeros) != Some(&1) {
        return Err("this block was not made for this key".into());
    }
    Ok(rest[zeros + 1..].to_vec())
}

/// MGF1 (RFC 8017, appendix B.2.1).
fn mask(seed: &[u8], length: usize) -> Vec<u8> {
    let block = |number: u32| sha256(&[seed, &number.to_be_bytes()].concat());
    (0..).flat_map(block).take(length).collect()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}
