//! Live capture from a network interface into a file, where libpcap is there to be linked.
//!
//! Without it the same function exists and says what to install: see `build.rs`.

use std::{path::Path, sync::atomic::AtomicBool, time::Duration};

use crate::CaptureError;

/// Whether this program was built with libpcap.
pub const HAVE_LIBPCAP: bool = cfg!(have_libpcap);

/// When a capture ends by itself; `None` is never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The limit on packets.
    pub packets: Option<u64>,
    /// The limit on bytes of packets.
    pub bytes: Option<u64>,
    /// After so long.
    pub time: Option<Duration>,
}

/// The figures of a live capture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Packets written.
    pub packets: u64,
    /// Bytes of packets written.
    pub bytes: u64,
    /// Packets lost because they came faster than they were taken: the sessions then have gaps.
    pub dropped: u64,
}

/// Writes the TCP packets of an interface to a pcap file as they come, until a limit is reached or `stop` is set.
///
/// `port` keeps only packets from or to that port. `started` is called once packets are being captured, so that a
/// caller can begin what is to be seen. This call blocks: use a separate thread.
///
/// # Errors
/// [`CaptureError::NoLibpcap`] in a program without libpcap; [`CaptureError::Permission`] without the privilege;
/// [`CaptureError::Live`] for an interface that does not exist or goes away. [`CaptureError::Io`] when the file cannot
/// be written.
pub fn capture_live(
    interface: &str,
    port: Option<u16>,
    out: &Path,
    limits: Limits,
    stop: &AtomicBool,
    started: impl FnOnce(),
) -> Result<Stats, CaptureError> {
    imp::capture(interface, port, out, limits, stop, started)
}

#[cfg(not(have_libpcap))]
mod imp {
    use super::*;

    pub(super) fn capture(
        _: &str,
        _: Option<u16>,
        _: &Path,
        _: Limits,
        _: &AtomicBool,
        _: impl FnOnce(),
    ) -> Result<Stats, CaptureError> {
        Err(CaptureError::NoLibpcap)
    }
}

#[cfg(have_libpcap)]
mod imp {
    use std::{
        fs::File, io::BufWriter, ops::RangeInclusive, sync::atomic::Ordering, time::Instant,
    };

    use pcap::{Active, Capture, Error};

    use super::*;
    use crate::pcapfile::{LinkType, Packet, PcapWriter, SNAPLEN};

    /// How long to rest when no packet waits. (libpcap's own waiting may wait for a first packet for ever.)
    const REST: Duration = Duration::from_millis(5);

    /// How long the kernel may gather packets before it hands them over, in milliseconds. (Its "immediate mode" would
    /// hand over each packet at once. But each packet then takes a slot of [`SNAPLEN`] bytes, and most of a burst is
    /// lost.)
    const GATHER: i32 = 20;

    /// Room for packets that were captured and not yet taken, in bytes.
    const BUFFER: i32 = 16 << 20;

    /// After a stop, the packets captured until then are still written. The wait is as long as the kernel may hold
    /// packets back, and ends at this limit while packets keep coming.
    const DRAIN: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(1);

    pub(super) fn capture(
        interface: &str,
        port: Option<u16>,
        out: &Path,
        limits: Limits,
        stop: &AtomicBool,
        started: impl FnOnce(),
    ) -> Result<Stats, CaptureError> {
        let failed = |error| explain(interface, error);
        let io = |source| CaptureError::Io {
            path: out.to_owned(),
            doing: "write to",
            source,
        };
        let mut capture = open(interface, port).map_err(failed)?;
        let link = LinkType::from_number(capture.get_datalink().0 as u32);
        let file = BufWriter::new(File::create(out).map_err(io)?);
        let mut writer = PcapWriter::new(file, link).map_err(io)?;
        let began = Instant::now();
        let mut stats = Stats::default();
        let mut stopped = None;
        started();
        while !full(&limits, &stats) {
            let late = limits.time.is_some_and(|limit| began.elapsed() >= limit);
            if late || stop.load(Ordering::Relaxed) {
                stopped.get_or_insert_with(Instant::now);
            }
            match capture.next_packet() {
                _ if stopped.is_some_and(|at| at.elapsed() > *DRAIN.end()) => break,
                Ok(packet) => {
                    stats.packets += 1;
                    stats.bytes += packet.data.len() as u64;
                    writer.write(&copy(&packet, link)).map_err(io)?;
                }
                Err(Error::TimeoutExpired)
                    if stopped.is_some_and(|at| at.elapsed() > *DRAIN.start()) =>
                {
                    break;
                }
                Err(Error::TimeoutExpired) => {
                    // Whoever looks at the file meanwhile finds whole packets in it.
                    writer.flush().map_err(io)?;
                    std::thread::sleep(REST);
                }
                Err(error) => return Err(failed(error)),
            }
        }
        writer.flush().map_err(io)?;
        stats.dropped = capture.stats().map_or(0, |seen| {
            u64::from(seen.dropped) + u64::from(seen.if_dropped)
        });
        Ok(stats)
    }

    fn open(interface: &str, port: Option<u16>) -> Result<Capture<Active>, Error> {
        let inactive = Capture::from_device(interface)?
            .snaplen(SNAPLEN as i32)
            .timeout(GATHER)
            .buffer_size(BUFFER);
        let mut capture = inactive.open()?.setnonblock()?;
        let filter = port.map_or_else(|| "tcp".to_owned(), |port| format!("tcp port {port}"));
        capture.filter(&filter, true)?;
        Ok(capture)
    }

    fn full(limits: &Limits, stats: &Stats) -> bool {
        limits.packets.is_some_and(|limit| stats.packets >= limit)
            || limits.bytes.is_some_and(|limit| stats.bytes >= limit)
    }

    fn copy(packet: &pcap::Packet<'_>, link: LinkType) -> Packet {
        let time = packet.header.ts;
        Packet {
            at: Duration::from_secs(time.tv_sec.try_into().unwrap_or(0))
                + Duration::from_micros(time.tv_usec.try_into().unwrap_or(0)),
            link,
            bytes: packet.data.to_vec(),
            wire_len: packet.header.len,
            comments: Vec::new(),
        }
    }

    /// libpcap reports errors as text alone.
    fn explain(interface: &str, error: Error) -> CaptureError {
        let why = error.to_string();
        let lower = why.to_lowercase();
        let interface = interface.to_owned();
        if lower.contains("permission") || lower.contains("not permitted") {
            let program = std::env::current_exe()
                .map_or_else(|_| "PROGRAM".to_owned(), |path| path.display().to_string());
            return CaptureError::Permission { interface, program };
        }
        CaptureError::Live { interface, why }
    }
}
