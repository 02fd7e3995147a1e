//! Capture files: any bytes, as a stranger's pcap or pcapng.
//!
//! Besides "no panic": no more bytes come out than are in the file, every byte of a session has a name, and sessions that
//! are whole survive being written and read again.

use std::{collections::BTreeSet, time::Duration};

use latchstring_capture::{
    AnnotatedSession, Side, annotated_from_bytes, annotated_to_bytes, dissect, sessions_from_bytes,
};

use super::dissect::check_fields;

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(sessions) = annotated_from_bytes("a capture", data) else {
        return;
    };
    let chunks = sessions.iter().flat_map(|session| &session.trace.chunks);
    assert!(chunks.map(|chunk| chunk.bytes.len()).sum::<usize>() <= data.len());
    for session in &sessions {
        check_fields(&session.trace);
        assert_eq!(
            dissect::lacking(&session.trace).len(),
            session.trace.gaps.len()
        );
    }
    write_and_read(&sessions);
}

fn write_and_read(sessions: &[AnnotatedSession]) {
    let ends = |session: &AnnotatedSession| {
        let (client, server) = (session.trace.client, session.trace.server);
        (client.min(server), client.max(server))
    };
    let apart = sessions.iter().map(ends).collect::<BTreeSet<_>>().len() == sessions.len();
    let whole = |session: &AnnotatedSession| {
        let trace = &session.trace;
        let alone =
            trace.client == trace.server || trace.client.is_ipv4() != trace.server.is_ipv4();
        trace.gaps.is_empty() && !trace.chunks.is_empty() && !alone
    };
    if !apart || !sessions.iter().all(whole) {
        return;
    }
    let file = annotated_to_bytes(sessions, "written again", Duration::ZERO);
    let again = sessions_from_bytes("a copy", &file).expect("what we write we read");
    assert_eq!(again.len(), sessions.len());
    for (again, session) in again.iter().zip(sessions) {
        for side in [Side::Client, Side::Server] {
            assert_eq!(again.stream(side), session.trace.stream(side));
        }
    }
}
