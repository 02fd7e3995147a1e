//! Files of language models, with a checksum that is always right.
//!
//! Besides "no panic": a small file does not become a large model, and what is taken gives probabilities after every
//! context: none negative, and one in all.

use latchstring_cryptanalysis::{
    Language,
    language::alphabet::{Context, SYMBOLS},
};

/// No model is larger than this many contexts for each byte of its file.
const CONTEXTS_A_BYTE: usize = 64;

/// Runs one input: what follows the checksum.
pub fn run(data: &[u8]) {
    let Ok(language) = Language::read(&file(data)) else {
        return;
    };
    for model in language.models() {
        assert!(
            model.len() <= CONTEXTS_A_BYTE * data.len() + SYMBOLS,
            "{} contexts",
            model.len()
        );
        for symbols in [&[][..], &[1], &[9, 8], &[127; 20], data] {
            let mut context = Context::START;
            for symbol in symbols.iter().take(64) {
                context = context.then(symbol & 127);
            }
            let (p, _) = model.after(context);
            let sum: f32 = p.iter().sum();
            assert!(
                p.iter().all(|p| *p >= 0.0) && (0.9..1.1).contains(&sum),
                "{sum}"
            );
        }
    }
}

/// The whole file around a body.
pub fn file(body: &[u8]) -> Vec<u8> {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325 ^ body.len() as u64;
    for chunk in body.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        sum = (sum ^ word)
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(29);
    }
    [&b"latchLM3"[..], &sum.to_le_bytes(), body].concat()
}
