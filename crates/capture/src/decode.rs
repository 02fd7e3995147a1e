//! From a captured packet to the TCP segment in it.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};

use crate::pcapfile::{LinkType, Packet};

/// One TCP segment, borrowed from its packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    /// When it was captured, since 1970.
    pub at: Duration,
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// Sequence number of its first byte, or of the SYN.
    pub seq: u32,
    /// What it acknowledges, when it does.
    pub ack: Option<u32>,
    /// Opens a connection.
    pub syn: bool,
    /// Ends this direction.
    pub fin: bool,
    /// Breaks the connection off.
    pub rst: bool,
    /// What it carries.
    pub payload: &'a [u8],
}

/// The TCP segment in a packet, or `None` when there is none that is whole enough to be read: another protocol, a link
/// that is not understood, or a fragment of an IP packet (its bytes then show as a gap).
pub fn segment(packet: &Packet) -> Option<Segment<'_>> {
    let sliced = slice(packet)?;
    let (from, to, fragmented) = match sliced.net? {
        LaxNetSlice::Ipv4(ip) => (
            IpAddr::V4(ip.header().source_addr()),
            IpAddr::V4(ip.header().destination_addr()),
            ip.is_payload_fragmented(),
        ),
        LaxNetSlice::Ipv6(ip) => (
            IpAddr::V6(ip.header().source_addr()),
            IpAddr::V6(ip.header().destination_addr()),
            ip.is_payload_fragmented(),
        ),
        LaxNetSlice::Arp(_) => return None,
    };
    let TransportSlice::Tcp(tcp) = sliced.transport? else {
        return None;
    };
    if fragmented {
        return None;
    }
    Some(Segment {
        at: packet.at,
        from: SocketAddr::new(from, tcp.source_port()),
        to: SocketAddr::new(to, tcp.destination_port()),
        seq: tcp.sequence_number(),
        ack: tcp.ack().then(|| tcp.acknowledgment_number()),
        syn: tcp.syn(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        payload: tcp.payload(),
    })
}

/// Takes off the link's header, leniently: only where the IP header begins is of interest.
fn slice(packet: &Packet) -> Option<LaxSlicedPacket<'_>> {
    let bytes = &packet.bytes[..];
    match packet.link {
        LinkType::Ethernet => LaxSlicedPacket::from_ethernet(bytes).ok(),
        LinkType::Raw => LaxSlicedPacket::from_ip(bytes).ok(),
        // Four bytes of address family, whose values differ between systems; the IP header says its version itself.
        LinkType::Null => LaxSlicedPacket::from_ip(bytes.get(4..)?).ok(),
        LinkType::LinuxSll => cooked(bytes, 14, 16),
        LinkType::LinuxSll2 => cooked(bytes, 0, 20),
        LinkType::Other(_) => None,
    }
}

/// A Linux cooked header of `len` bytes with the EtherType at `at`.
fn cooked(bytes: &[u8], at: usize, len: usize) -> Option<LaxSlicedPacket<'_>> {
    let ether_type = EtherType(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    Some(LaxSlicedPacket::from_ether_type(
        ether_type,
        bytes.get(len..)?,
    ))
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

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
            LinkType::LinuxSll => {
                [&[0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], &protocol[..]].concat()
            }
            LinkType::LinuxSll2 => [&protocol[..], &[0; 18]].concat(),
            LinkType::Raw | LinkType::Other(_) => Vec::new(),
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
                let segment = segment(&packet).unwrap_or_else(|| panic!("{link:?} v6={v6}"));
                assert_eq!(segment.payload, b"hi", "{link:?} v6={v6}");
                assert_eq!((segment.from.port(), segment.to.port()), (5, 6));
                assert_eq!((segment.seq, segment.ack), (77, Some(99)));
                assert_eq!(segment.from.is_ipv6(), v6);
            }
        }
        assert_eq!(segment(&framed(LinkType::Other(147), false)), None);
    }

    #[test]
    fn vlan_tags_are_skipped_and_fragments_left_out() {
        let mut packet = framed(LinkType::Ethernet, false);
        packet.bytes.splice(12..12, [0x81, 0x00, 0x00, 0x05]);
        assert_eq!(segment(&packet).unwrap().payload, b"hi");
        let mut packet = framed(LinkType::Raw, false);
        packet.bytes[6] = 0x20; // "more fragments"
        assert_eq!(segment(&packet), None);
    }

    #[test]
    fn a_packet_cut_anywhere_does_no_harm() {
        let whole = framed(LinkType::Ethernet, true);
        for len in 0..whole.bytes.len() {
            let mut cut = whole.clone();
            cut.bytes.truncate(len);
            let _ = segment(&cut);
        }
    }
}
