//! The book holds together: no dead link, no page outside the summary, and no number in it that the programs do not have.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use latchstring_attacker::attacks;
use latchstring_tests::workspace;

const HEADINGS: [&str; 5] = [
    "## Flaw",
    "## Attack",
    "## What it proves",
    "## Defence",
    "## In the wild",
];

fn book() -> PathBuf {
    workspace().join("docs/src")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Markdown file below a folder.
fn pages(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.insert(path);
        }
    }
    found
}

/// What is outside of fenced code, and what is inside: there, brackets are no links.
fn prose_and_code(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut prose, mut code, mut fenced) = (Vec::new(), Vec::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            code.push(line);
        } else {
            prose.push(line);
        }
    }
    assert!(!fenced, "a code block without an end");
    (prose, code)
}

/// The targets of inline links, `](target)`; a link may be broken over two lines before its target.
fn links(text: &str) -> Vec<String> {
    let prose = prose_and_code(text).0.join("\n");
    let after = prose.split("](").skip(1);
    after
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

/// The anchor that mdBook and GitHub make of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let (prose, _) = prose_and_code(text);
    let headings = prose.into_iter().filter_map(|line| {
        line.trim_start_matches('#')
            .strip_prefix(' ')
            .filter(|_| line.starts_with('#'))
    });
    headings.map(anchor).collect()
}

/// Links of a page that lead nowhere.
fn dead_links(page: &Path, text: &str) -> Vec<String> {
    let folder = page.parent().unwrap();
    let dead = |link: &String| {
        let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
        let target = if file.is_empty() {
            page.to_owned()
        } else {
            folder.join(file)
        };
        let anchor_there = || fragment.is_empty() || anchors(&read(&target)).contains(fragment);
        !(target.exists() && anchor_there())
    };
    let inside = links(text)
        .into_iter()
        .filter(|link| !link.starts_with("http"));
    inside.filter(dead).collect()
}

#[test]
fn no_link_leads_nowhere() {
    let outside = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "captures/README.md",
    ];
    let outside = outside.map(|name| workspace().join(name));
    for page in pages(&book()).into_iter().chain(outside) {
        let dead = dead_links(&page, &read(&page));
        assert!(dead.is_empty(), "{}: {dead:?}", page.display());
    }
}

#[test]
fn a_dead_link_is_found() {
    let page = book().join("introduction.md");
    let text = "[a](nowhere.md) [b](labs.md) [c](labs.md#nothing) [d](operating.md#the-log) [e](https://x)\n```\n[f](x)\n```";
    assert_eq!(dead_links(&page, text), ["nowhere.md", "labs.md#nothing"]);
}

#[test]
fn the_summary_names_every_page_once_and_none_is_empty() {
    let summary = links(&read(&book().join("SUMMARY.md")));
    let named: BTreeSet<PathBuf> = summary.iter().map(|link| book().join(link)).collect();
    assert_eq!(named.len(), summary.len(), "a page is named twice");
    let mut there = pages(&book());
    there.remove(&book().join("SUMMARY.md"));
    assert_eq!(named, there);
    for page in there {
        let text = read(&page);
        assert!(
            text.starts_with("# ") && text.len() > 500,
            "{}",
            page.display()
        );
    }
}

#[test]
fn every_attack_has_its_page_with_the_headings_of_all() {
    for attack in attacks::ALL {
        let text = read(&book().join(format!("attacks/{}.md", attack.id)));
        let headings: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(headings, HEADINGS, "{}", attack.id);
        assert!(text.starts_with(&format!("# {}\n", attack.id)));
    }
}

/// What an attack's page quotes from a run: its verdicts, and the lines of its code blocks that are in no shell.
fn quotations(text: &str) -> Vec<&str> {
    let verdicts = text.lines().filter_map(|line| line.strip_prefix("> "));
    let (_, code) = prose_and_code(text);
    let story = code
        .into_iter()
        .filter(|line| !line.starts_with("cargo ") && !line.starts_with("c1 "));
    verdicts.chain(story).collect()
}

#[test]
fn what_the_pages_quote_is_in_the_published_transcripts() {
    for attack in attacks::ALL {
        let snapshot = |target| {
            let name = format!(
                "tests/snapshots/matrix__{}-against-{target}.snap",
                attack.id
            );
            read(&workspace().join(name))
        };
        let published = snapshot("faithful") + &snapshot("hardened");
        let page = read(&book().join(format!("attacks/{}.md", attack.id)));
        let quoted = quotations(&page);
        assert!(quoted.len() > 3, "{} quotes nothing", attack.id);
        for line in quoted {
            let there = published.lines().any(|published| published.trim() == line);
            assert!(there, "{}: {line:?} is in no transcript", attack.id);
        }
    }
}

#[test]
fn the_worked_example_is_the_published_one() {
    let page = read(&book().join("hardened-protocol.md"));
    let vectors = read(&workspace().join("tests/vectors/hardened.json"));
    let vectors: serde_json::Value = serde_json::from_str(&vectors).unwrap();
    let rows = page.lines().filter_map(|line| {
        let (name, value) = line
            .strip_prefix("| `")?
            .strip_suffix("` |")?
            .split_once("` | `")?;
        Some((name, value))
    });
    let mut compared = 0;
    for (name, value) in rows.filter(|(_, value)| value.bytes().all(|b| b.is_ascii_hexdigit())) {
        assert_eq!(vectors[name], value, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 19);
    let (_, code) = prose_and_code(&page);
    let record = vectors["rec_msg"].as_str().unwrap();
    assert!(code.concat().contains(record), "the record in full");
}

#[test]
fn the_table_in_the_introduction_is_the_matrix() {
    let snapshot = read(&workspace().join("tests/snapshots/matrix__matrix.snap"));
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_matches('|').replace(['[', ']'], "");
        let cells = line.split('|');
        cells
            .map(|cell| cell.split('(').next().unwrap_or_default().trim().to_owned())
            .collect()
    };
    let rows = |text: &str| -> Vec<Vec<String>> {
        let rows = text
            .lines()
            .filter(|line| line.ends_with("| Held |") || line.ends_with("| Held     |"));
        rows.map(cells).collect()
    };
    let table = rows(&read(&book().join("introduction.md")));
    assert_eq!(table.len(), attacks::ALL.len());
    assert_eq!(table, rows(&snapshot));
    assert_eq!(table, rows(&read(&workspace().join("README.md"))));
}
