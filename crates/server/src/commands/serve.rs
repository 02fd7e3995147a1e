//! `serve`: the server itself.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use latchstring_net::{
    entropy::OsEntropy,
    keyfile::load_private,
    protocol::hardened::{defence::Full, message::Fingerprint, signature::Signer},
    provider::AwsLc,
};
use latchstring_store::StoreLock;
use tokio::{
    net::TcpListener,
    select,
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use super::{Place, now};
use crate::{
    Argon2id, Server, Setup,
    enrol::ByInvitation,
    listener,
    log::{self, Log, LogFormat},
    lookup::ByName,
    meter::Tally,
};

/// How long the account store may take to finish what is under way.
const STORE_DEADLINE: Duration = Duration::from_secs(2);

/// Options of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// How the log is written
    #[arg(long, value_enum, default_value = "human")]
    log_format: LogFormat,
}

impl Serve {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let config = place.config()?;
        let host = load_private(&config.host_key).context("cannot use the host key")?;
        // Two servers on one store would each acknowledge messages that the other one keeps.
        let _lock = StoreLock::acquire(&config.database).context("cannot serve")?;
        let store = place.store().await?;
        let listen = config.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}; another program may do so"))?;
        // Before the line that says so: whoever has read it may send a signal.
        let stop = Stop::new().context("cannot listen for signals")?;
        log::start(self.log_format);

        let fingerprint = Fingerprint::of(host.public_key());
        let address = listener.local_addr()?;
        println!("Listening on {address}, host key {fingerprint}");
        tracing::info!(%address, %fingerprint, "listening");
        let spent = Arc::new(Tally::default());
        let server = Server::new(Setup {
            host: Arc::new(host),
            verifier: Arc::new(AwsLc),
            accounts: Arc::new(store.clone()),
            lookup: Arc::new(ByName),
            enrolment: Arc::new(ByInvitation),
            passwords: Arc::new(Argon2id),
            // With a clock that makes no sense every invitation has expired.
            now: || now().unwrap_or(u64::MAX),
            entropy: Arc::new(OsEntropy),
            limits: config.limits,
            meter: spent.clone(),
            observer: Arc::new(Log),
            defences: Full,
        });
        let cut = listener::serve(server, listener, stop.signalled()).await;
        let _ = timeout(STORE_DEADLINE, store.close()).await;
        tracing::info!(cut, %spent, "stopped");
        Ok(())
    }
}

/// SIGTERM from a service manager, SIGINT from a keyboard.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn signalled(mut self) {
        let name = select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping");
    }
}
