//! The bytes of a language, and the small numbers (symbols) by which the models know them.

/// How many symbols there can be. A power of two, so that a distribution is a few vector registers wide.
pub const SYMBOLS: usize = 128;
/// No character: the symbol before the start of a message.
pub const NOTHING: u8 = 0;
/// The start of a message, and its end.
pub const BOUNDARY: u8 = 1;
/// Every byte that the language is not written with.
pub const OTHER: u8 = 2;
/// The first symbol that stands for one byte.
const FIRST: u8 = 3;

/// One number a symbol: its probability, or the natural logarithm of that.
pub type Distribution = [f32; SYMBOLS];

/// The bytes with a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alphabet {
    bytes: Vec<u8>,
    symbols: [u8; 256],
}

impl Alphabet {
    /// The alphabet of these bytes, in this order. Left out: a byte that is named twice, a line feed, and bytes without
    /// room below [`SYMBOLS`].
    pub fn new(bytes: &[u8]) -> Self {
        let mut alphabet = Self {
            bytes: Vec::new(),
            symbols: [OTHER; 256],
        };
        for &byte in bytes.iter().filter(|&&byte| byte != b'\n') {
            let symbol = alphabet.size();
            if symbol < SYMBOLS && alphabet.symbols[usize::from(byte)] == OTHER {
                alphabet.symbols[usize::from(byte)] = symbol as u8;
                alphabet.bytes.push(byte);
            }
        }
        alphabet
    }

    /// The printable bytes of ASCII, then `more`.
    pub fn ascii_and(more: &[u8]) -> Self {
        let printable: Vec<u8> = (b' '..=b'~').chain(more.iter().copied()).collect();
        Self::new(&printable)
    }

    /// The bytes with a symbol, in the order of their symbols.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of symbols in use.
    pub fn size(&self) -> usize {
        usize::from(FIRST) + self.bytes.len()
    }

    /// The symbol of a byte inside a message.
    pub fn symbol(&self, byte: u8) -> u8 {
        self.symbols[usize::from(byte)]
    }

    /// How many bytes share the symbol [`OTHER`].
    pub fn others(&self) -> usize {
        256 - self.bytes.len()
    }
}

/// The symbols before a character, with seven bits each: the nearest one in the highest bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context(u128);

impl Context {
    /// How many symbols a context holds.
    pub const REACH: usize = 18;
    const BITS: usize = 7;
    const TOP: usize = Self::BITS * (Self::REACH - 1);

    /// The context of a message's first character.
    pub const START: Self = Self((BOUNDARY as u128) << Self::TOP);

    /// The context after one more symbol.
    pub fn then(self, symbol: u8) -> Self {
        Self(self.0 >> Self::BITS | u128::from(symbol) << Self::TOP)
    }

    /// The symbols, the nearest first, back to the start of the message.
    pub fn symbols(self) -> impl Iterator<Item = u8> {
        let at = move |i| (self.0 >> (Self::TOP - Self::BITS * i)) as u8 & 127;
        (0..Self::REACH)
            .map(at)
            .take_while(|&symbol| symbol != NOTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_one_symbol() {
        let alphabet = Alphabet::ascii_and("äé".as_bytes());
        assert_eq!(alphabet.size(), 3 + 95 + 3);
        assert_eq!(alphabet.others(), 256 - 98);
        assert_eq!(alphabet.symbol(b' '), FIRST);
        assert_eq!(alphabet.symbol(b'\n'), OTHER);
        assert_eq!(alphabet, Alphabet::new(alphabet.bytes()));
        let all = Alphabet::new(&(0..=255).collect::<Vec<u8>>());
        assert_eq!(all.size(), SYMBOLS);
    }

    #[test]
    fn a_context_ends_where_the_message_starts() {
        let context = Context::START.then(7).then(9);
        assert_eq!(context.symbols().collect::<Vec<_>>(), [9, 7, BOUNDARY]);
        let long = (0..40).fold(Context::START, |context, i| context.then(3 + i));
        assert_eq!(long.symbols().count(), Context::REACH);
    }
}
