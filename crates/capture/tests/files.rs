//! Capture files: what is written is read back the same, every format is read, and a damaged file says where.

mod common;

use std::{path::Path, time::Duration};

use common::{EPOCH, session, traces};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use latchstring_capture::{
    CaptureError, Side, Trace,
    dissect::{self, Protocol},
    frames::synthesize,
    pcapfile::{self, LinkType, Packet},
    read_sessions, sessions_from_bytes, write_sessions,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn traces_survive_a_file(traces in prop::collection::vec(traces(), 0..4)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("round.pcap");
        write_sessions(&path, &traces, EPOCH).unwrap();
        prop_assert_eq!(read_sessions(&path).unwrap(), traces);
    }

    #[test]
    fn every_checksum_holds(trace in traces()) {
        for packet in synthesize(&[trace], EPOCH) {
            let sliced = SlicedPacket::from_ethernet(&packet.bytes).unwrap();
            let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { panic!("no TCP") };
            let computed = match sliced.net.unwrap() {
                NetSlice::Ipv4(ip) => {
                    let header = ip.header();
                    prop_assert_eq!(header.to_header().calc_header_checksum(), header.header_checksum());
                    tcp.calc_checksum_ipv4(header.source(), header.destination())
                }
                NetSlice::Ipv6(ip) => tcp.calc_checksum_ipv6(ip.header().source(), ip.header().destination()),
                NetSlice::Arp(_) => panic!("no IP"),
            };
            prop_assert_eq!(computed.unwrap(), tcp.checksum());
        }
    }
}

#[test]
fn synthesis_is_deterministic_and_begins_at_the_epoch() {
    let packets = synthesize(&[session(), session()], EPOCH);
    assert_eq!(packets, synthesize(&[session(), session()], EPOCH));
    assert_eq!(packets[0].at, EPOCH);
    assert!(
        packets.is_sorted_by_key(|packet| packet.at),
        "Wireshark wants them in order"
    );
}

/// Writes a classic file field by field, as another machine would.
fn classic(magic: u32, big_endian: bool, fraction: u32, packets: &[Packet]) -> Vec<u8> {
    let u32s = |value: u32| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let version = if big_endian {
        [0, 2, 0, 4]
    } else {
        [2, 0, 4, 0]
    };
    let mut file = [u32s(magic), version, [0; 4], [0; 4], u32s(65_535), u32s(1)].concat();
    for packet in packets {
        let len = packet.bytes.len() as u32;
        let subsecond = packet.at.subsec_nanos() / fraction;
        file.extend(
            [
                u32s(packet.at.as_secs() as u32),
                u32s(subsecond),
                u32s(len),
                u32s(packet.wire_len),
            ]
            .concat(),
        );
        file.extend(&packet.bytes);
    }
    file
}

/// Writes a pcapng file, with timestamps in units of 2^-20 seconds from an offset of 1000 seconds.
fn pcapng(big_endian: bool, packets: &[Packet]) -> Vec<u8> {
    let u32s = |value: u32| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let u16s = |value: u16| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let u64s = |value: u64| {
        if big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let block = |kind: u32, body: Vec<u8>| {
        let len = u32s(12 + body.len() as u32);
        [&u32s(kind)[..], &len, &body, &len].concat()
    };
    let section = [&u32s(0x1a2b_3c4d)[..], &u16s(1), &u16s(0), &[0xff; 8]].concat();
    let resolution = [&u16s(9)[..], &u16s(1), &[0x80 | 20, 0, 0, 0]].concat();
    let offset = [&u16s(14)[..], &u16s(8), &u64s(1000)].concat();
    let interface = [
        &u16s(1)[..],
        &[0; 2],
        &u32s(0),
        &resolution,
        &offset,
        &[0; 4],
    ]
    .concat();
    let mut file = [block(0x0a0d_0d0a, section), block(1, interface)].concat();
    for packet in packets {
        let since = packet.at - Duration::from_secs(1000);
        let ticks = (since.as_nanos() << 20).div_ceil(1_000_000_000) as u64;
        let len = u32s(packet.bytes.len() as u32);
        let head = [
            u32s(0),
            u32s((ticks >> 32) as u32),
            u32s(ticks as u32),
            len,
            u32s(packet.wire_len),
        ]
        .concat();
        let padding = vec![0; packet.bytes.len().next_multiple_of(4) - packet.bytes.len()];
        file.extend(block(6, [head, packet.bytes.clone(), padding].concat()));
    }
    file
}

#[test]
fn every_classic_format_is_read() {
    let packets = synthesize(&[session()], EPOCH);
    for (magic, fraction) in [(0xa1b2_c3d4, 1_000), (0xa1b2_3c4d, 1)] {
        for big_endian in [false, true] {
            let file = classic(magic, big_endian, fraction, &packets);
            let read: Result<Vec<_>, _> = pcapfile::packets("x", &file).unwrap().collect();
            assert_eq!(read.unwrap(), packets, "{magic:x} big_endian={big_endian}");
        }
    }
}

#[test]
fn pcapng_is_read_in_both_byte_orders_with_its_odd_clocks() {
    let packets = synthesize(&[session()], EPOCH);
    for big_endian in [false, true] {
        let file = pcapng(big_endian, &packets);
        let read: Result<Vec<_>, _> = pcapfile::packets("x", &file).unwrap().collect();
        for (read, written) in read.unwrap().iter().zip(&packets) {
            assert_eq!(read.bytes, written.bytes);
            assert!(
                read.at.abs_diff(written.at) < Duration::from_micros(1),
                "{:?} {:?}",
                read.at,
                written.at
            );
        }
        let traces = sessions_from_bytes("x", &file).unwrap();
        assert_eq!(
            traces[0].stream(Side::Client),
            session().stream(Side::Client)
        );
    }
}

#[test]
fn a_capture_by_wireshark_is_dissected() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faithful-lo.pcapng");
    let traces = read_sessions(&path).unwrap();
    let [trace] = &traces[..] else {
        panic!("{} sessions", traces.len())
    };
    assert_eq!(dissect::protocol(trace), Protocol::Faithful);
    assert!(trace.closed && trace.gaps.is_empty());
    assert_eq!(trace.server, "127.0.0.1:22222".parse().unwrap());
    let view = dissect::faithful(trace);
    assert_eq!(
        view.login,
        (0..128).map(|i| (i * 7 + 1) as u8).collect::<Vec<_>>()
    );
    assert_eq!(view.key.unwrap().to_vec(), (0..32).collect::<Vec<u8>>());
    assert_eq!(view.iv.unwrap().to_vec(), (100..108).collect::<Vec<u8>>());
    let published = [
        [0xce, 0x3a, 0xce, 0xb6, 0xbf, 0xe6, 0xfd, 0x00],
        [0xc5, 0x37, 0xc3, 0xb4, 0xb7, 0xa3, 0xb8, 0x50],
    ];
    assert_eq!(view.messages, published);
}

