//! One session, carried in every way that networks and recorders have: the same answer each time.

mod common;
#[path = "common/tshark.rs"]
mod tshark;
mod wrap;

use std::io::Write;

use common::{EPOCH, session};
use flate2::{Compression, write::GzEncoder};
use latchstring_capture::{
    Contents, Side, contents,
    frames::synthesize,
    pcapfile::{LinkType, Packet, PcapWriter},
    read,
};
use proptest::prelude::*;
use wrap::{CARRIERS, LINKS, TAGS, Tcp, fragments, ip4, ip6};

/// The TCP segments of the session, without anything around them.
fn segments() -> Vec<Tcp> {
    let packets = synthesize(&[session()], EPOCH);
    packets.iter().map(Tcp::of).collect()
}

/// Writes packets of a link as a classic file, and reads it.
fn contents_of(link: u32, packets: Vec<Vec<u8>>) -> Contents {
    let file = file_of(link, packets);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pcap");
    std::fs::write(&path, file).unwrap();
    read(&path).unwrap()
}

fn file_of(link: u32, packets: Vec<Vec<u8>>) -> Vec<u8> {
    let kind = LinkType::from_number(link);
    let mut writer = PcapWriter::new(Vec::new(), kind).unwrap();
    for (bytes, at) in packets.into_iter().zip(0..) {
        let packet = Packet {
            at: EPOCH + std::time::Duration::from_millis(at),
            link: kind,
            wire_len: bytes.len() as u32,
            bytes,
            comments: Vec::new(),
        };
        writer.write(&packet).unwrap();
    }
    let mut file = writer.into_inner();
    // Some links have several numbers.
    file[20..24].copy_from_slice(&link.to_le_bytes());
    file
}

fn assert_whole(contents: &Contents, how: &str) {
    assert!(contents.losses.is_empty(), "{how}: {}", contents.losses);
    let sessions: Vec<_> = contents.sessions.iter().collect();
    let [found] = &sessions[..] else {
        panic!("{how}: {} sessions", sessions.len());
    };
    let trace = &found.trace;
    for side in [Side::Client, Side::Server] {
        assert_eq!(trace.stream(side), session().stream(side), "{how}");
    }
    assert!(trace.gaps.is_empty() && trace.closed, "{how}");
}

#[test]
fn every_link_carries_the_session() {
    for v6 in [false, true] {
        for (name, number, link) in LINKS {
            let packets = segments();
            let packets = packets.iter().map(|tcp| link(&tcp.ip(v6))).collect();
            assert_whole(&contents_of(*number, packets), &format!("{name}, v6 {v6}"));
        }
    }
}

#[test]
fn every_tag_and_every_tunnel_carries_the_session() {
    for v6 in [false, true] {
        for (name, tag) in TAGS {
            let packets = segments()
                .iter()
                .map(|tcp| wrap::ethernet(tag(wrap::plain(tcp.ip(v6)))))
                .collect();
            assert_whole(&contents_of(1, packets), &format!("{name}, v6 {v6}"));
        }
        for (name, carrier) in CARRIERS {
            let packets = segments().iter().map(|tcp| carrier(&tcp.ip(v6))).collect();
            assert_whole(&contents_of(101, packets), &format!("{name}, v6 {v6}"));
        }
    }
}

