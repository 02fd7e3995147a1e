//! Strangers' text and bytes on their way to a terminal.
//!
//! Besides "no panic": nothing that steers a terminal or turns its lines around is left; what is shown is shown again as
//! it is; and lines stay lines.

use std::borrow::Cow;

use latchstring_net::terminal::{visible, visible_bytes, visible_lines};

/// Runs one input.
pub fn run(data: &[u8]) {
    let shown = visible_bytes(data);
    harmless(&shown);
    let newlines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(newlines(shown.as_bytes()), newlines(data));
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    assert_eq!(visible_lines(text), shown);
    let line = visible(text);
    harmless(&line);
    assert!(!line.contains('\n'));
    assert!(matches!(visible(&line), Cow::Borrowed(again) if again == line));
    let plain = text
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    assert!(!plain || line == text);
}

fn harmless(shown: &str) {
    for c in shown.chars() {
        let steers = c.is_control() && c != '\n' && c != '\t';
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let hidden = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        assert!(!steers && !turns && !hidden, "U+{:04X}", c as u32);
    }
}
