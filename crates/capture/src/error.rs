//! The errors of captures. Every message says what happened, where, and what to do.

use std::{io, path::PathBuf};

use thiserror::Error;

/// A capture that cannot be read, written or made.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The operating system refused.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The failed action, as a verb: "read", "write to".
        doing: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// The sessions that are open at the same time do not fit into memory.
    #[error(
        "{file} holds more than {limit} bytes of sessions that are open at the same time: cut it smaller with \
         `editcap` or a capture filter"
    )]
    TooLarge {
        /// The file.
        file: String,
        /// How many bytes were held.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The first bytes are those of no capture.
    #[error(
        "{file} is no packet capture, its first bytes are {first:02x?}: give a .pcap or .pcapng file"
    )]
    NotACapture {
        /// The file.
        file: String,
        /// Its first bytes, at most four.
        first: Vec<u8>,
    },
    /// The file ends inside a packet.
    #[error(
        "{file} is cut off: {what} at offset {offset} needs {needed} bytes and only {left} are left; record it again, \
         or keep the part before it with `editcap {file} repaired.pcap`"
    )]
    Truncated {
        /// The file.
        file: String,
        /// Where what is cut off begins, in bytes from the start of the file.
        offset: usize,
        /// The part that is cut off.
        what: &'static str,
        /// How many bytes it has by its own account.
        needed: u64,
        /// How many there are.
        left: usize,
    },
    /// Bytes that are not what the format allows there.
    #[error(
        "{file} is damaged: {why} at offset {offset}; record it again, or look at it with `capinfos {file}`"
    )]
    Malformed {
        /// The file.
        file: String,
        /// Where, in bytes from the start of the file.
        offset: usize,
        /// The fault.
        why: &'static str,
    },
    /// A classic pcap file has one link type, these packets have several.
    #[error(
        "one pcap file holds packets of one link type, and these are of {first:?} and {second:?}: write two files"
    )]
    MixedLinks {
        /// That of the first packet.
        first: crate::link::LinkType,
        /// Another.
        second: crate::link::LinkType,
    },
    /// This program was built without libpcap.
    #[error(
        "this program was built without libpcap, so it cannot capture live: `apt install libpcap-dev`, then rebuild"
    )]
    NoLibpcap,
    /// Live capture needs a privilege.
    #[error(
        "no permission to capture on {interface}: run `setcap cap_net_raw=eip {program}` (as root, again after each \
         build), or run as root"
    )]
    Permission {
        /// The network interface.
        interface: String,
        /// The program to give the privilege to.
        program: String,
    },
    /// libpcap refused for another reason.
    #[error(
        "cannot capture on {interface}: {why} (`ip link` lists the interfaces; traffic to 127.0.0.1 is on `lo`)"
    )]
    Live {
        /// The network interface.
        interface: String,
        /// The message of libpcap.
        why: String,
    },
}
