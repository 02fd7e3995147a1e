//! `serve`: the server itself.

mod manager;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use anyhow::Context;
use latchstring_keys::AwsLc;
use latchstring_net::{
    entropy::OsEntropy,
    print,
    protocol::hardened::{full::Full, message::Fingerprint, signature::Signer},
};
use latchstring_server_core::{
    Argon2id, HANDSHAKE_DEADLINE, PasswordRules, Server, Setup,
    config::{Config, Retention},
    cost::WorkCount,
    delivery::StoreOnly,
    enrol::ByInvitation,
    failures::ChargeSource,
    listener,
    lookup::ByName,
};
use latchstring_store::Accounts;
use latchstring_store_sqlite::{Sqlite, StoreLock};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{
    select,
    sync::{
        mpsc::{UnboundedSender, unbounded_channel},
        watch,
    },
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    Place, now,
    signals::{Asks, Signals},
};

use crate::{
    courier::Courier,
    log::{self, Log, LogFormat},
    metrics::Monitoring,
    retention::enforce,
    sink::Sink,
};

/// How long the account store may take to finish what is under way.
const STORE_DEADLINE: Duration = Duration::from_secs(2);
/// How often the time that has passed is taken off invitations.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(60);
/// How long the line that says where the server listens may take to be read.
const ANNOUNCE_DEADLINE: Duration = Duration::from_secs(1);

/// Options of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Write the log in this format
    #[arg(long, value_enum, default_value = "human")]
    log_format: LogFormat,
}

impl Serve {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        // First of all: whoever starts a server may send it a signal at any time.
        let signals = Signals::new().context("cannot listen for signals")?;
        take_descriptors();
        let config = place.config()?;
        let host = Place::host_key(&config)?;
        let rules = PasswordRules::load(&config.passwords)?;
        // Two servers on one store would each acknowledge messages that the other one keeps.
        let _lock = StoreLock::acquire(&config.database).context("cannot serve")?;
        let store = place.store().await?;
        let listen = config.listen;
        let (listener, handed_over) = manager::listener(listen).await?;
        let monitoring = Monitoring::start(&config.metrics)?;
        let log = log::start(self.log_format).context("cannot start the log")?;
        let (store, courier) = start_sink(store, &config).await?;

        let fingerprint = Fingerprint::of(host.public_key());
        let address = listener.local_addr()?;
        tracing::info!(%address, handed_over, %fingerprint, "listening");
        announce(format!("Listening on {address}, host key {fingerprint}"));
        let spent = Arc::new(WorkCount::default());
        let passwords = Arc::new(Argon2id::with(rules));
        let server = Server::new(Setup {
            host: Arc::new(host),
            verifier: Arc::new(AwsLc),
            accounts: Arc::new(store.clone()),
            delivery: match &courier {
                Some(courier) => courier.clone(),
                None => Arc::new(StoreOnly),
            },
            lookup: Arc::new(ByName),
            failures: Arc::new(ChargeSource),
            handshake_deadline: HANDSHAKE_DEADLINE,
            enrolment: Arc::new(ByInvitation),
            passwords: passwords.clone(),
            // With a clock that makes no sense every invitation has expired.
            now: || now().unwrap_or(u64::MAX),
            entropy: Arc::new(OsEntropy),
            limits: config.limits.clone(),
            cost_model: spent.clone(),
            observer: monitoring.observe(Arc::new(Log::default())),
            defences: Full,
        });
        monitoring
            .serve(
                server.clone(),
                spent.clone(),
                log.lost(),
                now().unwrap_or(0),
            )
            .context("cannot serve metrics")?;
        let clock = tokio::spawn(watch_clock(store.clone()));
        let (retention, rules) = watch::channel(config.retention.clone());
        let pruning = tokio::spawn(enforce(store.clone(), rules, || now().ok()));
        let running = Running {
            server: Arc::clone(&server),
            passwords,
            courier: courier.clone(),
            retention,
        };
        manager::ready();
        let balancers = config.balancers.clone();
        let watching = watch_signals(signals, running, place.config_path(), config);
        let cut = listener::serve(server, listener, balancers, watching).await;
        clock.abort();
        pruning.abort();
        if let Some(courier) = courier {
            courier.stop().await;
        }
        let _ = timeout(STORE_DEADLINE, store.close()).await;
        tracing::info!(cut, %spent, "stopped");
        drop(log);
        Ok(())
    }
}

