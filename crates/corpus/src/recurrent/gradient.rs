//! The direction in which to change the weights: back-propagation through time. (Werbos, "Backpropagation through time:
//! what it does and how to do it", Proceedings of the IEEE 1990.)

use latchstring_cryptanalysis::language::{
    alphabet::{BOUNDARY, SYMBOLS},
    recurrent::{GATES, Recurrent, exp, tanh, turn},
};
use multiversion::multiversion;
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayViewMut1, Axis, linalg::general_mat_mul};

/// How many characters back a surprise is followed.
pub(super) const STEPS: usize = 40;

/// Reads several texts side by side, [`STEPS`] characters of each at a time.
pub(super) struct Reader<'a> {
    texts: Vec<&'a [u8]>,
    /// The state of each: a row a text.
    states: Array2<f32>,
}

/// The record of [`STEPS`] characters: for each step and text a row.
struct Trace {
    /// The states before the character, and after it.
    before: Array3<f32>,
    after: Array3<f32>,
    gates: Array3<f32>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(texts: &[&'a [u8]], units: usize) -> Self {
        Self {
            texts: texts.to_vec(),
            states: Array2::zeros((texts.len(), units)),
        }
    }

    /// Reads the characters from `at` on. Returns `share` of the gradient of their mean surprise (-ln p), and the mean.
    pub(super) fn learn(&mut self, model: &Recurrent, at: usize, share: f32) -> (Recurrent, f64) {
        let trace = self.read(model, at);
        let (steps, rows, units) = trace.after.dim();
        let flat = |array: Array3<f32>| {
            let (steps, rows, width) = array.dim();
            let flat = array.into_shape_with_order((steps * rows, width));
            flat.unwrap_or_default()
        };
        let after = flat(trace.after);
        let (said, loss) = self.blame(model, &after, at, share);
        let bias = said
            .outer_iter()
            .fold(Array1::zeros(SYMBOLS), |sum, row| sum + row);
        let output = after.t().dot(&said);
        let blame = said.dot(&model.output.t());
        let blame = blame.into_shape_with_order((steps, rows, units));
        let mut gates = trace.gates;
        let input = self.back(
            model,
            at,
            &trace.before,
            &mut gates,
            blame.unwrap_or_default(),
        );
        let recurrent = flat(trace.before).t().dot(&flat(gates));
        let gradient = Recurrent {
            input,
            recurrent,
            output,
            bias,
        };
        (gradient, loss)
    }

    fn read(&mut self, model: &Recurrent, at: usize) -> Trace {
        let (rows, units) = self.states.dim();
        let mut trace = Trace {
            before: Array3::zeros((STEPS, rows, units)),
            after: Array3::zeros((STEPS, rows, units)),
            gates: Array3::zeros((STEPS, rows, GATES * units)),
        };
        for step in 0..STEPS {
            let symbols = self.texts.iter().map(|text| text[at + step]);
            let symbols: Vec<u8> = symbols.collect();
            forget_at_boundaries(&mut self.states, &symbols);
            let mut gates = trace.gates.index_axis_mut(Axis(0), step);
            trace
                .before
                .index_axis_mut(Axis(0), step)
                .assign(&self.states);
            general_mat_mul(1.0, &self.states, &model.recurrent, 0.0, &mut gates);
            let rows = self.states.outer_iter_mut().zip(gates.outer_iter_mut());
            for ((state, gates), &symbol) in rows.zip(&symbols) {
                let input = model.input.row(usize::from(symbol));
                turn(slice(input), slice_mut(gates), slice_mut(state));
            }
            trace
                .after
                .index_axis_mut(Axis(0), step)
                .assign(&self.states);
        }
        trace
    }

    /// By how much each symbol was too probable, after each step and for each text; and the mean surprise.
    fn blame(
        &self,
        model: &Recurrent,
        after: &Array2<f32>,
        at: usize,
        share: f32,
    ) -> (Array2<f32>, f64) {
        let count = after.nrows();
        let mut said = after.dot(&model.output);
        let mut loss = 0.0;
        let rows = self.texts.len();
        for (i, mut said) in said.outer_iter_mut().enumerate() {
            said += &model.bias;
            let came = usize::from(self.texts[i % rows][at + i / rows + 1]);
            loss += f64::from(softmax(slice_mut(said), came, share / count as f32));
        }
        (said, loss / count as f64)
    }

    /// Goes back from the last step to the first. `gates` become the gradients of the gates; returns that of the input.
    fn back(
        &self,
        model: &Recurrent,
        at: usize,
        before: &Array3<f32>,
        gates: &mut Array3<f32>,
        blame: Array3<f32>,
    ) -> Array2<f32> {
        let mut input = Array2::zeros(model.input.raw_dim());
        let mut carried = Array2::zeros(self.states.raw_dim());
        for step in (0..STEPS).rev() {
            carried += &blame.index_axis(Axis(0), step);
            let mut gates = gates.index_axis_mut(Axis(0), step);
            let symbols: Vec<u8> = self.texts.iter().map(|text| text[at + step]).collect();
            for (row, &symbol) in symbols.iter().enumerate() {
                let symbol = usize::from(symbol);
                let before = before.index_axis(Axis(0), step);
                undo(
                    slice(model.input.row(symbol)),
                    slice(before.row(row)),
                    slice_mut(carried.row_mut(row)),
                    slice_mut(gates.row_mut(row)),
                    slice_mut(input.row_mut(symbol)),
                );
            }
            general_mat_mul(1.0, &gates, &model.recurrent.t(), 1.0, &mut carried);
            forget_at_boundaries(&mut carried, &symbols);
        }
        input
    }
}

/// Nothing is carried over from one message to the next.
fn forget_at_boundaries(states: &mut Array2<f32>, symbols: &[u8]) {
    for (mut state, &symbol) in states.outer_iter_mut().zip(symbols) {
        if symbol == BOUNDARY {
            state.fill(0.0);
        }
    }
}

/// A row of a matrix that lies in memory row by row, as all of them do here.
fn slice(row: ArrayView1<'_, f32>) -> &[f32] {
    row.to_slice().unwrap_or_default()
}

fn slice_mut(row: ArrayViewMut1<'_, f32>) -> &mut [f32] {
    row.into_slice().unwrap_or_default()
}

/// Turns what was said of each symbol into its gradient, when `came` was the one that came. Returns the surprise.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn softmax(said: &mut [f32], came: usize, share: f32) -> f32 {
    let most = said
        .iter()
        .fold(f32::MIN, |most, &x| if x > most { x } else { most });
    let right = said[came] - most;
    for x in said.iter_mut() {
        *x = exp(*x - most);
    }
    let sum: f32 = said.iter().sum();
    for x in said.iter_mut() {
        *x *= share / sum;
    }
    said[came] -= share;
    sum.ln() - right
}

