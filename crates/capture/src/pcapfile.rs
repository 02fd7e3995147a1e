//! Capture files: classic pcap and pcapng in and out.
//!
//! Reading leaves the format to `pcap-parser` and adds what a reader of a stranger's file owes its user: an upper bound,
//! and an error that names the place. Formats: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html> and
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>.

mod pcapng;
mod writer;

use std::{fs::File, io::Read, path::Path, time::Duration};

use pcap_parser::{
    Block, InterfaceDescriptionBlock, LegacyPcapBlock, PcapError, PcapHeader, parse_block_be,
    parse_block_le, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header, parse_sectionheaderblock, traits::PcapNGPacketBlock,
};

pub use self::{
    pcapng::{pcapng_bytes, section_comment},
    writer::{PcapWriter, write_file},
};
use crate::CaptureError;

/// The largest file that is read, in bytes. Files are read whole.
pub const MAX_FILE: u64 = 256 << 20;

/// The longest packet that is captured or announced, in bytes; what tcpdump uses.
pub const SNAPLEN: u32 = 262_144;

/// Type of a pcapng section header, which reads the same in both byte orders.
const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// What comes before the IP header of a packet: numbers of <https://www.tcpdump.org/linktypes.html>.
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
            Self::Other(number) => number,
        }
    }
}

/// One captured packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// When it was captured, since 1970.
    pub at: Duration,
    /// What its first header is.
    pub link: LinkType,
    /// Its bytes, from the first header on.
    pub bytes: Vec<u8>,
    /// Its length on the wire, which is more than `bytes` when the capture cut it.
    pub wire_len: u32,
    /// What somebody remarked on it. Only pcapng files hold comments.
    pub comments: Vec<String>,
}

/// Reads a file whole, up to [`MAX_FILE`].
///
/// # Errors
/// When it cannot be read or is too large.
pub fn read_file(path: &Path) -> Result<Vec<u8>, CaptureError> {
    let io = |source| CaptureError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    };
    let file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut bytes = Vec::new();
    // Not trusting the size: a pipe has none, and a file that is being captured to grows.
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(CaptureError::TooLarge {
            file: path.display().to_string(),
            size: size.max(bytes.len() as u64),
            limit: MAX_FILE,
        });
    }
    Ok(bytes)
}

/// The packets of a pcap or pcapng file. `name` stands for the file in errors.
///
/// # Errors
/// When the bytes do not begin like a capture. The iterator ends after its first error.
pub fn packets<'a>(name: &'a str, bytes: &'a [u8]) -> Result<Packets<'a>, CaptureError> {
    let mut packets = Packets {
        name,
        bytes,
        offset: 0,
        format: Format::Ng {
            big_endian: false,
            interfaces: Vec::new(),
        },
    };
    if bytes.starts_with(&SECTION_HEADER) {
        return Ok(packets);
    }
    match parse_pcap_header(bytes) {
        Ok((rest, header)) => {
            packets.offset = bytes.len() - rest.len();
            packets.format = Format::Classic(header);
            Ok(packets)
        }
        Err(pcap_parser::nom::Err::Incomplete(_)) if bytes.len() >= 4 => {
            Err(packets.truncated("the file header", 24))
        }
        Err(_) => Err(CaptureError::NotACapture {
            file: name.to_owned(),
            first: bytes[..bytes.len().min(4)].to_vec(),
        }),
    }
}

/// Iterator over the packets of a file: see [`packets`].
#[derive(Debug)]
pub struct Packets<'a> {
    name: &'a str,
    bytes: &'a [u8],
    offset: usize,
    format: Format,
}

#[derive(Debug)]
enum Format {
    Classic(PcapHeader),
    Ng {
        big_endian: bool,
        interfaces: Vec<Interface>,
    },
}

/// What a pcapng file says once about all packets of an interface.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    snaplen: u32,
    units_per_second: u128,
    offset_seconds: i64,
}

impl Iterator for Packets<'_> {
    type Item = Result<Packet, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut next = None;
        while next.is_none() && self.offset < self.bytes.len() {
            next = match &self.format {
                Format::Classic(header) => self.classic(&header.clone()).map(Some),
                Format::Ng { .. } => self.block(),
            }
            .transpose();
        }
        if matches!(next, Some(Err(_))) {
            self.offset = self.bytes.len();
        }
        next
    }
}

