//! `HOST:PORT` in its one spelling.
//!
//! `known_hosts` protects only if the name under which a host was pinned and the name under which it is met are the
//! same bytes. So a typed address is brought into one form here, and a line of the file must have exactly that form.
//! Names are in lower case and without a dot at the end. Addresses are as the standard library writes them.

use std::{
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    str::FromStr,
};

use latchstring_net::protocol::hardened::DEFAULT_PORT;
use nix::net::if_::{if_indextoname, if_nametoindex};
use tokio::net::{TcpStream, lookup_host};

/// A host and a TCP port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// In lower case.
    Name(String),
    V4(Ipv4Addr),
    /// With the network interface, where the address means nothing without (RFC 4007).
    V6(Ipv6Addr, Option<String>),
}

impl Place {
    /// Every spelling under which an earlier version knew this place. The old form kept the typed text except for lower
    /// case. So it could have a dot at the end, or an IPv4 address within IPv6 or in fewer than four numbers, such as
    /// 127.1.
    pub fn earlier_spellings(&self) -> Vec<String> {
        let port = self.port;
        match &self.host {
            Host::Name(name) => vec![format!("{name}:{port}"), format!("{name}.:{port}")],
            Host::V4(ip) => {
                let ([a, b, ..], all) = (ip.octets(), u32::from(*ip));
                let mut spellings = vec![format!("[{}]:{port}", ip.to_ipv6_mapped())];
                for short in [
                    ip.to_string(),
                    format!("{a}.{b}.{}", all & 0xffff),
                    format!("{a}.{}", all & 0xff_ffff),
                    all.to_string(),
                ] {
                    spellings.extend([format!("{short}:{port}"), format!("{short}.:{port}")]);
                }
                spellings
            }
            Host::V6(..) => vec![self.to_string()],
        }
    }

    /// Connects to the first address of the host that answers.
    ///
    /// # Errors
    /// The error of the network; also that there is no such interface or name.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        let port = self.port;
        match &self.host {
            Host::Name(name) => {
                let addresses: Vec<SocketAddr> = lookup_host((&name[..], port)).await?.collect();
                TcpStream::connect(&addresses[..]).await
            }
            Host::V4(ip) => TcpStream::connect((*ip, port)).await,
            Host::V6(ip, zone) => {
                let scope = zone.as_deref().map_or(Ok(0), index_of)?;
                TcpStream::connect(SocketAddrV6::new(*ip, port, 0, scope)).await
            }
        }
    }
}

fn index_of(zone: &str) -> io::Result<u32> {
    if_nametoindex(zone)
        .or_else(|_| zone.parse())
        .map_err(|_| io::Error::other(format!("there is no network interface {zone}")))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}")?,
            Host::V4(ip) => write!(f, "{ip}")?,
            Host::V6(ip, None) => write!(f, "[{ip}]")?,
            Host::V6(ip, Some(zone)) => write!(f, "[{ip}%{zone}]")?,
        }
        write!(f, ":{}", self.port)
    }
}

/// Reads every spelling of `HOST` or `HOST:PORT`, IPv6 in brackets. The error is what is wrong with it.
impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inside, after) = rest.split_once(']').ok_or("lacks a ]")?;
                let port = match after {
                    "" => None,
                    _ => Some(after.strip_prefix(':').ok_or("lacks a : before the port")?),
                };
                (bracketed(inside)?, port)
            }
            None => match text.split_once(':') {
                Some((_, port)) if port.contains(':') => {
                    return Err("holds an IPv6 address without brackets");
                }
                Some((host, port)) => (named(host)?, Some(port)),
                None => (named(text)?, None),
            },
        };
        let port = port.map_or(Ok(DEFAULT_PORT), port_number)?;
        Ok(Self { host, port })
    }
}

fn port_number(text: &str) -> Result<u16, &'static str> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port @ 1..) if digits => Ok(port),
        _ => Err("has no valid port (1 to 65535)"),
    }
}

fn bracketed(inside: &str) -> Result<Host, &'static str> {
    let (ip, zone) = match inside.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (inside, None),
    };
    let no_address = "has no IPv6 address in its brackets; a name or an IPv4 address has none";
    let ip: Ipv6Addr = ip.parse().map_err(|_| no_address)?;
    if let Some(ip) = ip.to_ipv4_mapped() {
        return Ok(Host::V4(ip));
    }
    let zone = zone.map(interface).transpose()?;
    // Everywhere else an address is the same on each interface, so the zone is no part of its name.
    let zone = zone.filter(|_| ip.is_unicast_link_local());
    if zone.is_none() && ip.is_unicast_link_local() {
        return Err("has a link-local address without its interface, as in [fe80::1%eth0]");
    }
    Ok(Host::V6(ip, zone))
}

