//! The arena's wire carries what is sent, records it, and lets somebody on the path change it: in memory and over TCP.

use std::sync::{Arc, Mutex};

use latchstring_arena::{
    recorder::{Recorder, Traces},
    wire::{ATTACKER_SOURCE, HONEST_SOURCE, Listener, Over, Tap, dial_tapped, network},
};
use latchstring_attacker::{
    Claim, Report, Story,
    capture::trace::Side,
    vantage::{Dial, Middle},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Turns every `a` of the client into a `b`, and remembers how often it was asked.
struct Swap(Arc<Mutex<usize>>);

impl Middle for Swap {
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        *self.0.lock().unwrap() += 1;
        let swap = |byte: &u8| {
            if from == Side::Client && *byte == b'a' {
                b'b'
            } else {
                *byte
            }
        };
        bytes.iter().map(swap).collect()
    }
    fn report(self: Box<Self>) -> Report {
        Report::new(Claim::Nothing, Story::default())
    }
}

async fn carries(over: Over) {
    let (mut listener, dialer) = network(over).await.unwrap();
    let passed = Arc::new(Mutex::new(0));
    let traces = Traces::default();
    let server = (HONEST_SOURCE, 22_222).into();
    let recording = Recorder::to(traces.clone()).connection(HONEST_SOURCE, server);
    let tap = Tap::new(Some(Box::new(Swap(passed.clone()))), recording);
    let mut client = dial_tapped(&dialer, over, tap.clone()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();

    client.write_all(b"banana").await.unwrap();
    let mut arrived = [0; 6];
    server.read_exact(&mut arrived).await.unwrap();
    assert_eq!(&arrived, b"bbnbnb", "changed on the path");
    server.write_all(b"abc").await.unwrap();
    let mut answer = [0; 3];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"abc");

    // The end of one side reaches the other.
    drop(server);
    assert_eq!(client.read(&mut answer).await.unwrap(), 0);
    let trace = traces.first();
    assert_eq!(
        trace.stream(Side::Client),
        b"banana",
        "recorded as it was sent"
    );
    assert_eq!(trace.stream(Side::Server), b"abc");
    assert!(*passed.lock().unwrap() >= 2);
}

#[tokio::test(start_paused = true)]
async fn in_memory() {
    carries(Over::Memory).await;
}

#[tokio::test]
async fn over_tcp() {
    carries(Over::Tcp).await;
}

#[tokio::test]
async fn a_tcp_arena_listens_on_loopback_alone() {
    let (mut listener, dialer) = network(Over::Tcp).await.unwrap();
    let Listener::Tcp(socket) = &listener else {
        panic!("not a TCP listener");
    };
    assert!(socket.local_addr().unwrap().ip().is_loopback());
    for (dialer, source) in [
        (dialer.from(ATTACKER_SOURCE), ATTACKER_SOURCE),
        (dialer, HONEST_SOURCE),
    ] {
        let _stream = dialer.dial().await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer.ip(), source, "the two can be told apart");
    }
}