impl<'a> Packets<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.offset..]
    }

    /// One record of a classic file.
    fn classic(&mut self, header: &PcapHeader) -> Result<Packet, CaptureError> {
        let (parse, header_len): (Parser<'a>, usize) = match header {
            header if header.is_modified_format() => (parse_pcap_frame_modified, 24),
            header if header.is_bigendian() => (parse_pcap_frame_be, 16),
            _ => (parse_pcap_frame, 16),
        };
        let rest = self.rest();
        let Ok((after, frame)) = parse(rest) else {
            let captured = u32_at(rest, 8, header.is_bigendian()).unwrap_or(0);
            return Err(self.truncated("a packet", header_len as u64 + u64::from(captured)));
        };
        self.offset += rest.len() - after.len();
        let tick = if header.is_nanosecond_precision() {
            1
        } else {
            1_000
        };
        Ok(Packet {
            at: Duration::from_secs(frame.ts_sec.into())
                + Duration::from_nanos(u64::from(frame.ts_usec) * tick),
            // The upper bits say how long a frame check sequence is; it is behind the IP packet and so falls away.
            link: LinkType::from_number(header.network.0 as u32 & 0xffff),
            bytes: frame.data.to_vec(),
            wire_len: frame.origlen,
            comments: Vec::new(),
        })
    }

    /// One block of a pcapng file; only some are packets.
    fn block(&mut self) -> Result<Option<Packet>, CaptureError> {
        let rest = self.rest();
        if rest.starts_with(&SECTION_HEADER) {
            let section = match parse_sectionheaderblock(rest) {
                Ok((_, section)) => section,
                Err(_) if rest.len() < 12 => return Err(self.truncated("a section header", 28)),
                Err(_) => {
                    return Err(
                        self.bad_block(u32_at(rest, 8, true) == Some(pcap_parser::BOM_MAGIC))
                    );
                }
            };
            self.format = Format::Ng {
                big_endian: section.big_endian(),
                interfaces: Vec::new(),
            };
        }
        let Format::Ng {
            big_endian,
            interfaces,
        } = &mut self.format
        else {
            return Ok(None);
        };
        let big_endian = *big_endian;
        let parse = if big_endian {
            parse_block_be
        } else {
            parse_block_le
        };
        let Ok((after, block)) = parse(rest) else {
            return Err(self.bad_block(big_endian));
        };
        let packet = match block {
            Block::InterfaceDescription(description) => {
                interfaces.push(Interface::new(&description, big_endian));
                None
            }
            Block::EnhancedPacket(packet) => {
                let Some(interface) = interfaces.get(packet.if_id as usize) else {
                    return Err(self.malformed("a packet of an interface that was never described"));
                };
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let mut captured = interface.packet(ticks, packet.packet_data(), packet.origlen);
                captured.comments = pcapng::comments(&packet.options);
                Some(captured)
            }
            Block::SimplePacket(packet) => {
                let Some(interface) = interfaces.first() else {
                    return Err(self.malformed("a packet before any interface was described"));
                };
                Some(interface.packet(0, packet.packet_data(), packet.origlen))
            }
            _ => None,
        };
        self.offset += rest.len() - after.len();
        Ok(packet)
    }

    /// Why a pcapng block was refused: its own length tells what is cut off from what is wrong.
    fn bad_block(&self, big_endian: bool) -> CaptureError {
        let rest = self.rest();
        match u32_at(rest, 4, big_endian) {
            None => self.truncated("a block", 12),
            Some(len) if len as usize > rest.len() => self.truncated("a block", len.into()),
            Some(_) => self.malformed("a block that contradicts itself"),
        }
    }

    fn truncated(&self, what: &'static str, needed: u64) -> CaptureError {
        CaptureError::Truncated {
            file: self.name.to_owned(),
            offset: self.offset,
            what,
            needed,
            left: self.rest().len(),
        }
    }

    fn malformed(&self, why: &'static str) -> CaptureError {
        CaptureError::Malformed {
            file: self.name.to_owned(),
            offset: self.offset,
            why,
        }
    }
}

/// A parser of one record of a classic file.
type Parser<'a> =
    fn(&'a [u8]) -> pcap_parser::nom::IResult<&'a [u8], LegacyPcapBlock<'a>, PcapError<&'a [u8]>>;

fn u32_at(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    })
}

impl Interface {
    fn new(description: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        // pcap-parser 0.17 reads this field little-endian in big-endian files too.
        let offset = description.if_tsoffset;
        Self {
            link: LinkType::from_number(description.linktype.0 as u32),
            snaplen: description.snaplen,
            units_per_second: units_per_second(description.if_tsresol),
            offset_seconds: if big_endian {
                offset.swap_bytes()
            } else {
                offset
            },
        }
    }

    fn packet(&self, ticks: u64, data: &[u8], wire_len: u32) -> Packet {
        let nanos = u128::from(ticks) * 1_000_000_000 / self.units_per_second;
        let seconds = (nanos / 1_000_000_000) as u64;
        // A snapshot length of zero means that there is none.
        let snap = if self.snaplen == 0 {
            usize::MAX
        } else {
            self.snaplen as usize
        };
        Packet {
            at: Duration::new(
                seconds.saturating_add_signed(self.offset_seconds),
                (nanos % 1_000_000_000) as u32,
            ),
            link: self.link,
            bytes: data[..data.len().min(snap)].to_vec(),
            wire_len,
            comments: Vec::new(),
        }
    }
}

/// The `if_tsresol` option: a negative power of ten, or with the upper bit set of two. (pcap-parser 0.17 knows only the
/// first.) What no timestamp can mean, 10^-20 and below, counts as the default, microseconds.
fn units_per_second(resolution: u8) -> u128 {
    match resolution {
        power @ 0x80.. => 1 << (power & 0x7f).min(100),
        power => 10_u128.checked_pow(power.into()).unwrap_or(1_000_000),
    }
}
