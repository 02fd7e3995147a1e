//! A small model of English: how probable is each next character after what stands before it?
//!
//! It counts, in the embedded text, what followed each beginning of up to [`ORDER`] characters, and mixes the counts: a
//! long context decides where it was seen often, the shorter ones where it was not (Witten and Bell, "The
//! zero-frequency problem", 1991). Inside a word, the word list has a say as well.

use std::sync::OnceLock;

use crate::words::WordList;

/// The longest context, in characters.
const ORDER: usize = 6;
/// Bytes above ASCII all count as this one.
const OTHER: u8 = 127;
/// How much of the probability inside a word the word list decides.
const WORD_LIST_SHARE: f32 = 0.35;
/// How much is kept for characters that the text never showed in such a place.
const SURPRISE: f32 = 0.004;

/// The start of a message, and its end.
pub(crate) const BOUNDARY: u8 = b'\n';

/// One number a character, by [`class`]: its probability, or the natural logarithm of that.
pub(crate) type Distribution = [f32; 128];

/// The place of a byte in [`Distribution`].
pub(crate) fn class(byte: u8) -> usize {
    usize::from(byte.min(OTHER))
}

/// Counts of what follows what.
pub(crate) struct Language {
    /// One number a character of the text: the context before it, nearest character first and so most significant, then
    /// the character itself, at seven bits each. Sorted, so that equal contexts of any length stand together.
    seen: Vec<u64>,
    /// How often each character stands in the text.
    singles: Vec<u32>,
    /// `pairs[a * 128 + c]`: how often `c` followed `a`. These runs are too long to be counted anew each time.
    pairs: Vec<u32>,
}

impl Language {
    /// The model of the embedded English text, made at the first call.
    pub(crate) fn english() -> &'static Self {
        static ENGLISH: OnceLock<Language> = OnceLock::new();
        ENGLISH.get_or_init(|| {
            let chat = include_str!("../data/chat.txt");
            let speeches = include_str!("../data/speeches.txt");
            // The chat is short but nearest to what is attacked, so it counts for more.
            Self::learn(&[chat, chat, chat, speeches])
        })
    }

    /// Learns from texts of one message a line.
    fn learn(texts: &[&str]) -> Self {
        let mut seen = Vec::with_capacity(texts.iter().map(|text| text.len()).sum());
        let (mut singles, mut pairs) = (vec![0; 128], vec![0; 128 * 128]);
        let nearest = 7 * (ORDER - 1);
        for text in texts {
            let mut context = fold(BOUNDARY) << nearest;
            for &byte in text.as_bytes() {
                let next = class(byte);
                seen.push(context << 7 | next as u64);
                singles[next] += 1;
                pairs[(context >> nearest) as usize * 128 + next] += 1;
                context = context >> 7 | fold(byte) << nearest;
            }
        }
        seen.sort_unstable();
        Self {
            seen,
            singles,
            pairs,
        }
    }

    /// The log-probability of each character after `before`.
    pub(crate) fn after(&self, before: &[u8], words: &WordList) -> Distribution {
        let mut p = self.blend(before);
        blend_words(&mut p, words, word_beginning(before));
        let digit = p[48..58].iter().sum::<f32>() / 10.0;
        p[48..58].fill(digit);
        for (byte, p) in p.iter_mut().enumerate() {
            *p = (*p * (1.0 - SURPRISE) + SURPRISE * surprise(byte as u8)).ln();
        }
        p
    }

    /// The mixed counts of all contexts, the shortest first.
    fn blend(&self, before: &[u8]) -> Distribution {
        let mut p = [0.0; 128];
        mix_counts(&mut p, &self.singles);
        let mut run = &self.seen[..];
        let mut prefix = 0;
        for (length, &byte) in (1..=ORDER).zip(before.iter().rev()) {
            let shift = 7 * (ORDER + 1 - length);
            prefix = prefix << 7 | fold(byte);
            let start = run.partition_point(|seen| seen >> shift < prefix);
            let end = run.partition_point(|seen| seen >> shift <= prefix);
            run = &run[start..end];
            match length {
                _ if run.is_empty() => break,
                1 => mix_counts(&mut p, &self.pairs[prefix as usize * 128..][..128]),
                _ => mix_run(&mut p, run),
            }
        }
        p
    }
}

