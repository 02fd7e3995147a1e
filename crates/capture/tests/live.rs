//! Live capture on the loopback interface with real TCP. Where it cannot run, it says why.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use latchstring_capture::{
    CaptureError, Side, Trace,
    live::{HAVE_LIBPCAP, Limits, Stats, capture_live},
    read_sessions,
};

/// What a real session sends; long enough to be cut into several segments, and to flow both ways.
fn sayings() -> [(Side, Vec<u8>); 5] {
    [
        (Side::Client, vec![1; 128]),
        (Side::Server, b"Authentication Successful!".to_vec()),
        (Side::Client, (0..300_000_u32).map(|i| i as u8).collect()),
        (Side::Server, vec![3; 70_000]),
        (Side::Client, b"quit()".to_vec()),
    ]
}

/// One connection: each side says its part and hears the other's. Returns the client's address.
fn talk(listener: &TcpListener) -> SocketAddr {
    let speak = |mut stream: TcpStream, me: Side| {
        for (from, bytes) in sayings() {
            if from == me {
                stream.write_all(&bytes).unwrap();
            } else {
                let mut heard = vec![0; bytes.len()];
                stream.read_exact(&mut heard).unwrap();
                assert_eq!(heard, bytes);
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| speak(listener.accept().unwrap().0, Side::Server));
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let client = stream.local_addr().unwrap();
        speak(stream, Side::Client);
        client
    })
}

/// Captures two sessions on `lo`; `None` where this machine does not allow it.
fn record(out: &Path, listener: &TcpListener) -> Option<(Stats, [SocketAddr; 2])> {
    let port = listener.local_addr().unwrap().port();
    let stop = AtomicBool::new(false);
    let (started, wait) = mpsc::channel();
    let limits = Limits {
        time: Some(Duration::from_secs(20)),
        ..Limits::default()
    };
    let started = move || started.send(()).unwrap();
    thread::scope(|scope| {
        let capture = scope.spawn(|| capture_live("lo", Some(port), out, limits, &stop, started));
        let clients = match wait.recv_timeout(Duration::from_secs(5)) {
            Ok(()) => [talk(listener), talk(listener)],
            Err(_) => [listener.local_addr().unwrap(); 2],
        };
        // The FINs follow the last bytes at once, but nobody waits for them.
        thread::sleep(Duration::from_millis(200));
        stop.store(true, Ordering::Relaxed);
        match capture.join().unwrap() {
            Ok(stats) => Some((stats, clients)),
            Err(error @ (CaptureError::NoLibpcap | CaptureError::Permission { .. })) => {
                assert!(
                    error.to_string().contains("libpcap-dev")
                        || error.to_string().contains("setcap")
                );
                eprintln!("SKIPPED: {error}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    })
}

fn said(side: Side) -> Vec<u8> {
    sayings()
        .into_iter()
        .filter(|(from, _)| *from == side)
        .flat_map(|(_, bytes)| bytes)
        .collect()
}

#[test]
fn real_tcp_is_captured_and_reassembled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.pcap");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let Some((stats, clients)) = record(&path, &listener) else {
        return;
    };
    assert!(stats.packets >= 20 && stats.dropped == 0, "{stats:?}");

    let traces = read_sessions(&path).unwrap();
    assert_eq!(
        traces.iter().map(|trace| trace.client).collect::<Vec<_>>(),
        clients
    );
    for (index, trace) in traces.iter().enumerate() {
        assert_eq!(trace.server, listener.local_addr().unwrap());
        assert!(trace.closed && trace.gaps.is_empty(), "{:?}", trace.gaps);
        for side in [Side::Client, Side::Server] {
            assert_eq!(trace.stream(side), said(side), "session {index}, {side}");
        }
        agrees_with_tshark(&path, index, trace);
    }
}

/// Compares with what Wireshark's own reassembly gives, where it is installed.
fn agrees_with_tshark(path: &Path, index: usize, trace: &Trace) {
    if let Some((client, server)) = tshark::follow(path, index) {
        assert_eq!(client, trace.stream(Side::Client));
        assert_eq!(server, trace.stream(Side::Server));
    }
}

#[test]
fn an_interface_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.pcap");
    let stop = AtomicBool::new(false);
    let result = capture_live(
        "no-such-interface",
        None,
        &out,
        Limits::default(),
        &stop,
        || {},
    );
    let error = result.unwrap_err();
    if HAVE_LIBPCAP {
        assert!(error.to_string().contains("no-such-interface"), "{error}");
    } else {
        assert!(matches!(error, CaptureError::NoLibpcap));
    }
    assert!(!out.exists(), "no file without a capture");
}

#[test]
fn a_limit_ends_a_capture() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stop = AtomicBool::new(false);
    let limits = Limits {
        packets: Some(3),
        time: Some(Duration::from_secs(20)),
        ..Limits::default()
    };
    let out = folder.path().join("x.pcap");
    let begin = || {
        talk(&listener);
    };
    match capture_live("lo", Some(port), &out, limits, &stop, begin) {
        Ok(stats) => assert_eq!(stats.packets, 3),
        Err(error @ (CaptureError::NoLibpcap | CaptureError::Permission { .. })) => {
            eprintln!("SKIPPED: {error}")
        }
        Err(error) => panic!("{error}"),
    }
}

#[path = "common/tshark.rs"]
mod tshark;
