//! Text of strangers on its way to a terminal: the one function for every such path.
//!
//! A terminal obeys the bytes that it gets. An escape sequence moves the cursor, changes the title or presses keys. A
//! bidirectional override shows `evil.exe` as `exe.live`. A zero-width character makes two names look the same. So each
//! character that a person cannot see as itself is shown as an escape such as `\u{202e}`. Files and pipes get the exact
//! text: see [`crate::print::Output::foreign`].

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The text as one line for a terminal. Everything that steers a terminal or is invisible is escaped, the newline
/// too; the tab stays.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\t' || is_visible(c))
}

/// The same for a text of several lines: the newline stays.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\t' || c == '\n' || is_visible(c))
}

/// The same for bytes that may not be UTF-8: lines stay, and a byte that belongs to no character becomes `\x9b`.
pub fn visible_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&visible_lines(chunk.valid()));
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&stays) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if stays(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal shows the character as itself. An unassigned character of Unicode counts as invisible: a list of
/// harmless characters cannot be overtaken by the next version of Unicode.
pub fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let hidden = matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    );
    !hidden && !is_ignorable(c)
}

/// Letters and marks that are not drawn: the property `Default_Ignorable_Code_Point` of Unicode's
/// `DerivedCoreProperties.txt`, without what is hidden by its general category.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{034f}' // combining grapheme joiner
        | '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}'..='\u{17b5}' // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}' // Mongolian variation selectors
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}') // variation selectors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_read_stays_as_it_is() {
        let texts = [
            "plain, größer\tx",
            "e\u{301} — naïve",
            "שלום, سلام, नमस्ते, 你好\u{3000}👋",
            r#"C:\new "quoted""#,
        ];
        for text in texts {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_steers_a_terminal_or_hides_is_escaped() {
        let controls = ('\0'..='\u{9f}').filter(|c| c.is_control() && *c != '\t');
        // Bidirectional: marks, embeddings, overrides and isolates.
        let bidirectional = "\u{61c}\u{200e}\u{200f}".chars();
        let bidirectional = bidirectional.chain('\u{202a}'..='\u{202e}');
        let bidirectional = bidirectional.chain('\u{2066}'..='\u{2069}');
        let invisible = "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180e}\u{200b}\u{200c}\u{200d}\u{2028}\u{2029}\u{2060}\
                         \u{2064}\u{206a}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{1d173}\u{e0001}\u{e0041}\u{e007f}\
                         \u{e0100}\u{e0fff}\u{e000}\u{10ffff}\u{fffe}";
        for c in controls.chain(bidirectional).chain(invisible.chars()) {
            let text = format!("a{c}b");
            let shown = visible(&text);
            assert!(!shown.contains(c), "U+{:04X}", c as u32);
            assert!(shown.starts_with("a\\") && shown.ends_with('b'), "{shown}");
        }
        assert_eq!(visible("\x1b]0;t\x07\u{202e}"), r"\u{1b}]0;t\u{7}\u{202e}");
    }

    #[test]
    fn a_line_stays_one_line_unless_lines_are_asked_for() {
        assert_eq!(visible("one\r\ntwo\n"), r"one\r\ntwo\n");
        assert_eq!(visible_lines("one\r\ntwo\n"), "one\\r\ntwo\n");
        assert_eq!(
            visible_bytes(b"gr\xc3\xb6\xdfe\n\x9b2J\xff"),
            "grö\\xdfe\n\\x9b2J\\xff"
        );
    }
}
