//! The exchange, from rung 5 on: two hellos, and the host's signature over them.
//!
//! ```text
//! hello     = "ladder" ‖ u8 rung ‖ random (32) ‖ X25519 value (32)
//! proof     = u16 422 ‖ SPKI of the host ‖ u16 384 ‖ signature
//! signature = the host's, over SHA-256(client hello ‖ server hello ‖ u16 422 ‖ SPKI)
//! ```

use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use crate::{
    error::Result,
    frames::{Channel, directions},
    keys::{PrivateKey, PublicKey, SIGNATURE, SPKI, sha256},
    line::Line,
    random::draw,
    rung::RUNGS,
};

/// What the host's signature is for.
pub const HOST: &[u8] = b"ladder host signature";
/// Bytes of a hello, and of a proof.
const HELLO: usize = 7 + 32 + 32;
const PROOF: usize = 2 + SPKI + 2 + SIGNATURE;

/// The server's side: gives the channel, and all bytes of the exchange.
pub fn as_server(mut line: Line, host: &PrivateKey) -> Result<(Channel, Vec<u8>)> {
    let client_hello: [u8; HELLO] = line.read_array()?;
    let secret = draw();
    let z = shared(secret, &client_hello)?;
    let server_hello = hello_of(secret);
    let hellos = [client_hello, server_hello].concat();
    let spki = u16_and(&host.public()?.spki);
    let signature = host.sign(HOST, &sha256(&[&hellos[..], &spki].concat()));
    let proof = [spki, u16_and(&signature)].concat();
    line.write(&[&server_hello[..], &proof].concat())?;
    let exchanged = [hellos, proof].concat();
    let (from_client, to_client) = directions(&z, &sha256(&exchanged));
    Ok((Channel::new(line, to_client, from_client), exchanged))
}

/// The client's side: gives the channel, and all bytes of the exchange. By then the host has proven that it has the
/// pinned key.
pub fn as_client(mut line: Line, pinned: &PublicKey) -> Result<(Channel, Vec<u8>)> {
    let secret = draw();
    let client_hello = hello_of(secret);
    line.write(&client_hello)?;
    let server_hello: [u8; HELLO] = line.read_array()?;
    let z = shared(secret, &server_hello)?;
    let hellos = [client_hello, server_hello].concat();
    let proof: [u8; PROOF] = line.read_array()?;
    let (spki, signature) = (&proof[2..2 + SPKI], &proof[PROOF - SIGNATURE..]);
    if proof[..] != [u16_and(spki), u16_and(signature)].concat() {
        return Err("the host's proof has other lengths".into());
    }
    if spki != pinned.spki {
        return Err("the host's key is not the pinned one".into());
    }
    pinned.verify(HOST, &sha256(&[hellos.clone(), u16_and(spki)].concat()), signature)?;
    let exchanged = [&hellos[..], &proof].concat();
    let (to_server, from_server) = directions(&z, &sha256(&exchanged));
    Ok((Channel::new(line, to_server, from_server), exchanged))
}

/// A hello with a random that is used once, and the value of an X25519 secret that is used once.
fn hello_of(secret: [u8; 32]) -> [u8; HELLO] {
    let mut hello = [0; HELLO];
    hello[..7].copy_from_slice(&magic());
    hello[7..39].copy_from_slice(&draw::<32>());
    hello[39..].copy_from_slice(&value_of(secret));
    hello
}

/// The X25519 value of a secret. Everybody may know it.
pub fn value_of(secret: [u8; 32]) -> [u8; 32] {
    x25519(secret, X25519_BASEPOINT_BYTES)
}

/// The secret that both ends compute, and that never travels.
fn shared(secret: [u8; 32], hello: &[u8; HELLO]) -> Result<[u8; 32]> {
    if hello[..7] != magic() {
        return Err("the other end speaks another protocol, or another rung".into());
    }
    let value = hello[39..].try_into().expect("it is the rest of a hello");
    match x25519(secret, value) {
        // Some values make it zero, whatever our secret is.
        z if z == [0; 32] => Err("the X25519 value forces a zero secret".into()),
        z => Ok(z),
    }
}

/// The first bytes of a hello.
fn magic() -> [u8; 7] {
    [b'l', b'a', b'd', b'd', b'e', b'r', *RUNGS.end()]
}

/// The data with its length in front.
pub fn u16_and(data: &[u8]) -> Vec<u8> {
    let n = u16::try_from(data.len()).expect("keys and signatures are short");
    [&n.to_be_bytes()[..], data].concat()
}
