//! Whether messages begin with capitals or with small letters, which no later byte can tell.
//!
//! In ASCII the two differ by one bit. Where every message begins with a letter, flipping that bit of the keystream
//! makes another session that reads well. The style of the rest decides: a writer who types full stops types capitals.

/// The bit by which upper and lower case differ.
pub(super) const CASE: u8 = 0x20;

/// A message as far as it is read.
pub(super) struct Text {
    /// The plaintext.
    pub(super) bytes: Vec<u8>,
    /// Whether that is all of it.
    pub(super) whole: bool,
}

/// Whether the first keystream byte should be flipped by [`CASE`].
pub(super) fn flip(texts: &[Text]) -> bool {
    let firsts = || texts.iter().filter_map(|text| text.bytes.first());
    if !firsts().all(u8::is_ascii_alphabetic) {
        return false;
    }
    let capitals = firsts().filter(|byte| byte.is_ascii_uppercase()).count();
    let are_capitals = capitals * 2 >= texts.len();
    let evidence: f32 = texts.iter().map(evidence).sum();
    evidence.abs() >= 1.0 && (evidence > 0.0) != are_capitals
}

/// The evidence for capitals (above zero) or for small letters behind the first letter of one message.
fn evidence(text: &Text) -> f32 {
    let rest = text.bytes.get(1..).unwrap_or(&[]);
    let ending = match rest.last() {
        Some(b'.' | b'!' | b'?') if text.whole => 1.0,
        Some(byte) if text.whole && byte.is_ascii_alphanumeric() => -0.7,
        _ => 0.0,
    };
    let capital = if rest.iter().any(u8::is_ascii_uppercase) {
        1.5
    } else {
        0.0
    };
    let small_i = rest.windows(3).any(|letters| letters == b" i ");
    ending + capital - if small_i { 2.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<Text> {
        let text = |text: &&str| Text {
            bytes: text.as_bytes().to_vec(),
            whole: true,
        };
        texts.iter().map(text).collect()
    }

    #[test]
    fn capitals_go_with_full_stops() {
        assert!(flip(&texts(&["Hello my name is alice", "Pay bob 10"])));
        assert!(!flip(&texts(&["hello my name is alice", "pay bob 10"])));
        assert!(flip(&texts(&["hello, my name is Alice.", "pay Bob ten."])));
        assert!(!flip(&texts(&["Hello, my name is Alice.", "Pay Bob ten."])));
        assert!(!flip(&texts(&["Hello my name is alice", "10 for bob"])));
    }
}
