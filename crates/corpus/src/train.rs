//! From text to the numbers of a model: counting, smoothing, thinning.
//!
//! The smoothing is interpolated modified Kneser-Ney (Chen and Goodman 1999). Each count is discounted, and the freed
//! part goes to the characters that the next shorter context expects. There, a character counts by the number of
//! different characters before it, not by the number of its occurrences.

use latchstring_cryptanalysis::language::{
    alphabet::{Alphabet, BOUNDARY, Distribution, NOTHING, SYMBOLS},
    codec::Trained,
    ngrams::{Level, code, correct, factor},
};

/// Bits of one symbol in a [`Place`].
const BITS: usize = 7;

/// A place in the text: the context before it, nearest symbol highest, and in the lowest bits the symbol that followed.
type Place = u128;

/// The settings of a training.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The longest context, at most 17 symbols.
    pub(crate) order: usize,
    /// A correction is kept if it shortens the training text by at least this much (in natural logarithms).
    pub(crate) threshold: f32,
}

/// Trains a model on messages, one a line.
pub(crate) fn train(text: &[u8], alphabet: &Alphabet, settings: Settings) -> Trained {
    let places = places(text, alphabet, settings.order);
    let mut counts_of_counts = CountsOfCounts(vec![[0; 5]; settings.order + 1]);
    counts_of_counts.visit(&places, 0, settings.order);
    let mut trainer = Trainer {
        settings,
        discounts: counts_of_counts.discounts(),
        levels: vec![Level::default(); settings.order],
    };
    let mut uniform = [0.0; SYMBOLS];
    let used = usize::from(BOUNDARY)..alphabet.size();
    uniform[used.clone()].fill(1.0 / used.len() as f32);
    let (_, root) = trainer.visit(&places, 0, &uniform, &uniform);
    while trainer
        .levels
        .pop_if(|level| level.symbols.is_empty())
        .is_some()
    {}
    Trained {
        root,
        levels: trainer.levels,
    }
}

/// All places of the text, sorted so that those with a common context are together, at any length.
fn places(text: &[u8], alphabet: &Alphabet, order: usize) -> Vec<Place> {
    let top = BITS * order;
    let start = Place::from(BOUNDARY) << top;
    let mut context = start;
    let place = |&byte: &u8| {
        let ends = byte == b'\n';
        let symbol = if ends {
            BOUNDARY
        } else {
            alphabet.symbol(byte)
        };
        let place = context | Place::from(symbol);
        let longer = (context >> BITS) & !((1 << BITS) - 1) | Place::from(symbol) << top;
        context = if ends { start } else { longer };
        place
    };
    let mut places: Vec<Place> = text.iter().map(place).collect();
    places.sort_unstable();
    places
}

/// The symbol that a place has `depth` places back (1 is the nearest), or at 0 the one that followed.
fn symbol(place: Place, depth: usize, order: usize) -> u8 {
    let shift = match depth {
        0 => 0,
        _ => BITS * (order + 1 - depth),
    };
    (place >> shift) as u8 & ((1 << BITS) - 1)
}

/// Splits places with a common context of `depth` symbols by the next symbol back.
fn children(places: &[Place], depth: usize, order: usize) -> impl Iterator<Item = (u8, &[Place])> {
    let farther = move |place: Place| symbol(place, depth + 1, order);
    let groups = places.chunk_by(move |a, b| farther(*a) == farther(*b));
    groups.map(move |places| (farther(places[0]), places))
}

/// The count of each symbol after a context of `depth` symbols, in the sense of Kneser and Ney. At the greatest length
/// each occurrence counts; else each different symbol farther back counts once. The start of a message has nothing
/// farther back, so there each time counts.
fn counts(places: &[Place], depth: usize, order: usize) -> [u32; SYMBOLS] {
    let mut counts = [0; SYMBOLS];
    let mut last = [None; SYMBOLS];
    for &place in places {
        let followed = usize::from(symbol(place, 0, order));
        let farther = (depth < order).then(|| symbol(place, depth + 1, order));
        if farther.is_none_or(|farther| farther == NOTHING || last[followed] != Some(farther)) {
            counts[followed] += 1;
            last[followed] = farther;
        }
    }
    counts
}

/// For each context length, how many counts are 1, 2, 3 and 4.
struct CountsOfCounts(Vec<[u64; 5]>);

impl CountsOfCounts {
    fn visit(&mut self, places: &[Place], depth: usize, order: usize) {
        for count in counts(places, depth, order) {
            if let 1..=4 = count {
                self.0[depth][count as usize] += 1;
            }
        }
        if depth < order {
            for (farther, places) in children(places, depth, order) {
                if farther != NOTHING {
                    self.visit(places, depth + 1, order);
                }
            }
        }
    }

