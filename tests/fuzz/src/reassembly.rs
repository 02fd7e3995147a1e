//! TCP reassembly against the plainest way to do it: one array of bytes, each filled by whoever comes first.
//!
//! Besides "no panic": however segments are cut, repeated, reordered, overlapped with other bytes, or lost, the session
//! read from the capture holds exactly the bytes of that array, and its gaps are exactly what nobody brought.

use arbitrary::{Arbitrary, Unstructured};
use latchstring_capture::{Side, Trace, sessions_from_bytes};

use super::packets::{self, Packet};

#[derive(Debug, Arbitrary)]
struct Script {
    client: Stream,
    server: Stream,
    segments: Vec<Segment>,
}

#[derive(Debug, Arbitrary)]
struct Stream {
    /// Sequence number of its SYN.
    first: u32,
    length: u16,
    /// Whether its FIN was captured.
    ended: bool,
}

#[derive(Debug, Arbitrary)]
struct Segment {
    server: bool,
    offset: u16,
    length: u8,
    /// What the bytes are changed by: 0 for a repetition that is as the first.
    other: u8,
}

/// One direction as the oracle sees it.
struct Array {
    first: u32,
    bytes: Vec<Option<u8>>,
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let mut arrays = [&script.client, &script.server].map(|stream| Array {
        first: stream.first,
        bytes: vec![None; usize::from(stream.length % 2048)],
    });
    let [to_server, to_client] = arrays.each_ref().map(|array| array.first);
    let mut packets = vec![
        Packet::syn(Side::Client, to_server, None),
        Packet::syn(Side::Server, to_client, Some(to_server.wrapping_add(1))),
    ];
    for segment in &script.segments {
        let side = if segment.server {
            Side::Server
        } else {
            Side::Client
        };
        packets.extend(arrays[usize::from(segment.server)].bring(side, segment));
    }
    for (side, stream) in [
        (Side::Client, &script.client),
        (Side::Server, &script.server),
    ] {
        let array = &mut arrays[side as usize];
        match stream.ended {
            true => packets.push(Packet::fin(side, array.sequence(array.bytes.len()))),
            // Without an end nobody knows that something is missing there.
            false => {
                let brought = array.bytes.iter().rposition(Option::is_some);
                array.bytes.truncate(brought.map_or(0, |last| last + 1));
            }
        }
    }
    let file = packets::file(&packets);
    let sessions = sessions_from_bytes("a capture", &file).expect("a whole capture");
    assert_eq!(sessions.len(), 1);
    for side in [Side::Client, Side::Server] {
        assert_eq!(found(&sessions[0], side), arrays[side as usize].bytes);
    }
}

impl Array {
    fn sequence(&self, offset: usize) -> u32 {
        self.first.wrapping_add(1).wrapping_add(offset as u32)
    }

    /// Takes a segment in and makes its packet.
    fn bring(&mut self, side: Side, segment: &Segment) -> Option<Packet> {
        let from = usize::from(segment.offset) % self.bytes.len().max(1);
        let to = (from + usize::from(segment.length)).min(self.bytes.len());
        let byte = |at: usize| (at as u8).wrapping_mul(31) ^ segment.other;
        let payload: Vec<u8> = (from..to).map(byte).collect();
        for (place, byte) in self.bytes[from..to].iter_mut().zip(&payload) {
            place.get_or_insert(*byte);
        }
        let sequence = self.sequence(from);
        (from < to).then(|| Packet::data(side, sequence, payload))
    }
}

/// What a session holds of one side: its bytes, and nothing where it says that bytes are missing.
fn found(session: &Trace, side: Side) -> Vec<Option<u8>> {
    let mut bytes = Vec::new();
    for at in 0..=session.chunks.len() {
        for gap in &session.gaps {
            if gap.from == side && gap.before == at {
                let missing = gap.bytes.expect("the beginning was captured");
                bytes.extend(std::iter::repeat_n(None, missing as usize));
            }
        }
        let chunk = session.chunks.get(at).filter(|chunk| chunk.from == side);
        bytes.extend(
            chunk
                .iter()
                .flat_map(|chunk| &chunk.bytes)
                .copied()
                .map(Some),
        );
    }
    bytes
}
