//! Short sentences: the reader learns English together with cryptography.
//!
//! Headings, tables, quotations and blocks of code are not measured. A piece of code within a sentence is one word.

use std::{fs, path::PathBuf};

use latchstring_tests::workspace;

use super::files_below;

/// The most words of a sentence.
const LONGEST: usize = 25;
/// The most words of the sentences of a page on average.
const MEAN: f64 = 16.0;

/// The paragraphs and the items of lists, each on one line.
fn paragraphs(text: &str) -> Vec<String> {
    let (mut found, mut fenced) = (vec![String::new()], false);
    for line in text.lines().map(str::trim) {
        let fence = line.starts_with("```");
        fenced ^= fence;
        if fence || fenced || line.is_empty() || line.starts_with(['#', '|', '>', '<']) {
            found.push(String::new());
        } else if let Some(item) = item(line) {
            found.push(item.to_owned());
        } else if let Some(last) = found.last_mut() {
            last.push(' ');
            last.push_str(line);
        }
    }
    found
}

/// The text of a line that begins an item of a list.
fn item(line: &str) -> Option<&str> {
    let (mark, text) = line.split_once(' ')?;
    let number = mark
        .strip_suffix('.')
        .is_some_and(|n| n.parse::<u8>().is_ok());
    (number || mark == "-" || mark == "*").then_some(text)
}

/// The sentences of a paragraph, as words.
fn sentences(paragraph: &str) -> Vec<Vec<String>> {
    let parts = paragraph.split('`').enumerate();
    let without_code: String = parts
        .map(|(i, part)| if i % 2 == 0 { part } else { "Code" })
        .collect();
    let mut words = without_code
        .split_whitespace()
        .filter(|word| word.contains(|c: char| c.is_alphanumeric() || c == '%'))
        .peekable();
    let (mut found, mut sentence) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        sentence.push(word.to_owned());
        let ends = word
            .trim_end_matches([')', '"', '\'', '*', '_'])
            .ends_with(['.', '!', '?']);
        let lower = |next: &&str| {
            let first = next.chars().find(|c| c.is_alphanumeric());
            first.is_some_and(char::is_lowercase)
        };
        if words.peek().is_none() || ends && !words.peek().is_some_and(lower) {
            found.push(std::mem::take(&mut sentence));
        }
    }
    found
}

/// The sentences of a text, and their mean length in words.
fn measured(text: &str) -> (Vec<Vec<String>>, f64) {
    let paragraphs = paragraphs(text);
    let all: Vec<_> = paragraphs.iter().flat_map(|text| sentences(text)).collect();
    let words: usize = all.iter().map(Vec::len).sum();
    let mean = words as f64 / all.len().max(1) as f64;
    (all, mean)
}

/// The documentation in a Rust file, without the code that it documents.
fn documentation(code: &str) -> String {
    let lines = code.lines().map(|line| {
        let line = line.trim_start();
        let text = line.strip_prefix("//!").or(line.strip_prefix("///"));
        text.unwrap_or("")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The long sentences of a text, each with its length.
fn long_ones(all: &[Vec<String>]) -> Vec<String> {
    let long = all.iter().filter(|sentence| sentence.len() > LONGEST);
    long.map(|sentence| format!("{} words: {}", sentence.len(), sentence.join(" ")))
        .collect()
}

/// The faults of the files' texts, each with its file.
fn faults(files: &[PathBuf], of: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let named = |file: &PathBuf| {
        let place = file.strip_prefix(workspace()).unwrap_or(file);
        let found = of(&fs::read_to_string(file).unwrap()).into_iter();
        let named = found.map(|fault| format!("{}: {fault}", place.display()));
        named.collect::<Vec<_>>()
    };
    files.iter().flat_map(named).collect()
}

/// The faults of a page: its long sentences, and a mean that is too high.
fn of_page(text: &str) -> Vec<String> {
    let (all, mean) = measured(text);
    let high = (mean > MEAN).then(|| format!("{mean:.1} words a sentence"));
    long_ones(&all).into_iter().chain(high).collect()
}

/// The long sentences of a Rust file's documentation. A file may have one sentence only, so its mean says little.
fn of_code(code: &str) -> Vec<String> {
    long_ones(&measured(&documentation(code)).0)
}

#[test]
fn sentences_are_cut_and_counted() {
    let text = "# No heading at all\n\nOne two. It is `a b. C` three!\n- item one\n  goes on.\n| no | table |\n\
                ```\nNo code. At all.\n```\nv1.2 is 3. x is next.\n";
    let (all, mean) = measured(text);
    let lengths: Vec<usize> = all.iter().map(Vec::len).collect();
    assert_eq!(lengths, [2, 4, 4, 6], "{all:?}");
    assert!((mean - 4.0).abs() < 1e-9, "{mean}");
    let words = |n: usize| vec!["word"; n].join(" ");
    assert!(of_page(&words(16)).is_empty());
    assert_eq!(of_page(&words(17)), ["17.0 words a sentence"]);
    assert_eq!(of_page(&words(LONGEST + 1)).len(), 2);
    assert!(of_code(&format!("/// {}", words(LONGEST))).is_empty());
    let code = format!("/// {}\nfn a() {{}}\n  //! Two.", words(LONGEST + 1));
    assert_eq!(of_code(&code).len(), 1);
}

#[test]
fn every_page_has_short_sentences() {
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|name| workspace().join(name))
        .to_vec();
    pages.extend(files_below(&workspace().join("docs/src"), "md"));
    pages.extend(files_below(&workspace().join("labs"), "md"));
    assert!(pages.len() > 80, "only {} pages", pages.len());
    let wrong = faults(&pages, of_page);
    assert!(wrong.is_empty(), "cut these sentences: {wrong:#?}");
}

#[test]
fn every_crate_documents_itself_in_short_sentences() {
    let files = files_below(&workspace().join("crates"), "rs");
    assert!(files.len() > 300, "only {} files", files.len());
    let wrong = faults(&files, of_code);
    assert!(wrong.is_empty(), "cut these sentences: {wrong:#?}");
}
