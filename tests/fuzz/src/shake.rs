//! Small changes of known inputs, without a fuzzer: what the replay tries besides the corpora themselves.

/// A generator of inputs that are like those of a corpus.
pub struct Shaker<'a> {
    corpus: &'a [Vec<u8>],
    state: u64,
}

/// Bytes at which code often turns.
const TURNS: [u8; 12] = [
    0, 1, 0x7f, 0x80, 0xfe, 0xff, b'\n', b' ', b'"', b'0', b':', b'=',
];

impl<'a> Shaker<'a> {
    /// The same seed makes the same inputs. The corpus must not be empty.
    pub fn new(corpus: &'a [Vec<u8>], seed: u64) -> Self {
        Self {
            corpus,
            state: seed | 1,
        }
    }

    /// A number below `limit`, or 0 (xorshift64, Marsaglia 2003).
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % limit.max(1)
    }

    fn one(&mut self) -> &'a [u8] {
        let corpus = self.corpus;
        &corpus[self.below(corpus.len())]
    }

    /// The next input: one of the corpus after one to eight changes.
    pub fn input(&mut self) -> Vec<u8> {
        let mut bytes = self.one().to_vec();
        for _ in 0..=self.below(8) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let to = (at + 1 + self.below(12)).min(bytes.len());
        match self.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = TURNS[self.below(TURNS.len())],
            2 => bytes.insert(at, TURNS[self.below(TURNS.len())]),
            3 => drop(bytes.drain(at..to)),
            4 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(to..to, again);
            }
            5 => bytes.truncate(at),
            _ => {
                let other = self.one();
                let from = self.below(other.len());
                let part = &other[from..(from + 40).min(other.len())];
                bytes.splice(at..to, part.iter().copied());
            }
        }
    }
}
