//! Balancers in front of the server. They tell, in the PROXY protocol, for whom they connect.
//!
//! Behind a balancer every connection comes from its address, and the limits for each source would count all users as
//! one. A balancer that speaks the PROXY protocol (HAProxy, version 1 or 2) begins each connection with the client's
//! address. That header is believed from addresses that the operator has named, and from nobody else: it is a claim
//! without proof. Whoever else sends one sends something that is no hello.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;
use ppp::{HeaderResult, v1, v2};
use serde::{Deserialize, Deserializer, de::Error as _};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};

/// A balancer sends the header with the connection's first bytes, so it does not take longer than this.
const HEADER_DEADLINE: Duration = Duration::from_secs(3);
/// No header that names two addresses is longer, in bytes, unless the balancer adds much of its own.
const MAX_HEADER: usize = 536;
/// The shortest header of version 1. A longest one has [`V1_LONGEST`] bytes.
const UNKNOWN: &[u8] = b"PROXY UNKNOWN\r\n";
const V1_LONGEST: usize = 107;
/// How each header of version 2 begins, and how many bytes come before its addresses.
const V2_BEGINS: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED: usize = 16;

/// The balancers whose headers are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balancers(Vec<IpNet>);

/// A balancer's header that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The bytes are no header.
    #[error(
        "a balancer (`balancers`) began the connection without a PROXY header: switch `send-proxy-v2` on there"
    )]
    Missing,
    /// The header is longer than any that is expected.
    #[error(
        "a balancer sent a PROXY header of more than {MAX_HEADER} bytes: let it send no extra fields"
    )]
    TooLong,
    /// The header did not come in time.
    #[error("a balancer sent no whole PROXY header within {} s", HEADER_DEADLINE.as_secs())]
    Slow,
    /// The balancer closed the connection, as one does that only looks whether the port is open.
    #[error("a balancer closed the connection before its PROXY header")]
    Closed,
}

impl Balancers {
    /// Whether a header from this address is believed.
    pub fn trust(&self, peer: IpAddr) -> bool {
        // A server that listens on `[::]` sees IPv4 addresses in another spelling.
        let peer = peer.to_canonical();
        self.0.iter().any(|net| net.contains(&peer))
    }

    /// The client's address, for whom `peer` has connected: the address in the header of a trusted balancer, and `peer`
    /// itself for everybody else. Takes the header off the stream, and not a byte more.
    ///
    /// # Errors
    /// [`HeaderError`]: a trusted balancer sends no header that says something.
    pub async fn client<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        peer: SocketAddr,
    ) -> Result<SocketAddr, HeaderError> {
        if !self.trust(peer.ip()) {
            return Ok(peer);
        }
        let header = timeout(HEADER_DEADLINE, read_header(stream)).await;
        // No address: the balancer speaks for itself, for example to see whether the server is there.
        Ok(header.map_err(|_| HeaderError::Slow)??.unwrap_or(peer))
    }
}

/// Reads to the end of the header: what follows belongs to the client.
async fn read_header<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<Option<SocketAddr>, HeaderError> {
    let mut header = vec![0; V2_FIXED];
    // Shorter than 16 bytes is no header at all, except this one, which ends earlier.
    take(stream, &mut header[..UNKNOWN.len()]).await?;
    if header.starts_with(b"PROXY ") {
        header.truncate(UNKNOWN.len());
        // A line.
        while header.last() != Some(&b'\n') && header.len() < V1_LONGEST {
            header.push(0);
            let last = header.len() - 1;
            take(stream, &mut header[last..]).await?;
        }
    } else {
        take(stream, &mut header[UNKNOWN.len()..]).await?;
        // A length, which whoever sends no header has not meant as one.
        if !header.starts_with(V2_BEGINS) {
            return Err(HeaderError::Missing);
        }
        let length = usize::from(u16::from_be_bytes([header[14], header[15]]));
        if V2_FIXED + length > MAX_HEADER {
            return Err(HeaderError::TooLong);
        }
        header.resize(V2_FIXED + length, 0);
        take(stream, &mut header[V2_FIXED..]).await?;
    }
    source(&HeaderResult::parse(&header))
}

async fn take<S: AsyncRead + Unpin>(stream: &mut S, part: &mut [u8]) -> Result<(), HeaderError> {
    (stream.read_exact(part).await).map_err(|_| HeaderError::Closed)?;
    Ok(())
}

fn source(header: &HeaderResult<'_>) -> Result<Option<SocketAddr>, HeaderError> {
    let of = |ip: IpAddr, port| Some(SocketAddr::new(ip.to_canonical(), port));
    match header {
        HeaderResult::V1(Ok(header)) => Ok(match header.addresses {
            v1::Addresses::Tcp4(ip) => of(ip.source_address.into(), ip.source_port),
            v1::Addresses::Tcp6(ip) => of(ip.source_address.into(), ip.source_port),
            v1::Addresses::Unknown => None,
        }),
        HeaderResult::V2(Ok(header)) if header.command == v2::Command::Local => Ok(None),
        HeaderResult::V2(Ok(header)) => Ok(match header.addresses {
            v2::Addresses::IPv4(ip) => of(ip.source_address.into(), ip.source_port),
            v2::Addresses::IPv6(ip) => of(ip.source_address.into(), ip.source_port),
            _ => None,
        }),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(HeaderError::Missing),
    }
}

impl<'de> Deserialize<'de> for Balancers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let nets = texts.iter().map(|text| net(text).map_err(D::Error::custom));
        nets.collect::<Result<_, _>>().map(Self)
    }
}

