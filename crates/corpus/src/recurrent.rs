//! Training of a recurrent model by gradient descent. After every few thousand characters each weight moves a little in
//! the direction that would have made these characters more probable. The steps are those of Adam (Kingma and Ba,
//! "Adam: a method for stochastic optimization", ICLR 2015).
//!
//! On any machine, with any number of cores, the same text gives the same weights: every sum has a fixed order.

use std::thread;

use anyhow::{Context, Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use latchstring_cryptanalysis::language::{
    alphabet::{Alphabet, BOUNDARY, SYMBOLS},
    recurrent::{GATES, Recurrent},
};
use multiversion::multiversion;
use ndarray::{Array1, Array2};
use sha2::{Digest, Sha256};

mod gradient;

use gradient::{Reader, STEPS};

/// The number of texts that each reader reads in parallel, in a separate thread. Both numbers are part of the result.
const ROWS: usize = 32;
const READERS: usize = 2;
/// The length of a step: it grows during the first [`WARM_UP`] steps, and then shrinks to nothing by the end.
const RATE: f32 = 2.5e-3;
const WARM_UP: f32 = 200.0;
const LAST_RATE: f32 = 0.02;
/// A gradient longer than this is shortened to it: one odd text must not undo what was learnt.
const LONGEST: f32 = 1.0;

/// Trains a model of `units` units on messages, each read `epochs` times.
///
/// # Errors
/// If the messages are too few to be read side by side.
pub(crate) fn train(
    messages: &[&str],
    alphabet: &Alphabet,
    units: usize,
    epochs: f64,
) -> Result<Recurrent> {
    let text = in_a_row(messages, alphabet);
    let each = text.len() / (ROWS * READERS);
    let rounds = each.saturating_sub(1) / STEPS;
    let updates = (rounds as f64 * epochs) as usize;
    let texts: Vec<&[u8]> = text.chunks_exact(each.max(1)).collect();
    let readers = texts.chunks_exact(ROWS).take(READERS);
    let readers: Vec<Reader<'_>> = readers.map(|texts| Reader::new(texts, units)).collect();
    if updates == 0 {
        return Err(anyhow!("too little text for a recurrent model: give more"));
    }
    let style = "{bar:30} {percent} % of {human_len} steps, {per_sec}, {eta} left, {msg}";
    let bar = ProgressBar::new(updates as u64).with_style(ProgressStyle::with_template(style)?);
    let mut training = Training::new(units, readers);
    let mut mean = None;
    for update in 0..updates {
        let rate = rate(update as f32, updates as f32);
        let loss = training.update(update % rounds * STEPS, rate)?;
        let mean = mean.insert(mean.map_or(loss, |mean| mean * 0.99 + loss * 0.01));
        let bits = *mean / std::f64::consts::LN_2;
        bar.set_message(format!("{bits:.3} bits a character"));
        bar.inc(1);
    }
    bar.finish();
    Ok(training.model)
}

/// A model that is being trained.
struct Training<'a> {
    model: Recurrent,
    readers: Vec<Reader<'a>>,
    adams: [Adam; 4],
    updates: i32,
}

impl<'a> Training<'a> {
    fn new(units: usize, readers: Vec<Reader<'a>>) -> Self {
        Self {
            model: beginning(units),
            readers,
            adams: Default::default(),
            updates: 0,
        }
    }

    /// Reads on from `at`, and moves the weights. Returns the mean surprise (-ln p) of a character before that.
    fn update(&mut self, at: usize, rate: f32) -> Result<f64> {
        let (mut gradient, loss) = gradient(&self.model, &mut self.readers, at)?;
        let parts = parts(&mut self.model, &mut gradient);
        let mut parts = parts.context("a matrix is not in one piece")?;
        let squares = parts.iter().map(|(_, gradient)| squares(gradient));
        let clip = (LONGEST / squares.sum::<f32>().sqrt()).min(1.0);
        self.updates += 1;
        for ((weights, gradient), adam) in parts.iter_mut().zip(&mut self.adams) {
            gradient.iter_mut().for_each(|x| *x *= clip);
            adam.step(weights, gradient, rate, self.updates);
        }
        Ok(loss)
    }
}

/// The symbols of all messages, in an order that depends on nothing but them.
fn in_a_row(messages: &[&str], alphabet: &Alphabet) -> Vec<u8> {
    let mut order: Vec<(usize, &&str)> = messages.iter().enumerate().collect();
    order.sort_by_cached_key(|(at, message)| {
        let digest = Sha256::new().chain_update(at.to_le_bytes());
        digest.chain_update(message).finalize()
    });
    let mut text = vec![BOUNDARY];
    for (_, message) in order {
        text.extend(message.bytes().map(|byte| alphabet.symbol(byte)));
        text.push(BOUNDARY);
    }
    text
}

/// The weights before anything was read: small numbers without a pattern.
fn beginning(units: usize) -> Recurrent {
    let scale = (1.0 / units as f32).sqrt();
    let matrix = |rows, columns, seed| {
        let mut noise = noise(seed);
        Array2::from_shape_simple_fn((rows, columns), || noise() * scale)
    };
    Recurrent {
        input: matrix(SYMBOLS, GATES * units, 1),
        recurrent: matrix(units, GATES * units, 2),
        output: matrix(units, SYMBOLS, 3),
        bias: Array1::zeros(SYMBOLS),
    }
}

/// Numbers between -1 and 1 (SplitMix64; Steele et al. 2014).
fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }
}

