//! The weights of a recurrent model in a language's file: each is one of 127 levels, in proportion to the greatest
//! weight of its row.
//!
//! | bytes | what |
//! | --- | --- |
//! | 2 | units |
//! | 4 × symbols | bias (f32) |
//! | 4 × rows | the greatest weight of each row of the three matrices (f32): input, recurrent, output |
//! | 4 + n | the levels of all rows, through the entropy coder |
//!
//! Numbers are little-endian. Symbols that the alphabet does not use have no row and no column.

use ndarray::{Array1, Array2};

use super::alphabet::{Alphabet, SYMBOLS};
use super::rans::{Decoder, encode};
use super::reader::Reader;
use super::recurrent::{GATES, Recurrent};

/// Levels above zero, and below.
const LEVELS: f32 = 63.0;
/// More units than this are not believed.
const MOST_UNITS: usize = 1024;
/// The limit on weights from one byte of code, and on the additional ones from none. A weight takes nearly a byte. But
/// equal levels take nothing, and a short file must not ask for much memory.
const WEIGHTS_A_BYTE: usize = 16;
const WEIGHTS_OF_NOTHING: usize = 1 << 12;
/// The log-probability of a symbol that is not used.
const NEVER: f32 = -100.0;
/// The gates of the input, those of the states, and the output are distributed differently.
const SITUATIONS: usize = 2 * GATES + 1;

/// The rows of a model's three matrices, as far as symbols are used. Each has the first of its situations and the
/// number of weights with one situation.
fn rows(model: &Recurrent, symbols: usize) -> impl Iterator<Item = (usize, usize, Vec<f32>)> {
    let units = model.units();
    let matrices = [
        (&model.input, symbols, 0, units),
        (&model.recurrent, units, GATES, units),
        (&model.output, units, 2 * GATES, symbols),
    ];
    matrices
        .into_iter()
        .flat_map(move |(matrix, rows, situation, width)| {
            let used = width * (matrix.ncols() / width).min(GATES);
            let rows = matrix.outer_iter().take(rows);
            rows.map(move |row| (situation, width, row.iter().take(used).copied().collect()))
        })
}

/// Writes a model. A model that is read again is the nearest one that can be written.
pub(super) fn pack(model: &Recurrent, alphabet: &Alphabet) -> Vec<u8> {
    let mut out = (model.units() as u16).to_le_bytes().to_vec();
    let bias = model.bias.iter().take(alphabet.size());
    out.extend(bias.flat_map(|bias| bias.to_le_bytes()));
    let mut levels = Vec::new();
    for (situation, width, row) in rows(model, alphabet.size()) {
        let most = row
            .iter()
            .fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs()));
        out.extend(most.to_le_bytes());
        levels.extend(row.iter().enumerate().map(|(at, weight)| {
            let level = (weight / most * LEVELS).round() + LEVELS;
            ((situation + at / width) as u16, level as u8)
        }));
    }
    let code = encode(&levels, SITUATIONS);
    out.extend((code.len() as u32).to_le_bytes());
    out.extend(code);
    out
}

/// A model as it stands in the file.
pub(super) struct Packed<'a> {
    bias: Array1<f32>,
    symbols: usize,
    /// The greatest weights of the rows.
    most: Vec<f32>,
    code: &'a [u8],
}

impl<'a> Packed<'a> {
    /// `None` if the file ends too early, or there is no such number of units.
    pub(super) fn take(reader: &mut Reader<'a>, alphabet: &Alphabet) -> Option<Self> {
        let units = usize::from(u16::from_le_bytes(*reader.array()?));
        if units == 0 || units > MOST_UNITS {
            return None;
        }
        let symbols = alphabet.size();
        let mut bias = Array1::from_elem(SYMBOLS, NEVER);
        for bias in bias.iter_mut().take(symbols) {
            *bias = f32::from_le_bytes(*reader.array()?);
        }
        let most = (0..symbols + 2 * units).map(|_| reader.array().map(|x| f32::from_le_bytes(*x)));
        let most = most.collect::<Option<_>>()?;
        let length = reader.number()?;
        let code = reader.take(length)?;
        Some(Self {
            bias,
            symbols,
            most,
            code,
        })
    }

    /// `None` if the code is damaged.
    pub(super) fn unpack(&self) -> Option<Recurrent> {
        let units = (self.most.len() - self.symbols) / 2;
        let weights = units * (GATES * (self.symbols + units) + self.symbols);
        let finite = self.bias.iter().chain(&self.most).all(|x| x.is_finite());
        if weights > WEIGHTS_A_BYTE * self.code.len() + WEIGHTS_OF_NOTHING || !finite {
            return None;
        }
        let mut code = Decoder::new(self.code, SITUATIONS)?;
        let mut most = self.most.iter();
        let mut matrix =
            |rows: usize, used: usize, situation: usize, width: usize, parts: usize| {
                let columns = if parts == 1 { SYMBOLS } else { parts * width };
                let mut matrix = Array2::zeros((rows, columns));
                for (mut row, most) in matrix.outer_iter_mut().zip(most.by_ref().take(used)) {
                    for (at, weight) in row.iter_mut().enumerate().take(parts * width) {
                        let level = f32::from(code.next(situation + at / width)) - LEVELS;
                        *weight = most * level / LEVELS;
                    }
                }
                matrix
            };
        Some(Recurrent {
            input: matrix(SYMBOLS, self.symbols, 0, units, GATES),
            recurrent: matrix(units, units, GATES, units, GATES),
            output: matrix(units, units, 2 * GATES, self.symbols, 1),
            bias: self.bias.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_as_it_was_written_to_the_nearest_level() {
        let alphabet = Alphabet::ascii_and(b"");
        let (units, symbols) = (5, alphabet.size());
        let wave = |rows, columns, used: usize| {
            let value = move |(row, column)| ((row * 31 + column * 7) as f32).sin();
            Array2::from_shape_fn(
                (rows, columns),
                move |at| if at.1 < used { value(at) } else { 0.0 },
            )
        };
        let mut model = Recurrent {
            input: wave(SYMBOLS, GATES * units, GATES * units),
            recurrent: wave(units, GATES * units, GATES * units),
            output: wave(units, SYMBOLS, symbols),
            bias: Array1::from_shape_fn(SYMBOLS, |i| if i < symbols { i as f32 } else { NEVER }),
        };
        for mut row in model.input.outer_iter_mut().skip(symbols) {
            row.fill(0.0);
        }
        let file = pack(&model, &alphabet);
        let read = |file: &[u8]| Packed::take(&mut Reader(file), &alphabet)?.unpack();
        let again = read(&file).unwrap();
        assert_eq!(again.bias, model.bias);
        for (again, model) in [
            (&again.input, &model.input),
            (&again.recurrent, &model.recurrent),
            (&again.output, &model.output),
        ] {
            assert_eq!(again.dim(), model.dim());
            let off = again.iter().zip(model).map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f32::max) <= 0.51 / LEVELS);
        }
        assert!(read(&file[..file.len() - 1]).is_none());
        assert!(read(&[255; 2000]).is_none());
    }
}
