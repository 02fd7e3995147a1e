//! Strangers' text in a page: names, titles and sentences.
//!
//! The page's own library escapes markup. This file makes visible what a reader could not see: a bidirectional override
//! shows `evil.exe` as `exe.live`, and also turns the text after it around.

use maud::{Markup, html};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Two characters that join letters or keep them apart: names in Persian and in scripts of India need them.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// The text in one line. A character that nobody sees is written as an escape such as `\u{202e}`.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for c in word.chars() {
            match is_hidden(c) {
                true => out.extend(c.escape_unicode()),
                false => out.push(c),
            }
        }
    }
    out
}

fn is_hidden(c: char) -> bool {
    let hidden = matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
    );
    hidden && !JOINERS.contains(&c)
}

/// The text for a page. Its direction is its own: a name in Hebrew does not turn the number beside it around.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// The short name of a lab: the number that its id begins with, or the whole id.
pub(super) fn short(lab: &str) -> String {
    let number = lab.split('-').next().unwrap_or(lab);
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    visible(if is_number { number } else { lab })
}

/// `1 student`, `2 students`.
pub(super) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_written_out_and_letters_stay() {
        for (text, shown) in [
            ("Anna \u{202e}retsuM", "Anna \\u{202e}retsuM"),
            ("a\u{0}b\u{feff}", "a\\u{0}b\\u{feff}"),
            (" two\n\tlines\u{2028} ", "two lines"),
            ("نیم\u{200c}فاصله", "نیم\u{200c}فاصله"),
            ("Łukasz 李", "Łukasz 李"),
        ] {
            assert_eq!(visible(text), shown);
        }
        let page = foreign("<b>&\"").into_string();
        assert_eq!(page, "<bdi>&lt;b&gt;&amp;&quot;</bdi>");
    }

    #[test]
    fn a_lab_is_called_by_its_number_if_it_has_one() {
        for (id, name) in [
            ("04-two-time-pad", "04"),
            ("two-time-pad", "two-time-pad"),
            ("-", "-"),
        ] {
            assert_eq!(short(id), name);
        }
    }
}
