//! `USER@HOST[:PORT]`.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use latchstring_net::protocol::hardened::{DEFAULT_PORT, message::UserName};
use thiserror::Error;

/// Who logs in where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The user.
    pub user: UserName,
    /// A name, an IPv4 address, or an IPv6 address without brackets; in lower case.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}; write USER@HOST or USER@HOST:PORT, such as alice@example.org or alice@[::1]:22223")]
pub struct AddressError(String);

impl Address {
    /// `HOST:PORT`, IPv6 in brackets: the name of the host in `known_hosts`.
    pub fn host_port(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host_port())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = |why: &str| AddressError(format!("{text:?} {why}"));
        let (user, place) = text.split_once('@').ok_or(wrong("names no user"))?;
        let user = UserName::parse(user).map_err(|why| AddressError(why.to_string()))?;
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (inside, after) = rest.split_once(']').ok_or(wrong("lacks a ]"))?;
                let ip: Ipv6Addr =
                    (inside.parse()).map_err(|_| wrong("has no IPv6 address in its brackets"))?;
                let port = match after {
                    "" => None,
                    _ => Some(
                        after
                            .strip_prefix(':')
                            .ok_or(wrong("lacks a : before the port"))?,
                    ),
                };
                (ip.to_string(), port)
            }
            None => match place.split_once(':') {
                Some((_, port)) if port.contains(':') => {
                    return Err(wrong("holds an IPv6 address without brackets"));
                }
                Some((host, port)) => (host.to_ascii_lowercase(), Some(port)),
                None => (place.to_ascii_lowercase(), None),
            },
        };
        // Names that hold a space or a control character would break the lines of known_hosts.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:".contains(&b);
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(wrong("has no valid host"));
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => match port.parse() {
                Ok(port @ 1..) => port,
                _ => return Err(wrong("has no valid port (1 to 65535)")),
            },
        };
        Ok(Self { user, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_read() {
        for (text, expected) in [
            ("alice@Example.org", "alice@example.org:22223"),
            ("alice@127.0.0.1:9", "alice@127.0.0.1:9"),
            ("a@[::1]", "a@[::1]:22223"),
            ("a@[0:0:0::1]:65535", "a@[::1]:65535"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), expected);
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_the_reason() {
        for (text, why) in [
            ("example.org", "names no user"),
            ("Alice@h", "user name"),
            ("alice@", "no valid host"),
            ("alice@a b", "no valid host"),
            ("alice@::1", "without brackets"),
            ("alice@[::1", "lacks a ]"),
            ("alice@[::1]22", "lacks a :"),
            ("alice@[h]", "no IPv6 address"),
            ("alice@h:0", "no valid port"),
            ("alice@h:65536", "no valid port"),
            ("alice@h:", "no valid port"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
