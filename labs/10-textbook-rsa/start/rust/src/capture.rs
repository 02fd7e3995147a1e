//! Reads a capture file (classic pcap) and gives what was sent over TCP, piece by piece. Complete; standard library only.

use std::{error::Error, fs};

/// One side of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Client,
    Server,
}

/// Who sent it, and the bytes.
pub type Piece = (Sender, Vec<u8>);

/// What was sent, in order.
pub fn pieces(path: &str) -> Result<Vec<Piece>, Box<dyn Error>> {
    let (mut sent, mut client) = (Vec::new(), None);
    let data = fs::read(path).map_err(|why| format!("{path}: {why}"))?;
    for packet in packets(&data).map_err(|why| format!("{path}: {why}"))? {
        let (address, payload) = tcp(packet);
        // Whoever sends the first packet opens the connection.
        let client: &(Vec<u8>, u16) = client.get_or_insert(address.clone());
        let sender = if *client == address {
            Sender::Client
        } else {
            Sender::Server
        };
        if !payload.is_empty() {
            sent.push((sender, payload.to_vec()));
        }
    }
    Ok(sent)
}

/// Prints what was sent, piece by piece.
pub fn show(path: &str) -> Result<(), Box<dyn Error>> {
    for (number, (sender, data)) in (1..).zip(pieces(path)?) {
        let sender = match sender {
            Sender::Client => "client",
            Sender::Server => "server",
        };
        let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{number:3}. {sender}, {:3} bytes: {hex}", data.len());
    }
    Ok(())
}

/// The IP packets of the file.
fn packets(data: &[u8]) -> Result<Vec<&[u8]>, Box<dyn Error>> {
    // The file's header has 24 bytes. The first four say in which order the bytes of a number stand.
    let little = match data.get(..24) {
        Some([0xd4, 0xc3, 0xb2, 0xa1, ..] | [0x4d, 0x3c, 0xb2, 0xa1, ..]) => true,
        Some([0xa1, 0xb2, 0xc3, 0xd4, ..] | [0xa1, 0xb2, 0x3c, 0x4d, ..]) => false,
        _ => return Err("this is not a classic pcap file".into()),
    };
    let number = |at: usize| {
        let four = data[at..at + 4].try_into().unwrap();
        (if little {
            u32::from_le_bytes(four)
        } else {
            u32::from_be_bytes(four)
        }) as usize
    };
    // What comes before the IP header, by the link type in the file's header.
    let link_header = match number(20) {
        0 => 4,
        1 => 14,
        101 => 0,
        113 => 16,
        other => return Err(format!("link type {other} is not known here").into()),
    };
    let (mut found, mut at) = (Vec::new(), 24);
    while at + 16 <= data.len() {
        let end = at + 16 + number(at + 8);
        let packet = data.get(at + 16 + link_header..end);
        found.push(packet.ok_or("the file ends in the middle of a packet")?);
        at = end;
    }
    Ok(found)
}

/// The sender's address and the payload of a TCP packet.
fn tcp(packet: &[u8]) -> ((Vec<u8>, u16), &[u8]) {
    let number = |at: usize| usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
    // IPv4: the header says its own length, in units of four bytes.
    let (begin, end, address) = match packet[0] >> 4 {
        4 => (usize::from(packet[0] & 15) * 4, number(2), &packet[12..16]),
        _ => (40, 40 + number(4), &packet[8..24]),
    };
    let segment = &packet[begin..end];
    let port = u16::from_be_bytes([segment[0], segment[1]]);
    ((address.to_vec(), port), &segment[usize::from(segment[12] >> 4) * 4..])
}
