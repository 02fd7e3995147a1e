//! An entropy coder: a symbol takes as many bits as it is surprising (Duda, "Asymmetric numeral systems", 2013). Two
//! states take turns, and the output is whole words (Giesen, "Interleaved entropy coders", 2014).
//!
//! Each symbol belongs to a *situation*, and each situation has a table of how frequent its symbols are. The encoder works
//! backwards, so that the decoder gets the symbols in order and can choose a situation by what it has decoded already.

/// Frequencies are in units of 1/2048.
const PRECISION: u32 = 11;
const TOTAL: u32 = 1 << PRECISION;
/// A state is kept at or above this by moving words of 32 bits in and out.
const LOWEST_STATE: u64 = 1 << 31;

/// How frequent each symbol is in one situation: its frequency, and the sum of those before it.
#[derive(Clone, Debug, Default)]
struct Table(Vec<(u16, u16)>);

impl Table {
    /// Scales counts to frequencies that sum to [`TOTAL`], none of them zero where a count is not.
    fn scaled(counts: &[u64; 256]) -> Vec<u16> {
        let total: u64 = counts.iter().sum();
        let mut frequencies = [0u32; 256];
        if total == 0 {
            return Vec::new();
        }
        for (frequency, &count) in frequencies.iter_mut().zip(counts) {
            if count > 0 {
                *frequency = ((count * u64::from(TOTAL) / total) as u32).max(1);
            }
        }
        let mut sum: u32 = frequencies.iter().sum();
        while sum != TOTAL {
            let largest = (0..256).max_by_key(|&i| frequencies[i]).unwrap_or(0);
            let change = sum.abs_diff(TOTAL).min(frequencies[largest] / 2).max(1);
            if sum > TOTAL {
                frequencies[largest] -= change;
            } else {
                frequencies[largest] += change;
            }
            sum = frequencies.iter().sum();
        }
        let used = 256 - frequencies.iter().rev().take_while(|&&f| f == 0).count();
        frequencies[..used].iter().map(|&f| f as u16).collect()
    }

    /// `None` if the frequencies do not sum to [`TOTAL`].
    fn new(frequencies: &[u16]) -> Option<Self> {
        let mut table = Self::default();
        let mut sum = 0;
        for &frequency in frequencies {
            table.0.push((frequency, sum as u16));
            sum += u32::from(frequency);
            if sum > TOTAL {
                return None;
            }
        }
        (frequencies.is_empty() || sum == TOTAL).then_some(table)
    }

    /// The decoder's table, one number a slot. It holds the slot's symbol (8 bits), the symbol's frequency (12 bits),
    /// and the number of the symbol's slots before this one. A situation that never occurs has only zeros.
    fn slots(&self) -> impl Iterator<Item = u32> {
        let slots = self
            .0
            .iter()
            .zip(0u32..)
            .flat_map(|(&(frequency, _), symbol)| {
                let frequency = u32::from(frequency);
                (0..frequency).map(move |before| symbol | frequency << 8 | before << 20)
            });
        slots.chain(std::iter::repeat(0)).take(TOTAL as usize)
    }
}

/// Encodes `symbols`, each a situation and a value below 255, into tables and code.
pub fn encode(symbols: &[(u16, u8)], situations: usize) -> Vec<u8> {
    let mut counts = vec![[0u64; 256]; situations];
    for &(situation, symbol) in symbols {
        counts[usize::from(situation)][usize::from(symbol)] += 1;
    }
    let mut out = Vec::new();
    let mut tables = Vec::with_capacity(situations);
    for counts in &counts {
        let frequencies = Table::scaled(counts);
        out.push(frequencies.len().min(255) as u8);
        for &frequency in &frequencies {
            write_number(&mut out, frequency);
        }
        tables.push(Table::new(&frequencies).unwrap_or_default());
    }
    let mut states = [LOWEST_STATE; 2];
    let mut words = Vec::new();
    for (at, &(situation, symbol)) in symbols.iter().enumerate().rev() {
        let (frequency, start) = tables[usize::from(situation)].0[usize::from(symbol)];
        let (frequency, start) = (u64::from(frequency), u64::from(start));
        let state = &mut states[at % 2];
        if *state >= ((LOWEST_STATE >> PRECISION) << 32) * frequency {
            words.push(*state as u32);
            *state >>= 32;
        }
        *state = ((*state / frequency) << PRECISION) + *state % frequency + start;
    }
    out.extend(states.into_iter().flat_map(u64::to_le_bytes));
    out.extend(words.into_iter().rev().flat_map(u32::to_le_bytes));
    out
}

