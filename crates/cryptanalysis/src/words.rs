//! The word list: which words a crib may be part of, and how common each is.

use std::ops::Range;

/// Words in lower case, each with a weight, sorted so that all words with a common beginning stand together.
#[derive(Clone, Debug)]
pub struct WordList {
    words: Vec<String>,
    /// `before[i]` is the weight of all words before word `i`; one longer than `words`.
    before: Vec<f32>,
}

impl WordList {
    /// The commonest words of the embedded English texts.
    pub fn english() -> Self {
        Self::parse(include_str!("../data/words.txt"))
    }

    /// Reads a list of one word a line, the commonest first. A word weighs the inverse of its rank (Zipf's law).
    pub fn parse(list: &str) -> Self {
        let lines = list.lines().map(|line| line.trim().to_ascii_lowercase());
        let mut ranked: Vec<(String, usize)> = lines.zip(1..).collect();
        ranked.retain(|(word, _)| !word.is_empty());
        ranked.sort_unstable();
        ranked.dedup_by(|later, first| later.0 == first.0);
        let mut before = vec![0.0];
        let mut sum = 0.0;
        for (_, rank) in &ranked {
            sum += 1.0 / *rank as f32;
            before.push(sum);
        }
        let words = ranked.into_iter().map(|(word, _)| word).collect();
        Self { words, before }
    }

    /// All words, in alphabetical order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Whether `word` is in the list, in whatever case.
    pub fn contains(&self, word: &[u8]) -> bool {
        let word = word.to_ascii_lowercase();
        self.words
            .binary_search_by(|known| known.as_bytes().cmp(&word))
            .is_ok()
    }

    /// How a word that begins with `beginning` (in whatever case) goes on: the next letter and its probability, where
    /// `None` is the end of the word. Empty if no word begins so.
    pub fn continuations(&self, beginning: &[u8]) -> Vec<(Option<u8>, f32)> {
        let mut range = 0..self.words.len();
        for (depth, letter) in beginning.iter().enumerate() {
            range = self.narrow(range, depth, letter.to_ascii_lowercase());
        }
        let total = self.weight(&range);
        let mut next = Vec::new();
        while !range.is_empty() {
            let letter = self.letter(range.start, beginning.len());
            let same = match letter {
                None => range.start..range.start + 1,
                Some(letter) => self.narrow(range.clone(), beginning.len(), letter),
            };
            next.push((letter, self.weight(&same) / total));
            range.start = same.end;
        }
        next
    }

    fn letter(&self, word: usize, depth: usize) -> Option<u8> {
        self.words[word].as_bytes().get(depth).copied()
    }

    /// The words in `range`, which agree before `depth`, that have `letter` there.
    fn narrow(&self, range: Range<usize>, depth: usize, letter: u8) -> Range<usize> {
        let words = &self.words[range.clone()];
        let at = |word: &String| word.as_bytes().get(depth).copied();
        let start = words.partition_point(|word| at(word) < Some(letter));
        let end = words.partition_point(|word| at(word) <= Some(letter));
        range.start + start..range.start + end
    }

    fn weight(&self, range: &Range<usize>) -> f32 {
        self.before[range.end] - self.before[range.start]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_on_as_the_list_says() {
        let words = WordList::parse("the\nthen\ncat\n\nTHE\n");
        assert_eq!(words.words().collect::<Vec<_>>(), ["cat", "the", "then"]);
        assert!(words.contains(b"Then") && !words.contains(b"th"));
        let next = words.continuations(b"The");
        assert_eq!(
            next.iter().map(|n| n.0).collect::<Vec<_>>(),
            [None, Some(b'n')]
        );
        assert!((next[0].1 - 2.0 / 3.0).abs() < 1e-6);
        assert!(words.continuations(b"dog").is_empty());
        assert!(words.continuations(b"thens").is_empty());
    }

    #[test]
    fn an_empty_list_knows_nothing() {
        let words = WordList::parse("");
        assert!(words.continuations(b"").is_empty() && !words.contains(b""));
    }

    #[test]
    fn the_english_list_is_english() {
        let words = WordList::english();
        for word in ["hello", "the", "meeting", "noon", "pay"] {
            assert!(words.contains(word.as_bytes()), "{word}");
        }
        assert!(words.words().all(|word| word.is_ascii()));
    }
}
