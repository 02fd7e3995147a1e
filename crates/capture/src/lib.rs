//! Packet captures in and out, live capture, TCP reassembly and dissection.
//!
//! One way in and one way out, a module a step:
//!
//! ```text
//! file -> pcapfile -> decode -> reassembly -> trace -> dissect      (`contents` goes all the way)
//! file <- pcapfile <- frames <--------------- trace
//! file <- live (needs libpcap)
//! ```
//!
//! A [`trace::Trace`] is what a passive eavesdropper on one TCP connection has. Everything that reads here reads a
//! stranger's bytes: nothing panics on them, and nothing allocates by a length that they state.

pub mod contents;
pub mod decode;
pub mod dissect;
pub mod error;
pub mod frames;
pub mod gzip;
pub mod link;
pub mod live;
pub mod losses;
pub mod pcapfile;
pub mod reassembly;
pub mod trace;

use std::{io::Read, path::Path, time::Duration};

pub use contents::{Contents, Wanted, each_session, read};
pub use error::CaptureError;
pub use losses::Losses;
pub use trace::{AnnotatedSession, Chunk, Gap, Item, Side, Trace};

/// Reads every TCP session of a pcap or pcapng file, in the order of their first packets. [`read`] also says what was
/// lost.
///
/// # Errors
/// When the file cannot be read, is no capture, is cut off or is damaged.
pub fn read_sessions(path: &Path) -> Result<Vec<Trace>, CaptureError> {
    let sessions = whole(pcapfile::open(path)?)?.into_iter();
    Ok(sessions.map(|session| session.trace).collect())
}

/// Like [`read_sessions`], from the bytes of a file. `name` stands for the file in errors.
///
/// # Errors
/// As [`read_sessions`].
pub fn sessions_from_bytes(name: &str, bytes: &[u8]) -> Result<Vec<Trace>, CaptureError> {
    let sessions = annotated_from_bytes(name, bytes)?.into_iter();
    Ok(sessions.map(|session| session.trace).collect())
}

/// Like [`sessions_from_bytes`], with the comments on packets. (Comments on packets without data concern the next
/// item.)
///
/// # Errors
/// As [`read_sessions`].
pub fn annotated_from_bytes(
    name: &str,
    bytes: &[u8],
) -> Result<Vec<AnnotatedSession>, CaptureError> {
    whole(pcapfile::packets(name, bytes)?)
}

fn whole(packets: pcapfile::Packets<impl Read>) -> Result<Vec<AnnotatedSession>, CaptureError> {
    let mut reassembler = reassembly::Reassembler::default();
    for packet in packets {
        reassembler.push(&packet?);
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
