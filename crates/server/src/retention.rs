//! Removes messages that the configuration does not keep: at the start, once an hour, and after a reload.

use std::time::Duration;

use latchstring_server_core::config::Retention;
use latchstring_store::StoreError;
use latchstring_store_sqlite::{Keep, Plan, Sqlite};
use tokio::{
    select,
    sync::watch,
    time::{MissedTickBehavior, interval},
};

/// How often.
const EVERY: Duration = Duration::from_secs(60 * 60);
const MIB: u64 = 1024 * 1024;

/// The rules of the configuration, at this time in seconds since 1970.
pub(crate) fn rules(retention: &Retention, now: u64) -> Keep {
    Keep {
        since: retention
            .keep
            .map(|keep| now.saturating_sub(keep.as_secs())),
        last_of_key: None,
        messages: retention.max_messages,
        bytes: retention.max_size_mib.map(|mib| mib.saturating_mul(MIB)),
    }
}

/// Goes on until it is aborted. `now` is the time in seconds since 1970, if the clock makes sense.
pub(crate) async fn enforce(
    store: Sqlite,
    mut retention: watch::Receiver<Retention>,
    now: impl Fn() -> Option<u64> + Send,
) {
    let mut hours = interval(EVERY);
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        select! {
            _ = hours.tick() => {}
            changed = retention.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
        let rules = retention.borrow_and_update().clone();
        let Some(now) = now().filter(|_| !rules.is_for_ever()) else {
            continue;
        };
        match once(&store, &self::rules(&rules, now)).await {
            Ok(plan) if plan.logs.is_empty() => {}
            Ok(plan) => {
                let (messages, bytes) = (plan.messages(), plan.bytes());
                tracing::info!(messages, bytes, "old messages removed");
            }
            Err(why) => {
                tracing::error!(%why, "cannot remove old messages; trying again in an hour")
            }
        }
    }
}

async fn once(store: &Sqlite, keep: &Keep) -> Result<Plan, StoreError> {
    let plan = store.plan(keep, None).await?;
    store.prune(&plan).await?;
    if !plan.logs.is_empty() {
        // In a store of an earlier version the room is used for new messages.
        store.shrink().await?;
    }
    Ok(plan)
}