proptest! {
    /// Tags upon tags, tunnels in tunnels, at any link.
    #[test]
    fn every_combination_carries_the_session(
        v6: bool,
        carriers in prop::collection::vec(prop::sample::select(CARRIERS), 0..4),
        tags in prop::collection::vec(prop::sample::select(TAGS), 0..7),
    ) {
        let names: Vec<_> = carriers.iter().map(|(name, _)| name).chain(tags.iter().map(|(name, _)| name)).collect();
        let wrapped = |tcp: &Tcp| {
            let ip = carriers.iter().fold(tcp.ip(v6), |ip, (_, carrier)| carrier(&ip));
            wrap::ethernet(tags.iter().fold(wrap::plain(ip), |payload, (_, tag)| tag(payload)))
        };
        let packets = segments().iter().map(wrapped).collect();
        assert_whole(&contents_of(1, packets), &format!("{names:?}, v6 {v6}"));
    }

    /// Fragments of any size, of both versions of IP, in any order, within a tunnel or not.
    #[test]
    fn fragments_are_put_together(v6: bool, size in 1..12_usize, tunnelled: bool, turn in 0..7_usize) {
        let mut packets = Vec::new();
        for (tcp, id) in segments().iter().zip(1..) {
            let inner = tcp.ip(v6);
            let carrier = CARRIERS[id % CARRIERS.len()].1;
            let ip = if tunnelled { carrier(&inner) } else { inner };
            let mut parts = fragments(&ip, size * 8, id as u32);
            let len = parts.len();
            parts.rotate_left(turn % len);
            packets.extend(parts);
        }
        assert_whole(&contents_of(101, packets), &format!("v6 {v6}, {size}, tunnelled {tunnelled}"));
    }

    /// A file cut anywhere gives what comes before the cut, and says that it is cut.
    #[test]
    fn a_cut_file_gives_what_comes_before_the_cut(at in any::<prop::sample::Index>(), zipped: bool) {
        let whole = file_of(101, segments().iter().map(|tcp| tcp.ip(false)).collect());
        let whole = if zipped { gzip(&whole) } else { whole };
        let end = at.index(whole.len());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut");
        std::fs::write(&path, &whole[..end]).unwrap();
        if let Ok(contents) = read(&path) {
            let all = session().stream(Side::Client);
            let found = contents.sessions.first().map_or(Vec::new(), |session| session.trace.stream(Side::Client));
            prop_assert!(all.starts_with(&found));
            let between_packets = contents.losses.ended.is_none();
            prop_assert!(!between_packets || !zipped, "a cut gzip file is never whole");
        }
    }

    /// Whatever the recorder cut off every packet: nothing is made up, and the missing bytes are counted.
    #[test]
    fn packets_cut_anywhere_are_counted(snaplen in 0..220_usize, v6: bool, tag in prop::sample::select(TAGS)) {
        let whole: Vec<_> = segments().iter().map(|tcp| wrap::ethernet((tag.1)(wrap::plain(tcp.ip(v6))))).collect();
        let mut file = file_of(1, Vec::new());
        for bytes in &whole {
            let kept = bytes.len().min(snaplen);
            for field in [0, 0, kept as u32, bytes.len() as u32] {
                file.extend(field.to_le_bytes());
            }
            file.extend(&bytes[..kept]);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.pcap");
        std::fs::write(&path, file).unwrap();
        let contents = read(&path).unwrap();
        let Some(found) = contents.sessions.first() else {
            prop_assert!(!contents.losses.is_empty());
            return Ok(());
        };
        for side in [Side::Client, Side::Server] {
            let sent = session().stream(side).len() as u64;
            let gaps = found.trace.gaps.iter().filter(|gap| gap.from == side);
            let missing: u64 = gaps.map(|gap| gap.bytes.expect("the handshake was captured")).sum();
            prop_assert_eq!(found.trace.stream(side).len() as u64 + missing, sent);
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(bytes).unwrap();
    zipped.finish().unwrap()
}

#[test]
fn a_compressed_file_is_unpacked_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pcap.gz");
    let file = file_of(101, segments().iter().map(|tcp| ip4(&tcp.0)).collect());
    // Several members, as some recorders write them.
    let (one, other) = file.split_at(file.len() / 2);
    std::fs::write(&path, [gzip(one), gzip(other)].concat()).unwrap();
    assert_whole(&read(&path).unwrap(), "gzip");
}

#[test]
fn what_is_not_understood_is_counted_with_its_reason() {
    let mut packets: Vec<_> = segments()
        .iter()
        .map(|tcp| wrap::ethernet(wrap::plain(ip6(&tcp.0))))
        .collect();
    let arp = wrap::ethernet((0x0806, vec![0; 28]));
    let udp = wrap::ethernet(wrap::plain(wrap::ip(17, &[0, 53, 0, 53, 0, 8, 0, 0])));
    let strange = wrap::ethernet((0x1234, vec![0; 40]));
    packets.extend([arp.clone(), arp, udp, strange]);
    // A fragment whose other half never comes.
    packets.push(wrap::ethernet(wrap::plain(
        fragments(&ip4(&[7; 64]), 32, 9)[0].clone(),
    )));
    let contents = contents_of(1, packets);
    assert_eq!(contents.losses.others(), "2 ARP, 1 EtherType 0x1234, 1 UDP");
    let lines = contents.losses.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("1 packet was not used"), "{lines:?}");

    let contents = contents_of(220, vec![vec![0; 64]; 3]);
    assert_eq!(
        contents.losses.lines(),
        ["3 packets were not understood: link type 220 (USB)"]
    );
}

#[test]
fn memory_is_bounded_by_what_is_open() {
    struct Largest(usize);
    // Many sessions, one after the other: each is handed over and forgotten long before the file ends.
    let traces: Vec<_> = (0..2_000).map(|_| session()).collect();
    let packets = synthesize(&traces, EPOCH);
    let mut file = PcapWriter::new(Vec::new(), LinkType::Ethernet).unwrap();
    packets
        .iter()
        .for_each(|packet| file.write(packet).unwrap());
    let file = file.into_inner();
    let packets = latchstring_capture::pcapfile::packets("many", &file[..]).unwrap();
    let (mut seen, mut largest) = (0, Largest(0));
    contents::sessions_of(packets, contents::Wanted::All, |number, _| {
        largest.0 = largest.0.max(number.abs_diff(seen));
        seen += 1;
        Ok::<(), latchstring_capture::CaptureError>(())
    })
    .unwrap();
    assert_eq!((seen, largest.0), (2_000, 0));
}

#[test]
fn wireshark_reads_the_same_in_what_we_wrap() {
    let folder = tempfile::tempdir().unwrap();
    for (name, carrier) in CARRIERS {
        let path = folder.path().join("x.pcap");
        let packets = segments()
            .iter()
            .map(|tcp| carrier(&tcp.ip(false)))
            .collect();
        std::fs::write(&path, file_of(101, packets)).unwrap();
        let Some((client, server)) = tshark::follow(&path, 0) else {
            return;
        };
        assert_eq!(client, session().stream(Side::Client), "{name}");
        assert_eq!(server, session().stream(Side::Server), "{name}");
    }
    for (name, number, link) in LINKS.iter().step_by(3) {
        let path = folder.path().join("x.pcap");
        let packets = segments().iter().map(|tcp| link(&tcp.ip(false))).collect();
        std::fs::write(&path, file_of(*number, packets)).unwrap();
        let (client, _) = tshark::follow(&path, 0).unwrap();
        assert_eq!(client, session().stream(Side::Client), "{name}");
    }
}
