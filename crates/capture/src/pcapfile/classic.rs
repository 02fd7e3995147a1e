//! Classic pcap in: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>.

use std::{io::Read, time::Duration};

use super::{LinkType, MAX_PACKET, Packet, input::Input, u32_at};
use crate::CaptureError;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// The format of Alexey Kuznetzov's patched libpcap: eight more bytes before each packet.
const MODIFIED: u32 = 0xa1b2_cd34;

/// Length of the file's header, in bytes.
const HEADER: usize = 24;
/// Length of a packet's header, in bytes.
const PACKET_HEADER: usize = 16;

/// The properties of a classic file, which hold for all its packets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    big_endian: bool,
    /// How many nanoseconds a unit of the fraction of a second has.
    unit: u64,
    packet_header: usize,
    link: LinkType,
}

impl Header {
    /// The header, if a file that begins with `magic` is of this format.
    pub(super) fn read(
        input: &mut Input<impl Read>,
        magic: &[u8],
    ) -> Result<Option<Self>, CaptureError> {
        let known = |big_endian| match u32_at(magic, 0, big_endian)? {
            MICROSECONDS => Some((big_endian, 1_000, PACKET_HEADER)),
            NANOSECONDS => Some((big_endian, 1, PACKET_HEADER)),
            MODIFIED => Some((big_endian, 1_000, PACKET_HEADER + 8)),
            _ => None,
        };
        let Some((big_endian, unit, packet_header)) = known(false).or_else(|| known(true)) else {
            return Ok(None);
        };
        let header = input.take(HEADER)?;
        let left = header.len();
        let Some(link) = u32_at(header, 20, big_endian) else {
            return Err(input.truncated("the file header", HEADER as u64, left));
        };
        Ok(Some(Self {
            big_endian,
            unit,
            packet_header,
            // The upper bits say how long a frame check sequence is; it is behind the IP packet and so falls away.
            link: LinkType::from_number(link & 0xffff),
        }))
    }

    /// The next packet.
    pub(super) fn packet(
        &self,
        input: &mut Input<impl Read>,
    ) -> Result<Option<Packet>, CaptureError> {
        let at = input.offset;
        let header = input.take(self.packet_header)?;
        if header.is_empty() {
            return Ok(None);
        }
        let field = |at| u32_at(header, at, self.big_endian);
        let fields = (field(0), field(4), field(8), field(12));
        let (Some(seconds), Some(fraction), Some(captured), Some(wire_len)) = fields else {
            let (left, captured) = (header.len(), field(8).unwrap_or(0));
            let needed = self.packet_header as u64 + u64::from(captured);
            return Err(input.truncated("a packet", needed, left));
        };
        let left = header.len();
        if captured > MAX_PACKET {
            return Err(input.malformed(at, "a packet that claims to have more than 16 MiB"));
        }
        if left < self.packet_header {
            let needed = self.packet_header as u64 + u64::from(captured);
            return Err(input.truncated("a packet", needed, left));
        }
        let bytes = input.take(captured as usize)?.to_vec();
        if bytes.len() < captured as usize {
            let needed = self.packet_header as u64 + u64::from(captured);
            return Err(input.truncated("a packet", needed, self.packet_header + bytes.len()));
        }
        Ok(Some(Packet {
            at: Duration::from_secs(seconds.into())
                + Duration::from_nanos(u64::from(fraction) * self.unit),
            link: self.link,
            bytes,
            wire_len,
            comments: Vec::new(),
        }))
    }
}