/// A small number in one byte, a larger one (below 2^14) in two.
fn write_number(out: &mut Vec<u8>, number: u16) {
    if number < 128 {
        out.push(number as u8);
    } else {
        out.extend([(number >> 7) as u8 | 128, number as u8 & 127]);
    }
}

/// Takes symbols out of what [`encode`] made. Behind the end of the code come wrong symbols, never an error. The caller
/// knows the number of symbols, and a checksum shows whether the code is whole.
pub struct Decoder<'a> {
    /// The slots of all situations.
    slots: Vec<u32>,
    /// The state whose turn it is, and the other one.
    states: [u64; 2],
    code: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Reads the tables of `situations` situations; `None` if they are damaged.
    pub fn new(mut bytes: &'a [u8], situations: usize) -> Option<Self> {
        let mut take = || {
            let (&first, rest) = bytes.split_first()?;
            bytes = rest;
            Some(first)
        };
        let mut slots = Vec::with_capacity(situations << PRECISION);
        for _ in 0..situations {
            let mut frequencies = Vec::new();
            for _ in 0..take()? {
                let first = u16::from(take()?);
                frequencies.push(match first {
                    0..128 => first,
                    _ => (first & 127) << 7 | u16::from(take()?),
                });
            }
            slots.extend(Table::new(&frequencies)?.slots());
        }
        let (first, rest) = bytes.split_first_chunk()?;
        let (second, code) = rest.split_first_chunk()?;
        Some(Self {
            slots,
            states: [first, second].map(|state| u64::from_le_bytes(*state)),
            code,
        })
    }

    /// The next symbol, which stands in this situation.
    #[inline]
    pub fn next(&mut self, situation: usize) -> u8 {
        let [state, other] = self.states;
        let place = situation << PRECISION | (state % u64::from(TOTAL)) as usize;
        let slot = self.slots.get(place).copied().unwrap_or(0);
        let (frequency, before) = (slot >> 8 & 0xfff, slot >> 20);
        let high = (state >> PRECISION).wrapping_mul(u64::from(frequency));
        let mut state = high.wrapping_add(u64::from(before));
        if state < LOWEST_STATE
            && let Some((word, rest)) = self.code.split_first_chunk()
        {
            self.code = rest;
            state = state << 32 | u64::from(u32::from_le_bytes(*word));
        }
        self.states = [other, state];
        slot as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(symbols in proptest::collection::vec((0u16..5, 0u8..200), 0..600)) {
            let bytes = encode(&symbols, 5);
            let mut decoder = Decoder::new(&bytes, 5).unwrap();
            for (situation, symbol) in symbols {
                prop_assert_eq!(decoder.next(usize::from(situation)), symbol);
            }
        }

        #[test]
        fn any_bytes_are_decoded_to_something(bytes: Vec<u8>) {
            if let Some(mut decoder) = Decoder::new(&bytes, 2) {
                for i in 0..50 {
                    decoder.next(i % 3);
                }
            }
        }
    }

    #[test]
    fn frequent_symbols_cost_little() {
        let symbols: Vec<_> = (0..10_000).map(|i| (0, u8::from(i % 50 == 0))).collect();
        assert!(encode(&symbols, 1).len() < 220);
    }
}
