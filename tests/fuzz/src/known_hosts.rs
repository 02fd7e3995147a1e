//! `known_hosts`, as an editor or a stranger may have left it.
//!
//! Besides "no panic": a file is taken as a whole or not at all, so each of its pins protects; an error is one line that
//! names the file; and what is added is there afterwards together with all that was there before.

use latchstring_client_core::known_hosts::KnownHosts;
use latchstring_protocol::hardened::message::Fingerprint;

use super::scratch;

const NEW: &str = "new.example:22223";

/// Runs one input.
pub fn run(data: &[u8]) {
    let folder = scratch::folder("known_hosts");
    let path = scratch::file(&folder, "known_hosts", data);
    let mut hosts = match KnownHosts::load(&path) {
        Ok(hosts) => hosts,
        Err(error) => {
            let said = error.to_string();
            assert!(
                said.contains("known_hosts") && !said.contains('\n'),
                "{said}"
            );
            return;
        }
    };
    let text = std::str::from_utf8(data).expect("only text is taken");
    pins(&hosts, text);
    let fingerprint = Fingerprint([9; 32]);
    if hosts.find(NEW).is_none() {
        hosts.add(NEW, fingerprint).expect("a host can be added");
        let added = std::fs::read_to_string(&path).expect("it is there");
        assert!(added.starts_with(text));
        let again = KnownHosts::load(&path).expect("what we write we read");
        pins(&again, text);
        assert_eq!(again.find(NEW), hosts.find(NEW));
        assert!(again.pin(NEW, Some(Fingerprint([8; 32]))).is_err());
    }
}

/// Each line that is not empty and no comment is a pin.
fn pins(hosts: &KnownHosts, text: &str) {
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (host, pin) = line.split_once(char::is_whitespace).expect("two words");
        let pin: Fingerprint = pin.trim().parse().expect("a fingerprint");
        let known = hosts.find(host).expect("a pin that protects nothing");
        assert_eq!((known.fingerprint, known.line), (pin, number));
        assert!(hosts.refusal(host, Fingerprint([8; 32])).is_some());
    }
}
