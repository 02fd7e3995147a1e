//! The same work for many, side by side.

use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, anyhow};
use tokio::runtime::{Builder, Runtime};

/// How many cores there are to work on.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Does the work for each item. Each worker has a runtime. The results are in the order of the items.
///
/// # Errors
/// When no worker can be started, or one panics; and the first error of the work itself, after which nothing new is begun.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    workers: usize,
    work: impl Fn(&Runtime, &T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let worker = || -> anyhow::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else {
                return Ok(());
            };
            let result = work(&runtime, item).inspect_err(|_| {
                next.store(items.len(), Ordering::Relaxed);
            })?;
            let mut done = done.lock().map_err(|_| anyhow!("a worker failed"))?;
            done.push((at, result));
        }
    };
    thread::scope(|scope| {
        let workers = 0..workers.min(items.len());
        let workers: Vec<_> = workers.map(|_| scope.spawn(worker)).collect();
        let ended = workers.into_iter().map(|worker| worker.join());
        // All are waited for before the first error is told.
        let ended: Vec<_> = ended.collect();
        (ended.into_iter()).try_for_each(|ended| ended.map_err(|_| anyhow!("a worker failed"))?)
    })?;
    let mut done = done.into_inner().ok().context("a worker failed")?;
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[test]
    fn results_are_in_order_and_an_error_ends_the_work() {
        let numbers: Vec<u32> = (0..100).collect();
        let doubled = each(&numbers, 7, |runtime, number| {
            Ok(runtime.block_on(async { number * 2 }))
        });
        let wanted: Vec<u32> = numbers.iter().map(|number| number * 2).collect();
        assert_eq!(doubled.unwrap(), wanted);
        let tried = AtomicUsize::new(0);
        let error = each(&numbers, 1, |_, number| {
            tried.fetch_add(1, Ordering::Relaxed);
            ensure!(*number < 3, "{number} is too large");
            Ok(())
        });
        assert_eq!(error.unwrap_err().to_string(), "3 is too large");
        assert_eq!(tried.into_inner(), 4);
        assert!(each(&numbers[..0], 2, |_, _| Ok(())).unwrap().is_empty());
    }
}
