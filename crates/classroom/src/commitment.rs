//! The only trace of the answers in a student's folder: a salted hash of each.

use sha2::{Digest, Sha256};

use super::catalogue::Answer;

/// SHA-256 over salt, question and answer, in hex.
pub fn commit(salt: &str, question: &str, kind: Answer, answer: &str) -> String {
    let mut hash = Sha256::new();
    for part in [salt, question, &normal(kind, answer)] {
        // The length in front keeps the parts apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// The one spelling of an answer.
pub fn normal(kind: Answer, answer: &str) -> String {
    let answer = answer.trim();
    match kind {
        Answer::Text | Answer::Predict => answer.to_owned(),
        Answer::Number => {
            let digits = answer.trim_start_matches('0');
            if digits.is_empty() && !answer.is_empty() {
                "0".to_owned()
            } else {
                digits.to_owned()
            }
        }
        Answer::Hex => {
            let lower = answer.to_ascii_lowercase();
            let digits = lower.strip_prefix("0x").unwrap_or(&lower);
            digits
                .chars()
                .filter(|c| !c.is_whitespace() && *c != ':')
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_count_and_everything_else_does() {
        let same = |kind, a: &str, b: &str| commit("s", "q", kind, a) == commit("s", "q", kind, b);
        assert!(same(Answer::Hex, "0xAB cd:01", "abcd01"));
        assert!(!same(Answer::Hex, "ab", "ac"));
        assert!(same(Answer::Number, " 0128", "128"));
        assert!(same(Answer::Number, "00", "0"));
        assert!(!same(Answer::Number, "", "0"));
        assert!(same(Answer::Text, " meet me ", "meet me"));
        assert!(!same(Answer::Text, "Meet me", "meet me"));
        assert_ne!(
            commit("s", "q", Answer::Text, "a"),
            commit("t", "q", Answer::Text, "a")
        );
        assert_ne!(
            commit("s", "q", Answer::Text, "a"),
            commit("s", "r", Answer::Text, "a")
        );
    }
}
