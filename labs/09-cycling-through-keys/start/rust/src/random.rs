//! The generator of Python's module `random`: the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998). Complete.

/// The number of words in the state.
const SIZE: usize = 624;
/// The distance of the word that is mixed in.
const DISTANCE: usize = 397;

/// A generator with a seed.
pub struct Random {
    state: [u32; SIZE],
    /// How many words of this state have been given out.
    used: usize,
}

impl Random {
    /// As `random.Random(seed)` in Python: mixes the words of the seed into a state that is the same for every seed.
    pub fn new(seed: u64) -> Self {
        let mut state = [19_650_218; SIZE];
        for i in 1..SIZE {
            state[i] = mixed(state[i - 1], 1_812_433_253).wrapping_add(i as u32);
        }
        // A seed of 32 bits is one word. A larger one is two words, the lower word first.
        let words = [seed as u32, (seed >> 32) as u32];
        let words = if words[1] == 0 { &words[..1] } else { &words[..] };
        let mut i = 1;
        for (j, word) in words.iter().enumerate().cycle().take(SIZE) {
            let sum = state[i] ^ mixed(state[i - 1], 1_664_525);
            state[i] = sum.wrapping_add(*word).wrapping_add(j as u32);
            i = next_place(&mut state, i);
        }
        for _ in 1..SIZE {
            let sum = state[i] ^ mixed(state[i - 1], 1_566_083_941);
            state[i] = sum.wrapping_sub(i as u32);
            i = next_place(&mut state, i);
        }
        state[0] = 0x8000_0000;
        Self { state, used: SIZE }
    }

    /// As `randbytes(N)` in Python: each output gives four bytes, the lowest first.
    pub fn randbytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for piece in bytes.chunks_mut(4) {
            // If fewer than four bytes are wanted, Python takes the highest ones.
            let output = self.output().to_le_bytes();
            piece.copy_from_slice(&output[4 - piece.len()..]);
        }
        bytes
    }

    /// The next 32 bits.
    fn output(&mut self) -> u32 {
        if self.used == SIZE {
            self.next_state();
        }
        let mut word = self.state[self.used];
        self.used += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    /// Each word of the next state comes from three words.
    fn next_state(&mut self) {
        for i in 0..SIZE {
            let (this, next) = (self.state[i], self.state[(i + 1) % SIZE]);
            let joined = this & 0x8000_0000 | next & 0x7fff_ffff;
            let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + DISTANCE) % SIZE] ^ joined >> 1 ^ twist;
        }
        self.used = 0;
    }
}

/// A step of the seeding.
fn mixed(word: u32, factor: u32) -> u32 {
    (word ^ word >> 30).wrapping_mul(factor)
}

/// The place after this one. The last word is also the word before place 1.
fn next_place(state: &mut [u32; SIZE], place: usize) -> usize {
    if place + 1 < SIZE {
        return place + 1;
    }
    state[0] = state[SIZE - 1];
    1
}