#[test]
fn a_file_cut_anywhere_is_said_to_be_cut_and_where() {
    let packets = synthesize(&[session()], EPOCH);
    for file in [
        classic(0xa1b2_c3d4, false, 1_000, &packets),
        pcapng(false, &packets),
        pcapng(true, &packets),
    ] {
        let mut whole = 0;
        for len in 4..file.len() {
            match sessions_from_bytes("cut.pcap", &file[..len]) {
                Ok(_) => whole += 1,
                Err(
                    error @ CaptureError::Truncated {
                        offset,
                        needed,
                        left,
                        ..
                    },
                ) => {
                    assert_eq!(offset + left, len);
                    assert!(needed > left as u64);
                    assert!(
                        error.to_string().contains("cut.pcap")
                            && error.to_string().contains("editcap")
                    );
                }
                Err(error) => panic!("{len}: {error}"),
            }
        }
        // Only a cut between two packets cannot be seen.
        assert!(whole <= packets.len() + 2, "{whole}");
    }
}

#[test]
fn what_is_no_capture_and_what_is_not_understood_says_so() {
    let error = sessions_from_bytes("notes.txt", b"hello there").unwrap_err();
    assert!(matches!(error, CaptureError::NotACapture { .. }));
    assert!(
        error
            .to_string()
            .starts_with("notes.txt is no packet capture"),
        "{error}"
    );
    assert!(matches!(
        sessions_from_bytes("empty", b""),
        Err(CaptureError::NotACapture { .. })
    ));

    let mut packets = synthesize(&[session()], EPOCH);
    let mut file = classic(0xa1b2_c3d4, false, 1_000, &packets);
    file[20] = 147;
    assert_eq!(sessions_from_bytes("x", &file).unwrap(), []);

    let folder = tempfile::tempdir().unwrap();
    packets[1].link = LinkType::Raw;
    let error = pcapfile::write_file(&folder.path().join("x"), &packets).unwrap_err();
    assert!(matches!(error, CaptureError::MixedLinks { .. }));
    let missing = folder.path().join("missing.pcap");
    assert!(
        read_sessions(&missing)
            .unwrap_err()
            .to_string()
            .contains("missing.pcap")
    );
}

#[test]
fn a_block_of_an_undescribed_interface_is_damage() {
    let mut file = pcapng(false, &synthesize(&[session()], EPOCH));
    let packet = 28 + 44;
    assert_eq!(file[packet], 6);
    file[packet + 8] = 9;
    let error = sessions_from_bytes("x", &file).unwrap_err();
    assert!(
        matches!(error, CaptureError::Malformed { offset, .. } if offset == packet),
        "{error}"
    );
}

#[test]
fn long_chunks_are_cut_to_packets_and_stay_whole_as_a_stream() {
    let mut trace = Trace::new(session().client, session().server);
    trace.chunks = session().chunks;
    trace.chunks[0].bytes = vec![7; 200_000];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.pcap");
    write_sessions(&path, &[trace], EPOCH).unwrap();
    let read = read_sessions(&path).unwrap();
    assert_eq!(read[0].stream(Side::Client)[..200_000], vec![7; 200_000]);
}
