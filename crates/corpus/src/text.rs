//! From files to messages: one a line, with single spaces, about as long as a person types.

/// Text is cut at the first end of a sentence behind this number of bytes.
const MESSAGE: usize = 100;

/// White space becomes single spaces; typographic quotes, dashes and dots become those of a keyboard.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for letter in word.chars() {
            match letter {
                '‘' | '’' | '´' => out.push('\''),
                '“' | '”' | '„' => out.push('"'),
                '–' | '—' => out.push('-'),
                '…' => out.push_str("..."),
                _ => out.push(letter),
            }
        }
    }
    out
}

/// Whether a text is mostly letters and spaces, not a drawing or a table.
pub(crate) fn is_prose(text: &str) -> bool {
    let is_letter = |c: &char| c.is_alphabetic() || *c == ' ';
    let letters = text.chars().filter(is_letter).count();
    text.len() >= 3 && letters * 4 >= text.chars().count() * 3
}

/// The paragraphs of a text: the lines between empty lines.
pub(crate) fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let groups = lines.split(|line| line.trim().is_empty());
    let groups = groups.filter(|group| !group.is_empty());
    groups.map(<[&str]>::to_vec).collect()
}

/// Cuts clean text into messages of whole sentences.
pub(crate) fn messages(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(' ') {
        let next = text[at + 1..].trim_start_matches(['"', '\'', '(']);
        let begins = next.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
        let before = text[start..at].trim_end_matches(['"', '\'', ')']);
        if at - start >= MESSAGE && begins && before.ends_with(['.', '!', '?']) {
            out.push(text[start..at].to_owned());
            start = at + 1;
        }
    }
    if start < text.len() {
        out.push(text[start..].to_owned());
    }
    out
}

/// The messages of all paragraphs of prose in a text.
pub(crate) fn prose(text: &str) -> Vec<String> {
    let paragraphs = paragraphs(text).into_iter();
    let clean = paragraphs.map(|paragraph| clean(&paragraph.join(" ")));
    clean
        .filter(|text| is_prose(text))
        .flat_map(|text| messages(&text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_becomes_messages_of_whole_sentences() {
        let long = "A sentence of some length, that goes on and on. ".repeat(5);
        let text =
            format!("He  said:\n“No—never again, my old friend…”\n\n+--+--+\n|  |  |\n\n{long}");
        let found = prose(&text);
        assert_eq!(found[0], "He said: \"No-never again, my old friend...\"");
        assert_eq!(found.len(), 3);
        assert!(found[1].len() >= MESSAGE && found[1].ends_with("on."));
        assert!(found[2].starts_with("A sentence"));
    }
}