    /// For each context length, the discount for counts of 0, 1, 2, and 3 or more.
    fn discounts(&self) -> Vec<[f32; 4]> {
        let of_length = |n: &[u64; 5]| {
            let y = n[1] as f32 / (n[1] + 2 * n[2]).max(1) as f32;
            let discount = |count: usize| {
                let next = n[count + 1] as f32 / n[count].max(1) as f32;
                let exact = count as f32 - (count + 1) as f32 * y * next;
                exact.clamp(0.1, count as f32 - 0.05)
            };
            [0.0, discount(1), discount(2), discount(3)]
        };
        self.0.iter().map(of_length).collect()
    }
}

struct Trainer {
    settings: Settings,
    discounts: Vec<[f32; 4]>,
    levels: Vec<Level>,
}

impl Trainer {
    /// Visits a context and all longer ones. `full` and `kept` are the distributions of the context one shorter: as
    /// smoothed, and as the thinned model has it. Returns whether anything was kept, and this context's thinned
    /// distribution.
    fn visit(
        &mut self,
        places: &[Place],
        depth: usize,
        full: &Distribution,
        kept: &Distribution,
    ) -> (bool, Distribution) {
        let order = self.settings.order;
        let full = self.smooth(&counts(places, depth, order), depth, full);
        let mut kept = if depth == 0 { full } else { *kept };
        let (corrected, codes) = self.corrections(places, &full, &kept);
        correct(
            &mut kept,
            &corrected,
            codes.iter().map(|&code| factor(code)),
        );
        let mut longer = 0;
        if depth < order {
            for (farther, places) in children(places, depth, order) {
                // What was seen once teaches nothing that the shorter context does not know.
                if farther != NOTHING && places.len() > 1 {
                    longer += u8::from(self.visit(places, depth + 1, &full, &kept).0);
                }
            }
        }
        let useful = longer > 0 || !codes.is_empty();
        if useful && depth > 0 {
            let level = &mut self.levels[depth - 1];
            level.symbols.push(symbol(places[0], depth, order));
            level.children.push(longer);
            level.corrections.push(codes.len() as u8);
            level.corrected.extend(corrected);
            level.codes.extend(codes);
        }
        (useful, kept)
    }

    fn smooth(
        &self,
        counts: &[u32; SYMBOLS],
        depth: usize,
        shorter: &Distribution,
    ) -> Distribution {
        let discount = |count: u32| self.discounts[depth][count.min(3) as usize];
        let total = counts.iter().sum::<u32>() as f32;
        let freed = counts.iter().map(|&count| discount(count)).sum::<f32>() / total;
        std::array::from_fn(|symbol| {
            let count = counts[symbol];
            (count as f32 - discount(count)) / total + freed * shorter[symbol]
        })
    }

    /// The characters worth correcting in a context, and the codes of their corrections.
    fn corrections(
        &self,
        places: &[Place],
        full: &Distribution,
        kept: &Distribution,
    ) -> (Vec<u8>, Vec<u8>) {
        let mut seen = [false; SYMBOLS];
        for &place in places {
            seen[usize::from(symbol(place, 0, self.settings.order))] = true;
        }
        let worth = |symbol: u8| {
            let at = usize::from(symbol);
            let ln = (full[at] / kept[at]).ln();
            let saved = places.len() as f32 * full[at] * ln.abs();
            let code = code(ln);
            let counts = seen[at] && saved > self.settings.threshold && factor(code) != 1.0;
            counts.then_some((symbol, code))
        };
        (0..SYMBOLS as u8).filter_map(worth).unzip()
    }
}

#[cfg(test)]
mod tests {
    use latchstring_cryptanalysis::language::{Language, alphabet::Context, codec};

    use super::*;

    #[test]
    fn what_was_read_is_expected() {
        let alphabet = Alphabet::ascii_and(b"");
        let text = "the cat sat on the mat\nthe dog sat on the log\n".repeat(20);
        let settings = Settings {
            order: 6,
            threshold: 0.1,
        };
        let trained = train(text.as_bytes(), &alphabet, settings);
        let sum: f32 = trained.root.iter().sum();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
        let file = codec::write("test", &alphabet, &[trained], None);
        let language = Language::read(&file).unwrap();
        let read = |text: &[u8]| {
            let symbols = text.iter().map(|&byte| alphabet.symbol(byte));
            symbols.fold(Context::START, Context::then)
        };
        let p = language.models()[0].after(read(b"the cat sat o")).0;
        assert!(p[usize::from(alphabet.symbol(b'n'))] > 0.8);
    }
}
