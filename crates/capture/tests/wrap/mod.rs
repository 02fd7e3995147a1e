//! Everything that a TCP segment may be carried in.

use latchstring_capture::pcapfile::Packet;

/// A TCP segment, its header included.
#[derive(Debug, Clone)]
pub(crate) struct Tcp(pub(crate) Vec<u8>);

impl Tcp {
    /// Out of an Ethernet frame with an IPv4 header without options.
    pub(crate) fn of(packet: &Packet) -> Self {
        Self(packet.bytes[14 + 20..].to_vec())
    }

    /// In an IP packet of either version.
    pub(crate) fn ip(&self, v6: bool) -> Vec<u8> {
        if v6 { ip6(&self.0) } else { ip4(&self.0) }
    }

    /// Whether the client sent it.
    fn of_client(bytes: &[u8]) -> bool {
        bytes.get(..2) == Some(&50_000_u16.to_be_bytes())
    }
}

pub(crate) fn ip4(tcp: &[u8]) -> Vec<u8> {
    let (from, to) = if Tcp::of_client(tcp) { (1, 2) } else { (2, 1) };
    ip_between(6, tcp, from, to)
}

/// An IPv4 packet of any protocol.
pub(crate) fn ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip_between(protocol, payload, 3, 4)
}

fn ip_between(protocol: u8, payload: &[u8], from: u8, to: u8) -> Vec<u8> {
    let length = (20 + payload.len()) as u16;
    let mut bytes = vec![0x45, 0];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 7, 0, 0, 64, protocol, 0, 0, 10, 0, 0, from, 10, 0, 0, to]);
    bytes.extend(payload);
    bytes
}

/// With a hop-by-hop header and one of destination options.
pub(crate) fn ip6(tcp: &[u8]) -> Vec<u8> {
    let (from, to) = if Tcp::of_client(tcp) { (1, 2) } else { (2, 1) };
    let options = [60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0];
    ip6_between(0, &[&options, tcp].concat(), from, to)
}

fn ip6_between(next: u8, payload: &[u8], from: u8, to: u8) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((payload.len() as u16).to_be_bytes());
    bytes.extend([next, 64]);
    for last in [from, to] {
        bytes.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    bytes.extend(payload);
    bytes
}

/// An IP packet in fragments of `size` bytes.
pub(crate) fn fragments(ip: &[u8], size: usize, id: u32) -> Vec<Vec<u8>> {
    let v6 = ip[0] >> 4 == 6;
    // Hop-by-hop options stay before the fragments; destination options may be in them.
    let (header, next_at) = match (v6, ip[6]) {
        (false, _) => (20, 0),
        (true, 0) => (48, 40),
        (true, _) => (40, 6),
    };
    let payload = &ip[header..];
    let parts = payload.chunks(size).zip((0..).step_by(size));
    let fragment = |(part, at): (&[u8], usize)| {
        let more = u16::from(at + part.len() < payload.len());
        let mut bytes = ip[..header].to_vec();
        if v6 {
            let place = (at as u16) | more;
            let length = (header - 40 + 8 + part.len()) as u16;
            bytes[4..6].copy_from_slice(&length.to_be_bytes());
            let next = std::mem::replace(&mut bytes[next_at], 44);
            bytes.extend([next, 0]);
            bytes.extend(place.to_be_bytes());
            bytes.extend(id.to_be_bytes());
        } else {
            let place = (at as u16 / 8) | more << 13;
            bytes[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
            bytes[4..6].copy_from_slice(&(id as u16).to_be_bytes());
            bytes[6..8].copy_from_slice(&place.to_be_bytes());
        }
        bytes.extend(part);
        bytes
    };
    parts.map(fragment).collect()
}

/// What an Ethernet header says, and what follows it.
pub(crate) type Payload = (u16, Vec<u8>);

pub(crate) fn plain(ip: Vec<u8>) -> Payload {
    let kind = if ip[0] >> 4 == 6 { 0x86dd } else { 0x0800 };
    (kind, ip)
}

pub(crate) fn ethernet((kind, payload): Payload) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend(kind.to_be_bytes());
    frame.extend(payload);
    // Short frames are padded, and what follows an IP packet is not payload.
    frame.resize(frame.len().max(60), 0);
    frame
}

/// Puts bytes and the type of what follows before it.
fn before(kind: u16, head: &[u8], (inner, payload): Payload) -> Payload {
    (kind, [head, &inner.to_be_bytes(), &payload].concat())
}

