//! pcapng in: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>, a block at a time.

use std::{io::Read, time::Duration};

use pcap_parser::{
    Block, InterfaceDescriptionBlock, PcapNGOption, parse_block_be, parse_block_le,
    traits::PcapNGPacketBlock,
};

use super::{LinkType, MAX_PACKET, Packet, input::Input, pcapng, u32_at};
use crate::CaptureError;

/// Type of a section header, which reads the same in both byte orders.
pub(super) const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Tells in which byte order a section is.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Blocks that hold packets or are needed to understand them.
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// Type and length, at the beginning of a block, and the length again at its end.
const BLOCK_HEADER: usize = 8;
const SHORTEST: u32 = 12;

/// The sections of a file, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Sections {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// The comment on the first section.
    pub(super) about: Option<String>,
    /// How many packets the recorder lost.
    pub(super) dropped: u64,
    begun: bool,
}

/// The properties of an interface, which hold for all its packets.
#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    snaplen: u32,
    units_per_second: u128,
    offset_seconds: i64,
}

impl Sections {
    /// The next packet; blocks before it that hold none are taken in or passed over.
    pub(super) fn packet(
        &mut self,
        input: &mut Input<impl Read>,
    ) -> Result<Option<Packet>, CaptureError> {
        loop {
            let at = input.offset;
            let Some((kind, len)) = self.header(input)? else {
                return Ok(None);
            };
            let rest = len as usize - input.taken().len();
            let needed = kind == u32::from_be_bytes(SECTION_HEADER)
                || matches!(
                    kind,
                    INTERFACE..=SIMPLE_PACKET | STATISTICS | ENHANCED_PACKET
                );
            if !needed {
                let skipped = input.skip(rest as u64)? as usize;
                if skipped < rest {
                    let left = BLOCK_HEADER + skipped;
                    return Err(input.truncated("a block", len.into(), left));
                }
                continue;
            }
            if len > MAX_PACKET {
                return Err(input.malformed(at, "a block that claims to have more than 16 MiB"));
            }
            let left = input.more(rest)?.len();
            if left < len as usize {
                return Err(input.truncated("a block", len.into(), left));
            }
            match self.block(kind, input.taken()) {
                Ok(Some(packet)) => return Ok(Some(packet)),
                Ok(None) => {}
                Err(why) => return Err(input.malformed(at, why)),
            }
        }
    }

    /// Type and length of the next block. A section's header first tells the byte order.
    fn header(&mut self, input: &mut Input<impl Read>) -> Result<Option<(u32, u32)>, CaptureError> {
        let at = input.offset;
        let mut left = input.take(BLOCK_HEADER)?.len();
        if left == 0 {
            return Ok(None);
        }
        if input.taken().starts_with(&SECTION_HEADER) && left == BLOCK_HEADER {
            left = input.more(4)?.len();
            let magic = |big_endian| u32_at(input.taken(), BLOCK_HEADER, big_endian);
            self.big_endian = match (magic(false), magic(true)) {
                (Some(BYTE_ORDER_MAGIC), _) => false,
                (_, Some(BYTE_ORDER_MAGIC)) => true,
                (None, _) => return Err(input.truncated("a section header", 28, left)),
                _ => return Err(input.malformed(at, "a section header without a byte order")),
            };
        }
        let field = |at| u32_at(input.taken(), at, self.big_endian);
        let (Some(kind), Some(len)) = (field(0), field(4)) else {
            return Err(input.truncated("a block", SHORTEST.into(), left));
        };
        if len < SHORTEST || (len as usize) < left {
            return Err(input.malformed(at, "a block that is shorter than its own header"));
        }
        Ok(Some((kind, len)))
    }

