//! Capture files: classic pcap and pcapng in and out.
//!
//! Reading goes through the file once, packet by packet. A reader of an untrusted file needs upper bounds, and errors
//! that name the place. Formats: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html> and
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>.

mod blocks;
mod classic;
mod input;
mod pcapng;
mod writer;

use std::{io::Read, time::Duration};

use self::{blocks::Sections, classic::Header, input::Input};
pub use self::{
    input::{MAGICS, is_capture, open},
    pcapng::{pcapng_bytes, section_comment},
    writer::{PcapWriter, write_file},
};
use crate::CaptureError;
pub use crate::link::LinkType;

/// The longest packet that is captured or announced, in bytes; the same limit as tcpdump's.
pub const SNAPLEN: u32 = 262_144;

/// The longest packet that is read, in bytes, and the longest block of a pcapng file that holds one or describes one.
pub const MAX_PACKET: u32 = 16 << 20;

/// One captured packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The time of capture, since 1970.
    pub at: Duration,
    /// The kind of the first header.
    pub link: LinkType,
    /// The bytes, from the first header on.
    pub bytes: Vec<u8>,
    /// Its length on the wire, which is more than `bytes` when the capture cut it.
    pub wire_len: u32,
    /// The comments in the file. Only pcapng files hold comments.
    pub comments: Vec<String>,
}

/// The packets of a pcap or pcapng file. `name` stands for the file in errors.
///
/// # Errors
/// When the bytes do not begin like a capture. The iterator ends after its first error.
pub fn packets<'a>(name: &str, bytes: &'a [u8]) -> Result<Packets<&'a [u8]>, CaptureError> {
    Packets::of(name, bytes)
}

/// Iterator over the packets of a file.
#[derive(Debug)]
pub struct Packets<R> {
    input: Input<R>,
    format: Format,
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Classic(Header),
    Ng(Sections),
}

impl<R: Read> Packets<R> {
    /// The packets of what is read from here. `name` stands for it in errors.
    ///
    /// # Errors
    /// When the file cannot be read, or does not begin like a capture.
    pub fn of(name: &str, from: R) -> Result<Self, CaptureError> {
        let mut input = Input::of(name, from);
        let magic = input.peek()?;
        let format = match Header::read(&mut input, &magic)? {
            Some(header) => Format::Classic(header),
            None if magic == blocks::SECTION_HEADER => Format::Ng(Sections::default()),
            None => {
                return Err(CaptureError::NotACapture {
                    file: name.to_owned(),
                    first: magic,
                });
            }
        };
        Ok(Self {
            input,
            format,
            ended: false,
        })
    }

    /// The comment on the whole file, once its first packet was read.
    pub fn about(&self) -> Option<&str> {
        match &self.format {
            Format::Classic(_) => None,
            Format::Ng(sections) => sections.about.as_deref(),
        }
    }

    /// How many packets the recorder lost, by the file's own account.
    pub fn dropped(&self) -> u64 {
        match &self.format {
            Format::Classic(_) => 0,
            Format::Ng(sections) => sections.dropped,
        }
    }

    /// The error for a file whose open sessions do not fit into memory.
    pub(crate) fn too_much(&self, held: u64, limit: u64) -> CaptureError {
        CaptureError::TooLarge {
            file: self.input.name().to_owned(),
            size: held,
            limit,
        }
    }

    /// How many bytes of the file were read.
    pub fn position(&self) -> u64 {
        self.input.offset
    }
}

impl<R: Read> Iterator for Packets<R> {
    type Item = Result<Packet, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match &mut self.format {
            Format::Classic(header) => header.packet(&mut self.input),
            Format::Ng(sections) => sections.packet(&mut self.input),
        };
        let next = match next {
            Ok(None) if self.input.broken => {
                Err(self.input.truncated("the end of the compressed file", 8, 0))
            }
            next => next,
        };
        self.ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

fn u32_at(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    })
}
