//! Metrics for a monitoring system such as Prometheus, served on a loopback address of this machine.
//!
//! * `labels`: every label and every value that it can have;
//! * `counts`: what is counted, from the server's events;
//! * `gauges`: what is read from the server when somebody asks;
//! * `endpoint`: the HTTP server.
//!
//! Every user of the machine can read the metrics. So they name no person, no address and no key, and they tell no more
//! about a login than the client itself learns.

mod counts;
mod endpoint;
mod gauges;
mod labels;

use std::{io, net::TcpListener, sync::Arc, time::Instant};

use anyhow::anyhow;
use latchstring_server_core::{
    Observer, Server, config::Metrics, cost::WorkCount, observer::FanOut,
};

use self::{counts::Counts, gauges::Gauges};
use crate::log::Lost;

/// The metrics of a server, if its operator wants any.
pub(crate) struct Monitoring(Option<On>);

struct On {
    counts: Arc<Counts>,
    listener: TcpListener,
}

impl Monitoring {
    /// Begins to listen where the configuration says, and to count.
    ///
    /// # Errors
    /// When the system does not let us listen there.
    pub(crate) fn start(config: &Metrics) -> anyhow::Result<Self> {
        let Some(here) = config.listen else {
            return Ok(Self(None));
        };
        let listener = TcpListener::bind(here.address()).map_err(|why| {
            anyhow!(
                "cannot serve metrics on {here}: {why}{}",
                advice(why.kind())
            )
        })?;
        let began = Instant::now();
        let counts = Arc::new(Counts::new(Box::new(move || began.elapsed())));
        Ok(Self(Some(On { counts, listener })))
    }

    /// Gets the events besides this observer.
    pub(crate) fn observe(&self, log: Arc<dyn Observer>) -> Arc<dyn Observer> {
        match &self.0 {
            Some(On { counts, .. }) => Arc::new(FanOut(vec![log, Arc::clone(counts) as _])),
            None => log,
        }
    }

    /// Serves the metrics of this server, in a separate thread, until the program ends.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(crate) fn serve(
        self,
        server: Arc<Server>,
        spent: Arc<WorkCount>,
        lost: Lost,
        started: u64,
    ) -> io::Result<()> {
        let Some(On { counts, listener }) = self.0 else {
            return Ok(());
        };
        let address = listener.local_addr()?;
        let gauges = Gauges::new(started);
        let registry = gauges::registry(&counts, &gauges);
        endpoint::serve(listener, move || {
            gauges.read(&server.load(), &spent, lost.lines());
            gauges::text(&registry)
        })?;
        tracing::info!(%address, "serving metrics");
        Ok(())
    }
}

/// The advice for a system that does not let us listen.
pub(crate) fn advice(why: io::ErrorKind) -> &'static str {
    match why {
        io::ErrorKind::AddrInUse => {
            "; another program listens there: stop it, or change `listen` in [metrics]"
        }
        io::ErrorKind::PermissionDenied => {
            "; only root may use this port: change `listen` in [metrics] to a port from 1024 on"
        }
        _ => "; change `listen` in [metrics], for example to 127.0.0.1:9464",
    }
}