/// Starts the delivery to the sink, if there is one. Messages that wait for an earlier one stay in the outbox.
async fn start_sink(
    store: Sqlite,
    config: &Config,
) -> anyhow::Result<(Sqlite, Option<Arc<Courier>>)> {
    if let Some(sink) = Sink::new(&config.sink) {
        let store = store.with_outbox();
        let courier = Arc::new(Courier::start(sink, store.clone()));
        return Ok((store, Some(courier)));
    }
    let messages = store.count_waiting().await?;
    if messages > 0 {
        tracing::warn!(
            messages,
            "messages wait for a sink, and the configuration names none"
        );
    }
    Ok((store, None))
}

/// A shell gives 1024 descriptors to a program that does not ask for more, and each connection is one.
fn take_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Without them the server turns away who comes when there are none left.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// The advice for a system that does not let us listen.
pub(super) fn advice(why: io::ErrorKind) -> &'static str {
    match why {
        io::ErrorKind::AddrInUse => "; another program listens there: stop it, or change `listen`",
        io::ErrorKind::AddrNotAvailable => {
            "; this machine has no such address: change `listen` to one that `ip address` lists"
        }
        io::ErrorKind::PermissionDenied => {
            "; only root may use this port: change `listen` to a port from 1024 on"
        }
        _ => "; change `listen`",
    }
}

/// Prints where the server listens. Serving does not depend on whether anybody reads that; the log says it too.
fn announce(line: String) {
    let (tell, printed) = mpsc::channel();
    thread::spawn(move || tell.send(print::line(line)));
    match printed.recv_timeout(ANNOUNCE_DEADLINE) {
        Ok(Ok(())) => {}
        Ok(Err(why)) => tracing::warn!(%why, "the address was not printed; serving all the same"),
        Err(_) => tracing::warn!("nobody reads the standard output; serving all the same"),
    }
}

/// Takes the time that has passed off every invitation: a clock that is set back gives back a minute at most.
async fn watch_clock(store: Sqlite) {
    let mut minutes = interval(LOOK_AT_CLOCK);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        if let Err(why) = store.observe_clock(now().unwrap_or(u64::MAX)).await {
            tracing::warn!(%why, "cannot count how long invitations are still good");
        }
    }
}

/// What a reload can change.
struct Running {
    server: Arc<Server>,
    passwords: Arc<Argon2id>,
    courier: Option<Arc<Courier>>,
    retention: watch::Sender<Retention>,
}

/// Does what signals ask for, until one asks for the end.
async fn watch_signals(mut signals: Signals, running: Running, path: PathBuf, mut config: Config) {
    let (loaded, mut configs) = unbounded_channel();
    loop {
        select! {
            (signal, asks) = signals.next() => match asks {
                Asks::Stop => {
                    tracing::info!(signal, "stopping");
                    manager::stopping();
                    return;
                }
                Asks::Reload => {
                    manager::reloading();
                    load(path.clone(), signal, loaded.clone());
                }
                Asks::Nothing => tracing::info!(signal, "this signal does nothing here"),
            },
            Some((signal, new)) = configs.recv() => {
                match new {
                Ok((new, rules)) => {
                    reload(signal, &running, &config, &new);
                    running.passwords.set_rules(rules);
                    // What needs a restart stays as it is, and is named again by the next reload.
                    (config.limits, config.passwords) = (new.limits, new.passwords);
                    config.retention = new.retention;
                }
                Err(why) => {
                    tracing::error!(signal, %why, "the configuration was not reloaded; the old one holds");
                }
                }
                manager::ready();
            }
        }
    }
}

type Loaded = (&'static str, anyhow::Result<(Config, PasswordRules)>);

/// Reads the configuration on a separate thread: a pipe or a network disk may take long, and the server goes on
/// serving.
fn load(path: PathBuf, signal: &'static str, loaded: UnboundedSender<Loaded>) {
    thread::spawn(move || {
        // Nobody waits for it any more when the server ends.
        let _ = loaded.send((signal, load_all(&path)));
    });
}

/// The configuration, and the files of passwords that it names.
fn load_all(path: &Path) -> anyhow::Result<(Config, PasswordRules)> {
    let config = Config::load(path)?;
    let rules = PasswordRules::load(&config.passwords)?;
    Ok((config, rules))
}

fn reload(signal: &str, running: &Running, old: &Config, new: &Config) {
    let changed = old.changes(new).join(", ");
    running.server.set_limits(&new.limits);
    (running.retention).send_if_modified(|retention| {
        let changed = *retention != new.retention;
        retention.clone_from(&new.retention);
        changed
    });
    if let Some(courier) = &running.courier {
        courier.reopen();
    }
    match changed.as_str() {
        "" => tracing::info!(signal, "reloaded the configuration; nothing has changed"),
        _ => tracing::info!(signal, changed, "reloaded the configuration"),
    }
    let restart = old.needs_restart(new).join(", ");
    if !restart.is_empty() {
        tracing::warn!(signal, settings = restart, "these changes need a restart");
    }
}
