//! Why a packet gives no segment.

use std::fmt;

/// Why there is no TCP segment in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// Its first header is of a kind that is not understood: a number of <https://www.tcpdump.org/linktypes.html>.
    Link(u32),
    /// The packet is understood, and holds something else.
    Other(Carried),
    /// The recorder cut it before the end of its headers.
    Cut,
    /// A header contradicts itself.
    Malformed(&'static str),
    /// A part of an IP packet whose other parts have not come yet.
    Fragment,
    /// A part of an IP packet that was cut, or that contradicts the other parts.
    BadFragment,
}

/// The content of a packet that is not TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carried {
    /// An EtherType: <https://www.iana.org/assignments/ieee-802-numbers>.
    EtherType(u16),
    /// A number of <https://www.iana.org/assignments/protocol-numbers>.
    Ip(u8),
    /// A number of <https://www.iana.org/assignments/ppp-numbers>.
    Ppp(u16),
    /// An 802.2 service access point.
    Llc(u8),
    /// A wireless frame that carries no data, or encrypted data.
    Wireless,
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::EtherType(0x0806) => f.write_str("ARP"),
            Self::EtherType(0x88cc) => f.write_str("LLDP"),
            Self::EtherType(0x888e) => f.write_str("802.1X"),
            Self::EtherType(0x8863) => f.write_str("PPPoE discovery"),
            Self::EtherType(0x88e5) => f.write_str("MACsec"),
            Self::EtherType(number) => write!(f, "EtherType {number:#06x}"),
            Self::Ip(1) => f.write_str("ICMP"),
            Self::Ip(2) => f.write_str("IGMP"),
            Self::Ip(17) => f.write_str("UDP"),
            Self::Ip(50) => f.write_str("ESP"),
            Self::Ip(58) => f.write_str("ICMPv6"),
            Self::Ip(132) => f.write_str("SCTP"),
            Self::Ip(number) => write!(f, "IP protocol {number}"),
            Self::Ppp(number) => write!(f, "PPP protocol {number:#06x}"),
            Self::Llc(number) => write!(f, "802.2 LLC {number:#04x}"),
            Self::Wireless => f.write_str("802.11 without readable data"),
        }
    }
}
