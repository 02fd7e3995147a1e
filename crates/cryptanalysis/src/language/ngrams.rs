//! How probable is each next character after those before it? Counts of a large text, thinned to what matters.
//!
//! The probabilities come from interpolated modified Kneser-Ney smoothing (Chen and Goodman, "An empirical study of
//! smoothing techniques for language modeling", 1999). To keep the model small, only the n-grams are kept that differ
//! from the prediction of a shorter context. (Seymore and Rosenfeld, "Scalable backoff language models", 1996.) Each is
//! a *correction*: the factor by which the character is more probable here. Everything not corrected shares what is
//! left.

use super::alphabet::{Context, Distribution, SYMBOLS};

/// The number of correction codes.
pub const CODES: usize = 32;
/// The natural logarithm of the factor of code 0, and the distance between two codes.
const LOWEST: f32 = -1.5;
const STEP: f32 = 0.3;
/// At most this much of the probability goes to corrected characters, so that something is left for all others.
const MOST: f32 = 0.9995;

/// The correction code nearest to a factor whose natural logarithm is `ln`.
pub fn code(ln: f32) -> u8 {
    ((ln - LOWEST) / STEP)
        .round()
        .clamp(0.0, (CODES - 1) as f32) as u8
}

/// The factor that a correction code stands for; codes past the last count as the last.
pub fn factor(code: u8) -> f32 {
    let code = code.min(CODES as u8 - 1);
    (LOWEST + STEP * f32::from(code)).exp()
}

/// All contexts of one length: for each its first (farthest) symbol, its children and its corrections.
///
/// The contexts form a tree: a child has one more symbol, farther back. Siblings stand together, sorted by symbol, and
/// so do their children one level deeper; hence counts are enough to find everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// The symbol that a context adds in front of its parent's.
    pub symbols: Vec<u8>,
    /// The number of each context's children.
    pub children: Vec<u8>,
    /// The number of each context's corrections.
    pub corrections: Vec<u8>,
    /// The corrected characters of all contexts, one context after the other.
    pub corrected: Vec<u8>,
    /// The code of each correction.
    pub codes: Vec<u8>,
}

/// A model of one kind of text.
#[derive(Clone, Debug)]
pub struct Ngrams {
    root: Distribution,
    levels: Vec<Indexed>,
    factors: [f32; CODES],
}

/// A level whose counts have become places.
#[derive(Clone, Debug)]
struct Indexed {
    symbols: Vec<u8>,
    first_child: Vec<u32>,
    first_correction: Vec<u32>,
    corrected: Vec<u8>,
    codes: Vec<u8>,
}

impl Ngrams {
    /// Puts a model together: the distribution without any context, and the contexts by length, from one symbol on.
    ///
    /// # Errors
    /// The fault: `root` is no distribution, or the counts of the levels contradict each other.
    pub fn new(root: Distribution, levels: Vec<Level>) -> Result<Self, &'static str> {
        // False for what is no number, too.
        let each = root.iter().all(|p| (0.0..=1.0).contains(p));
        if !each || (root.iter().sum::<f32>() - 1.0).abs() > 0.01 {
            return Err("its probabilities without context do not sum to one");
        }
        let sum = |counts: &[u8]| counts.iter().map(|&n| usize::from(n)).sum::<usize>();
        for (i, level) in levels.iter().enumerate() {
            let next = levels.get(i + 1).map_or(0, |next| next.symbols.len());
            let each = [level.children.len(), level.corrections.len()];
            if each != [level.symbols.len(); 2] || sum(&level.children) != next {
                return Err("the counts of its contexts contradict each other");
            }
            let listed = [level.corrected.len(), level.codes.len()];
            if listed != [sum(&level.corrections); 2] {
                return Err("the counts of its corrections contradict each other");
            }
        }
        Ok(Self {
            root,
            levels: levels.into_iter().map(Indexed::from).collect(),
            factors: std::array::from_fn(|code| factor(code as u8)),
        })
    }

    /// The number of corrections, which is what the size of a model grows with.
    pub fn len(&self) -> usize {
        self.levels.iter().map(|level| level.codes.len()).sum()
    }

    /// Whether the model knows nothing but how frequent each character is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The probability of each symbol after `context`, and how many symbols of it the model knew.
    pub fn after(&self, context: Context) -> (Distribution, usize) {
        let mut p = self.root;
        let mut depth = 0;
        let mut siblings = 0..self.levels.first().map_or(0, |level| level.symbols.len());
        for (symbol, level) in context.symbols().zip(&self.levels) {
            let Ok(found) = level.symbols[siblings.clone()].binary_search(&symbol) else {
                break;
            };
            let node = siblings.start + found;
            let own = between(&level.first_correction, node);
            let codes = level.codes[own.clone()].iter();
            let factors = codes.map(|&code| self.factors[usize::from(code) % CODES]);
            correct(&mut p, &level.corrected[own], factors);
            siblings = between(&level.first_child, node);
            depth += 1;
        }
        (p, depth)
    }
}

