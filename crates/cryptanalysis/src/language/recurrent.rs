//! A recurrent model: it predicts the next character from a few hundred numbers, carried along from the first character
//! on. The units are gated recurrent units (Cho et al., "Learning phrase representations using RNN encoder-decoder for
//! statistical machine translation", EMNLP 2014).
//!
//! Counts know what they have seen; this knows what it resembles.

use multiversion::multiversion;
use ndarray::{Array1, Array2};

use super::alphabet::{BOUNDARY, SYMBOLS};

/// The gates of a unit: one forgets, one keeps, and one adds.
pub const GATES: usize = 3;

/// The numbers that training finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrent {
    /// For each symbol, the amounts that reading it adds to each gate: `SYMBOLS` rows of `GATES * units`.
    pub input: Array2<f32>,
    /// For each unit, the amounts that its state adds to each gate: `units` rows of `GATES * units`.
    pub recurrent: Array2<f32>,
    /// For each unit, the amounts that its state adds to each symbol: `units` rows of `SYMBOLS`.
    pub output: Array2<f32>,
    /// The amount for each symbol, independent of the text.
    pub bias: Array1<f32>,
}

impl Recurrent {
    /// The number of units, which is the length of a state.
    pub fn units(&self) -> usize {
        self.output.nrows()
    }

    /// The state at the beginning of a message, in `rows` rows.
    pub fn start(&self, rows: usize) -> Array2<f32> {
        self.read(Array2::zeros((rows, self.units())), &vec![BOUNDARY; rows])
    }

    /// The states after one more symbol each: a state a row, and as many symbols.
    ///
    /// # Panics
    /// If a state has another length than [`Recurrent::units`].
    pub fn read(&self, mut states: Array2<f32>, symbols: &[u8]) -> Array2<f32> {
        let mut gates = states.dot(&self.recurrent);
        let rows = states.outer_iter_mut().zip(gates.outer_iter_mut());
        for ((state, gates), &symbol) in rows.zip(symbols) {
            let input = self.input.row(usize::from(symbol) % SYMBOLS);
            // Rows of matrices that were made here are slices.
            if let (Some(input), Some(gates), Some(state)) =
                (input.to_slice(), gates.into_slice(), state.into_slice())
            {
                turn(input, gates, state);
            }
        }
        states
    }

    /// The log-probability of each symbol after each of these states.
    ///
    /// # Panics
    /// If a state has another length than [`Recurrent::units`].
    pub fn expect(&self, states: &Array2<f32>) -> Array2<f32> {
        let mut said = states.dot(&self.output) + &self.bias;
        for mut row in said.outer_iter_mut() {
            let most = row.fold(f32::MIN, |most, &x| most.max(x));
            let sum: f32 = row.iter().map(|x| exp(x - most)).sum();
            row -= most + sum.ln();
        }
        said
    }
}

/// Turns a state into the next one. `gates` holds the amounts that the state adds to each gate, and afterwards the
/// gates themselves. The exception is the third, which holds its value before the first was applied.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub fn turn(input: &[f32], gates: &mut [f32], state: &mut [f32]) {
    let units = state.len();
    let (forget, rest) = gates.split_at_mut(units);
    let (keep, new) = rest.split_at_mut(units);
    let inputs = input[..units]
        .iter()
        .zip(&input[units..2 * units])
        .zip(&input[2 * units..]);
    let gates = forget.iter_mut().zip(keep).zip(new);
    for ((state, ((forget, keep), new)), ((f, k), n)) in state.iter_mut().zip(gates).zip(inputs) {
        *forget = sigmoid(*forget + f);
        *keep = sigmoid(*keep + k);
        let fresh = tanh(n + *forget * *new);
        *state = fresh + *keep * (*state - fresh);
    }
}

/// The logistic function.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// e^x to six digits, in a form that compilers turn into vector instructions.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const SERIES: [f32; 7] = [
        1.535_336_2e-4,
        1.339_887_4e-3,
        9.618_437e-3,
        5.550_327e-2,
        0.240_226_48,
        std::f32::consts::LN_2,
        1.0,
    ];
    let y = (x * std::f32::consts::LOG2_E).clamp(-126.0, 126.0);
    let whole = (y + 12_582_912.0) - 12_582_912.0;
    let part = y - whole;
    let fraction = SERIES.iter().fold(0.0, |sum, c| sum * part + c);
    f32::from_bits((((whole as i32) + 127) << 23) as u32) * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Recurrent {
        let units = 20;
        let wave = |rows, columns| {
            Array2::from_shape_fn((rows, columns), |(row, column)| {
                0.5 * ((row * 37 + column * 11) as f32).sin()
            })
        };
        Recurrent {
            input: wave(SYMBOLS, GATES * units),
            recurrent: wave(units, GATES * units),
            output: wave(units, SYMBOLS),
            bias: Array1::zeros(SYMBOLS),
        }
    }

    #[test]
    fn texts_that_are_read_side_by_side_do_not_mix() {
        let model = some();
        let together = model.read(model.read(model.start(3), &[5, 6, 7]), &[8, 9, 10]);
        for (row, symbols) in [[5, 8], [6, 9], [7, 10]].into_iter().enumerate() {
            let alone = symbols.iter().fold(model.start(1), |state, &symbol| {
                model.read(state, &[symbol])
            });
            let off = (&alone.row(0) - &together.row(row)).mapv(f32::abs);
            assert!(off.fold(0.0f32, |most, &x| most.max(x)) < 1e-5);
        }
        assert_ne!(together.row(0), together.row(1));
    }

    #[test]
    fn what_is_expected_is_a_distribution() {
        let model = some();
        let expected = model.expect(&model.read(model.start(2), &[5, 6]));
        for row in expected.outer_iter() {
            let sum: f32 = row.iter().map(|ln| ln.exp()).sum();
            assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        }
    }

    #[test]
    fn the_functions_of_the_gates_are_right() {
        for x in [-80.0f32, -20.0, -3.3, -0.5, 0.0, 0.01, 1.0, 7.7, 60.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-5, "{x}: {}", exp(x));
            assert!((tanh(x) - x.tanh()).abs() < 1e-6, "{x}: {}", tanh(x));
        }
        assert!(sigmoid(-1000.0) < 1e-30 && sigmoid(1000.0) == 1.0);
    }
}
