//! The only trace of the answers in a student's folder: a salted hash of each.

use sha2::{Digest, Sha256};

use super::catalogue::Answer;

/// SHA-256 over salt, question and answer, in hex.
pub fn commit(salt: &str, question: &str, kind: Answer, answer: &str) -> String {
    hash_of([salt, question, &normal(kind, answer)])
}

/// Whether this is the answer that was committed to.
pub fn is_right(known: &str, salt: &str, question: &str, kind: Answer, answer: &str) -> bool {
    // A practice folder of an older version has the hash of a text as it was written. It stays valid.
    let as_written = || kind == Answer::Text && known == hash_of([salt, question, answer.trim()]);
    known == commit(salt, question, kind, answer) || as_written()
}

fn hash_of(parts: [&str; 3]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
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
        Answer::Secret | Answer::Predict => answer.to_owned(),
        Answer::Text => words(answer),
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

/// A text as a fair teacher reads it: the case, quotes around it, full stops at its end and blanks say nothing.
fn words(answer: &str) -> String {
    const QUOTES: [(char, char); 7] = [
        ('"', '"'),
        ('\'', '\''),
        ('`', '`'),
        ('\u{201c}', '\u{201d}'),
        ('\u{201e}', '\u{201c}'),
        ('\u{2018}', '\u{2019}'),
        ('\u{ab}', '\u{bb}'),
    ];
    let all = answer.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = all.to_lowercase();
    let mut text = all.as_str();
    loop {
        let bare = text.trim_end_matches('.').trim();
        let inside = QUOTES.iter().find_map(|(open, close)| {
            let inside = bare.strip_prefix(*open)?.strip_suffix(*close)?;
            Some(inside.trim())
        });
        let bare = inside.unwrap_or(bare);
        // Nothing but signs is the answer itself.
        if bare.is_empty() || bare == text {
            return text.to_owned();
        }
        text = bare;
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
        for meant in [
            "Meet me",
            "MEET  ME",
            "meet\tme.",
            "\"Meet me.\"",
            "'meet me'.",
            "\u{201e}Meet me\u{201c}",
            "\u{ab} meet me \u{bb}",
        ] {
            assert!(same(Answer::Text, meant, "meet me"), "{meant}");
            assert!(!same(Answer::Secret, meant, "meet me"), "{meant}");
        }
        for other in [
            "meetme",
            "meet me!",
            "meet, me",
            "meet me now",
            "\"meet me",
            "",
        ] {
            assert!(!same(Answer::Text, other, "meet me"), "{other}");
        }
        assert!(same(Answer::Text, "Change()", "change()"));
        assert!(same(Answer::Secret, " Tiger2019 ", "Tiger2019"));
        assert!(!same(Answer::Text, "", "."));
        assert!(!same(Answer::Hex, "ab.", "ab"));
        assert_ne!(
            commit("s", "q", Answer::Text, "a"),
            commit("t", "q", Answer::Text, "a")
        );
        assert_ne!(
            commit("s", "q", Answer::Text, "a"),
            commit("s", "r", Answer::Text, "a")
        );
    }
    #[test]
    fn a_hash_of_an_older_version_stays_valid() {
        // As version 0.1 made it: of the text as it was written.
        let old = hash_of(["s", "q", "Meet me."]);
        let right = |kind, answer: &str| is_right(&old, "s", "q", kind, answer);
        assert!(right(Answer::Text, " Meet me. "));
        assert!(!right(Answer::Text, "meet him"));
        assert!(!right(Answer::Hex, "Meet me."));
        let new = commit("s", "q", Answer::Text, "Meet me.");
        assert!(is_right(&new, "s", "q", Answer::Text, "meet me"));
    }
}
