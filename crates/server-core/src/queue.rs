//! Work that keeps a processor busy: a little at a time, in separate threads, with a short queue.

use std::{
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use crate::load::QueueLoad;

/// Lets few compute at a time, and few wait. Further work is refused at once: a queue that grows without bound serves
/// nobody in time.
pub(crate) struct Queue(Mutex<Room>);

/// How many fit in.
#[derive(Clone)]
struct Room {
    size: (usize, usize),
    /// Those who compute.
    permits: Arc<Semaphore>,
    /// Those who compute or wait.
    places: Arc<Semaphore>,
}

/// Why nothing was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotDone {
    /// All places are taken.
    Full,
    /// The program is ending.
    Stopping,
}

/// A place among those who compute.
pub(crate) struct Turn(
    #[expect(dead_code, reason = "held until dropped")] [OwnedSemaphorePermit; 2],
);

impl Queue {
    pub(crate) fn new(at_a_time: usize, waiting: usize) -> Self {
        Self(Mutex::new(Room::new(at_a_time, waiting)))
    }

    /// Lets more or fewer in from now on. Those who are in finish in the old room, beside those who come to the new one.
    pub(crate) fn resize(&self, at_a_time: usize, waiting: usize) {
        let mut room = self.room();
        if room.size != (at_a_time, waiting) {
            *room = Room::new(at_a_time, waiting);
        }
    }

    /// Waits for a turn, in the order of arrival, then computes. A panic in there is the caller's.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        self.turn().await?.compute(work).await
    }

    /// Waits for a turn, for a caller with something to do between that and the work.
    pub(crate) async fn turn(&self) -> Result<Turn, NotDone> {
        let Room {
            permits, places, ..
        } = self.room().clone();
        let place = places.try_acquire_owned().map_err(|_| NotDone::Full)?;
        let permit = permits.acquire_owned().await;
        Ok(Turn([place, permit.map_err(|_| NotDone::Stopping)?]))
    }

    /// How many compute, and how many wait.
    pub(crate) fn load(&self) -> QueueLoad {
        let room = self.room();
        let (at_a_time, waiting) = room.size;
        let running = at_a_time.saturating_sub(room.permits.available_permits());
        let inside = (at_a_time + waiting).saturating_sub(room.places.available_permits());
        QueueLoad {
            running,
            waiting: inside.saturating_sub(running),
        }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn new(at_a_time: usize, waiting: usize) -> Self {
        Self {
            size: (at_a_time, waiting),
            permits: Arc::new(Semaphore::new(at_a_time)),
            places: Arc::new(Semaphore::new(at_a_time + waiting)),
        }
    }
}

impl Turn {
    /// Computes. A panic in there is the caller's.
    pub(crate) async fn compute<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let computing = spawn_blocking(move || {
            // Held until the work is done, also when whoever wanted it is gone by then.
            let _until_done = self;
            work()
        });
        match computing.await {
            Ok(done) => Ok(done),
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => Err(NotDone::Stopping),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn one_computes_one_waits_and_the_third_is_sent_away() {
        let queue = Arc::new(Queue::new(1, 1));
        let (go_on, wait) = channel::<()>();
        let first = tokio::spawn({
            let queue = queue.clone();
            async move { queue.compute(move || wait.recv().is_ok()).await }
        });
        yield_now().await;
        let second = tokio::spawn({
            let queue = queue.clone();
            async move { queue.compute(|| 2).await }
        });
        yield_now().await;
        let load = |running, waiting| QueueLoad { running, waiting };
        assert_eq!(queue.load(), load(1, 1));
        assert_eq!(queue.compute(|| 3).await, Err(NotDone::Full));
        go_on.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(true));
        assert_eq!(second.await.unwrap(), Ok(2));
        assert_eq!(
            queue.compute(|| 4).await,
            Ok(4),
            "the places are free again"
        );
        assert_eq!(queue.load(), load(0, 0));
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_work_is_done_even_if_nobody_wants_it_any_more() {
        let queue = Arc::new(Queue::new(1, 0));
        let (go_on, wait) = channel::<()>();
        let (tell, done) = channel::<()>();
        let gone = tokio::spawn({
            let queue = queue.clone();
            async move {
                let work = move || {
                    let _ = wait.recv();
                    drop(tell);
                };
                queue.compute(work).await
            }
        });
        yield_now().await;
        gone.abort();
        assert!(gone.await.is_err());
        assert_eq!(queue.compute(|| 1).await, Err(NotDone::Full));
        drop(go_on);
        // The sender is dropped with the work.
        let _ = tokio::task::spawn_blocking(move || done.recv()).await;
        while queue.compute(|| 1).await == Err(NotDone::Full) {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_queue_that_is_resized_lets_more_in_at_once_and_fewer_in_time() {
        let queue = Queue::new(1, 0);
        let held = queue.turn().await.ok().unwrap();
        assert!(queue.turn().await.is_err());
        queue.resize(1, 0);
        assert!(queue.turn().await.is_err(), "as large as before");
        queue.resize(2, 0);
        let more = [queue.turn().await, queue.turn().await];
        assert!(more.iter().all(Result::is_ok));
        assert!(queue.turn().await.is_err());
        drop(more);
        queue.resize(1, 0);
        let _one = queue.turn().await.ok().unwrap();
        assert!(queue.turn().await.is_err());
        drop(held);
        assert!(queue.turn().await.is_err(), "that place was another room's");
    }

    #[tokio::test]
    async fn a_panic_is_the_callers_and_gives_the_place_back() {
        let queue = Arc::new(Queue::new(1, 0));
        let broken = tokio::spawn({
            let queue = queue.clone();
            async move { queue.compute(|| panic!("as tested")).await }
        });
        assert!(broken.await.unwrap_err().is_panic());
        assert_eq!(queue.compute(|| 1).await, Ok(1));
    }
}
