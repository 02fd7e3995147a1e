//! The headers before TCP: links, tags, labels and tunnels, each taken off by its own few lines.
//!
//! Only where the next header begins is of interest. Nothing here is checked that a receiver would check, such as
//! checksums: captures of what a machine sends itself have none.

use std::net::IpAddr;

use etherparse::{IpFragOffset, IpNumber};

use super::{Datagram, Skip, fragments::Fragment, skip::Carried};
use crate::pcapfile::LinkType;

/// The limit on the headers that are taken off a packet. Real ones have fewer than ten.
const DEEPEST: usize = 32;

/// Below this, the type field of an Ethernet frame is a length, and an 802.2 header follows (IEEE 802.3, 3.2.6).
const FIRST_ETHER_TYPE: u16 = 0x0600;

/// The content behind the headers.
#[derive(Debug)]
pub(super) enum Inner<'a> {
    Tcp(Datagram<'a>),
    Fragment(Fragment<'a>),
}

/// The information of a header about the bytes behind it.
#[derive(Debug, Clone, Copy)]
enum Next {
    Link(LinkType),
    Ethernet,
    EtherType(u16),
    Llc,
    Ppp,
    PppOe,
    Mpls,
    Wireless,
    Ip,
    /// The content of an IP packet.
    Carried(Carrying),
}

/// The information of an IP header about its content.
#[derive(Debug, Clone, Copy)]
struct Carrying {
    number: IpNumber,
    from: IpAddr,
    to: IpAddr,
}

impl Carrying {
    fn fragment(
        self,
        id: u32,
        offset: u16,
        more: bool,
        rest: Rest<'_>,
    ) -> Result<Fragment<'_>, Skip> {
        Ok(Fragment {
            from: self.from,
            to: self.to,
            number: self.number,
            id,
            offset: IpFragOffset::try_new(offset).map_err(|_| Skip::BadFragment)?,
            more,
            bytes: rest.bytes,
            cut: rest.cut > 0,
        })
    }
}

/// The part behind a header of IP, or a part of it.
enum Ip<'a> {
    Whole(Next, Rest<'a>),
    Fragment(Fragment<'a>),
}

/// Bytes, and how many more of them the recorder cut off.
#[derive(Debug, Clone, Copy)]
struct Rest<'a> {
    bytes: &'a [u8],
    cut: usize,
}

impl<'a> Rest<'a> {
    /// The loss of a packet that is cut, or the contradiction in a whole one.
    fn short(&self) -> Skip {
        match self.cut {
            0 => Skip::Malformed("a packet that ends within its headers"),
            _ => Skip::Cut,
        }
    }

    fn skip(self, len: usize) -> Result<Self, Skip> {
        let bytes = self.bytes.get(len..).ok_or_else(|| self.short())?;
        Ok(Self { bytes, ..self })
    }

    fn byte(&self, at: usize) -> Result<u8, Skip> {
        self.bytes.get(at).copied().ok_or_else(|| self.short())
    }

    fn u16(&self, at: usize) -> Result<u16, Skip> {
        Ok(u16::from_be_bytes([self.byte(at)?, self.byte(at + 1)?]))
    }

    fn u16_le(&self, at: usize) -> Result<u16, Skip> {
        Ok(self.u16(at)?.swap_bytes())
    }

    /// The first `len` bytes alone, where a header says how many there are.
    fn take(self, len: usize) -> Self {
        match self.bytes.get(..len) {
            Some(bytes) => Self { bytes, cut: 0 },
            None => Self {
                cut: len - self.bytes.len(),
                ..self
            },
        }
    }
}

type Step<'a> = Result<(Next, Rest<'a>), Skip>;

/// Takes headers off until the TCP header, or a fragment, is the next.
pub(super) fn peel(link: LinkType, bytes: &[u8], cut: usize) -> Result<Inner<'_>, Skip> {
    walk(Next::Link(link), Rest { bytes, cut })
}

/// The same for what an IP packet carried that was put together of fragments.
pub(super) fn within(
    number: IpNumber,
    from: IpAddr,
    to: IpAddr,
    bytes: &[u8],
) -> Result<Datagram<'_>, Skip> {
    let next = Next::Carried(Carrying { number, from, to });
    match walk(next, Rest { bytes, cut: 0 })? {
        Inner::Tcp(datagram) => Ok(datagram),
        // A tunnel in fragments that carries fragments.
        Inner::Fragment(_) => Err(Skip::BadFragment),
    }
}

