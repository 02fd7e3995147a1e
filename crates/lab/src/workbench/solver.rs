//! What takes longer than a key press: threads that solve and rank, each for the newest question only.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use latchstring_attacker::cryptanalysis::{
    Keystream, Language, Mode, Placement, Recovered, detect, drag_best, solve,
};

use super::Event;

/// No more places of a crib than this are looked at in full, so that the list keeps pace with who types.
const PLACES: usize = 300;

/// All that the messages are to be read from.
pub(super) struct Problem {
    pub(super) revision: u64,
    pub(super) ciphertexts: Arc<Vec<Vec<u8>>>,
    pub(super) certain: Keystream,
    /// Detected if it is not known.
    pub(super) language: Option<&'static Language>,
    pub(super) mode: Mode,
}

/// What the messages say, as far as pins and language tell.
pub(super) struct Solution {
    pub(super) revision: u64,
    pub(super) recovered: Recovered,
    pub(super) language: &'static Language,
    /// How long it took, without detecting the language.
    pub(super) took: Duration,
}

impl Problem {
    /// Solves it.
    pub(super) fn solve(&self) -> Solution {
        let language = self.language.unwrap_or_else(|| detect(&self.ciphertexts));
        let began = Instant::now();
        let recovered = solve(&self.ciphertexts, language, &self.certain, self.mode);
        Solution {
            revision: self.revision,
            recovered,
            language,
            took: began.elapsed(),
        }
    }

    /// The places where a crib can stand, the best first: none that contradicts a pin.
    pub(super) fn rank(&self, crib: &str) -> Vec<Placement> {
        let language = self.language.unwrap_or_else(Language::english);
        let mut placements = drag_best(&self.ciphertexts, language, crib.as_bytes(), PLACES);
        placements.retain(|placement| {
            let ciphertext = &self.ciphertexts[placement.message];
            let mut certain = self.certain.clone();
            let fits = certain.learn(ciphertext, crib.as_bytes(), placement.offset);
            fits.is_ok()
        });
        placements
    }
}

/// Starts the two threads. They end when the senders or the receiver of their events are dropped.
pub(super) fn start(events: &Sender<Event>) -> (Sender<Problem>, Sender<(Problem, String)>) {
    let solver = worker("solver", events, |problem: Problem| {
        Event::Solved(problem.solve())
    });
    let ranker = worker(
        "crib dragger",
        events,
        |(problem, crib): (Problem, String)| {
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
    let alarm = Alarm(name, events.clone());
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
struct Alarm(&'static str, Sender<Event>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.1.send(Event::Died(self.0));
        }
    }
}
