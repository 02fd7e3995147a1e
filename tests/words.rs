//! The words of help texts and errors: plain grammar, for readers who learn English as they learn cryptography.
//!
//! Only the words below are looked for. What a text says is for its reader to judge.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use latchstring_tests::{binary, rejected_words, words_of, workspace};

/// Words that stand for a noun which the text should name.
const VAGUE: [&str; 5] = ["who", "whoever", "what", "whatever", "anew"];

/// The same, where it takes several words.
const PHRASES: [&str; 10] = [
    "so many",
    "is none",
    "are none",
    "told",
    "of its own",
    "of their own",
    "of your own",
    "of our own",
    "one's own",
    "be it",
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

/// All Rust files of the crates but their tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_error_leaves_its_nouns_out() {
    let (mut read, mut wrong) = (0, Vec::new());
    for path in sources(&workspace().join("crates")) {
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
