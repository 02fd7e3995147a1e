//! Delivers messages from the outbox to the sink, in order, and tells the sessions which ones the sink has.
//!
//! A delivery that failed is tried again, after a pause that grows. The sink works on a separate thread: a disk or a
//! program that hangs stops no session of another kind.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use latchstring_net::protocol::hardened::message::{Fingerprint, UserName};
use latchstring_server_core::delivery::Delivery;
use latchstring_store::{Answer, StoreError};
use latchstring_store_sqlite::{Sqlite, Waiting};
use tokio::{
    select,
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    time::{sleep, timeout},
};

use crate::sink::Sink;

/// How long the end of the server waits for the delivery that is under way.
const LAST_DELIVERY: Duration = Duration::from_secs(2);
/// How long a session waits for the sink.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Knows which messages the sink has.
#[derive(Debug)]
pub(crate) struct Courier {
    store: Sqlite,
    shared: Arc<Shared>,
    /// Every message up to this place of the outbox is delivered.
    up_to: watch::Receiver<u64>,
    jobs: UnboundedSender<Job>,
    stopping: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Shared {
    /// There may be a message in the outbox.
    wake: Notify,
    /// Why the last delivery failed.
    trouble: Mutex<Option<String>>,
}

impl Courier {
    /// Delivers from now on.
    pub(crate) fn start(sink: Sink, store: Sqlite) -> Self {
        let shared = Arc::<Shared>::default();
        let (tell, up_to) = watch::channel(0);
        let (stopping, stop) = watch::channel(false);
        let at_most = sink.at_most();
        let (jobs, results) = work(sink);
        let rounds = Rounds {
            at_most,
            jobs: jobs.clone(),
            results,
            store: store.clone(),
            shared: Arc::clone(&shared),
            tell,
        };
        tokio::spawn(rounds.run(stop));
        Self {
            store,
            shared,
            up_to,
            jobs,
            stopping,
        }
    }

    /// The sink opens its file again: a rotation has taken the old one away.
    pub(crate) fn reopen(&self) {
        // Without its thread the sink has nothing open.
        let _ = self.jobs.send(Job::Reopen);
    }

    /// Finishes the delivery that is under way, if it does not take long. Messages that wait are delivered after the next
    /// start.
    pub(crate) async fn stop(&self) {
        self.stopping.send_replace(true);
        let mut up_to = self.up_to.clone();
        let ended = async { while up_to.changed().await.is_ok() {} };
        let _ = timeout(LAST_DELIVERY, ended).await;
    }
}

impl Delivery for Courier {
    fn delivered<'a>(
        &'a self,
        user: &'a UserName,
        kid: &'a Fingerprint,
        id: u64,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let Some(place) = self.store.place(user, kid, id).await? else {
                return Ok(());
            };
            self.shared.wake.notify_one();
            let mut up_to = self.up_to.clone();
            let delivered = timeout(PATIENCE, up_to.wait_for(|up_to| *up_to >= place)).await;
            match delivered {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(StoreError::Undelivered {
                    user: user.clone(),
                    id,
                    why: self.shared.trouble(),
                }),
            }
        })
    }
}

impl Shared {
    fn trouble(&self) -> String {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = || format!("it takes longer than {} s", PATIENCE.as_secs());
        trouble.clone().unwrap_or_else(usual)
    }

    fn set_trouble(&self, why: Option<String>) -> Option<String> {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut trouble, why)
    }
}

/// One round after the other: take what waits, deliver it, note it.
struct Rounds {
    at_most: u32,
    jobs: UnboundedSender<Job>,
    results: UnboundedReceiver<anyhow::Result<usize>>,
    store: Sqlite,
    shared: Arc<Shared>,
    tell: watch::Sender<u64>,
}

impl Rounds {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        while !*stop.borrow() {
            let round = self.round().await;
            if let Err(why) = &round {
                self.failed(format!("{why:#}"), pause);
            }
            let next = async {
                match &round {
                    Ok(true) => {}
                    Ok(false) => self.shared.wake.notified().await,
                    Err(_) => sleep(pause).await,
                }
            };
            select! {
                biased;
                _ = stop.wait_for(|yes| *yes) => return,
                () = next => {}
            }
            pause = match round {
                Ok(_) => FIRST_PAUSE,
                Err(_) => LONGEST_PAUSE.min(2 * pause),
            };
        }
    }

    /// Whether there was a message to deliver.
    async fn round(&mut self) -> anyhow::Result<bool> {
        let waiting = self.store.waiting(self.at_most).await?;
        if waiting.is_empty() {
            return Ok(false);
        }
        let places: Vec<_> = waiting.iter().map(|message| message.place).collect();
        let count = self.deliver(waiting).await?;
        // The sink says at least one, and no more than it got.
        let last = places[count.clamp(1, places.len()) - 1];
        self.store.delivered(last).await?;
        if let Some(why) = self.shared.set_trouble(None) {
            tracing::info!(why, "the sink works again");
        }
        // Nobody has to be there to hear it.
        self.tell.send_replace(last);
        Ok(true)
    }

    async fn deliver(&mut self, batch: Vec<Waiting>) -> anyhow::Result<usize> {
        let gone = || anyhow::anyhow!("the sink's thread has ended; restart the server");
        self.jobs.send(Job::Deliver(batch)).map_err(|_| gone())?;
        self.results.recv().await.ok_or_else(gone)?
    }

    fn failed(&self, why: String, pause: Duration) {
        let again_in = format!("{pause:?}");
        // The same trouble again is no news.
        if self.shared.set_trouble(Some(why.clone())).as_ref() != Some(&why) {
            tracing::error!(why, again_in, "the sink takes no message; trying again");
        }
    }
}

/// What the sink's thread is asked for.
#[derive(Debug)]
enum Job {
    Deliver(Vec<Waiting>),
    Reopen,
}

/// Starts the thread on which the sink works.
fn work(
    mut sink: Sink,
) -> (
    UnboundedSender<Job>,
    UnboundedReceiver<anyhow::Result<usize>>,
) {
    let (jobs, mut to_do) = unbounded_channel();
    let (done, results) = unbounded_channel();
    thread::spawn(move || {
        while let Some(job) = to_do.blocking_recv() {
            match job {
                Job::Reopen => sink.reopen(),
                Job::Deliver(batch) => {
                    if done.send(sink.deliver(&batch)).is_err() {
                        return;
                    }
                }
            }
        }
    });
    (jobs, results)
}
