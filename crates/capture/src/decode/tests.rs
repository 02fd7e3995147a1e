//! Packets of every link, and packets that are cut.

use etherparse::PacketBuilder;

use super::*;
use crate::pcapfile::LinkType;

/// An IP packet with "hi" in it, from 10.0.0.1 or fd00::1 port 5, to .2 port 6.
fn ip(v6: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = if v6 {
        let address = |last| [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
        PacketBuilder::ipv6(address(1), address(2), 9)
    } else {
        PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 9)
    };
    builder
        .tcp(5, 6, 77, 1024)
        .ack(99)
        .write(&mut bytes, b"hi")
        .unwrap();
    bytes
}

fn framed(link: LinkType, v6: bool) -> Packet {
    let protocol: [u8; 2] = if v6 { [0x86, 0xdd] } else { [0x08, 0x00] };
    let mut bytes = match link {
        LinkType::Ethernet => [&[2; 12], &protocol[..]].concat(),
        // VLAN 5 within an Ethernet frame would be `81 00 00 05`; see `vlan_tags_are_skipped`.
        LinkType::Null => vec![0, 0, 0, if v6 { 30 } else { 2 }],
        LinkType::LinuxSll => [&[0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], &protocol[..]].concat(),
        LinkType::LinuxSll2 => [&protocol[..], &[0; 18]].concat(),
        _ => Vec::new(),
    };
    bytes.extend(ip(v6));
    // Ethernet pads short frames: what follows the IP packet is not payload.
    bytes.extend([0; 6]);
    Packet {
        at: Duration::ZERO,
        link,
        wire_len: 0,
        bytes,
        comments: Vec::new(),
    }
}

#[test]
fn every_link_and_both_ip_versions_are_read() {
    for link in [
        LinkType::Ethernet,
        LinkType::Null,
        LinkType::LinuxSll,
        LinkType::LinuxSll2,
        LinkType::Raw,
    ] {
        for v6 in [false, true] {
            let packet = framed(link, v6);
            let mut decoder = Decoder::default();
            let segment = decoder
                .segment(&packet)
                .unwrap_or_else(|why| panic!("{link:?} v6={v6} {why:?}"));
            assert_eq!(segment.payload, b"hi", "{link:?} v6={v6}");
            assert_eq!((segment.from.port(), segment.to.port()), (5, 6));
            assert_eq!((segment.seq, segment.ack), (77, Some(99)));
            assert_eq!(segment.from.is_ipv6(), v6);
        }
    }
    let other = framed(LinkType::Other(147), false);
    assert_eq!(Decoder::default().segment(&other), Err(Skip::Link(147)));
}

#[test]
fn vlan_tags_are_skipped_and_a_fragment_of_odd_length_is_none() {
    let mut packet = framed(LinkType::Ethernet, false);
    packet.bytes.splice(12..12, [0x81, 0x00, 0x00, 0x05]);
    assert_eq!(Decoder::default().segment(&packet).unwrap().payload, b"hi");
    let mut packet = framed(LinkType::Raw, false);
    packet.bytes[6] = 0x20; // "more fragments"
    assert_eq!(Decoder::default().segment(&packet), Err(Skip::BadFragment));
}

#[test]
fn a_packet_cut_anywhere_does_no_harm() {
    let whole = framed(LinkType::Ethernet, true);
    for len in 0..whole.bytes.len() {
        let mut cut = whole.clone();
        cut.bytes.truncate(len);
        let _ = Decoder::default().segment(&cut);
    }
}
