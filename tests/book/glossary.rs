//! The glossary is the book's: each of its terms is used, and no word that it rejects is.

use std::{collections::BTreeSet, fs};

use latchstring_tests::{rejected_words, words_of, workspace};

use super::{book, links, pages, prose_and_code, read};

/// A heading of the third level begins an entry. Its text goes up to the next heading.
fn entries() -> Vec<(String, String)> {
    let text = read(&book().join("glossary.md"));
    let entries = text.split("\n### ").skip(1);
    let entry = |part: &str| {
        let (term, rest) = part.split_once('\n').unwrap();
        let meaning = rest.split("\n## ").next().unwrap();
        (term.to_lowercase(), meaning.trim().to_owned())
    };
    entries.map(entry).collect()
}

/// The prose of every page but the glossary, in lower case, with single spaces.
fn rest_of_the_book() -> Vec<(String, String)> {
    let others = pages(&book())
        .into_iter()
        .filter(|page| !page.ends_with("glossary.md") && !page.ends_with("SUMMARY.md"));
    let prose = others.map(|page| {
        let text = read(&page);
        let words = prose_and_code(&text).0.join(" ").to_lowercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        (page.display().to_string(), words.join(" "))
    });
    prose.collect()
}

#[test]
fn the_book_uses_every_term_of_the_glossary() {
    let entries = entries();
    assert!(entries.len() > 30, "only {} entries", entries.len());
    let terms: BTreeSet<_> = entries.iter().map(|(term, _)| term).collect();
    assert_eq!(terms.len(), entries.len(), "a term has two entries");
    let pages = rest_of_the_book();
    for (term, _) in &entries {
        let used = pages.iter().any(|(_, prose)| prose.contains(&**term));
        assert!(used, "no page but the glossary uses {term:?}");
    }
}

#[test]
fn an_entry_has_one_to_three_sentences_besides_its_source_and_its_links() {
    for (term, meaning) in entries() {
        let words: Vec<&str> = meaning.split_whitespace().collect();
        let text = words.join(" ");
        let sentences = text.split(". ").filter(|part| {
            !["See ", "Not: "]
                .iter()
                .any(|begins| part.starts_with(begins))
        });
        let count = sentences.count();
        assert!((1..=5).contains(&count), "{term}: {count} sentences");
        assert!(
            links(&meaning).iter().all(|link| !link.is_empty()),
            "{term}: a link without a target"
        );
    }
}

#[test]
fn no_page_uses_a_word_that_the_glossary_rejects() {
    let rejected = rejected_words();
    assert!(rejected.contains("ledger"), "{rejected:?}");
    for (page, prose) in rest_of_the_book() {
        let used: Vec<_> = words_of(&prose)
            .into_iter()
            .filter(|word| rejected.contains(word))
            .collect();
        assert!(used.is_empty(), "{page}: {used:?}, see the glossary");
    }
    for page in ["README.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = fs::read_to_string(workspace().join(page)).unwrap();
        let words = words_of(&text);
        assert!(words.is_disjoint(&rejected), "{page}, see the glossary");
    }
}
