//! From a captured packet to the TCP segment in it. Headers, tunnels included, are taken off one by one, and the
//! fragments of an IP packet are put together.

mod fragments;
mod layers;
mod skip;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

pub use self::skip::{Carried, Skip};
use self::{
    fragments::Fragments,
    layers::{Inner, peel},
};
use crate::pcapfile::Packet;

/// One TCP segment, borrowed from its packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The time of capture, since 1970.
    pub at: Duration,
    /// The sender.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// Sequence number of its first byte, or of the SYN.
    pub seq: u32,
    /// The number that the segment acknowledges, if it does.
    pub ack: Option<u32>,
    /// Opens a connection.
    pub syn: bool,
    /// Ends this direction.
    pub fin: bool,
    /// Breaks the connection off.
    pub rst: bool,
    /// The data of the segment.
    pub payload: &'a [u8],
    /// How many bytes it carried behind these: the recorder cut them off.
    pub lacks: u32,
}

/// Finds segments in packets. The finder remembers the fragments of IP packets that are not complete yet.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    /// The last packet that was put together of fragments.
    whole: Vec<u8>,
}

impl Decoder {
    /// The TCP segment in a packet.
    ///
    /// # Errors
    /// The reason why the packet has no segment.
    pub fn segment<'a>(&'a mut self, packet: &'a Packet) -> Result<Segment<'a>, Skip> {
        let cut = (packet.wire_len as usize).saturating_sub(packet.bytes.len());
        let inner = match peel(packet.link, &packet.bytes, cut)? {
            Inner::Tcp(datagram) => datagram,
            Inner::Fragment(fragment) => {
                let (key, number) = (fragment.key(), fragment.number);
                self.whole = self.fragments.add(fragment)?;
                let (from, to) = (key.from, key.to);
                layers::within(number, from, to, &self.whole)?
            }
        };
        segment(packet.at, &inner)
    }

    /// How many fragments wait for the rest of their packets.
    pub fn incomplete(&self) -> u64 {
        self.fragments.waiting()
    }
}

/// The content of an IP packet.
#[derive(Debug, Clone, Copy)]
struct Datagram<'a> {
    from: IpAddr,
    to: IpAddr,
    bytes: &'a [u8],
    /// How many bytes it has by the account of its headers, of which `bytes` may be the beginning alone.
    stated: usize,
}

/// The fixed part of a TCP header, in bytes (RFC 9293, 3.1).
const TCP_HEADER: usize = 20;

fn segment<'a>(at: Duration, datagram: &Datagram<'a>) -> Result<Segment<'a>, Skip> {
    let bytes = datagram.bytes;
    let header: &[u8; TCP_HEADER] = bytes.first_chunk().ok_or(match datagram.stated {
        TCP_HEADER.. => Skip::Cut,
        _ => Skip::Malformed("a TCP header of fewer than 20 bytes"),
    })?;
    let port = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let options_end = usize::from(header[12] >> 4) * 4;
    if options_end < TCP_HEADER || options_end > datagram.stated {
        return Err(Skip::Malformed("a TCP header of an impossible length"));
    }
    let payload = bytes.get(options_end..).unwrap_or_default();
    let flag = |bit: u8| header[13] & bit != 0;
    Ok(Segment {
        at,
        from: SocketAddr::new(datagram.from, port(0)),
        to: SocketAddr::new(datagram.to, port(2)),
        seq: number(4),
        ack: flag(0x10).then(|| number(8)),
        syn: flag(0x02),
        fin: flag(0x01),
        rst: flag(0x04),
        payload,
        lacks: (datagram.stated - options_end - payload.len()) as u32,
    })
}

#[cfg(test)]
mod tests;
