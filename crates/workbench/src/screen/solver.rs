//! Work that takes longer than a key press: threads that solve and rank, each for the newest question only.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use latchstring_cryptanalysis::{
    Evidence, Given, Keystream, Language, Mode, Placement, Recovered, detect, drag_best, solve,
};

use super::Event;

/// No more places of a crib than this are looked at in full, so that the list keeps pace with who types.
const PLACES: usize = 300;

/// A crib is dragged over no more messages than this: those around the cursor.
const AROUND: usize = 40;

/// All that the messages are to be read from.
pub(super) struct Problem {
    pub(super) revision: u64,
    pub(super) ciphertexts: Arc<Vec<Vec<u8>>>,
    pub(super) certain: Keystream,
    /// The texts that tell it.
    pub(super) given: Vec<Given>,
    /// Detected if it is not known.
    pub(super) language: Option<&'static Language>,
    pub(super) mode: Mode,
}

/// A text that may stand anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crib {
    pub(super) text: String,
    /// The message around which it is looked for.
    pub(super) near: usize,
}

/// The text of the messages, as far as pins and language give it.
pub(super) struct Solution {
    pub(super) revision: u64,
    pub(super) recovered: Recovered,
    pub(super) language: &'static Language,
    /// Whether chance hardly ever gives text as good.
    pub(super) convincing: bool,
    /// How long it took, without detecting the language.
    pub(super) took: Duration,
}

impl Problem {
    /// Solves it.
    pub(super) fn solve(&self) -> Solution {
        let language = self.language.unwrap_or_else(|| detect(&self.ciphertexts));
        let began = Instant::now();
        let recovered = solve(&self.ciphertexts, language, &self.certain, self.mode);
        let took = began.elapsed();
        let evidence = Evidence::of(&self.ciphertexts, &recovered, &self.given, language);
        Solution {
            revision: self.revision,
            recovered,
            language,
            convincing: evidence.is_convincing(),
            took,
        }
    }

    /// The places where a crib can stand in the messages around one of them, the best first: none that contradicts a pin.
    pub(super) fn rank(&self, crib: &Crib) -> Vec<Placement> {
        let language = self.language.unwrap_or_else(Language::english);
        let (text, all) = (crib.text.as_bytes(), self.ciphertexts.len());
        let last = all.saturating_sub(AROUND);
        let first = crib.near.saturating_sub(AROUND / 2).min(last);
        let around = &self.ciphertexts[first..all.min(first + AROUND)];
        let mut placements = drag_best(around, language, text, PLACES);
        placements.retain(|placement| {
            let ciphertext = &around[placement.message];
            let mut certain = self.certain.clone();
            certain.learn(ciphertext, text, placement.offset).is_ok()
        });
        for placement in &mut placements {
            placement.message += first;
            let others = placement.reveals.iter_mut();
            others.for_each(|(message, _)| *message += first);
        }
        placements
    }
}

/// Starts the two threads. They end when the senders or the receiver of their events are dropped.
pub(super) fn start(events: &Sender<Event>) -> (Sender<Problem>, Sender<(Problem, Crib)>) {
    let solver = worker("solver", events, |problem: Problem| {
        Event::Solved(problem.solve())
    });
    let ranker = worker(
        "crib dragger",
        events,
        |(problem, crib): (Problem, Crib)| {
            let placements = problem.rank(&crib);
            Event::Ranked { crib, placements }
        },
    );
    (solver, ranker)
}

/// A thread that answers questions. Of those that wait, it takes the newest and forgets the others.
fn worker<T: Send + 'static>(
    name: &'static str,
    events: &Sender<Event>,
    answer: impl Fn(T) -> Event + Send + 'static,
) -> Sender<T> {
    let (sender, questions): (Sender<T>, Receiver<T>) = channel();
    let alarm = PanicNotice(name, events.clone());
    thread::spawn(move || {
        while let Ok(oldest) = questions.recv() {
            let newest = questions.try_iter().last().unwrap_or(oldest);
            if alarm.1.send(answer(newest)).is_err() {
                break;
            }
        }
    });
    sender
}

/// Tells when its thread ends by a fault of the program, so that nobody waits for ever.
struct PanicNotice(&'static str, Sender<Event>);

impl Drop for PanicNotice {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.1.send(Event::Died(self.0));
        }
    }
}
