//! pcapng out, and the comments that it can hold. Classic pcap has no place for them.

use pcap_parser::{OptionCode, PcapNGOption, parse_sectionheaderblock};

use super::{LinkType, Packet, SNAPLEN};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// Tells a reader in which byte order the section is.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// `opt_comment`, which every block may hold.
const COMMENT: u16 = 1;
/// `shb_userappl`: the program that wrote the section.
const WRITTEN_BY: u16 = 4;
/// `if_tsresol`: the unit of timestamps, as a negative power of ten.
const RESOLUTION: u16 = 9;
const NANOSECONDS: u8 = 9;

/// A pcapng file of these Ethernet packets with their comments, and one comment, `about`, on the whole. A comment ends
/// after the 65,535 bytes that its length field can tell.
///
/// Format: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>, little-endian, nanoseconds.
pub fn pcapng_bytes(packets: &[Packet], about: &str) -> Vec<u8> {
    let mut file = Vec::new();
    block(&mut file, SECTION_HEADER, |body| {
        body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        body.extend([1, 0, 0, 0]); // version 1.0
        body.extend([0xff; 8]); // the section is as long as the file
        option(body, COMMENT, about.as_bytes());
        option(body, WRITTEN_BY, b"latchstring");
        end_of_options(body);
    });
    block(&mut file, INTERFACE_DESCRIPTION, |body| {
        body.extend((LinkType::Ethernet.number() as u16).to_le_bytes());
        body.extend([0; 2]);
        body.extend(SNAPLEN.to_le_bytes());
        option(body, RESOLUTION, &[NANOSECONDS]);
        end_of_options(body);
    });
    for packet in packets {
        block(&mut file, ENHANCED_PACKET, |body| packet_body(body, packet));
    }
    file
}

fn packet_body(body: &mut Vec<u8>, packet: &Packet) {
    // 64 bits of nanoseconds last until the year 2554.
    let at = packet.at.as_nanos() as u64;
    let captured = packet.bytes.len() as u32;
    let first_interface = 0;
    for field in [
        first_interface,
        (at >> 32) as u32,
        at as u32,
        captured,
        packet.wire_len,
    ] {
        body.extend(field.to_le_bytes());
    }
    padded(body, &packet.bytes);
    for comment in &packet.comments {
        option(body, COMMENT, comment.as_bytes());
    }
    if !packet.comments.is_empty() {
        end_of_options(body);
    }
}

/// A block between its two lengths.
fn block(file: &mut Vec<u8>, kind: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    fill(&mut body);
    let len = (body.len() as u32 + 12).to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(len);
    file.extend(body);
    file.extend(len);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Everything in the format begins at a multiple of four bytes.
fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// The comments among the options of a block. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn comments(options: &[PcapNGOption<'_>]) -> Vec<String> {
    let comments = options
        .iter()
        .filter(|option| option.code == OptionCode::Comment);
    comments
        .filter_map(|option| Some(String::from_utf8_lossy(option.as_bytes().ok()?).into_owned()))
        .collect()
}

/// The comment on the whole file, if it is a pcapng file and has one.
pub fn section_comment(bytes: &[u8]) -> Option<String> {
    let (_, section) = parse_sectionheaderblock(bytes).ok()?;
    comments(&section.options).into_iter().next()
}
