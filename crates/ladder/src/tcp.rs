//! Lines over TCP on loopback, in real time.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr, TcpStream},
    os::fd::{AsRawFd, OwnedFd},
    thread,
    time::{Duration, Instant},
};

use latchstring_attacker::net::loopback::Loopback;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};

use crate::network::{Line, Network};

/// How long after a write the next one may follow, where a message is what one read returns.
const PAUSE: Duration = Duration::from_millis(20);
/// How long an attacker's two minutes are in real time is for the caller to say; a line's shortest wait is this.
const SHORTEST: Duration = Duration::from_millis(1);

/// A server at an address of this machine.
pub struct Tcp {
    address: Loopback,
    began: Instant,
    paced: bool,
}

impl Tcp {
    /// The server at this address. `paced` keeps writes apart: rung 0 has no frames.
    pub fn new(address: Loopback, paced: bool) -> Self {
        Self {
            address,
            began: Instant::now(),
            paced,
        }
    }
}

impl Network for Tcp {
    fn dial(&self, from: IpAddr) -> io::Result<Box<dyn Line>> {
        let stream = dial_from(from, self.address.address())?;
        stream.set_nodelay(true)?;
        Ok(Box::new(TcpLine {
            stream,
            closed: false,
            paced: self.paced,
        }))
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn pass(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// Connects from an address of this machine: several clients are several sources that way.
fn dial_from(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let (IpAddr::V4(from), SocketAddr::V4(to)) = (from, to) else {
        return TcpStream::connect(to);
    };
    let flags = SockFlag::SOCK_CLOEXEC;
    let fd: OwnedFd = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    let [a, b, c, d] = from.octets();
    bind(fd.as_raw_fd(), &SockaddrIn::new(a, b, c, d, 0))?;
    connect(fd.as_raw_fd(), &SockaddrIn::from(to))?;
    Ok(TcpStream::from(fd))
}

struct TcpLine {
    stream: TcpStream,
    closed: bool,
    paced: bool,
}

impl Line for TcpLine {
    fn send(&mut self, bytes: &[u8]) {
        // A server that has hung up is found when the line is read.
        let _ = self.stream.write_all(bytes);
        if self.paced {
            thread::sleep(PAUSE);
        }
    }

    fn receive(&mut self, wait: Duration) -> Vec<u8> {
        let mut bytes = vec![0; 65_536];
        if self.closed
            || self
                .stream
                .set_read_timeout(Some(wait.max(SHORTEST)))
                .is_err()
        {
            return Vec::new();
        }
        match self.stream.read(&mut bytes) {
            Ok(0) => self.closed = true,
            Ok(n) => {
                bytes.truncate(n);
                return bytes;
            }
            Err(error) => {
                self.closed = !matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                );
            }
        }
        Vec::new()
    }

    fn is_closed(&mut self) -> bool {
        self.closed
    }

    fn hang_up(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.closed = true;
    }
}
