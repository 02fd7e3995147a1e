//! Values that are right, nearly right, or anything.

use arbitrary::Arbitrary;

/// What the fuzzer makes of a value whose right form is known.
#[derive(Debug, Clone, Arbitrary)]
pub enum Field {
    /// The right bytes.
    Right,
    /// The right bytes with one bit changed.
    Flipped(u16),
    /// Other bytes.
    Other(Vec<u8>),
}

impl Field {
    /// The bytes that are sent.
    pub fn apply(&self, right: &[u8]) -> Vec<u8> {
        match self {
            Self::Right => right.to_vec(),
            Self::Flipped(_) if right.is_empty() => Vec::new(),
            Self::Flipped(bit) => {
                let mut bytes = right.to_vec();
                let bit = usize::from(*bit) % (8 * bytes.len());
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            }
            Self::Other(bytes) => bytes.clone(),
        }
    }

    /// The same for a field of a fixed size: other bytes are cut or filled up with zeros.
    pub fn fixed<const N: usize>(&self, right: [u8; N]) -> [u8; N] {
        let mut bytes = self.apply(&right);
        bytes.resize(N, 0);
        bytes.try_into().expect("it has just been resized")
    }
}

/// How a record is padded.
#[derive(Debug, Clone, Arbitrary)]
pub struct Padding {
    /// How many sizes of record it is larger than it has to be.
    wider: u8,
    /// What stands in place of the last zero.
    dirt: u8,
}

impl Padding {
    /// As the protocol wants it.
    pub const RIGHT: Self = Self { wider: 0, dirt: 0 };

    /// Pads `plaintext` from `least`, an index of `sizes`. `None` if there is no such record; tells too whether the
    /// padding is right.
    pub fn pad(
        &self,
        mut plaintext: Vec<u8>,
        least: usize,
        sizes: &[usize],
    ) -> Option<(Vec<u8>, bool)> {
        let fits = |at: &usize| sizes[*at] >= plaintext.len();
        let smallest = (least..sizes.len()).find(fits)?;
        // One in four is wider, so that most inputs come past the padding.
        let wider = match self.wider {
            ..192 => 0,
            wider => usize::from(wider & 3),
        };
        let size = *sizes.get(smallest + wider)?;
        let dirty = self.dirt >= 192 && plaintext.len() < size;
        plaintext.resize(size, 0);
        if dirty {
            plaintext[size - 1] = self.dirt;
        }
        Some((plaintext, wider == 0 && !dirty))
    }
}
