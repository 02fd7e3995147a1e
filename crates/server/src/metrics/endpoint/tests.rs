//! Clients of every kind, and one that asks in good order.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Instant,
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// An endpoint that serves this page.
fn serving(page: impl Fn() -> String + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    serve(listener, page).unwrap();
    address
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// All that comes until the end. A reset is an end, too.
fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

fn ask(to: SocketAddr, request: &str) -> String {
    let mut stream = connect(to);
    // It may hang up before it has all of it.
    let _ = stream.write_all(request.as_bytes());
    rest(&mut stream)
}

fn get(to: SocketAddr) -> String {
    ask(to, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

#[test]
fn the_page_is_served_and_nothing_else_is() {
    let here = serving(|| "up 1\n".to_owned());
    let page = get(here);
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(
        page.contains("content-type: text/plain; version=0.0.4"),
        "{page}"
    );
    assert!(page.ends_with("\r\n\r\nup 1\n"), "{page}");
    let head = ask(here, "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        head.contains("content-length: 5") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
        (
            "GET /metrics/../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
            "404",
        ),
        ("GET /metrics/ HTTP/1.0\r\n\r\n", "404"),
        (
            "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            "405",
        ),
        ("DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        ("no request\r\n\r\n", "400"),
        ("\u{0}\u{1}\u{2}\r\n\r\n", "400"),
    ] {
        let answer = ask(here, request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}"))
                || answer.starts_with(&format!("HTTP/1.0 {status}")),
            "{request:?}: {answer}"
        );
        assert!(!answer.contains("up 1"), "{answer}");
    }
    assert!(get(here).contains("up 1"));
}

#[test]
fn one_request_is_answered_on_a_connection_and_the_page_is_made_for_each() {
    let made = std::sync::atomic::AtomicUsize::new(0);
    let here = serving(move || {
        format!(
            "made {}\n",
            made.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
        )
    });
    let request = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = ask(here, &request.repeat(2));
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    assert!(get(here).contains("made 1"));
}

#[test]
fn a_request_without_an_end_is_given_up() {
    let here = serving(|| "up 1\n".to_owned());
    let began = Instant::now();
    let mut silent = connect(here);
    let mut slow = connect(here);
    slow.write_all(b"GET /metrics HTTP/1.1\r\nX: ").unwrap();
    rest(&mut silent);
    rest(&mut slow);
    assert!(began.elapsed() < CONNECTION * 2, "{:?}", began.elapsed());
    let long = format!(
        "GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n",
        "x".repeat(4 * LONGEST)
    );
    assert!(!ask(here, &long).contains("up 1"));
    assert!(get(here).contains("up 1"));
}

#[test]
fn a_reader_that_does_not_read_is_given_up() {
    // More than the system keeps for a reader.
    let page = "x".repeat(64 * 1024 * 1024);
    let here = serving(move || page.clone());
    let mut lazy = connect(here);
    lazy.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    thread::sleep(CONNECTION + Duration::from_secs(1));
    let got = rest(&mut lazy);
    assert!(got.len() < 64 * 1024 * 1024, "{}", got.len());
}

#[test]
fn when_all_places_are_taken_a_further_connection_is_dropped_at_once() {
    let here = serving(|| "up 1\n".to_owned());
    let taken: Vec<_> = (0..PLACES).map(|_| connect(here)).collect();
    let began = Instant::now();
    // Those before it have their places once it is dropped.
    assert_eq!(rest(&mut connect(here)), "");
    assert!(began.elapsed() < REQUEST, "{:?}", began.elapsed());
    drop(taken);
    let again = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(10));
        get(here).contains("up 1")
    });
    assert!(again, "the places are free again");
}