/// An address, or a network as `10.1.0.0/24`.
fn net(text: &str) -> Result<IpNet, String> {
    let one = text.parse::<IpAddr>().map(IpNet::from);
    let net = one.or_else(|_| text.parse::<IpNet>()).map_err(|_| {
        format!(
            "\"{text}\" is no address of a balancer; write for example 192.0.2.7 or 10.1.0.0/24"
        )
    })?;
    match net.prefix_len() {
        0 => Err(format!(
            "\"{text}\" is everybody: anybody could then claim any address; write the balancer's own"
        )),
        _ => Ok(net.trunc()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    const BALANCER: &str = "192.0.2.7:4000";
    const STRANGER: &str = "192.0.2.8:4000";
    const V1: &[u8] = b"PROXY TCP4 203.0.113.9 192.0.2.1 5000 22223\r\n";

    fn balancers(list: &str) -> Result<Balancers, String> {
        #[derive(Deserialize)]
        struct File {
            balancers: Balancers,
        }
        let file = toml::from_str::<File>(&format!("balancers = {list}"));
        let file = file.map_err(|why| why.message().to_owned());
        file.map(|file| file.balancers)
    }

    /// Who the client is, and what is left on the stream.
    async fn client(peer: &str, sent: &[u8]) -> (Result<SocketAddr, HeaderError>, Vec<u8>) {
        let (mut far, mut near) = tokio::io::duplex(4096);
        far.write_all(sent).await.unwrap();
        drop(far);
        let trusted = balancers("[\"192.0.2.7\", \"2001:db8::/64\"]").unwrap();
        let client = trusted.client(&mut near, peer.parse().unwrap()).await;
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.unwrap();
        (client, rest)
    }

    fn v2_header(address: &[u8], family: u8, command: u8) -> Vec<u8> {
        let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
        header.extend([0x20 | command, family]);
        header.extend((address.len() as u16).to_be_bytes());
        header.extend(address);
        header
    }

    #[tokio::test]
    async fn a_trusted_balancer_names_the_client_and_nothing_of_the_client_is_taken() {
        let v4 = [203, 0, 113, 9, 192, 0, 2, 1, 0x13, 0x88, 0x56, 0xCF];
        let with_more = [&v4[..], &[4, 0, 1, 0]].concat();
        let mut v6 = vec![0; 36];
        v6[..16].copy_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
        v6[32..34].copy_from_slice(&5000_u16.to_be_bytes());
        for (header, address) in [
            (V1.to_vec(), "203.0.113.9:5000"),
            (
                b"PROXY TCP6 2001:db8:9::5 2001:db8::1 5000 22223\r\n".to_vec(),
                "[2001:db8:9::5]:5000",
            ),
            (v2_header(&v4, 0x11, 1), "203.0.113.9:5000"),
            (v2_header(&with_more, 0x11, 1), "203.0.113.9:5000"),
            (v2_header(&v6, 0x21, 1), "[2001:db8:9::5]:5000"),
            // For itself, or for somebody whom it does not name.
            (v2_header(&[], 0, 0), BALANCER),
            (b"PROXY UNKNOWN\r\n".to_vec(), BALANCER),
        ] {
            let sent = [&header[..], b"latch/2\n"].concat();
            let (client, rest) = client(BALANCER, &sent).await;
            assert_eq!(client, Ok(address.parse().unwrap()), "{header:?}");
            assert_eq!(rest, b"latch/2\n", "{header:?}");
        }
    }

    #[tokio::test]
    async fn nobody_elses_header_is_believed_or_read() {
        let (client, rest) = client(STRANGER, V1).await;
        assert_eq!(client, Ok(STRANGER.parse().unwrap()));
        assert_eq!(rest, V1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trusted_balancer_without_a_header_that_says_something_is_refused() {
        let long = v2_header(&[7; 1000], 0x11, 1);
        for (sent, why) in [
            (
                &b"latch/2\n\x02\0................"[..],
                HeaderError::Missing,
            ),
            (
                b"PROXY TCP4 999.0.0.1 192.0.2.1 5000 22223\r\n",
                HeaderError::Missing,
            ),
            (&[b'\r'; 2000], HeaderError::Missing),
            (
                &[b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat(),
                HeaderError::Missing,
            ),
            (&long, HeaderError::TooLong),
            (b"PROXY TCP4 203", HeaderError::Closed),
            (b"", HeaderError::Closed),
        ] {
            assert_eq!(client(BALANCER, sent).await.0, Err(why), "{sent:?}");
        }
        let (_far, mut near) = tokio::io::duplex(64);
        let trusted = balancers("[\"192.0.2.7\"]").unwrap();
        let slow = trusted.client(&mut near, BALANCER.parse().unwrap()).await;
        assert_eq!(slow, Err(HeaderError::Slow));
    }

    #[test]
    fn addresses_and_networks_are_named_and_everybody_is_not() {
        let trusted = balancers("[\"10.1.0.0/24\", \"2001:db8::1\"]").unwrap();
        for (peer, is) in [
            ("10.1.0.200", true),
            ("::ffff:10.1.0.200", true),
            ("10.1.1.0", false),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
        ] {
            assert_eq!(trusted.trust(peer.parse().unwrap()), is, "{peer}");
        }
        assert!(!balancers("[]").unwrap().trust("127.0.0.1".parse().unwrap()));
        for (list, why) in [
            ("[\"balancer.example.org\"]", "no address"),
            ("[\"0.0.0.0/0\"]", "everybody"),
            ("[\"::/0\"]", "everybody"),
        ] {
            let refused = balancers(list).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
