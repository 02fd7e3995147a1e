//! A port kept for a program that is still to start.
//!
//! A free port that the system names and that is given back may go to the next program that asks. That program's
//! server would then get the visitors of this one. So these ports are from below the range that the system gives out,
//! and a UDP socket holds each of them. UDP has ports of its own, so the program can still listen there.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::RangeInclusive,
    time::{SystemTime, UNIX_EPOCH},
};

/// The ports that may be reserved, unless the system gives out some of them. Few services are registered here.
const RANGE: RangeInclusive<u16> = 20_000..=32_767;
/// The ports that Linux gives out: two numbers, the lowest and the highest.
const GIVEN_OUT: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// A port of `127.0.0.1` that no other program gets while this value lives, if it asks the system or this module.
#[derive(Debug)]
pub struct ReservedPort {
    number: u16,
    _held: UdpSocket,
}

impl ReservedPort {
    /// Takes a port at which nobody listens.
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrInUse`] when all are taken.
    pub fn take() -> io::Result<Self> {
        let given_out = fs::read_to_string(GIVEN_OUT).unwrap_or_default();
        let ports = reservable(&given_out);
        let count = usize::from(ports.end() - ports.start()) + 1;
        // Programs that ask at the same time begin at different places.
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let start = now.map_or(0, |now| now.subsec_nanos()) as usize % count;
        let mut taken = ports.clone().cycle().skip(start).take(count);
        taken.find_map(reserve).ok_or_else(|| {
            let why = format!(
                "all ports from {} to {} of 127.0.0.1 are in use",
                ports.start(),
                ports.end()
            );
            io::Error::new(io::ErrorKind::AddrInUse, why)
        })
    }

    /// The port.
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Holds this port, if nobody else does and nobody listens there.
fn reserve(number: u16) -> Option<ReservedPort> {
    let held = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
    Some(ReservedPort {
        number,
        _held: held,
    })
}

/// The part of [`RANGE`] below the ports that the system gives out, or all of it if there is none.
fn reservable(given_out: &str) -> RangeInclusive<u16> {
    let lowest = given_out.split_whitespace().next();
    let below = lowest.and_then(|lowest| lowest.parse::<u16>().ok()?.checked_sub(1));
    let end = below.map_or(*RANGE.end(), |below| below.min(*RANGE.end()));
    if end < *RANGE.start() {
        return RANGE;
    }
    *RANGE.start()..=end
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_port_is_reserved_for_one_and_a_server_can_listen_there() {
        let ports: Vec<_> = (0..50).map(|_| ReservedPort::take().unwrap()).collect();
        let numbers: BTreeSet<u16> = ports.iter().map(ReservedPort::number).collect();
        assert_eq!(numbers.len(), ports.len());
        for number in numbers {
            assert!(
                reserve(number).is_none(),
                "{number} was given away a second time"
            );
            TcpListener::bind((Ipv4Addr::LOCALHOST, number)).unwrap();
        }
    }

    #[test]
    fn a_port_is_free_again_when_it_is_given_back_but_not_while_somebody_listens() {
        let number = ReservedPort::take().unwrap().number();
        let again = reserve(number).expect("it was given back");
        drop(again);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).unwrap();
        assert!(reserve(number).is_none());
        drop(listener);
        assert!(reserve(number).is_some());
    }

    #[test]
    fn the_system_gives_none_of_them_to_others() {
        assert_eq!(reservable("32768\t60999\n"), 20_000..=32_767);
        assert_eq!(reservable("32001 60999"), 20_000..=32_000);
        assert_eq!(reservable("1024 65535"), RANGE);
        assert_eq!(reservable("nothing"), RANGE);
        let given_out = fs::read_to_string(GIVEN_OUT).unwrap_or_default();
        let lowest = given_out.split_whitespace().next().map(str::parse::<u16>);
        if let Some(Ok(lowest @ 20_001..)) = lowest {
            assert!(ReservedPort::take().unwrap().number() < lowest);
        }
    }
}