/// Contexts do not tell upper from lower case, nor one digit from another: "The m" teaches what follows "the m".
fn fold(byte: u8) -> u64 {
    u64::from(match byte {
        b'0'..=b'9' => b'0',
        _ => byte.to_ascii_lowercase().min(OTHER),
    })
}

/// The probability of a character that nothing led to expect.
fn surprise(byte: u8) -> f32 {
    match byte {
        b' '..=b'~' => 1.0 / 96.0,
        _ => 1e-4,
    }
}

/// Mixes a table of counts into `p`: the more often the context was seen, and the fewer characters ever followed it,
/// the less of the old `p` is left.
fn mix_counts(p: &mut Distribution, counts: &[u32]) {
    let total: u32 = counts.iter().sum();
    let kinds = counts.iter().filter(|&&count| count > 0).count() as f32;
    let scale = 1.0 / (total as f32 + kinds).max(1.0);
    for (p, &count) in p.iter_mut().zip(counts) {
        *p = (*p * kinds + count as f32) * scale;
    }
}

/// The same for a short run of [`Language::seen`].
fn mix_run(p: &mut Distribution, run: &[u64]) {
    let kinds = run
        .iter()
        .fold(0u128, |kinds, seen| kinds | 1 << (seen & 127));
    let kinds = kinds.count_ones() as f32;
    let scale = 1.0 / (run.len() as f32 + kinds);
    for p in p.iter_mut() {
        *p *= kinds * scale;
    }
    for seen in run {
        p[(seen & 127) as usize] += scale;
    }
}

/// Lets the word list say how the word that begins with `beginning` goes on.
fn blend_words(p: &mut Distribution, words: &WordList, beginning: &[u8]) {
    if beginning.is_empty() {
        return;
    }
    let next = words.continuations(beginning);
    if next.is_empty() {
        return;
    }
    let ends: f32 = (0..128)
        .filter(|&byte| !in_word(byte))
        .map(|byte| p[byte as usize])
        .sum();
    let mut listed = [0.0; 128];
    for (letter, share) in next {
        match letter {
            Some(letter) => listed[class(letter)] += share,
            // Which character ends the word, the text knows better.
            None => (0..128)
                .filter(|&byte| !in_word(byte))
                .for_each(|byte| listed[byte as usize] += share * p[byte as usize] / ends),
        }
    }
    for (p, listed) in p.iter_mut().zip(listed) {
        *p += WORD_LIST_SHARE * (listed - *p);
    }
}

/// Whether a byte can stand inside a word of the list.
pub(crate) fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'\''
}

/// The letters at the end of `text`: the word it breaks off in.
pub(crate) fn word_beginning(text: &[u8]) -> &[u8] {
    let letters = text.iter().rev().take_while(|&&byte| in_word(byte)).count();
    &text[text.len() - letters..]
}

/// How far back [`Language::after`] looks in a text that ends here.
pub(crate) fn memory(text: &[u8]) -> &[u8] {
    let length = word_beginning(text).len().max(ORDER).min(text.len());
    &text[text.len() - length..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &[u8]) -> f32 {
        let (language, words) = (Language::english(), WordList::english());
        let mut sum = 0.0;
        for (at, &byte) in text.iter().enumerate() {
            sum -= language.after(&text[..at], &words)[class(byte)];
        }
        sum / text.len() as f32
    }

    #[test]
    fn every_distribution_sums_to_one() {
        let (language, words) = (Language::english(), WordList::english());
        for before in ["", "\n", "the me", "\nxqzj", "pay bob 1", "\u{fc}\u{fc}"] {
            let sum: f32 = language
                .after(before.as_bytes(), &words)
                .iter()
                .map(|p| p.exp())
                .sum();
            assert!((sum - 1.0).abs() < 0.01, "{before:?} sums to {sum}");
        }
    }

    #[test]
    fn english_is_likelier_than_noise() {
        assert!(bits(b"\nwe will talk about it over a cup of tea") < 2.5);
        assert!(bits(b"\nqzx vpw jjk eeoiu hgfds mnbvc rtzui") > 4.0);
        assert!(bits(&[200; 20]) > 6.0);
    }

    #[test]
    fn memory_is_all_that_counts() {
        let (language, words) = (Language::english(), WordList::english());
        let text = b"\nthere was a misunderst";
        assert_eq!(memory(text), b"misunderst");
        assert_eq!(
            language.after(text, &words),
            language.after(memory(text), &words)
        );
    }
}
