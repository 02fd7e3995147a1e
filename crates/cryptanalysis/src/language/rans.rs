//! An entropy coder: symbols in as many bits as they are surprising (Duda, "Asymmetric numeral systems", 2013; the
//! bytewise form is Giesen's, "Interleaved entropy coders", 2014).
//!
//! Each symbol belongs to a *situation*, and each situation has a table of how frequent its symbols are. The encoder works
//! backwards, so that the decoder gets the symbols in order and can choose a situation by what it has decoded already.

/// Frequencies are in units of 1/4096.
const PRECISION: u32 = 12;
const TOTAL: u32 = 1 << PRECISION;
/// The state is kept at or above this by moving bytes in and out.
const LOWEST_STATE: u32 = 1 << 23;

/// How frequent each symbol is in one situation.
#[derive(Clone, Debug, Default)]
struct Table {
    /// The frequency of each symbol, and the sum of those before it.
    ranges: Vec<(u16, u16)>,
    /// Which symbol each of the 4096 slots belongs to; empty if the situation never occurs.
    slots: Vec<u8>,
}

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
        for (symbol, &frequency) in frequencies.iter().enumerate() {
            let start = table.slots.len();
            let end = start + usize::from(frequency);
            if end > TOTAL as usize {
                return None;
            }
            table.ranges.push((frequency, start as u16));
            table.slots.resize(end, symbol as u8);
        }
        (frequencies.is_empty() || table.slots.len() == TOTAL as usize).then_some(table)
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
    let mut state = LOWEST_STATE;
    let mut code = Vec::new();
    for &(situation, symbol) in symbols.iter().rev() {
        let (frequency, start) = tables[usize::from(situation)].ranges[usize::from(symbol)];
        let (frequency, start) = (u32::from(frequency), u32::from(start));
        let most = ((LOWEST_STATE >> PRECISION) << 8) * frequency;
        while state >= most {
            code.push(state as u8);
            state >>= 8;
        }
        state = ((state / frequency) << PRECISION) + state % frequency + start;
    }
    code.extend(state.to_le_bytes());
    code.reverse();
    out.extend(code);
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

/// Takes symbols out of what [`encode`] made. Behind the end of the code come wrong symbols, never an error: whoever
/// decodes knows how many there are, and a checksum tells whether the code is whole.
pub struct Decoder<'a> {
    tables: Vec<Table>,
    state: u32,
    code: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Reads the tables of so many situations; `None` if they are damaged.
    pub fn new(mut bytes: &'a [u8], situations: usize) -> Option<Self> {
        let mut take = || {
            let (&first, rest) = bytes.split_first()?;
            bytes = rest;
            Some(first)
        };
        let mut tables = Vec::with_capacity(situations);
        for _ in 0..situations {
            let mut frequencies = Vec::new();
            for _ in 0..take()? {
                let first = u16::from(take()?);
                frequencies.push(match first {
                    0..128 => first,
                    _ => (first & 127) << 7 | u16::from(take()?),
                });
            }
            tables.push(Table::new(&frequencies)?);
        }
        let (state, code) = bytes.split_first_chunk()?;
        Some(Self {
            tables,
            state: u32::from_be_bytes(*state),
            code,
        })
    }

    /// The next symbol, which stands in this situation.
    pub fn next(&mut self, situation: usize) -> u8 {
        let slot = self.state % TOTAL;
        let table = self.tables.get(situation);
        let Some(table) = table.filter(|table| !table.slots.is_empty()) else {
            return 0;
        };
        let symbol = table.slots[slot as usize];
        let (frequency, start) = table.ranges[usize::from(symbol)];
        let high = (self.state >> PRECISION).wrapping_mul(u32::from(frequency));
        self.state = high.wrapping_add(slot).wrapping_sub(u32::from(start));
        while self.state < LOWEST_STATE {
            let Some((&byte, rest)) = self.code.split_first() else {
                break;
            };
            self.code = rest;
            self.state = self.state << 8 | u32::from(byte);
        }
        symbol
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