/// The mean gradient of all readers, and the mean surprise (-ln p) of a character.
fn gradient(model: &Recurrent, readers: &mut [Reader<'_>], at: usize) -> Result<(Recurrent, f64)> {
    let share = 1.0 / readers.len() as f32;
    let found: Vec<(Recurrent, f64)> = thread::scope(|scope| {
        let start = |reader| scope.spawn(move || Reader::learn(reader, model, at, share));
        let threads: Vec<_> = readers.iter_mut().map(start).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        // A panic in there is a bug, and goes on here.
        joined
            .map(|found| found.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let count = found.len() as f64;
    let sum = found.into_iter().reduce(|(mut sum, loss), (next, more)| {
        sum.input += &next.input;
        sum.recurrent += &next.recurrent;
        sum.output += &next.output;
        sum.bias += &next.bias;
        (sum, loss + more)
    });
    let (sum, loss) = sum.context("nobody reads")?;
    Ok((sum, loss / count))
}

/// How far to go at an update.
fn rate(update: f32, updates: f32) -> f32 {
    let rising = ((update + 1.0) / WARM_UP).min(1.0);
    let falling = (1.0 - update / updates).max(LAST_RATE);
    RATE * rising * falling
}

/// The weights and their gradients, part by part.
fn parts<'a>(
    model: &'a mut Recurrent,
    gradient: &'a mut Recurrent,
) -> Option<[(&'a mut [f32], &'a mut [f32]); 4]> {
    Some([
        (model.input.as_slice_mut()?, gradient.input.as_slice_mut()?),
        (
            model.recurrent.as_slice_mut()?,
            gradient.recurrent.as_slice_mut()?,
        ),
        (
            model.output.as_slice_mut()?,
            gradient.output.as_slice_mut()?,
        ),
        (model.bias.as_slice_mut()?, gradient.bias.as_slice_mut()?),
    ])
}

fn squares(gradient: &[f32]) -> f32 {
    gradient.iter().map(|x| x * x).sum()
}

/// Adam's memory of some weights: the mean of their gradients, and of the squares.
#[derive(Default)]
struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    const MEAN: f32 = 0.9;
    const SQUARE: f32 = 0.99;

    fn step(&mut self, weights: &mut [f32], gradient: &[f32], rate: f32, update: i32) {
        self.mean.resize(weights.len(), 0.0);
        self.square.resize(weights.len(), 0.0);
        // Both means began at nothing, and are too small at first.
        let whole = [Self::MEAN, Self::SQUARE].map(|kept| 1.0 / (1.0 - kept.powi(update)));
        adam(weights, gradient, self, rate, whole);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn adam(weights: &mut [f32], gradient: &[f32], adam: &mut Adam, rate: f32, whole: [f32; 2]) {
    let means = adam.mean.iter_mut().zip(&mut adam.square);
    for ((weight, gradient), (mean, square)) in weights.iter_mut().zip(gradient).zip(means) {
        *mean = Adam::MEAN * *mean + (1.0 - Adam::MEAN) * gradient;
        *square = Adam::SQUARE * *square + (1.0 - Adam::SQUARE) * gradient * gradient;
        *weight -= rate * (*mean * whole[0]) / ((*square * whole[1]).sqrt() + 1e-8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: [&str; 2] = ["the cat sat on the mat", "a dog lay in the fog"];

    fn trained() -> Recurrent {
        let texts = TEXT.map(|text| in_a_row(&[text; 3], &Alphabet::ascii_and(b"")));
        let readers = vec![Reader::new(&[&texts[0], &texts[1]], 16)];
        let mut training = Training::new(16, readers);
        for _ in 0..800 {
            training.update(0, 0.02).unwrap();
        }
        training.model
    }

    #[test]
    fn what_was_read_is_expected_and_comes_out_the_same_again() {
        let (model, alphabet) = (trained(), Alphabet::ascii_and(b""));
        for (text, next) in [
            ("the ca", b't'),
            ("a dog lay in the ", b'f'),
            ("the cat sat on the ", b'm'),
        ] {
            let state = text.bytes().fold(model.start(1), |state, byte| {
                model.read(state, &[alphabet.symbol(byte)])
            });
            let p = model.expect(&state)[(0, usize::from(alphabet.symbol(next)))].exp();
            assert!(p > 0.5, "after {text:?}: {p}");
        }
        assert!(model == trained(), "another model the second time");
    }

    #[test]
    fn too_little_text_is_refused() {
        assert!(train(&TEXT, &Alphabet::ascii_and(b""), 4, 1.0).is_err());
    }

    /// The products of matrices are left to a library. The reason why a model can be rebuilt byte for byte on another
    /// machine. The sums of the training are taken in order, 256 terms at a time, and each product is added without
    /// rounding first.
    #[test]
    fn the_sums_of_a_product_have_a_fixed_order() {
        const PART: usize = 256;
        let mut noise = noise(7);
        let mut matrix = |dim| Array2::from_shape_simple_fn(dim, &mut noise);
        for (rows, inner, columns) in [
            (32, 512, 1536),
            (7, 300, 128),
            (1280, 40, 33),
            (1, 192, 576),
        ] {
            let (a, b) = (matrix((rows, inner)), matrix((inner, columns)));
            let product = a.dot(&b);
            for (row, column) in [(0, 0), (rows - 1, columns - 1), (rows / 2, columns / 3)] {
                let terms: Vec<(f32, f32)> =
                    (0..inner).map(|i| (a[(row, i)], b[(i, column)])).collect();
                let part = |part: &[(f32, f32)]| {
                    part.iter().fold(0.0f32, |sum, &(a, b)| a.mul_add(b, sum))
                };
                let sum: f32 = terms
                    .chunks(PART)
                    .map(part)
                    .fold(0.0, |sum, part| sum + part);
                assert_eq!(product[(row, column)].to_bits(), sum.to_bits());
            }
        }
    }
}
