//! The section `[metrics]`: the address at which a server serves its metrics.

use std::net::SocketAddr;

use latchstring_net::loopback::Loopback;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::listen;

/// The endpoint for a monitoring system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The address of the endpoint. `None`, without the section: there is no endpoint.
    ///
    /// The endpoint asks for no password, so no other machine may reach it.
    #[serde(deserialize_with = "loopback")]
    pub listen: Option<Loopback>,
}

impl Metrics {
    /// The section as a new file has it: commented out.
    pub(super) const SECTION: &'static str = r#"# Serve metrics for Prometheus at http://127.0.0.1:9464/metrics. Only an address of this machine is allowed. Without this
# section there are no metrics. A change of it needs a restart.
#[metrics]
#listen = "127.0.0.1:9464"
"#;

    /// Whether the endpoint can have its port while the server listens there.
    ///
    /// # Errors
    /// A line that says what to write, if both have the same port.
    pub fn beside(&self, server: SocketAddr) -> Result<(), String> {
        let Some(here) = self.listen.map(Loopback::address) else {
            return Ok(());
        };
        let same_ip = server.ip() == here.ip() || server.ip().is_unspecified();
        // With port 0 the system chooses two ports.
        if here.port() == 0 || here.port() != server.port() || !same_ip {
            return Ok(());
        }
        Err(format!(
            "`listen` in [metrics] is {here}, and the server itself listens on {server}; write another port into [metrics], for \
             example 127.0.0.1:9464"
        ))
    }
}

fn loopback<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Loopback>, D::Error> {
    let text = String::deserialize(from)?;
    let address = listen::parse(&text).map_err(D::Error::custom)?;
    let here = Loopback::new(address).map_err(|_| {
        D::Error::custom(format!(
            "metrics are served to this machine only, and {} is not a loopback address; write for example 127.0.0.1:9464 or \
             [::1]:9464",
            address.ip()
        ))
    })?;
    Ok(Some(here))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<Metrics, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn an_address_of_this_machine_is_taken() {
        for address in [
            "127.0.0.1:9464",
            "127.8.9.10:1",
            "[::1]:9464",
            "127.0.0.1:0",
        ] {
            let metrics = read(&format!("listen = \"{address}\"")).unwrap();
            assert_eq!(metrics.listen.unwrap().to_string(), address);
        }
        assert_eq!(Metrics::default().listen, None);
    }

    #[test]
    fn every_other_address_is_refused_with_one_to_write() {
        for address in [
            "0.0.0.0:9464",
            "[::]:9464",
            "192.0.2.1:9464",
            "[::ffff:127.0.0.1]:1",
        ] {
            let why = read(&format!("listen = \"{address}\"")).unwrap_err();
            assert!(
                why.contains("not a loopback address") && why.contains("127.0.0.1:9464"),
                "{why}"
            );
        }
        assert!(
            read("listen = \"localhost\"")
                .unwrap_err()
                .contains("no address")
        );
        assert!(read("listen = 9464").is_err());
        assert!(read("").unwrap_err().contains("listen"));
        assert!(read("listen = \"127.0.0.1:1\"\npath = \"/m\"").is_err());
    }

    #[test]
    fn the_port_of_the_server_is_taken() {
        let beside = |metrics: &str, server: &str| {
            let metrics = read(&format!("listen = \"{metrics}\"")).unwrap();
            metrics.beside(server.parse().unwrap())
        };
        for server in ["127.0.0.1:9464", "0.0.0.0:9464", "[::]:9464"] {
            let why = beside("127.0.0.1:9464", server).unwrap_err();
            assert!(why.contains("another port"), "{why}");
        }
        for server in ["127.0.0.1:22223", "192.0.2.1:9464", "0.0.0.0:1"] {
            assert_eq!(beside("127.0.0.1:9464", server), Ok(()));
        }
        assert_eq!(beside("127.0.0.1:0", "127.0.0.1:0"), Ok(()));
        let none = Metrics::default();
        assert_eq!(none.beside("127.0.0.1:9464".parse().unwrap()), Ok(()));
    }

    /// A whole file, with this section.
    fn load(section: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        let file = "listen = \"127.0.0.1:1\"\nhost_key = \"/k\"\ndatabase = \"/a\"\n";
        std::fs::write(&path, format!("{file}{section}")).unwrap();
        Config::load(&path).map_err(|why| why.to_string())
    }

    #[test]
    fn metrics_are_wanted_only_with_the_section_and_a_change_needs_a_restart() {
        let none = load("").unwrap();
        assert_eq!(none.metrics, Metrics::default());
        let some = load("[metrics]\nlisten = \"127.0.0.1:9464\"\n").unwrap();
        assert_eq!(some.metrics.listen.unwrap().address().port(), 9464);
        assert_eq!(none.needs_restart(&some), ["metrics.listen"]);
        assert!(some.needs_restart(&some).is_empty() && none.changes(&some).is_empty());
        for (section, word) in [
            ("[metrics]\nlisten = \"0.0.0.0:9464\"\n", "line 5"),
            ("[metrics]\nlisten = \"127.0.0.1:1\"\n", "another port"),
            ("[metrics]\n", "listen"),
        ] {
            let why = load(section).unwrap_err();
            assert!(why.contains(word) && why.contains("server.toml"), "{why}");
        }
    }
}