fn llc(head: &[u8], (inner, payload): Payload) -> Payload {
    let bytes = [head, &inner.to_be_bytes(), &payload].concat();
    (bytes.len() as u16, bytes)
}

/// Only IP can be in some of them.
fn only_ip(payload: Payload, wrap: impl Fn(&[u8]) -> Payload) -> Payload {
    match payload.0 {
        0x0800 | 0x86dd => wrap(&payload.1),
        _ => payload,
    }
}

fn ppp(ip: &[u8]) -> Vec<u8> {
    let protocol = if ip[0] >> 4 == 6 { 0x57 } else { 0x21 };
    [&[0, protocol], ip].concat()
}

fn pppoe(ip: &[u8]) -> Vec<u8> {
    let ppp = ppp(ip);
    [
        &[0x11, 0, 0, 9],
        &(ppp.len() as u16).to_be_bytes()[..],
        &ppp,
    ]
    .concat()
}

type Tag = (&'static str, fn(Payload) -> Payload);

/// What may be between an Ethernet header and an IP packet; each also upon another.
pub(crate) const TAGS: &[Tag] = &[
    ("nothing", |payload| payload),
    ("802.1Q", |payload| before(0x8100, &[0, 5], payload)),
    ("802.1ad", |payload| before(0x88a8, &[0, 6], payload)),
    ("QinQ before it was standard", |payload| {
        before(0x9100, &[0, 7], payload)
    }),
    ("802.1ah", |payload| {
        (0x88e7, [&[0, 0, 0, 1], &ethernet(payload)[..]].concat())
    }),
    ("PPPoE", |payload| {
        only_ip(payload, |ip| (0x8864, pppoe(ip)))
    }),
    ("one MPLS label", |payload| {
        only_ip(payload, |ip| (0x8847, [&[0, 1, 1, 64], ip].concat()))
    }),
    ("three MPLS labels", |payload| {
        only_ip(payload, |ip| {
            (
                0x8848,
                [&[0, 1, 0, 64, 0, 2, 0, 64, 0, 3, 1, 64], ip].concat(),
            )
        })
    }),
    ("an MPLS pseudowire", |payload| {
        (
            0x8847,
            [&[0, 1, 1, 64, 0, 0, 0, 0], &ethernet(payload)[..]].concat(),
        )
    }),
    ("802.2 SNAP", |payload| {
        llc(&[0xaa, 0xaa, 3, 0, 0, 0], payload)
    }),
    ("HSR", |payload| before(0x892f, &[0, 60, 0, 1], payload)),
    ("VN-Tag", |payload| before(0x8926, &[0, 0, 0, 1], payload)),
    ("transparent bridging", |payload| {
        (0x6558, ethernet(payload))
    }),
];

fn gre(flags: u16, kind: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let head = [flags.to_be_bytes(), kind.to_be_bytes()].concat();
    ip(47, &[&head, options, payload].concat())
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let head = [49_152_u16, port, length, 0].map(u16::to_be_bytes).concat();
    ip(17, &[&head, payload].concat())
}

fn kind(ip: &[u8]) -> u16 {
    plain(ip.to_vec()).0
}

fn frame(ip: &[u8]) -> Vec<u8> {
    ethernet(plain(ip.to_vec()))
}

type Carrier = (&'static str, fn(&[u8]) -> Vec<u8>);

/// Tunnels: an IP packet in an IP packet.
pub(crate) const CARRIERS: &[Carrier] = &[
    ("IP in IPv4", |inner| {
        ip(if inner[0] >> 4 == 6 { 41 } else { 4 }, inner)
    }),
    ("IP in IPv6", |inner| {
        ip6_between(if inner[0] >> 4 == 6 { 41 } else { 4 }, inner, 3, 4)
    }),
    ("GRE", |ip| gre(0, kind(ip), &[], ip)),
    ("GRE with checksum, key and sequence number", |ip| {
        gre(0xb000, kind(ip), &[0; 12], ip)
    }),
    ("GRE of Ethernet", |ip| {
        gre(0x2000, 0x6558, &[0, 0, 0, 9], &frame(ip))
    }),
    ("PPTP", |ip| {
        let ppp = ppp(ip);
        let key = [&(ppp.len() as u16).to_be_bytes()[..], &[0, 1, 0, 0, 0, 2]].concat();
        gre(0x3001, 0x880b, &key, &ppp)
    }),
    ("ERSPAN I", |ip| gre(0, 0x88be, &[], &frame(ip))),
    ("ERSPAN II", |ip| {
        gre(
            0x1000,
            0x88be,
            &[0, 0, 0, 1, 0x10, 5, 0, 1, 0, 0, 0, 0],
            &frame(ip),
        )
    }),
    ("ERSPAN III", |ip| {
        let head = [0, 0, 0, 1, 0x20, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        gre(0x1000, 0x22eb, &head, &frame(ip))
    }),
    ("VXLAN", |ip| {
        udp(4789, &[&[8, 0, 0, 0, 0, 0, 9, 0], &frame(ip)[..]].concat())
    }),
    ("VXLAN-GPE of IP", |ip| {
        let next = if ip[0] >> 4 == 6 { 2 } else { 1 };
        udp(4790, &[&[0x0c, 0, 0, next, 0, 0, 9, 0], ip].concat())
    }),
    ("Geneve", |ip| {
        let head = [2, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 1, 0, 0, 0, 0];
        udp(6081, &[&head, &frame(ip)[..]].concat())
    }),
    ("GTP", |ip| {
        let length = (ip.len() as u16).to_be_bytes();
        udp(
            2152,
            &[&[0x30, 255], &length[..], &[0, 0, 0, 1], ip].concat(),
        )
    }),
    ("MPLS in UDP", |ip| {
        udp(6635, &[&[0, 1, 1, 64], ip].concat())
    }),
    ("MPLS in IP", |inner| {
        ip(137, &[&[0, 1, 1, 64], inner].concat())
    }),
    ("Ethernet in IP", |inner| {
        ip(97, &[&[0x30, 0], &frame(inner)[..]].concat())
    }),
];

fn wireless(ip: &[u8]) -> Vec<u8> {
    // A data frame with quality of service, from an access point.
    let head = [&[0x88, 0x02][..], &[0; 24]].concat();
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0], &kind(ip).to_be_bytes()[..]].concat();
    [&head, &snap, ip].concat()
}

type Link = (&'static str, u32, fn(&[u8]) -> Vec<u8>);

/// First headers, with the number of the link.
pub(crate) const LINKS: &[Link] = &[
    ("Ethernet", 1, |ip| frame(ip)),
    ("BSD loopback", 0, |ip| {
        [&[if ip[0] >> 4 == 6 { 30 } else { 2 }, 0, 0, 0], ip].concat()
    }),
    ("OpenBSD loopback", 108, |ip| {
        [&[0, 0, 0, if ip[0] >> 4 == 6 { 24 } else { 2 }], ip].concat()
    }),
    ("raw IP", 101, |ip| ip.to_vec()),
    ("raw IP, as OpenBSD numbers it", 14, |ip| ip.to_vec()),
    ("raw IP, as others number it", 12, |ip| ip.to_vec()),
    ("cooked, version 1", 113, |ip| {
        let head = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        [&head, &kind(ip).to_be_bytes()[..], ip].concat()
    }),
    ("cooked, version 2", 276, |ip| {
        let head = [0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        [&kind(ip).to_be_bytes(), &head[..], ip].concat()
    }),
    ("PPP", 9, |ip| ppp(ip)),
    ("PPP with HDLC framing", 50, |ip| {
        [&[0xff, 3], &ppp(ip)[..]].concat()
    }),
    ("Cisco's HDLC in a PPP capture", 50, |ip| {
        [&[0x0f, 0], &kind(ip).to_be_bytes()[..], ip].concat()
    }),
    ("PPPoE alone", 51, |ip| pppoe(ip)),
    ("Cisco's HDLC", 104, |ip| {
        [&[0x0f, 0], &kind(ip).to_be_bytes()[..], ip].concat()
    }),
    ("802.11", 105, |ip| wireless(ip)),
    ("802.11 with a radio header", 127, |ip| {
        [&[0, 0, 8, 0, 0, 0, 0, 0], &wireless(ip)[..]].concat()
    }),
    ("PPI", 192, |ip| {
        [&[0, 0, 8, 0, 1, 0, 0, 0], &frame(ip)[..]].concat()
    }),
    ("NFLOG", 239, |ip| {
        let family = if ip[0] >> 4 == 6 { 10 } else { 2 };
        let length = (4 + ip.len() as u16).to_le_bytes();
        let head = [family, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0];
        [&head, &length[..], &[9, 0], ip].concat()
    }),
];
