//! Classic pcap out.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use super::{LinkType, Packet, SNAPLEN};
use crate::CaptureError;

/// Magic number of a classic pcap file with nanosecond timestamps, in the writer's byte order.
const MAGIC_NANO: u32 = 0xa1b2_3c4d;

/// Writes a classic pcap file with nanosecond timestamps.
#[derive(Debug)]
pub struct PcapWriter<W> {
    out: W,
    link: LinkType,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(mut out: W, link: LinkType) -> io::Result<Self> {
        out.write_all(&MAGIC_NANO.to_le_bytes())?;
        out.write_all(&2_u16.to_le_bytes())?;
        out.write_all(&4_u16.to_le_bytes())?;
        out.write_all(&[0; 8])?; // time zone and accuracy: nobody uses them
        out.write_all(&SNAPLEN.to_le_bytes())?;
        out.write_all(&link.number().to_le_bytes())?;
        Ok(Self { out, link })
    }

    /// Writes one packet.
    ///
    /// # Errors
    /// Those of the writer; [`io::ErrorKind::InvalidInput`] for a packet of another link type, a length beyond 32 bits
    /// or a time after 2106.
    pub fn write(&mut self, packet: &Packet) -> io::Result<()> {
        let invalid = |why: &'static str| io::Error::new(io::ErrorKind::InvalidInput, why);
        if packet.link != self.link {
            return Err(invalid("a pcap file holds packets of one link type"));
        }
        let seconds = u32::try_from(packet.at.as_secs())
            .map_err(|_| invalid("a pcap file ends in the year 2106"))?;
        let captured = u32::try_from(packet.bytes.len())
            .map_err(|_| invalid("a packet of more than 4 GiB"))?;
        for field in [seconds, packet.at.subsec_nanos(), captured, packet.wire_len] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(&packet.bytes)
    }

    /// Sends on what is buffered.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Gives the writer back, without flushing it.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Writes packets to a classic pcap file; a file without packets is an Ethernet one.
///
/// # Errors
/// When the file cannot be written, or the packets have several link types.
pub fn write_file(path: &Path, packets: &[Packet]) -> Result<(), CaptureError> {
    let link = packets
        .first()
        .map_or(LinkType::Ethernet, |packet| packet.link);
    if let Some(other) = packets.iter().find(|packet| packet.link != link) {
        return Err(CaptureError::MixedLinks {
            first: link,
            second: other.link,
        });
    }
    let write = || {
        let mut writer = PcapWriter::new(BufWriter::new(File::create(path)?), link)?;
        packets.iter().try_for_each(|packet| writer.write(packet))?;
        writer.flush()
    };
    write().map_err(|source| CaptureError::Io {
        path: path.to_owned(),
        doing: "write to",
        source,
    })
}