impl From<Level> for Indexed {
    fn from(level: Level) -> Self {
        Self {
            symbols: level.symbols,
            first_child: places(&level.children),
            first_correction: places(&level.corrections),
            corrected: level.corrected,
            codes: level.codes,
        }
    }
}

/// The place where the items of each context begin, and at the end the place where the last ones end.
fn places(counts: &[u8]) -> Vec<u32> {
    let mut places = Vec::with_capacity(counts.len() + 1);
    places.push(0);
    let mut sum = 0;
    places.extend(counts.iter().map(|&count| {
        sum += u32::from(count);
        sum
    }));
    places
}

/// The places of one node's things.
fn between(places: &[u32], node: usize) -> std::ops::Range<usize> {
    places[node] as usize..places[node + 1] as usize
}

/// Multiplies the `corrected` characters' probabilities by `factors` and all others by what makes the sum one again.
pub fn correct(p: &mut Distribution, corrected: &[u8], factors: impl Iterator<Item = f32>) {
    if corrected.is_empty() {
        return;
    }
    let (mut before, mut after) = (0.0, 0.0);
    let mut new = [0.0; SYMBOLS];
    for ((&symbol, factor), new) in corrected.iter().zip(factors).zip(&mut new) {
        let old = p[usize::from(symbol) % SYMBOLS];
        *new = (old * factor).min(MOST);
        before += old;
        after += *new;
    }
    let shrink = if after > MOST { MOST / after } else { 1.0 };
    let rest = (1.0 - after * shrink) / (1.0 - before).max(1e-7);
    for p in p.iter_mut() {
        *p *= rest;
    }
    for (&symbol, new) in corrected.iter().zip(new) {
        p[usize::from(symbol) % SYMBOLS] = new * shrink;
    }
}

#[cfg(test)]
mod tests {
    use super::super::alphabet::BOUNDARY;
    use super::*;

    fn uniform() -> Distribution {
        [1.0 / SYMBOLS as f32; SYMBOLS]
    }

    #[test]
    fn a_longer_context_corrects_a_shorter_one() {
        let level = |symbols: &[u8], children: &[u8], corrected: u8| Level {
            symbols: symbols.into(),
            children: children.into(),
            corrections: vec![1; symbols.len()],
            corrected: vec![corrected; symbols.len()],
            codes: vec![code(3.0); symbols.len()],
        };
        let levels = vec![level(&[BOUNDARY, 9], &[0, 1], 20), level(&[8], &[0], 30)];
        let model = Ngrams::new(uniform(), levels).unwrap();
        let context = Context::START.then(8).then(9);
        let (p, depth) = model.after(context);
        assert_eq!(depth, 2);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!(p[30] > 10.0 * p[40] && p[20] > 10.0 * p[40]);
        assert_eq!(model.after(context.then(70)), (uniform(), 0));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let level = Level {
            symbols: vec![1, 2],
            children: vec![0, 1],
            corrections: vec![0, 0],
            ..Level::default()
        };
        assert!(Ngrams::new(uniform(), vec![level]).is_err());
    }

    #[test]
    fn probabilities_that_are_none_are_refused() {
        for wrong in [f32::NAN, f32::INFINITY, -0.001, 0.2] {
            let mut root = uniform();
            root[7] = wrong;
            assert!(Ngrams::new(root, Vec::new()).is_err(), "{wrong}");
        }
        assert!(Ngrams::new(uniform(), Vec::new()).is_ok());
    }

    #[test]
    fn codes_and_factors_agree() {
        for code in 0..CODES as u8 {
            assert_eq!(super::code(factor(code).ln()), code);
        }
        assert_eq!(factor(255), factor(31));
    }
}
