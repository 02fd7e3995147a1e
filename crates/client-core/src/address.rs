//! `USER@HOST[:PORT]`.

use std::{fmt, str::FromStr};

use latchstring_net::protocol::hardened::message::UserName;
use thiserror::Error;

use crate::place::Place;

/// The user and the host of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The user.
    pub user: UserName,
    /// The host and its port.
    pub place: Place,
}

/// The fault of an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}; write USER@HOST or USER@HOST:PORT, such as alice@example.org or alice@[::1]:22223")]
pub struct AddressError(String);

impl Address {
    /// `HOST:PORT` in its one spelling: the name of the host in `known_hosts`.
    pub fn host_port(&self) -> String {
        self.place.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.place)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = |why: &str| AddressError(format!("{text:?} {why}"));
        let (user, place) = text.split_once('@').ok_or(wrong("names no user"))?;
        let user = UserName::parse(user).map_err(|why| AddressError(why.to_string()))?;
        let place = place.parse().map_err(wrong)?;
        Ok(Self { user, place })
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
            ("alice@h@i", "no valid host"),
            ("alice@::1", "without brackets"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
