//! An honest session: a [`Client`] on a [`Line`], with or without an attacker on the path.

use std::time::Duration;

use crate::{client::Client, network::Line};

/// How long a client waits for what it expects.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What somebody on the path lets through after one piece of bytes.
#[derive(Debug, Default)]
pub struct Let {
    /// Writes to the server, in order.
    pub to_server: Vec<Vec<u8>>,
    /// Bytes to the client.
    pub to_client: Vec<u8>,
    /// Whether to end the connection to the server.
    pub cut_server: bool,
    /// Whether to end the connection to the client.
    pub cut_client: bool,
}

/// Somebody on the path between a client and a server.
pub trait Middle {
    /// The client has written this.
    fn client_wrote(&mut self, bytes: &[u8]) -> Let;
    /// This has come from the server.
    fn server_said(&mut self, bytes: &[u8]) -> Let;
}

/// Lets everything through, and writes it down.
#[derive(Debug, Clone, Default)]
pub struct Tap {
    /// What the client wrote, one write each.
    pub client: Vec<Vec<u8>>,
    /// What the server said.
    pub server: Vec<u8>,
}

impl Middle for Tap {
    fn client_wrote(&mut self, bytes: &[u8]) -> Let {
        self.client.push(bytes.to_vec());
        Let {
            to_server: vec![bytes.to_vec()],
            ..Let::default()
        }
    }

    fn server_said(&mut self, bytes: &[u8]) -> Let {
        self.server.extend(bytes);
        Let {
            to_client: bytes.to_vec(),
            ..Let::default()
        }
    }
}

/// Runs a session until the client has ended it or given it up.
pub fn run(client: &mut Client, line: &mut dyn Line, middle: &mut dyn Middle) {
    while client.ending().is_none() {
        write_all(client, line, middle);
        if client.ending().is_some() {
            break;
        }
        listen(client, line, middle);
    }
    write_all(client, line, middle);
    line.hang_up();
}

/// Runs a session until the client waits for nothing: it may still be open.
pub fn settle(client: &mut Client, line: &mut dyn Line, middle: &mut dyn Middle) {
    write_all(client, line, middle);
    while client.is_waiting() {
        listen(client, line, middle);
        write_all(client, line, middle);
    }
}

fn write_all(client: &mut Client, line: &mut dyn Line, middle: &mut dyn Middle) {
    while let Some(bytes) = client.write() {
        let allowed = middle.client_wrote(&bytes);
        pass_on(allowed, client, line);
    }
}

fn listen(client: &mut Client, line: &mut dyn Line, middle: &mut dyn Middle) {
    let bytes = line.receive(PATIENCE);
    if !bytes.is_empty() {
        let allowed = middle.server_said(&bytes);
        pass_on(allowed, client, line);
    } else if line.is_closed() {
        client.lost();
    } else {
        client.give_up();
    }
}

fn pass_on(allowed: Let, client: &mut Client, line: &mut dyn Line) {
    for bytes in &allowed.to_server {
        line.send(bytes);
    }
    if allowed.cut_server {
        line.hang_up();
    }
    if !allowed.to_client.is_empty() {
        client.receive(&allowed.to_client);
    }
    if allowed.cut_client {
        client.lost();
    }
}
