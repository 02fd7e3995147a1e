//! What people type to say where to: `USER@HOST:PORT`.
//!
//! Besides "no panic": what is taken is written in one way, which is taken again and means the same, and which cannot
//! break a line of `known_hosts`.

use latchstring_client_core::address::Address;

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match text.parse::<Address>() {
        Ok(address) => {
            let written = address.to_string();
            assert_eq!(written.parse().as_ref(), Ok(&address), "{written}");
            let place = address.host_port();
            let (host, port) = place.rsplit_once(':').expect("a port");
            assert!(port.parse().is_ok_and(|port: u16| port != 0));
            assert!(!place.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@'));
            // The name of a network interface is the one thing whose case counts.
            let name = host.split('%').next().unwrap_or_default();
            assert_eq!(name, name.to_lowercase());
        }
        Err(error) => {
            let said = error.to_string();
            assert!(!said.contains(char::is_control), "{said:?}");
        }
    }
}