fn walk<'a>(mut next: Next, mut rest: Rest<'a>) -> Result<Inner<'a>, Skip> {
    for _ in 0..DEEPEST {
        (next, rest) = match next {
            Next::Link(kind) => link(kind, rest)?,
            Next::Ethernet => (Next::EtherType(rest.u16(12)?), rest.skip(14)?),
            Next::EtherType(length) if length < FIRST_ETHER_TYPE => {
                (Next::Llc, rest.take(length.into()))
            }
            Next::EtherType(kind) => ether_type(kind, rest)?,
            Next::Llc => llc(rest)?,
            Next::Ppp => ppp(rest)?,
            Next::PppOe => pppoe(rest)?,
            Next::Mpls => mpls(rest)?,
            Next::Wireless => wireless(rest)?,
            Next::Ip => match ip(rest)? {
                Ip::Whole(next, rest) => (next, rest),
                Ip::Fragment(fragment) => return Ok(Inner::Fragment(fragment)),
            },
            Next::Carried(Carrying {
                number: IpNumber::TCP,
                from,
                to,
            }) => {
                return Ok(Inner::Tcp(Datagram {
                    from,
                    to,
                    bytes: rest.bytes,
                    stated: rest.bytes.len() + rest.cut,
                }));
            }
            Next::Carried(carrying) if is_extension(carrying.number) => {
                match extension(carrying, rest)? {
                    Ip::Whole(next, rest) => (next, rest),
                    Ip::Fragment(fragment) => return Ok(Inner::Fragment(fragment)),
                }
            }
            Next::Carried(carrying) => carried(carrying.number, rest)?,
        };
    }
    Err(Skip::Malformed("more headers than a packet can have"))
}

