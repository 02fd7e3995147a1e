//! Captures that gzip packed, in one piece or several, whole or cut or damaged.
//!
//! Besides "no panic": a packed capture holds the packets of the capture itself; a cut or damaged one gives the packets
//! before that place, and then an error.

use std::{
    io::{Read, Write},
    path::Path,
};

use arbitrary::{Arbitrary, Unstructured};
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use latchstring_capture::pcapfile::{self, Packet};

use super::{either, scratch};

/// How a file is packed, and what happens to it then.
#[derive(Debug, Arbitrary)]
struct Script<'a> {
    /// A file may be several packed ones in a row (RFC 1952, 2.2): where each ends.
    parts: Vec<u16>,
    cut: Option<u16>,
    flipped: Option<u16>,
    capture: &'a [u8],
}

/// Packets, and whether an error ended them.
type Outcome = (Vec<Packet>, bool);

/// Runs one input: any bytes as a packed file after a byte below 128, else a script.
pub fn run(data: &[u8]) {
    let any = |bytes: &[u8]| same_as_unpacked(&[&[0x1f, 0x8b], bytes].concat());
    either::run(data, any, packed);
}

fn packed(script: &[u8]) {
    let Ok(script) = Script::arbitrary_take_rest(Unstructured::new(script)) else {
        return;
    };
    let mut file = script.pack();
    if script.cut.is_none() && script.flipped.is_none() {
        let itself = all(pcapfile::packets("a capture", script.capture));
        assert_eq!(read(&file), itself);
        return;
    }
    if let Some(bit) = script.flipped {
        let bit = usize::from(bit) % (8 * file.len());
        file[bit / 8] ^= 1 << (bit % 8);
    }
    file.truncate(script.cut.map_or(file.len(), usize::from));
    same_as_unpacked(&file);
}

impl Script<'_> {
    fn pack(&self) -> Vec<u8> {
        let (mut packed, mut left) = (Vec::new(), self.capture);
        for end in &self.parts {
            let (part, rest) = left.split_at(left.len().min((*end).into()));
            packed.extend(pack(part, Compression::fast()));
            left = rest;
        }
        packed.extend(pack(left, Compression::fast()));
        packed
    }
}

fn pack(bytes: &[u8], how: Compression) -> Vec<u8> {
    let mut packing = GzEncoder::new(Vec::new(), how);
    packing.write_all(bytes).expect("memory takes all");
    packing.finish().expect("memory takes all")
}

/// The same packets come out as when the file is unpacked as a whole first. Where that fails, those before that place.
fn same_as_unpacked(file: &[u8]) {
    const MOST: u64 = 1 << 20;
    if !file.starts_with(&[0x1f, 0x8b]) {
        return;
    }
    let mut unpacked = Vec::new();
    let (mut rest, mut whole) = (file, true);
    while whole && !rest.is_empty() {
        let mut part = GzDecoder::new(rest);
        let left = MOST.saturating_sub(unpacked.len() as u64);
        whole = (&mut part).take(left).read_to_end(&mut unpacked).is_ok();
        rest = part.into_inner();
        if unpacked.len() as u64 == MOST {
            return;
        }
        // Zeros may fill what is behind a part.
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        rest = &rest[zeros..];
    }
    let (packets, failed) = read(file);
    let (plain, plain_failed) = all(pcapfile::packets("a capture", &unpacked));
    if whole {
        assert_eq!((packets, failed), (plain, plain_failed));
    } else {
        assert!(failed, "damage that nobody is told of");
        assert!(plain.starts_with(&packets), "invented: {packets:?}");
    }
}

fn read(file: &[u8]) -> Outcome {
    let folder = scratch::folder("packed");
    let path = scratch::file(&folder, "chat.pcap.gz", file);
    all(pcapfile::open(Path::new(&path)))
}

fn all<R: Read, E>(packets: Result<pcapfile::Packets<R>, E>) -> Outcome {
    let mut whole = Vec::new();
    let Ok(packets) = packets else {
        return (whole, true);
    };
    for packet in packets {
        match packet {
            Ok(packet) => whole.push(packet),
            Err(_) => return (whole, true),
        }
    }
    (whole, false)
}

/// An input that packs a capture, of which the first parts have these lengths.
pub fn script(parts: &[u16], capture: &[u8]) -> Vec<u8> {
    let mut input = Vec::new();
    for length in parts {
        input.push(1);
        input.extend(length.to_le_bytes());
    }
    // No more parts, no cut, nothing flipped.
    input.extend([0, 0, 0]);
    input.extend(capture);
    either::script(&input)
}

/// An input whose file is `capture`, packed. It is stored, since other versions of a library may compress in another way.
pub fn file(capture: &[u8]) -> Vec<u8> {
    either::file(&pack(capture, Compression::none())[2..])
}