/// The name of an interface, also where its number was given.
fn interface(zone: &str) -> Result<String, &'static str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    if zone.is_empty() || !zone.bytes().all(plain) {
        return Err("has no valid interface after its %");
    }
    let name = zone
        .parse()
        .ok()
        .and_then(|index| if_indextoname(index).ok());
    // Some systems answer with an empty name where there is no such interface.
    let name = name.and_then(|name| name.into_string().ok());
    let name = name.filter(|name| !name.is_empty());
    Ok(name.unwrap_or_else(|| zone.to_owned()))
}

/// A name or an IPv4 address. Many resolvers read a name whose last part is a number as an address, `127.1` as
/// 127.0.0.1. So such a name must be a full address.
fn named(text: &str) -> Result<Host, &'static str> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if let Ok(ip) = text.parse() {
        return Ok(Host::V4(ip));
    }
    let name = text.to_ascii_lowercase();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    let part = |part: &str| {
        let length = (1..=63).contains(&part.len());
        length && !part.starts_with('-') && part.bytes().all(plain)
    };
    if name.len() > 253 || !name.split('.').all(part) {
        return Err("has no valid host");
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let digits = last.bytes().all(|b| b.is_ascii_digit());
    let hex = last.strip_prefix("0x");
    if digits || hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err("has no valid host: write an IPv4 address as four numbers, such as 127.0.0.1");
    }
    Ok(Host::Name(name))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn every_spelling_of_a_place_becomes_the_same_one() {
        for (spellings, one) in [
            (
                &["example.org", "Example.ORG:22223", "example.org.:022223"][..],
                "example.org:22223",
            ),
            (
                &[
                    "127.0.0.1:9",
                    "127.0.0.1.:9",
                    "[::ffff:127.0.0.1]:9",
                    "[::FFFF:7f00:1]:09",
                ],
                "127.0.0.1:9",
            ),
            (
                &[
                    "[::1]",
                    "[0:0::1]:22223",
                    "[0:0:0:0:0:0:0:1]",
                    "[::0.0.0.1]",
                    "[::1%lo]",
                    "[::1%1]",
                ],
                "[::1]:22223",
            ),
            (&["[2001:DB8::0:1]"], "[2001:db8::1]:22223"),
            (&["[fe80::1%nosuch0]:5"], "[fe80::1%nosuch0]:5"),
            (&["[fe80::1%1]:5", "[FE80:0::1%lo]:5"], "[fe80::1%lo]:5"),
            (&["a_b-c.1x"], "a_b-c.1x:22223"),
        ] {
            for spelling in spellings {
                let place: Place = spelling
                    .parse()
                    .unwrap_or_else(|why| panic!("{spelling} {why}"));
                assert_eq!(place.to_string(), one, "{spelling}");
                assert_eq!(one.parse(), Ok(place), "{one} is the spelling of itself");
            }
        }
    }

    #[test]
    fn what_is_no_place_is_refused_with_the_reason() {
        for (text, why) in [
            ("", "no valid host"),
            (".", "no valid host"),
            ("a..b", "no valid host"),
            ("-x", "no valid host"),
            ("a b", "no valid host"),
            ("exämple.org", "no valid host"),
            ("\u{feff}example.org", "no valid host"),
            ("127.1", "four numbers"),
            ("2130706433", "four numbers"),
            ("0x7f.0.0.0x1", "four numbers"),
            ("127.0.0.01", "four numbers"),
            ("256.0.0.1", "four numbers"),
            ("::1", "without brackets"),
            ("[::1", "lacks a ]"),
            ("[::1]22", "lacks a :"),
            ("[h]", "no IPv6 address"),
            ("[127.0.0.1]", "no IPv6 address"),
            ("[::1%]", "no valid interface"),
            ("[fe80::1%a b]", "no valid interface"),
            ("[fe80::1]", "without its interface"),
            ("h:0", "no valid port"),
            ("h:65536", "no valid port"),
            ("h:+22", "no valid port"),
            ("h:", "no valid port"),
        ] {
            let error = text.parse::<Place>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn a_zone_is_looked_up_before_anything_is_sent() {
        let nowhere: Place = "[fe80::1%nosuch0]:9".parse().unwrap();
        let error = nowhere.connect().await.unwrap_err().to_string();
        assert!(error.contains("no network interface nosuch0"), "{error}");
        let Ok(listener) = TcpListener::bind("[::1]:0").await else {
            return; // a machine without IPv6
        };
        let port = listener.local_addr().unwrap().port();
        let here: Place = format!("[::1%lo]:{port}").parse().unwrap();
        let (connected, accepted) = tokio::join!(here.connect(), listener.accept());
        assert!(connected.is_ok() && accepted.is_ok());
    }
}