    /// Takes in a whole block.
    fn block(&mut self, kind: u32, bytes: &[u8]) -> Result<Option<Packet>, &'static str> {
        const CONTRADICTS: &str = "a block that contradicts itself";
        let field = |at| u32_at(bytes, at, self.big_endian).ok_or(CONTRADICTS);
        if field(bytes.len().saturating_sub(4))? as usize != bytes.len() {
            return Err("a block that has two different lengths");
        }
        let parse = match self.big_endian {
            true => parse_block_be,
            false => parse_block_le,
        };
        let packet = match kind {
            // The parser of the library takes the padding for data where the packet was cut, and knows no obsolete block.
            SIMPLE_PACKET => Some(self.simple(bytes, field(8)?)?),
            OBSOLETE_PACKET => Some(self.obsolete(bytes)?),
            _ => match parse(bytes).map_err(|_| CONTRADICTS)?.1 {
                Block::SectionHeader(section) => {
                    self.interfaces.clear();
                    if !self.begun {
                        self.begun = true;
                        self.about = pcapng::comments(&section.options).into_iter().next();
                    }
                    None
                }
                Block::InterfaceDescription(description) => {
                    let interface = Interface::new(&description, self.big_endian);
                    self.interfaces.push(interface);
                    None
                }
                Block::InterfaceStatistics(statistics) => {
                    self.dropped += self.drops(&statistics.options);
                    None
                }
                Block::EnhancedPacket(packet) => {
                    let interface = self.interface(packet.if_id)?;
                    let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                    let data = packet.packet_data();
                    let mut captured = interface.packet(ticks, data, packet.origlen);
                    captured.comments = pcapng::comments(&packet.options);
                    Some(captured)
                }
                _ => None,
            },
        };
        Ok(packet)
    }

    fn interface(&self, number: u32) -> Result<&Interface, &'static str> {
        let interface = self.interfaces.get(number as usize);
        interface.ok_or("a packet of an interface that was never described")
    }

    /// A Simple Packet Block says only how long the packet was; the interface says where it was cut.
    fn simple(&self, bytes: &[u8], wire_len: u32) -> Result<Packet, &'static str> {
        let interface = self.interface(0)?;
        let snaplen = match interface.snaplen {
            0 => u32::MAX,
            snaplen => snaplen,
        };
        let data = bytes.get(12..bytes.len() - 4).unwrap_or_default();
        let captured = data.len().min(wire_len.min(snaplen) as usize);
        Ok(interface.packet(0, &data[..captured], wire_len))
    }

    /// The packet block of early pcapng, which the Enhanced Packet Block replaced.
    fn obsolete(&self, bytes: &[u8]) -> Result<Packet, &'static str> {
        const SHORT: &str = "a packet block that is too short";
        const DATA: usize = 28;
        let field = |at| u32_at(bytes, at, self.big_endian).ok_or(SHORT);
        let interface = match (self.big_endian, bytes.get(8..10)) {
            (true, Some(&[high, low])) | (false, Some(&[low, high])) => {
                u16::from_be_bytes([high, low])
            }
            _ => return Err(SHORT),
        };
        let ticks = u64::from(field(12)?) << 32 | u64::from(field(16)?);
        let (captured, wire_len) = (field(20)? as usize, field(24)?);
        let data = bytes
            .get(DATA..bytes.len() - 4)
            .and_then(|data| data.get(..captured))
            .ok_or("a packet that is longer than its block")?;
        let interface = self.interface(interface.into())?;
        Ok(interface.packet(ticks, data, wire_len))
    }

    /// The losses that the recorder reports: `isb_ifdrop` and `isb_osdrop`.
    fn drops(&self, options: &[PcapNGOption<'_>]) -> u64 {
        let lost = options
            .iter()
            .filter(|option| matches!(option.code.0, 5 | 7));
        let count = lost.filter_map(|option| {
            let bytes: [u8; 8] = option.as_bytes().ok()?.try_into().ok()?;
            Some(match self.big_endian {
                true => u64::from_be_bytes(bytes),
                false => u64::from_le_bytes(bytes),
            })
        });
        count.fold(0, u64::saturating_add)
    }
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

    /// A packet is as long as its block says. The interface's snapshot length is what the recorder meant to keep.
    fn packet(&self, ticks: u64, data: &[u8], wire_len: u32) -> Packet {
        let nanos = u128::from(ticks) * 1_000_000_000 / self.units_per_second;
        let seconds = (nanos / 1_000_000_000) as u64;
        Packet {
            at: Duration::new(
                seconds.saturating_add_signed(self.offset_seconds),
                (nanos % 1_000_000_000) as u32,
            ),
            link: self.link,
            bytes: data.to_vec(),
            wire_len,
            comments: Vec::new(),
        }
    }
}

/// The `if_tsresol` option: a negative power of ten, or with the upper bit set of two. (pcap-parser 0.17 knows only the
/// first.) A resolution of 10^-20 or below fits no timestamp, and counts as the default, microseconds.
fn units_per_second(resolution: u8) -> u128 {
    match resolution {
        power @ 0x80.. => 1 << (power & 0x7f).min(100),
        power => 10_u128.checked_pow(power.into()).unwrap_or(1_000_000),
    }
}
