//! Where to listen: an address and a port, for a link-local IPv6 address with the name of its interface.

use std::net::{SocketAddr, SocketAddrV6};

use nix::net::if_::if_nametoindex;

/// Reads `192.0.2.1:22223`, `[2001:db8::1]:22223` or `[fe80::1%eth0]:22223`.
///
/// # Errors
/// A line that says what to write.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    let (address, zone) = split_zone(text)?;
    let address: SocketAddr = address.parse().map_err(|_| {
        format!(
            "\"{text}\" is no address with a port; write for example 127.0.0.1:22223 or [::]:22223"
        )
    })?;
    match (address, zone) {
        (SocketAddr::V6(address), zone) => with_zone(text, address, zone).map(Into::into),
        (address, None) => Ok(address),
        (_, Some(_)) => Err(format!(
            "\"{text}\": only IPv6 addresses have a zone after %"
        )),
    }
}

/// The address without its zone, and the zone.
fn split_zone(text: &str) -> Result<(String, Option<&str>), String> {
    let Some((before, rest)) = text.split_once('%') else {
        return Ok((text.to_owned(), None));
    };
    let (zone, after) = rest.split_once(']').ok_or_else(|| {
        format!("\"{text}\": a zone is written inside the brackets: [fe80::1%eth0]:22223")
    })?;
    Ok((format!("{before}]{after}"), Some(zone)))
}

fn with_zone(
    text: &str,
    address: SocketAddrV6,
    zone: Option<&str>,
) -> Result<SocketAddrV6, String> {
    let link_local = address.ip().is_unicast_link_local();
    let index = match zone {
        None if link_local => {
            return Err(format!(
                "\"{text}\": an address of one link needs the name of its interface: [{}%eth0]:{}",
                address.ip(),
                address.port()
            ));
        }
        None => return Ok(address),
        Some(_) if !link_local => {
            return Err(format!(
                "\"{text}\": only an address of one link (fe80::…) has a zone after %"
            ));
        }
        Some(zone) => zone.parse().ok().filter(|index| *index != 0).map_or_else(
            || {
                if_nametoindex(zone).map_err(|_| {
                    format!("there is no network interface {zone}; list them with: ip link")
                })
            },
            Ok,
        )?,
    };
    Ok(SocketAddrV6::new(*address.ip(), address.port(), 0, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_the_name_or_the_number_of_an_interface() {
        let scope = |text: &str| match parse(text).unwrap() {
            SocketAddr::V6(address) => address.scope_id(),
            SocketAddr::V4(_) => panic!("{text}"),
        };
        let loopback = if_nametoindex("lo").unwrap();
        assert_eq!(scope("[fe80::1%lo]:22223"), loopback);
        assert_eq!(scope("[fe80::1%7]:22223"), 7);
        assert_eq!(scope("[::]:22223"), 0);
        assert_eq!(parse("127.0.0.1:0").unwrap().to_string(), "127.0.0.1:0");
    }

    #[test]
    fn what_is_no_address_says_what_to_write() {
        for (text, word) in [
            ("localhost:22223", "127.0.0.1:22223"),
            ("127.0.0.1", "127.0.0.1:22223"),
            ("[fe80::1]:22223", "[fe80::1%eth0]:22223"),
            ("[fe80::1%nowhere0]:22223", "no network interface nowhere0"),
            ("[fe80::1%]:22223", "no network interface"),
            ("[fe80::1%0]:22223", "no network interface"),
            ("fe80::1%lo:22223", "inside the brackets"),
            ("[2001:db8::1%lo]:22223", "only an address of one link"),
            ("127.0.0.1%lo:22223", "inside the brackets"),
            ("", "127.0.0.1:22223"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
