//! Guessing passwords from a list, against anything that can be checked without asking anybody: a stolen store.
//!
//! The search is the same for a fast hash and for a slow one. Only the time of one guess differs, and with it the cost
//! ([`crate::brute_force::Cost`]). There is no clock here: a caller that wants rates reads one in the progress
//! callback.

use std::ops::ControlFlow;

use rayon::prelude::*;

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<G> {
    /// The first guess that is right.
    pub found: Option<G>,
    /// How many guesses were taken from the list, the right one included. To go on later, skip this number.
    pub guesses: u64,
    /// Whether the progress callback ended the search.
    pub stopped: bool,
}

/// Tries the guesses in order, `batch` of them at a time on all cores, until `verify` accepts one.
///
/// After each batch without success `progress` gets the number of guesses tried, and may end the search. The outcome
/// does not depend on the number of cores. Choose the batch so that one takes a fraction of a second. Good values are
/// 16 for a memory-hard hash (each guess in flight holds separate memory), and 100,000 for a fast one. A batch of 0 is
/// taken as 1.
pub fn search<G: Send + Sync>(
    guesses: impl IntoIterator<Item = G>,
    batch: usize,
    verify: impl Fn(&G) -> bool + Sync,
    mut progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Outcome<G> {
    let mut guesses = guesses.into_iter();
    let mut tried = 0;
    loop {
        let mut candidates: Vec<G> = guesses.by_ref().take(batch.max(1)).collect();
        let end = |found, guesses, stopped| Outcome {
            found,
            guesses,
            stopped,
        };
        if candidates.is_empty() {
            return end(None, tried, false);
        }
        if let Some(at) = candidates.par_iter().position_first(&verify) {
            return end(
                Some(candidates.swap_remove(at)),
                tried + at as u64 + 1,
                false,
            );
        }
        tried += candidates.len() as u64;
        if progress(tried).is_break() {
            return end(None, tried, true);
        }
    }
}

/// The usual variants of a word as a password, the commonest first: 1 + 2 * 9 guesses or fewer.
pub fn variants(word: &str) -> Vec<String> {
    const ENDINGS: [&str; 9] = ["", "1", "123", "!", "12", "1234", "2024", "2025", "1!"];
    let mut letters = word.chars();
    let capitalised: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let capitalised = capitalised + letters.as_str();
    let bases = [word, &capitalised];
    let bases = if word == capitalised {
        &bases[..1]
    } else {
        &bases
    };
    (ENDINGS.iter())
        .flat_map(|ending| bases.iter().map(move |base| format!("{base}{ending}")))
        .chain([word.chars().rev().collect()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

    #[test]
    fn the_first_right_guess_wins_whatever_the_batch() {
        for batch in [0, 1, 3, 7, 1000] {
            let outcome = search(0..100u32, batch, |guess| guess % 37 == 36, |_| GO_ON);
            assert_eq!(
                (outcome.found, outcome.guesses, outcome.stopped),
                (Some(36), 37, false)
            );
        }
    }

    #[test]
    fn progress_counts_and_may_stop() {
        let mut told = Vec::new();
        let outcome = search(
            0..10u32,
            4,
            |_| false,
            |tried| {
                told.push(tried);
                GO_ON
            },
        );
        assert_eq!((told, outcome.guesses), (vec![4, 8, 10], 10));

        let stopped = search(0..10u32, 4, |_| false, |_| ControlFlow::Break(()));
        assert!(stopped.stopped && stopped.guesses == 4);
        let resumed = search((0..10u32).skip(4), 4, |&guess| guess == 5, |_| GO_ON);
        assert_eq!((resumed.found, resumed.guesses), (Some(5), 2));
    }

    #[test]
    fn variants_begin_with_the_word_itself() {
        let all = variants("secret");
        assert_eq!(&all[..4], ["secret", "Secret", "secret1", "Secret1"]);
        assert_eq!((all.len(), all.last().unwrap().as_str()), (19, "terces"));
        assert_eq!(variants("Émile")[0], "Émile");
        assert_eq!(variants("")[1], "1");
    }
}
