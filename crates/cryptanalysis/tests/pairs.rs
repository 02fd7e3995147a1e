//! Two messages under one keystream, in both modes: what is claimed of their pairs of bytes is true. Half a minute, so it is
//! not part of the everyday run:
//!
//! ```sh
//! cargo test --workspace --test pairs
//! ```

mod common;

use common::{HELD_OUT, key};
use latchstring_cryptanalysis::{Keystream, Language, Mode, solve, xor};

/// What a mode makes of held-out lines, two at a time: pairs of bytes.
#[derive(Debug, Default)]
struct Pairs {
    all: usize,
    right: usize,
    /// Those claimed at 95 %, and how many of them are right.
    sure: usize,
    sure_and_right: usize,
}

impl Pairs {
    fn read(mode: Mode, language: &Language, lines: &[&[u8]]) -> Self {
        let mut pairs = Self::default();
        for texts in lines.chunks_exact(2) {
            let ciphertexts = [0, 1].map(|i: usize| xor(texts[i], &key(200)));
            let pair = solve(&ciphertexts, language, &Keystream::new(), mode);
            let reach = texts[0].len().min(texts[1].len());
            assert_eq!(pair.pairs.len(), reach);
            for (at, confidence) in pair.pairs.iter().enumerate() {
                let found = [0, 1].map(|i: usize| pair.messages[i][at].value);
                let truth = [0, 1].map(|i: usize| Some(texts[i][at]));
                let right = found == truth || found == [truth[1], truth[0]];
                let sure = *confidence >= 0.95;
                pairs.all += 1;
                pairs.right += usize::from(right);
                pairs.sure += usize::from(sure);
                pairs.sure_and_right += usize::from(sure && right);
            }
        }
        pairs
    }

    fn assert_honest(&self) {
        assert!(self.sure_and_right * 100 >= self.sure * 95, "{self:?}");
        // Claiming nothing would be easy.
        assert!(self.sure * 10 >= self.all * 7, "{self:?}");
    }
}

fn held_out() -> Vec<&'static [u8]> {
    HELD_OUT.lines().map(str::as_bytes).collect()
}

#[test]
fn nineteen_of_twenty_pairs_claimed_at_95_percent_are_true() {
    Pairs::read(Mode::Fast, Language::english(), &held_out()).assert_honest();
}

/// Nobody spells like this in what the models have read.
const TEXTING: [&str; 12] = [
    "hiya mate wot time r u gettin here l8r? il put kettle on x",
    "cant find me keys agen lol, r they on ur kitchen table??",
    "sori babe missed ur call was in da shower, ring us bak",
    "wud u pick up sum milk n bread on ur way home plz hun",
    "dunno wots rong wiv me phone, keeps cuttin out grrr",
    "goin 2 c nan 2moro, she sez bring ur washin round lol",
    "aint got no credit left so txt us on this num instead",
    "did ya hear bout kev n shaz?? they r movin 2 spain!!",
    "tell ur bro he owes me a tenner n a curry frm last wk",
    "jus got in, feet r killin me. neva wearin them again",
    "wanna cum round ours 4 tea fri? doin me famous lasagne",
    "ok luv, speak 2moz. nite nite sleep tite xxx",
];

#[test]
fn the_deep_mode_reads_what_the_fast_one_misses_and_is_as_honest() {
    let lines = TEXTING.map(str::as_bytes);
    let [fast, deep] =
        [Mode::Fast, Mode::Deep].map(|mode| Pairs::read(mode, Language::english(), &lines));
    assert!(deep.right > fast.right, "{deep:?} {fast:?}");
    Pairs::read(Mode::Deep, Language::english(), &held_out()[..8]).assert_honest();
}
