//! Link types: the header before the IP header, as a capture file declares it.

/// The header before the IP header of a packet: numbers of <https://www.tcpdump.org/linktypes.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkType {
    /// A four-byte address family (BSD loopback), in either byte order.
    Null,
    /// An Ethernet header.
    Ethernet,
    /// Nothing.
    Raw,
    /// Linux "cooked" header, version 1: the `any` interface.
    LinuxSll,
    /// Linux "cooked" header, version 2.
    LinuxSll2,
    /// PPP, with or without HDLC framing.
    Ppp,
    /// A PPPoE header.
    PppOe,
    /// Cisco's HDLC.
    CiscoHdlc,
    /// An 802.11 header.
    Wireless,
    /// A radio's description of an 802.11 frame, then the frame.
    Radiotap,
    /// Per-packet information, which names the link type of what follows it.
    Ppi,
    /// The log of Linux's firewall.
    Nflog,
    /// The log of IPsec by OpenBSD's `enc` interface.
    Enc,
    /// The log of OpenBSD's firewall.
    Pflog,
    /// Something that is not understood here.
    Other(u32),
}

impl LinkType {
    /// From the number in a file.
    pub fn from_number(number: u32) -> Self {
        match number {
            0 | 108 => Self::Null,
            1 => Self::Ethernet,
            // 12 and 14 are what some systems wrote for 101; 228 and 229 are IPv4 and IPv6 alone.
            12 | 14 | 101 | 228 | 229 => Self::Raw,
            113 => Self::LinuxSll,
            276 => Self::LinuxSll2,
            9 | 50 => Self::Ppp,
            51 => Self::PppOe,
            104 => Self::CiscoHdlc,
            105 => Self::Wireless,
            127 => Self::Radiotap,
            192 => Self::Ppi,
            239 => Self::Nflog,
            109 => Self::Enc,
            117 => Self::Pflog,
            other => Self::Other(other),
        }
    }

    /// The number that a file holds.
    pub fn number(self) -> u32 {
        match self {
            Self::Null => 0,
            Self::Ethernet => 1,
            Self::Raw => 101,
            Self::LinuxSll => 113,
            Self::LinuxSll2 => 276,
            Self::Ppp => 9,
            Self::PppOe => 51,
            Self::CiscoHdlc => 104,
            Self::Wireless => 105,
            Self::Radiotap => 127,
            Self::Ppi => 192,
            Self::Nflog => 239,
            Self::Enc => 109,
            Self::Pflog => 117,
            Self::Other(number) => number,
        }
    }
}
