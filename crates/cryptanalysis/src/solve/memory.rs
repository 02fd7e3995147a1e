//! The memory of the recurrent model of each message under each hypothesis, all in one matrix. Multiplying many rows at
//! once costs little more than one.

use ndarray::{Array2, Axis};

use crate::language::recurrent::Recurrent;

/// A row for each hypothesis and each message that still goes on. Without a model, nothing is remembered.
pub(super) struct Memory<'a> {
    model: Option<&'a Recurrent>,
    /// The messages of each hypothesis.
    live: usize,
    states: Array2<f32>,
    /// The log-probabilities of the next symbol.
    expected: Array2<f32>,
}

impl<'a> Memory<'a> {
    /// The memory of one hypothesis that has read nothing of `messages` messages.
    pub(super) fn new(model: Option<&'a Recurrent>, messages: usize) -> Self {
        let start = model.map(|model| model.start(messages));
        Self::of(model, messages, start.unwrap_or_default())
    }

    fn of(model: Option<&'a Recurrent>, live: usize, states: Array2<f32>) -> Self {
        let expected = model.map(|model| model.expect(&states));
        Self {
            model,
            live,
            states,
            expected: expected.unwrap_or_default(),
        }
    }

    /// The log-probability of each symbol that may come next in a message.
    pub(super) fn expected(&self, hypothesis: usize, message: usize) -> Option<&[f32]> {
        self.model?;
        let row = hypothesis * self.live + message;
        self.expected.row(row).to_slice()
    }

    /// The memory of new hypotheses. Each hypothesis continues the one that `from` names, by one symbol in each of the
    /// first `live` messages. The symbols are in `symbols`, one hypothesis after the other.
    pub(super) fn then(
        &self,
        from: impl Iterator<Item = usize>,
        live: usize,
        symbols: &[u8],
    ) -> Self {
        let Some(model) = self.model else {
            return Self::new(None, live);
        };
        let rows = from.flat_map(|hypothesis| (0..live).map(move |message| (hypothesis, message)));
        let rows = rows.map(|(hypothesis, message)| hypothesis * self.live + message);
        let states = self.states.select(Axis(0), &rows.collect::<Vec<_>>());
        Self::of(self.model, live, model.read(states, symbols))
    }
}
