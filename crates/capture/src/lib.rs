//! Packet captures in and out, live capture, TCP reassembly and dissection.
//!
//! One way in and one way out, a module a step:
//!
//! ```text
//! file -> pcapfile -> decode -> reassembly -> trace -> dissect
//! file <- pcapfile <- frames <--------------- trace
//! file <- live (needs libpcap)
//! ```
//!
//! A [`trace::Trace`] is what a passive eavesdropper on one TCP connection has. Everything that reads here reads a
//! stranger's bytes: nothing panics on them, and nothing allocates by a length that they state.

pub mod decode;
pub mod dissect;
pub mod error;
pub mod frames;
pub mod live;
pub mod pcapfile;
pub mod reassembly;
pub mod trace;

use std::{path::Path, time::Duration};

pub use error::CaptureError;
pub use trace::{AnnotatedSession, Chunk, Gap, Side, Trace};

/// Reads every TCP session of a pcap or pcapng file, in the order of their first packets.
///
/// # Errors
/// When the file cannot be read, is no capture, is cut off or is damaged, or is of a kind of link that is not understood.
pub fn read_sessions(path: &Path) -> Result<Vec<Trace>, CaptureError> {
    sessions_from_bytes(&path.display().to_string(), &pcapfile::read_file(path)?)
}

/// Like [`read_sessions`], from the bytes of a file. `name` stands for the file in errors.
///
/// # Errors
/// As [`read_sessions`].
pub fn sessions_from_bytes(name: &str, bytes: &[u8]) -> Result<Vec<Trace>, CaptureError> {
    let sessions = annotated_from_bytes(name, bytes)?.into_iter();
    Ok(sessions.map(|session| session.trace).collect())
}

/// Like [`sessions_from_bytes`], with the comments on packets. (Those on packets that carry nothing are of what comes next.)
///
/// # Errors
/// As [`read_sessions`].
pub fn annotated_from_bytes(
    name: &str,
    bytes: &[u8],
) -> Result<Vec<AnnotatedSession>, CaptureError> {
    let mut reassembler = reassembly::Reassembler::default();
    for packet in pcapfile::packets(name, bytes)? {
        let packet = packet?;
        if let pcapfile::LinkType::Other(link) = packet.link {
            return Err(CaptureError::UnknownLink {
                file: name.to_owned(),
                link,
            });
        }
        reassembler.push(&packet);
    }
    Ok(reassembler.finish_annotated())
}

/// Writes traces as a classic pcap file that Wireshark reads and whose streams it follows.
///
/// `epoch` is when the first session begins, since 1970.
///
/// # Errors
/// When the file cannot be written.
pub fn write_sessions(path: &Path, traces: &[Trace], epoch: Duration) -> Result<(), CaptureError> {
    pcapfile::write_file(path, &frames::synthesize(traces, epoch))
}

/// A pcapng file of sessions with comments on the packets that matter, and one on the whole; Wireshark shows both. The
/// same sessions make the same bytes.
///
/// `epoch` is when the first session begins, since 1970.
pub fn annotated_to_bytes(sessions: &[AnnotatedSession], about: &str, epoch: Duration) -> Vec<u8> {
    pcapfile::pcapng_bytes(&frames::synthesize_annotated(sessions, epoch), about)
}

/// Writes what [`annotated_to_bytes`] makes.
///
/// # Errors
/// When the file cannot be written.
pub fn write_annotated(
    path: &Path,
    sessions: &[AnnotatedSession],
    about: &str,
    epoch: Duration,
) -> Result<(), CaptureError> {
    let bytes = annotated_to_bytes(sessions, about, epoch);
    std::fs::write(path, bytes).map_err(|source| CaptureError::Io {
        path: path.to_owned(),
        doing: "write to",
        source,
    })
}
