//! Strangers' bytes: whatever a file or a trace holds, nothing panics, and the dissector names every byte once.

mod common;

use common::{EPOCH, session, traces};
use latchstring_capture::{
    Chunk, Gap, Side, Trace,
    dissect::{self, CLIENT_MAGIC, WEAKENED_MAGIC},
    frames::synthesize,
    pcapfile::{self, LinkType, PcapWriter},
    sessions_from_bytes,
};
use proptest::prelude::*;

/// Beginnings that get past the first check.
fn beginnings() -> impl Strategy<Value = Vec<u8>> {
    let pcapng = [
        &[
            0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
        ][..],
        &[0xff; 8],
        &[28, 0, 0, 0],
    ];
    let interface = [1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
    let classic = |magic: u32| {
        [
            &magic.to_le_bytes()[..],
            &[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0],
        ]
        .concat()
    };
    prop_oneof![
        Just(Vec::new()),
        Just(pcapng.concat()),
        Just([&pcapng.concat()[..], &interface].concat()),
        Just([&pcapng.concat()[..], &interface, &[6, 0, 0, 0, 64, 0, 0, 0]].concat()),
        Just(classic(0xa1b2_c3d4)),
        Just(classic(0xa1b2_cd34)),
        Just(classic(0x4d3c_b2a1)),
    ]
}

fn written(link: LinkType, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), link).unwrap();
    for bytes in packets {
        let packet = pcapfile::Packet {
            at: EPOCH,
            link,
            bytes: bytes.clone(),
            wire_len: bytes.len() as u32,
            comments: Vec::new(),
        };
        writer.write(&packet).unwrap();
    }
    writer.into_inner()
}

/// The fields of each side, laid end to end, are its stream.
fn names_every_byte_once(trace: &Trace) -> Result<(), TestCaseError> {
    for (side, fields) in [Side::Client, Side::Server].map(|side| (side, dissect::fields(trace))) {
        let mut at = 0;
        for field in fields.iter().filter(|field| field.from == side) {
            prop_assert_eq!(field.range.start, at);
            prop_assert!(field.range.end > at);
            at = field.range.end;
        }
        prop_assert_eq!(at, trace.stream(side).len());
    }
    prop_assert_eq!(dissect::lacking(trace).len(), trace.gaps.len());
    Ok(())
}

proptest! {
    #[test]
    fn random_files_do_no_harm(begin in beginnings(), rest in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = sessions_from_bytes("random", &[begin, rest].concat());
    }

    #[test]
    fn random_packets_do_no_harm(
        link in prop::sample::select(vec![0, 1, 101, 113, 276]),
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..8),
    ) {
        let file = written(LinkType::from_number(link), &packets);
        prop_assert!(sessions_from_bytes("random", &file).is_ok());
    }

    /// Real packets with bytes changed get much deeper than random ones.
    #[test]
    fn damaged_captures_do_no_harm(
        trace in traces(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
    ) {
        let packets: Vec<_> = synthesize(&[trace, session()], EPOCH).into_iter().map(|packet| packet.bytes).collect();
        let mut file = written(LinkType::Ethernet, &packets);
        for (index, byte) in damage {
            *index.get_mut(&mut file) = byte;
        }
        for trace in sessions_from_bytes("damaged", &file).unwrap_or_default() {
            prop_assert!(!dissect::identify(&trace).flipped());
            names_every_byte_once(&trace)?;
            dissect::faithful(&trace);
            dissect::hardened(&trace);
        }
    }

    /// A capture may have the roles of the two ends wrong: without a TCP handshake they are a guess by port numbers.
    #[test]
    fn whoever_seems_to_be_the_client_every_byte_is_named(mut trace in traces(), closed in any::<bool>()) {
        trace.flip();
        names_every_byte_once(&trace)?;
        let mut begun_late = session();
        begun_late.closed = closed;
        begun_late.flip();
        begun_late.gaps = [Side::Client, Side::Server].map(|from| Gap { from, before: 0, bytes: None, cut: false }).into();
        prop_assert!(dissect::identify(&begun_late).flipped());
        names_every_byte_once(&begun_late)?;
    }

    #[test]
    fn the_dissector_names_every_byte_of_anything(
        mut trace in traces(),
        begin in prop::sample::select(vec![&b""[..], &CLIENT_MAGIC, &WEAKENED_MAGIC, &[0; 120]]),
        records in prop::collection::vec((any::<bool>(), prop::sample::select(vec![96, 288, 1056, 97, 0])), 0..5),
    ) {
        let at = std::time::Duration::ZERO;
        trace.chunks.insert(0, Chunk { from: Side::Client, at, bytes: [begin, &[1; 66]].concat() });
        for (from_client, len) in records {
            let from = if from_client { Side::Client } else { Side::Server };
            let bytes = [&u32::to_be_bytes(len)[..], &vec![0; len as usize]].concat();
            trace.chunks.push(Chunk { from, at, bytes });
        }
        names_every_byte_once(&trace)?;
        let hardened = dissect::hardened(&trace);
        for record in hardened.client_records.iter().chain(&hardened.server_records) {
            prop_assert_eq!(record.wire.len(), 4 + record.ciphertext().len() + 32);
        }
        let faithful = dissect::faithful(&trace);
        let named = faithful.login.len() + faithful.messages.iter().map(Vec::len).sum::<usize>();
        prop_assert_eq!(named, trace.stream(Side::Client).len());
    }
}
