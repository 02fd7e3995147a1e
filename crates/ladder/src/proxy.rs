//! Somebody on the path of a TCP session on loopback.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use latchstring_attacker::net::loopback::Loopback;

use crate::{
    network::before_next_byte,
    session::{Let, Middle},
};

/// How bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As they come.
    Whole,
    /// One by one, in both directions.
    ByteByByte,
}

/// Takes one connection on a free port, dials the server, and lets `middle` decide about every piece.
///
/// # Errors
/// When there is no port.
pub fn between(
    server: Loopback,
    middle: Box<dyn Middle + Send>,
    pace: Pace,
) -> io::Result<Loopback> {
    let listener = TcpListener::bind(Loopback::v4(0).address())?;
    let here = Loopback::new(listener.local_addr()?).map_err(io::Error::other)?;
    thread::spawn(move || {
        // An end that hangs up ends the session; nobody waits for this thread.
        let _ = one_session(&listener, server, middle, pace);
    });
    Ok(here)
}

fn one_session(
    listener: &TcpListener,
    server: Loopback,
    middle: Box<dyn Middle + Send>,
    pace: Pace,
) -> io::Result<()> {
    let (client, _) = listener.accept()?;
    let server = TcpStream::connect(server.address())?;
    let ends = Ends {
        client,
        server,
        pace,
    };
    ends.client.set_nodelay(true)?;
    ends.server.set_nodelay(true)?;
    let middle = Arc::new(Mutex::new(middle));
    let (theirs, decides) = (ends.try_clone()?, middle.clone());
    let back = thread::spawn(move || {
        theirs.pump(&theirs.server, |bytes| {
            decides
                .lock()
                .expect("no thread panicked while deciding")
                .server_said(bytes)
        })
    });
    let done = ends.pump(&ends.client, |bytes| {
        middle
            .lock()
            .expect("no thread panicked while deciding")
            .client_wrote(bytes)
    });
    let _ = back.join();
    done
}

struct Ends {
    client: TcpStream,
    server: TcpStream,
    pace: Pace,
}

impl Ends {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            client: self.client.try_clone()?,
            server: self.server.try_clone()?,
            pace: self.pace,
        })
    }

    /// Moves what comes from one end until it hangs up, then hangs up both.
    fn pump(&self, from: &TcpStream, mut decide: impl FnMut(&[u8]) -> Let) -> io::Result<()> {
        let mut bytes = [0; 4096];
        let mut from = from;
        let moved = loop {
            match from.read(&mut bytes) {
                Ok(0) => break Ok(()),
                Ok(n) => {
                    let allowed = decide(&bytes[..n]);
                    if let Err(error) = self.pass_on(&allowed) {
                        break Err(error);
                    }
                }
                Err(error) => break Err(error),
            }
        };
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
        moved
    }

    fn pass_on(&self, allowed: &Let) -> io::Result<()> {
        for bytes in &allowed.to_server {
            self.write(&self.server, bytes)?;
        }
        self.write(&self.client, &allowed.to_client)?;
        if allowed.cut_server {
            self.server.shutdown(Shutdown::Both)?;
        }
        if allowed.cut_client {
            self.client.shutdown(Shutdown::Both)?;
        }
        Ok(())
    }

    fn write(&self, mut to: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        if self.pace == Pace::Whole {
            return to.write_all(bytes);
        }
        for (sent, byte) in bytes.chunks(1).enumerate() {
            to.write_all(byte)?;
            thread::sleep(before_next_byte(sent));
        }
        Ok(())
    }
}