/// The reverse of [`turn`]. `carried` is the gradient of the state after the character, and becomes that of the state
/// before it. `gates` are the values that `turn` left, and become their gradients. The gradients of the input are added
/// to `input`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn undo(read: &[f32], before: &[f32], carried: &mut [f32], gates: &mut [f32], input: &mut [f32]) {
    let units = before.len();
    let (forget, rest) = gates.split_at_mut(units);
    let (keep, new) = rest.split_at_mut(units);
    let (input_forget, rest) = input.split_at_mut(units);
    let (input_keep, input_new) = rest.split_at_mut(units);
    let read = &read[2 * units..];
    for i in 0..units {
        let (r, z, old) = (forget[i], keep[i], new[i]);
        let fresh = tanh(read[i] + r * old);
        let dh = carried[i];
        let dz = dh * (before[i] - fresh) * z * (1.0 - z);
        let dn = dh * (1.0 - z) * (1.0 - fresh * fresh);
        let dr = dn * old * r * (1.0 - r);
        carried[i] = dh * z;
        forget[i] = dr;
        keep[i] = dz;
        new[i] = dn * r;
        input_forget[i] += dr;
        input_keep[i] += dz;
        input_new[i] += dn;
    }
}

#[cfg(test)]
mod tests {
    use super::super::beginning;
    use super::*;

    /// Two texts with a boundary inside.
    fn texts() -> [Vec<u8>; 2] {
        [3u8, 7].map(|step| {
            let text = (0..=STEPS as u8).map(|i| if i == 9 { BOUNDARY } else { 3 + i % 5 * step });
            text.collect()
        })
    }

    fn learn(model: &Recurrent) -> (Recurrent, f64) {
        let texts = texts();
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        Reader::new(&texts, model.units()).learn(model, 0, 1.0)
    }

    #[test]
    fn the_gradient_is_what_a_small_change_of_a_weight_does() {
        const SMALL: f32 = 1e-2;
        let model = beginning(4);
        let (gradient, _) = learn(&model);
        let check = |part: fn(&mut Recurrent) -> &mut [f32]| {
            let found = part(&mut gradient.clone()).to_vec();
            for at in (0..found.len()).filter(|&at| found[at].abs() > 2e-3) {
                let loss = |change: f32| {
                    let mut model = model.clone();
                    part(&mut model)[at] += change;
                    learn(&model).1
                };
                let slope = (loss(SMALL) - loss(-SMALL)) / f64::from(2.0 * SMALL);
                let off = (slope - f64::from(found[at])).abs();
                assert!(
                    off < 2e-4 + 0.02 * slope.abs(),
                    "{at}: {slope} and {}",
                    found[at]
                );
            }
            found.iter().filter(|x| x.abs() > 2e-3).count()
        };
        let checked = [
            check(|model| model.input.as_slice_mut().unwrap()),
            check(|model| model.recurrent.as_slice_mut().unwrap()),
            check(|model| model.output.as_slice_mut().unwrap()),
            check(|model| model.bias.as_slice_mut().unwrap()),
        ];
        assert!(checked.iter().all(|&checked| checked > 5), "{checked:?}");
    }

    #[test]
    fn what_stands_before_a_boundary_is_forgotten() {
        let model = beginning(4);
        let read = |first: u8| {
            let mut text = vec![first; STEPS];
            text[STEPS - 1] = BOUNDARY;
            let texts: [&[u8]; 1] = [&text];
            let mut reader = Reader::new(&texts, model.units());
            reader.read(&model, 0);
            reader.states
        };
        assert_eq!(read(5), read(6));
        assert_eq!(read(5), model.start(1));
    }
}
