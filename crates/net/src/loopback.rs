//! The only kind of address that a weak peer may have.
//!
//! The faithful programs, and all weakened code of the lab, take a [`Loopback`] and never a `SocketAddr`. Only
//! [`Loopback::new`] and its callers make one, so "loopback only" needs no discipline.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};

/// An address that no other machine can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Loopback(SocketAddr);

/// An address that other machines might reach, or no address at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{host} is not a loopback address: this program is weak on purpose and never leaves the machine; \
     use 127.0.0.1, ::1 or localhost"
)]
pub struct NotLoopback {
    /// The host that was asked for.
    pub host: String,
}

impl Loopback {
    /// Takes the address if it is in `127.0.0.0/8` or is `::1`.
    ///
    /// # Errors
    /// [`NotLoopback`] for every other address, `0.0.0.0` and `::` among them.
    pub fn new(address: SocketAddr) -> Result<Self, NotLoopback> {
        if address.ip().is_loopback() {
            Ok(Self(address))
        } else {
            Err(NotLoopback {
                host: address.ip().to_string(),
            })
        }
    }

    /// `127.0.0.1` with this port; 0 lets the system choose when it binds.
    pub fn v4(port: u16) -> Self {
        Self((Ipv4Addr::LOCALHOST, port).into())
    }

    /// Reads an address, or `localhost`. No resolver is asked, because a resolver may answer anything.
    ///
    /// # Errors
    /// [`NotLoopback`] for every other address and every other name.
    pub fn parse(host: &str, port: u16) -> Result<Self, NotLoopback> {
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(Self::v4(port));
        }
        match host.parse::<IpAddr>() {
            Ok(ip) => Self::new((ip, port).into()),
            Err(_) => Err(NotLoopback {
                host: format!("{host:?}"),
            }),
        }
    }

    /// The address itself.
    pub fn address(self) -> SocketAddr {
        self.0
    }

    /// Listens here.
    ///
    /// # Errors
    /// When the port is taken or not allowed.
    pub async fn bind(self) -> io::Result<TcpListener> {
        TcpListener::bind(self.0).await
    }

    /// Connects to here, with Nagle's algorithm off: a message leaves when it is written.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.0).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl fmt::Display for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_in_every_spelling_is_taken() {
        for host in ["127.0.0.1", "127.8.9.10", "::1", "localhost", "LocalHost"] {
            let address = Loopback::parse(host, 7).unwrap().address();
            assert!(address.ip().is_loopback() && address.port() == 7, "{host}");
        }
    }

    #[test]
    fn everything_else_is_refused_and_named() {
        let hosts = [
            "0.0.0.0",
            "::",
            "192.0.2.1",
            "10.0.0.1",
            "::ffff:127.0.0.1",
            "2001:db8::1",
        ];
        let names = [
            "example.org",
            "localhost.example.org",
            "",
            "127.1",
            "2130706433",
            " 127.0.0.1",
        ];
        for host in hosts.iter().chain(&names) {
            let error = Loopback::parse(host, 7).unwrap_err().to_string();
            assert!(error.contains("not a loopback address"), "{error}");
        }
        let error = Loopback::parse("192.0.2.1", 7).unwrap_err();
        assert_eq!(error.host, "192.0.2.1");
    }

    #[tokio::test]
    async fn what_is_bound_can_be_reached() {
        let listener = Loopback::v4(0).bind().await.unwrap();
        let here = Loopback::new(listener.local_addr().unwrap()).unwrap();
        let (client, server) = tokio::join!(here.connect(), listener.accept());
        assert!(client.unwrap().nodelay().unwrap());
        assert!(server.unwrap().1.ip().is_loopback());
    }
}