/// The header that the file's link type names: <https://www.tcpdump.org/linktypes.html>.
fn link(kind: LinkType, rest: Rest<'_>) -> Step<'_> {
    Ok(match kind {
        LinkType::Ethernet => (Next::Ethernet, rest),
        LinkType::Raw => (Next::Ip, rest),
        // Four bytes of address family, whose values differ between systems; the IP header says its version itself.
        LinkType::Null => (Next::Ip, rest.skip(4)?),
        LinkType::LinuxSll => (cooked(rest.u16(14)?), rest.skip(16)?),
        LinkType::LinuxSll2 => (cooked(rest.u16(0)?), rest.skip(20)?),
        LinkType::Ppp => (Next::Ppp, rest),
        LinkType::PppOe => (Next::PppOe, rest),
        LinkType::CiscoHdlc => (Next::EtherType(rest.u16(2)?), rest.skip(4)?),
        LinkType::Wireless => (Next::Wireless, rest),
        LinkType::Radiotap => (Next::Wireless, rest.skip(rest.u16_le(2)?.into())?),
        LinkType::Ppi => {
            let number = u32::from(rest.u16_le(4)?);
            let inner = LinkType::from_number(number);
            (Next::Link(inner), rest.skip(rest.u16_le(2)?.into())?)
        }
        LinkType::Nflog => (Next::Ip, nflog(rest)?),
        LinkType::Enc => (Next::Ip, rest.skip(12)?),
        LinkType::Pflog => {
            let len = usize::from(rest.byte(0)?).next_multiple_of(4);
            (Next::Ip, rest.skip(len)?)
        }
        LinkType::Other(number) => return Err(Skip::Link(number)),
    })
}

/// The protocol field of a Linux cooked header: an EtherType, or 4 for an 802.2 header.
fn cooked(protocol: u16) -> Next {
    match protocol {
        4 => Next::Llc,
        other => Next::EtherType(other.max(FIRST_ETHER_TYPE)),
    }
}

/// The payload among the fields of a packet that Linux's firewall logged; they are in the machine's byte order.
fn nflog(rest: Rest<'_>) -> Result<Rest<'_>, Skip> {
    const PAYLOAD: u16 = 9;
    let mut rest = rest.skip(4)?;
    loop {
        let len = usize::from(rest.u16_le(0)?);
        if len < 4 {
            return Err(Skip::Malformed("an NFLOG field of fewer than 4 bytes"));
        }
        if rest.u16_le(2)? == PAYLOAD {
            return rest.take(len).skip(4);
        }
        rest = rest.skip(len.next_multiple_of(4))?;
    }
}

fn ether_type(kind: u16, rest: Rest<'_>) -> Step<'_> {
    Ok(match kind {
        0x0800 | 0x86dd => (Next::Ip, rest),
        // VLAN tags: 802.1Q, 802.1ad, and what was used before it; and VN-Tag (802.1BR).
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
            (Next::EtherType(rest.u16(2)?), rest.skip(4)?)
        }
        0x8926 => (Next::EtherType(rest.u16(4)?), rest.skip(6)?),
        // Ring redundancy (IEC 62439-3).
        0x892f => (Next::EtherType(rest.u16(4)?), rest.skip(6)?),
        0x8847 | 0x8848 => (Next::Mpls, rest),
        0x8864 => (Next::PppOe, rest),
        0x880b => (Next::Ppp, rest),
        // A frame within a frame: transparent bridging, and 802.1ah behind its tag.
        0x6558 => (Next::Ethernet, rest),
        0x88e7 => (Next::Ethernet, rest.skip(4)?),
        other => return Err(Skip::Other(Carried::EtherType(other))),
    })
}

/// 802.2, and the header of RFC 1042 that carries an EtherType.
fn llc(rest: Rest<'_>) -> Step<'_> {
    match (rest.byte(0)?, rest.byte(1)?) {
        (0xaa, 0xaa) => {
            let organization = (rest.byte(3)?, rest.u16(4)?);
            match organization {
                (0, 0 | 0xf8) => Ok((Next::EtherType(rest.u16(6)?), rest.skip(8)?)),
                _ => Err(Skip::Other(Carried::Llc(0xaa))),
            }
        }
        (0x06, 0x06) => Ok((Next::Ip, rest.skip(3)?)),
        (other, _) => Err(Skip::Other(Carried::Llc(other))),
    }
}

/// PPP (RFC 1661), with or without the two bytes of HDLC framing (RFC 1662), the protocol in one byte or two.
fn ppp(rest: Rest<'_>) -> Step<'_> {
    let rest = match rest.bytes {
        [0xff, 0x03, ..] => rest.skip(2)?,
        // Cisco's framing instead, which carries an EtherType.
        [0x0f | 0x8f, 0x00, ..] => {
            return Ok((Next::EtherType(rest.u16(2)?), rest.skip(4)?));
        }
        _ => rest,
    };
    let (protocol, rest) = match rest.byte(0)? {
        short if short & 1 == 1 => (u16::from(short), rest.skip(1)?),
        _ => (rest.u16(0)?, rest.skip(2)?),
    };
    match protocol {
        0x0021 | 0x0057 => Ok((Next::Ip, rest)),
        0x0281 | 0x0283 => Ok((Next::Mpls, rest)),
        other => Err(Skip::Other(Carried::Ppp(other))),
    }
}

fn pppoe(rest: Rest<'_>) -> Step<'_> {
    match rest.byte(1)? {
        0 => {
            let len = usize::from(rest.u16(4)?);
            Ok((Next::Ppp, rest.skip(6)?.take(len)))
        }
        _ => Err(Skip::Other(Carried::EtherType(0x8863))),
    }
}

/// MPLS labels down to the last (RFC 3032). Nothing says what is behind them; the first half byte tells IP from a
/// control word (RFC 4385).
fn mpls(mut rest: Rest<'_>) -> Step<'_> {
    loop {
        let last = rest.byte(2)? & 1 == 1;
        rest = rest.skip(4)?;
        if last {
            return Ok(match rest.byte(0)? >> 4 {
                4 | 6 => (Next::Ip, rest),
                0 => (Next::Ethernet, rest.skip(4)?),
                _ => (Next::Ethernet, rest),
            });
        }
    }
}

/// An 802.11 data frame that is not encrypted.
fn wireless(rest: Rest<'_>) -> Step<'_> {
    let (control, flags) = (rest.byte(0)?, rest.byte(1)?);
    let (is_data, has_payload) = (control & 0x0c == 0x08, control & 0x40 == 0);
    let (both_ways, encrypted) = (flags & 0x03 == 0x03, flags & 0x40 != 0);
    if !is_data || !has_payload || encrypted {
        return Err(Skip::Other(Carried::Wireless));
    }
    let quality_of_service = control & 0x80 != 0;
    let address = if both_ways { 6 } else { 0 };
    let quality = if quality_of_service { 2 } else { 0 };
    Ok((Next::Llc, rest.skip(24 + address + quality)?))
}

/// Either IP header (RFC 791, 3.1; RFC 8200, 3), without the extensions of the second.
fn ip(rest: Rest<'_>) -> Result<Ip<'_>, Skip> {
    let version = rest.byte(0)? >> 4;
    let (header, stated, number) = match version {
        4 => {
            let header = usize::from(rest.byte(0)? & 0x0f) * 4;
            (header, usize::from(rest.u16(2)?), rest.byte(9)?)
        }
        6 => match rest.u16(4)? {
            0 => (40, 0, rest.byte(6)?),
            len => (40, 40 + usize::from(len), rest.byte(6)?),
        },
        _ => return Err(Skip::Malformed("no IP header where one is due")),
    };
    if header < 20 {
        return Err(Skip::Malformed("an IP header of fewer than 20 bytes"));
    }
    // A sender whose network card does the cutting writes no length: then the packet reaches to its end.
    let rest = match stated < header {
        true => rest,
        false => rest.take(stated),
    };
    let body = rest.skip(header)?;
    let (from, to) = match version {
        4 => (v4(rest, 12)?, v4(rest, 16)?),
        _ => (v6(rest, 8)?, v6(rest, 24)?),
    };
    let carried = Carrying {
        number: IpNumber(number),
        from,
        to,
    };
    // "Don't fragment" is the bit above; these are "more fragments" and the offset.
    let place = if version == 4 {
        rest.u16(6)? & 0x3fff
    } else {
        0
    };
    if place == 0 {
        return Ok(Ip::Whole(Next::Carried(carried), body));
    }
    let (offset, more) = (place & 0x1fff, place & 0x2000 != 0);
    let id = rest.u16(4)?.into();
    Ok(Ip::Fragment(carried.fragment(id, offset, more, body)?))
}

fn v4(rest: Rest<'_>, at: usize) -> Result<IpAddr, Skip> {
    let bytes = rest
        .bytes
        .get(at..)
        .and_then(|bytes| bytes.first_chunk::<4>());
    Ok(IpAddr::from(*bytes.ok_or_else(|| rest.short())?))
}

fn v6(rest: Rest<'_>, at: usize) -> Result<IpAddr, Skip> {
    let bytes = rest
        .bytes
        .get(at..)
        .and_then(|bytes| bytes.first_chunk::<16>());
    Ok(IpAddr::from(*bytes.ok_or_else(|| rest.short())?))
}

/// An extension header. Extension headers are taken off one at a time, since the part behind a fragment header is in
/// another packet.
fn extension(carried: Carrying, rest: Rest<'_>) -> Result<Ip<'_>, Skip> {
    let next = Carrying {
        number: IpNumber(rest.byte(0)?),
        ..carried
    };
    match carried.number {
        IpNumber::IPV6_FRAGMENTATION_HEADER => {
            let (place, id) = (rest.u16(2)?, (rest.u16(4)?, rest.u16(6)?));
            let body = rest.skip(8)?;
            if place & 0xfff9 == 0 {
                return Ok(Ip::Whole(Next::Carried(next), body));
            }
            let id = u32::from(id.0) << 16 | u32::from(id.1);
            let (offset, more) = (place >> 3, place & 1 == 1);
            Ok(Ip::Fragment(next.fragment(id, offset, more, body)?))
        }
        // Counted in units of 4 bytes, two of which are not counted.
        IpNumber::AUTHENTICATION_HEADER => {
            let len = (usize::from(rest.byte(1)?) + 2) * 4;
            Ok(Ip::Whole(Next::Carried(next), rest.skip(len)?))
        }
        _ => {
            let len = (usize::from(rest.byte(1)?) + 1) * 8;
            Ok(Ip::Whole(Next::Carried(next), rest.skip(len)?))
        }
    }
}

fn is_extension(number: IpNumber) -> bool {
    matches!(
        number,
        IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_FRAGMENTATION_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber::AUTHENTICATION_HEADER
            | IpNumber::MOBILITY_HEADER
            | IpNumber::HIP
            | IpNumber::SHIM6
    )
}

/// Tunnels over IP and over UDP; anything else is no TCP.
fn carried(number: IpNumber, rest: Rest<'_>) -> Step<'_> {
    match number {
        IpNumber::IPV4 | IpNumber::IPV6 => Ok((Next::Ip, rest)),
        IpNumber::GRE => gre(rest),
        IpNumber::UDP => udp(rest),
        // MPLS in IP (RFC 4023), and Ethernet in IP (RFC 3378).
        IpNumber(137) => Ok((Next::Mpls, rest)),
        IpNumber(97) => Ok((Next::Ethernet, rest.skip(2)?)),
        IpNumber(other) => Err(Skip::Other(Carried::Ip(other))),
    }
}

/// GRE (RFC 2784, RFC 2890), and the variant of PPTP (RFC 2637).
fn gre(rest: Rest<'_>) -> Step<'_> {
    let (flags, protocol) = (rest.u16(0)?, rest.u16(2)?);
    let has = |bit: u16| if flags & bit != 0 { 4 } else { 0 };
    let enhanced = if flags & 7 == 1 { has(0x0080) } else { 0 };
    let sequence = has(0x1000);
    let body = rest.skip(4 + has(0x8000 | 0x4000) + has(0x2000) + sequence + enhanced)?;
    match (protocol, sequence) {
        // Mirrored traffic: ERSPAN I has no header of its own, II has 8 bytes, III has 12 and sometimes 8 more.
        (0x88be, 0) => Ok((Next::Ethernet, body)),
        (0x88be, _) => Ok((Next::Ethernet, body.skip(8)?)),
        (0x22eb, _) => {
            let more = if body.byte(11)? & 1 == 1 { 8 } else { 0 };
            Ok((Next::Ethernet, body.skip(12 + more)?))
        }
        _ => Ok((Next::EtherType(protocol.max(FIRST_ETHER_TYPE)), body)),
    }
}

/// The destination port tells which tunnel runs over UDP.
fn udp(rest: Rest<'_>) -> Step<'_> {
    let (port, body) = (rest.u16(2)?, rest.skip(8)?);
    match port {
        // VXLAN (RFC 7348), also on the port that Linux used before, and its extension that names what it carries.
        4789 | 8472 => Ok((Next::Ethernet, body.skip(8)?)),
        4790 => match body.byte(3)? {
            1 | 2 => Ok((Next::Ip, body.skip(8)?)),
            _ => Ok((Next::Ethernet, body.skip(8)?)),
        },
        // Geneve (RFC 8926).
        6081 => {
            let options = usize::from(body.byte(0)? & 0x3f) * 4;
            let protocol = body.u16(2)?.max(FIRST_ETHER_TYPE);
            Ok((Next::EtherType(protocol), body.skip(8 + options)?))
        }
        // MPLS in UDP (RFC 7510).
        6635 => Ok((Next::Mpls, body)),
        2152 => gtp(body),
        _ => Err(Skip::Other(Carried::Ip(17))),
    }
}

/// The user plane of mobile networks (3GPP TS 29.281, 5.1).
fn gtp(rest: Rest<'_>) -> Step<'_> {
    const USER_DATA: u8 = 255;
    let flags = rest.byte(0)?;
    if flags >> 5 != 1 || rest.byte(1)? != USER_DATA {
        return Err(Skip::Other(Carried::Ip(17)));
    }
    let mut body = rest.skip(8)?;
    if flags & 0x07 != 0 {
        let mut next = body.byte(3)?;
        body = body.skip(4)?;
        while flags & 0x04 != 0 && next != 0 {
            let len = usize::from(body.byte(0)?) * 4;
            if len == 0 {
                return Err(Skip::Malformed("a GTP extension without a length"));
            }
            next = body.byte(len - 1)?;
            body = body.skip(len)?;
        }
    }
    Ok((Next::Ip, body))
}
