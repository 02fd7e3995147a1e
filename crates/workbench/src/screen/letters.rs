//! Bytes and numbers as the screen writes them.

/// A number with its noun.
pub(super) fn number(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// A sign for each byte: itself if it is printable ASCII. A Latin, Greek or Cyrillic letter of two bytes (UTF-8) is
/// followed by `◂` for the second byte. `·` is an undetermined byte, and `□` everything else.
pub(super) fn letters(bytes: &[Option<u8>]) -> Vec<char> {
    let mut letters = Vec::new();
    while let Some((first, rest)) = bytes[letters.len()..].split_first() {
        match (*first, rest.first().copied().flatten()) {
            (None, _) => letters.push('·'),
            (Some(byte @ b' '..=b'~'), _) => letters.push(char::from(byte)),
            (Some(first), second) => match second.and_then(|second| two_bytes(first, second)) {
                Some(letter) => letters.extend([letter, '◂']),
                None => letters.push('□'),
            },
        }
    }
    letters
}

/// A letter of two bytes that is one column wide.
fn two_bytes(first: u8, second: u8) -> Option<char> {
    const ARMENIAN: char = '\u{530}';
    let bytes = [first, second];
    let letter = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    (letter.len_utf8() == 2 && letter < ARMENIAN && letter.is_alphanumeric()).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_one_sign() {
        let signs = |bytes: &[u8]| {
            let bytes: Vec<Option<u8>> = bytes.iter().copied().map(Some).collect();
            letters(&bytes).into_iter().collect::<String>()
        };
        assert_eq!(signs("perché Ωж!".as_bytes()), "perché◂ Ω◂ж◂!");
        assert_eq!(signs("\t€\u{301}".as_bytes()), "□□□□□□");
        assert_eq!(signs(b"\xc3(\xff\xc3"), "□(□□");
        assert_eq!(letters(&[Some(0xc3), None, Some(b'a')]), ['□', '·', 'a']);
    }
}
