//! The words of help texts, errors and stories, and the length of sentences: plain grammar, for readers who learn English
//! together with cryptography.
//!
//! The tests look only for the words below. A reader judges the content of a text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use latchstring_attacker::{Faithful, attacks};
use latchstring_tests::{binary, rejected_words, words_of, workspace};

#[path = "words/sentences.rs"]
mod sentences;

/// Words that stand for a noun which the text should name.
const VAGUE: [&str; 6] = ["who", "whoever", "what", "whatever", "whichever", "anew"];

/// The same, where it takes several words.
const PHRASES: [&str; 17] = [
    "so many",
    "so much",
    "so few",
    "is none",
    "are none",
    "told",
    "of its own",
    "of their own",
    "of your own",
    "of our own",
    "one's own",
    "be it",
    "took in",
    "comes round",
    "the wiser",
    "keep to",
    "keeps to",
];

const PROGRAMS: [&str; 6] = [
    "latchstring",
    "latchstring-attack",
    "latchstring-client",
    "latchstring-server",
    "faithful-client",
    "faithful-server",
];

/// What is wrong with a text, if anything.
fn slips(text: &str) -> Vec<String> {
    let text = without_placeholders(text);
    let folded: Vec<&str> = text.split_whitespace().collect();
    let folded = format!(" {} ", folded.join(" ").to_lowercase());
    let words = words_of(&text);
    let vague = VAGUE.iter().filter(|word| words.contains(**word));
    let phrases = PHRASES
        .iter()
        .filter(|phrase| contains_words(&folded, phrase));
    let rejected = rejected_words();
    let rejected = rejected.intersection(&words).cloned();
    vague
        .chain(phrases)
        .map(|found| (*found).to_owned())
        .chain(rejected)
        .collect()
}

/// Whether the words stand in the text one after the other, and are no parts of longer words.
fn contains_words(text: &str, words: &str) -> bool {
    let end = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(words).any(|(at, _)| {
        end(text[..at].chars().next_back()) && end(text[at + words.len()..].chars().next())
    })
}

/// A format string without the names in its braces: they are the code's.
fn without_placeholders(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

#[test]
fn a_slip_is_found_and_a_plain_text_has_none() {
    assert_eq!(slips("Stop after so many\n seconds"), ["so many"]);
    assert_eq!(slips("keep what comes before it"), ["what"]);
    assert_eq!(
        slips("Whoever comes later is told"),
        ["whoever", "told"].map(str::to_owned)
    );
    assert_eq!(slips("the ledger of {what}"), ["ledger"]);
    assert!(slips("{what} is damaged; somewhat unfolded, whole").is_empty());
}

/// The help of a command and of all below it, each under its command line.
fn help_of(program: &str, command: &[String], found: &mut Vec<(String, String)>) {
    let output = Command::new(binary(program))
        .args(command)
        .arg("--help")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for name in commands_in(&help) {
        let below: Vec<String> = command.iter().cloned().chain([name]).collect();
        help_of(program, &below, found);
    }
    found.push((format!("{program} {}", command.join(" ")), help));
}

/// The names under "Commands:", without `help` itself.
fn commands_in(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| {
        let line = line.strip_prefix("  ")?;
        let begins = line.starts_with(|c: char| c.is_ascii_lowercase());
        line.split(' ').next().filter(|_| begins)
    });
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_help_text_leaves_its_nouns_out() {
    let mut found = Vec::new();
    for program in PROGRAMS {
        help_of(program, &[], &mut found);
    }
    assert!(found.len() > 30, "only {} help texts", found.len());
    let wrong: Vec<_> = found
        .iter()
        .map(|(command, help)| (command, slips(help)))
        .filter(|(_, slips)| !slips.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where the text of an error begins in the sources.
const BEGINNINGS: [&str; 5] = [
    "#[error(",
    "bail!(",
    "anyhow!(",
    "context(",
    "context(|| format!(",
];

/// The string literals that follow [`BEGINNINGS`].
fn errors_in(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for beginning in BEGINNINGS {
        let places = code.match_indices(beginning);
        let literals = places.filter_map(|(at, _)| literal(&code[at + beginning.len()..]));
        found.extend(literals);
    }
    found
}

/// The string literal that the code begins with, without the line breaks that only lay it out.
fn literal(code: &str) -> Option<String> {
    let mut rest = code.trim_start().strip_prefix('"')?.chars();
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => match rest.next()? {
                '\n' => rest = rest.as_str().trim_start().chars(),
                'n' => text.push('\n'),
                escaped => text.push(escaped),
            },
            c => text.push(c),
        }
    }
}

#[test]
fn errors_are_found_in_code() {
    let code = "#[error(\n  \"cannot \\\n   read {what}\")] bail!(\"a \\\"b\\\"\"); x.context(why)?; y.with_context(|| format!(\"c\"))";
    assert_eq!(errors_in(code), ["cannot read {what}", "a \"b\"", "c"]);
}

/// All files below a folder with this extension, except in folders of tests.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            found.extend(files_below(&path, ending));
        } else if path
            .extension()
            .is_some_and(|extension| extension == ending)
        {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_error_leaves_its_nouns_out() {
    let (mut read, mut wrong) = (0, Vec::new());
    for path in files_below(&workspace().join("crates"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]").next().unwrap_or(&text);
        for error in errors_in(code) {
            read += 1;
            let slips = slips(&error);
            if !slips.is_empty() {
                wrong.push((path.clone(), error, slips));
            }
        }
    }
    assert!(read > 300, "only {read} errors");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The story and the verdict of a transcript, without quoted texts: those are the users' words.
fn told(transcript: &str) -> String {
    let story = transcript.rsplit_once("\nthe attacker:\n");
    let story = story.map_or(transcript, |(_, story)| story);
    let parts = story.split('"').enumerate();
    let outside = parts.filter(|(i, _)| i % 2 == 0);
    outside.map(|(_, part)| part).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_transcript_is_read_without_its_packets_and_quotations() {
    let transcript = "x\n\non the honest connection:\n  what\n\nthe attacker:\n  it says \"who are you\" anew\n\nHeld: no";
    assert_eq!(slips(&told(transcript)), ["anew"]);
}

#[test]
fn no_story_and_no_verdict_leaves_its_nouns_out() {
    let snapshots = files_below(&workspace().join("tests/snapshots"), "snap");
    assert!(snapshots.len() > 100, "only {} snapshots", snapshots.len());
    let wrong: Vec<_> = snapshots
        .iter()
        .map(|path| (path, slips(&told(&fs::read_to_string(path).unwrap()))))
        .filter(|(_, slips)| !slips.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_line_of_the_registry_leaves_its_nouns_out() {
    for attack in attacks::ALL {
        let reason = match attack.faithful {
            Faithful::Broken => "",
            Faithful::Held(why) | Faithful::DoesNotApply(why) => why,
        };
        for text in [attack.title, attack.vantage, reason] {
            let mut slips = slips(text);
            // "A sniffer who sees …" has its noun before it.
            slips.retain(|slip| slip != "who");
            assert!(slips.is_empty(), "{}: {text:?}: {slips:?}", attack.id);
        }
    }
}
