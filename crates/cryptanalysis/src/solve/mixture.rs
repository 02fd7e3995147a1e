//! The next symbol in one message: all models of a language in one opinion.
//!
//! The models are mixed by multiplying their probabilities, each raised to its weight. This does better than adding
//! them (Mahoney, "Adaptive weighing of context models for lossless data compression", 2005). The weights belong to one
//! message: a writer who began like chat goes on like chat.

use std::collections::HashMap;
use std::rc::Rc;

use crate::language::Language;
use crate::language::alphabet::{BOUNDARY, Context, Distribution, OTHER, SYMBOLS};
use crate::language::recurrent::exp;

/// The most models that count contexts; further ones are ignored.
const MODELS: usize = 4;
/// How much a model gains by each further symbol of the context that it knew.
const DEPTH_GAIN: f32 = 0.2;
/// The gain of the recurrent model, which knows the whole text so far.
const RECURRENT_GAIN: f32 = 2.5;
/// The exponent of the whole mixture. Above one, since models that agree confirm each other.
const AGREEMENT: f32 = 1.15;
/// How fast the weights follow what was read, and how much of the past they keep from character to character.
const LEARNING: f32 = 0.15;
const MEMORY: f32 = 0.98;
/// No character is less probable than this (a natural logarithm), so that a typing error does not condemn a truth.
const RAREST: f32 = -12.0;
/// How far one character can move the weights.
const SURPRISE: f32 = -9.0;
/// Contexts whose opinions are kept; 1.5 kB each.
const KEPT: usize = 30_000;

/// The models' predictions after one context.
pub(super) struct Opinions {
    /// The log-probabilities, one distribution a model.
    models: Vec<Distribution>,
    /// The bonus that each model earns by how much of the context it knew.
    bonus: [f32; MODELS],
}

impl Opinions {
    /// Each model's log-probabilities and bonus; last those of the recurrent model, where it was asked.
    fn with<'a>(
        &'a self,
        recurrent: Option<&'a [f32]>,
    ) -> impl Iterator<Item = (&'a [f32], f32)> + Clone {
        let models = self.models.iter().map(|model| &model[..]);
        let recurrent = recurrent.into_iter().map(|model| (model, RECURRENT_GAIN));
        models.zip(self.bonus).chain(recurrent)
    }
}

/// The logarithms of the models' weights in one message.
#[derive(Clone, Copy, Default)]
pub(super) struct Weights([f32; MODELS + 1]);

impl Weights {
    /// The weights after `symbol` was read where the models had these opinions.
    pub(super) fn then(
        mut self,
        opinions: &Opinions,
        recurrent: Option<&[f32]>,
        symbol: u8,
    ) -> Self {
        let mut best = f32::MIN;
        for (weight, (model, _)) in self.0.iter_mut().zip(opinions.with(recurrent)) {
            *weight = *weight * MEMORY + LEARNING * model[usize::from(symbol)].max(SURPRISE);
            best = best.max(*weight);
        }
        self.0.iter_mut().for_each(|weight| *weight -= best);
        self
    }
}

/// A language as the solver asks it.
pub(crate) struct Mixture<'a> {
    pub(super) language: &'a Language,
    /// By context: the same ones come again and again, as hypotheses differ in few places.
    known: HashMap<Context, Rc<Opinions>>,
    /// The logarithm of one byte's share of [`OTHER`].
    share: f32,
}

impl<'a> Mixture<'a> {
    pub(crate) fn new(language: &'a Language) -> Self {
        Self {
            language,
            known: HashMap::new(),
            share: -(language.alphabet.others() as f32).ln(),
        }
    }

    /// Each model's prediction after `context`.
    pub(super) fn opinions(&mut self, context: Context) -> Rc<Opinions> {
        if let Some(known) = self.known.get(&context) {
            return Rc::clone(known);
        }
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        let mut bonus = [0.0; MODELS];
        let models = self.language.models.iter().zip(&mut bonus);
        let models = models.map(|(model, bonus)| {
            let (mut p, depth) = model.after(context);
            *bonus = DEPTH_GAIN * depth as f32;
            p.iter_mut().for_each(|p| *p = p.max(1e-7).ln());
            p
        });
        let models = models.collect();
        let opinions = Rc::new(Opinions { models, bonus });
        self.known.insert(context, Rc::clone(&opinions));
        opinions
    }

    /// The log-probability of each symbol; that of [`OTHER`] is for one byte of them.
    pub(super) fn blend(
        &self,
        opinions: &Opinions,
        recurrent: Option<&[f32]>,
        weights: &Weights,
    ) -> Distribution {
        let mut strength = [0.0; MODELS + 1];
        let models = opinions.with(recurrent).zip(weights.0);
        for (strength, ((_, bonus), weight)) in strength.iter_mut().zip(models) {
            *strength = (weight + bonus).exp();
        }
        let total: f32 = strength.iter().sum();
        let mut ln = [0.0; SYMBOLS];
        for ((model, _), strength) in opinions.with(recurrent).zip(strength) {
            let share = AGREEMENT * strength / total;
            for (ln, opinion) in ln.iter_mut().zip(model) {
                *ln += share * opinion;
            }
        }
        let mut p = ln;
        p.iter_mut().for_each(|p| *p = exp(*p));
        let used = usize::from(BOUNDARY)..self.language.alphabet.size();
        let norm = p[used].iter().sum::<f32>().ln();
        ln.iter_mut().for_each(|ln| *ln = (*ln - norm).max(RAREST));
        ln[usize::from(OTHER)] += self.share;
        ln
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blend_is_a_distribution_and_its_weights_follow_the_text() {
        let mut mixture = Mixture::new(Language::english());
        let alphabet = &mixture.language.alphabet;
        let mut context = Context::START;
        let mut weights = Weights::default();
        for &byte in b"lol i dont know what u mea" {
            let symbol = alphabet.symbol(byte);
            let opinions = mixture.opinions(context);
            let mut ln = mixture.blend(&opinions, None, &weights);
            ln[usize::from(OTHER)] -= mixture.share;
            let sum: f32 = ln[1..alphabet.size()].iter().map(|ln| ln.exp()).sum();
            assert!((sum - 1.0).abs() < 0.05, "{sum}");
            weights = weights.then(&opinions, None, symbol);
            context = context.then(symbol);
        }
        let opinions = mixture.opinions(context);
        let ln = mixture.blend(&opinions, None, &weights);
        assert!(ln[usize::from(alphabet.symbol(b'n'))] > -0.7);
    }
}
