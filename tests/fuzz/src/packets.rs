//! Captures made by hand: a classic pcap file of raw IPv4 packets between two machines.

use latchstring_capture::Side;

/// One TCP segment.
#[derive(Debug)]
pub struct Packet {
    from: Side,
    sequence: u32,
    acknowledges: Option<u32>,
    flags: u8,
    payload: Vec<u8>,
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const ACK: u8 = 16;

impl Packet {
    /// Opens a connection, or answers that.
    pub fn syn(from: Side, sequence: u32, acknowledges: Option<u32>) -> Self {
        Self {
            from,
            sequence,
            acknowledges,
            flags: SYN,
            payload: Vec::new(),
        }
    }

    /// Carries bytes.
    pub fn data(from: Side, sequence: u32, payload: Vec<u8>) -> Self {
        Self {
            from,
            sequence,
            acknowledges: None,
            flags: 0,
            payload,
        }
    }

    /// Ends a direction.
    pub fn fin(from: Side, sequence: u32) -> Self {
        Self {
            flags: FIN,
            ..Self::data(from, sequence, Vec::new())
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let (from, to) = match self.from {
            Side::Client => ((1_u8, 50_000_u16), (2_u8, 22_222_u16)),
            Side::Server => ((2, 22_222), (1, 50_000)),
        };
        let length = (40 + self.payload.len()) as u16;
        let mut bytes = vec![0x45, 0];
        bytes.extend(length.to_be_bytes());
        // No identification, not to be fragmented, 64 hops, TCP, and no checksum.
        bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        bytes.extend([10, 0, 0, from.0, 10, 0, 0, to.0]);
        bytes.extend(from.1.to_be_bytes());
        bytes.extend(to.1.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.acknowledges.unwrap_or(0).to_be_bytes());
        let ack = if self.acknowledges.is_some() { ACK } else { 0 };
        bytes.extend([0x50, self.flags | ack, 0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend(&self.payload);
        bytes
    }
}

/// A file with these packets, a millisecond apart.
pub fn file(packets: &[Packet]) -> Vec<u8> {
    const RAW: u32 = 101;
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend(65_535_u32.to_le_bytes());
    file.extend(RAW.to_le_bytes());
    for (packet, number) in packets.iter().zip(0_u32..) {
        let bytes = packet.bytes();
        let length = bytes.len() as u32;
        for field in [number / 1000, number % 1000 * 1000, length, length] {
            file.extend(field.to_le_bytes());
        }
        file.extend(bytes);
    }
    file
}
