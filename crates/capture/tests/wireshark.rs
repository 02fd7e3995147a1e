//! Synthesized captures stand up to Wireshark: it follows their streams and finds nothing to complain about.

mod common;
#[path = "common/tshark.rs"]
mod tshark;

use common::{EPOCH, session};
use latchstring_capture::{Side, frames::synthesize, pcapfile, read_sessions, write_sessions};

#[test]
fn wireshark_follows_what_was_synthesized() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.pcap");
    // The second session uses the same ports again.
    let traces = [session(), session()];
    write_sessions(&path, &traces, EPOCH).unwrap();
    for (index, trace) in traces.iter().enumerate() {
        let Some((client, server)) = tshark::follow(&path, index) else {
            return;
        };
        assert_eq!(client, trace.stream(Side::Client));
        assert_eq!(server, trace.stream(Side::Server));
    }
}

#[test]
fn wireshark_finds_no_fault_in_what_was_synthesized() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.pcap");
    let mut v6 = session();
    v6.client.set_ip("fd00::1".parse().unwrap());
    v6.server.set_ip("fd00::2".parse().unwrap());
    write_sessions(&path, &[session(), v6], EPOCH).unwrap();
    let judge = |filter| {
        let options = [
            "-o",
            "tcp.check_checksum:TRUE",
            "-o",
            "ip.check_checksum:TRUE",
        ];
        // Port 22222 belongs to a telephony proxy, whose protocol Wireshark would look for in the greeting.
        let plain = ["--disable-protocol", "rtpproxy", "-Y", filter];
        tshark::run(&path, &[&options[..], &plain].concat())
    };
    let faults = "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed";
    assert_eq!(judge(faults).unwrap_or_default(), "");
    if let Some(lines) = judge("tcp.checksum.status == 1") {
        // Handshake and FINs, and a segment and its acknowledgement for each of five chunks; twice.
        assert_eq!(lines.lines().count(), 2 * (3 + 2 * 5 + 3));
    }
}

#[test]
fn repeated_and_reordered_packets_reassemble_as_wireshark_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mistreated.pcap");
    let mut packets = synthesize(&[session()], EPOCH);
    // After the handshake every chunk is two packets: data, acknowledgement. The server's three chunks come in the order
    // second, third, first, and the login comes twice. (Wireshark gives up bytes that were acknowledged before they were
    // captured, so the acknowledgements of these are left out. We wait for them: captures swap such packets too.)
    for acknowledgement in [10, 8, 6] {
        packets.remove(acknowledgement);
    }
    packets[5..8].rotate_left(1);
    packets.insert(6, packets[3].clone());
    pcapfile::write_file(&path, &packets).unwrap();

    let trace = &read_sessions(&path).unwrap()[0];
    assert!(trace.gaps.is_empty());
    for side in [Side::Client, Side::Server] {
        assert_eq!(trace.stream(side), session().stream(side));
    }
    if let Some((client, server)) = tshark::follow(&path, 0) {
        assert_eq!(client, trace.stream(Side::Client));
        assert_eq!(server, trace.stream(Side::Server));
    }
}
