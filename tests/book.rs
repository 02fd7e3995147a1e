//! The book holds together: no dead link, no file that is not there, no page outside the summary, and nothing quoted that
//! the programs do not say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use latchstring_attacker::protocol::hardened::primitives::{expand, hash};
use latchstring_tests::{binary, workspace};
use serde_json::Value;

#[path = "book/glossary.rs"]
mod glossary;

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

/// All that is written for readers: the book, the pages of the top folder, of the captures and of the labs.
fn everything_to_read() -> Vec<PathBuf> {
    let single = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "captures/README.md",
        "crates/arena/keys/README.md",
    ];
    let single = single.map(|name| workspace().join(name));
    let folders = ["docs", "labs"].map(|name| pages(&workspace().join(name)));
    folders.into_iter().flatten().chain(single).collect()
}

#[test]
fn no_link_leads_nowhere() {
    for page in everything_to_read() {
        let dead = dead_links(&page, &read(&page));
        assert!(dead.is_empty(), "{}: {dead:?}", page.display());
    }
}

/// Files and folders of this repository that the prose names between backticks. A name with a placeholder is none.
fn named_files(text: &str) -> Vec<String> {
    let (prose, _) = prose_and_code(text);
    let spans = prose
        .into_iter()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let folders = ["crates/", "tests/", "labs/", "captures/", "docs/", ".ci/"];
    spans
        .filter(|span| folders.iter().any(|folder| span.starts_with(folder)))
        .filter(|span| !span.contains(['<', '{', '*', ' ', '…']) && !span.contains("NN"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_file_that_the_prose_names_is_there() {
    let text =
        "`tests/book.rs`, `crates/nothing.rs`, `labs/NN-name/`, `cargo test`\n```\n`docs/x`\n```";
    assert_eq!(named_files(text), ["tests/book.rs", "crates/nothing.rs"]);
    let mut named = 0;
    for page in everything_to_read() {
        for file in named_files(&read(&page)) {
            let there = workspace().join(&file).exists();
            assert!(there, "{} names {file}", page.display());
            named += 1;
        }
    }
    assert!(named > 40, "only {named}: the search finds too few");
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
            text.starts_with("# ") && text.len() > 300,
            "{}",
            page.display()
        );
    }
}

#[test]
fn what_is_shown_of_a_capture_is_what_the_program_prints() {
    let output = Command::new(binary("latchstring"))
        .args(["read", "captures/faithful-chat.pcap"])
        .current_dir(workspace())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let page = read(&book().join("captures.md"));
    let (_, code) = prose_and_code(&page);
    let shown = code
        .into_iter()
        .skip_while(|line| !line.contains(" -> "))
        .take_while(|line| !line.starts_with("cargo "));
    let mut compared = 0;
    for line in shown {
        let there = printed.lines().any(|printed| printed == line);
        assert!(there, "{line:?} is not printed");
        compared += 1;
    }
    assert!(compared > 3, "the page shows nothing");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> [u8; 32] {
    std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

/// The values on the way that the page gives in addition to those of the vector, computed from the vector.
fn on_the_way(vectors: &Value) -> BTreeMap<&'static str, String> {
    let secret = |name: &str| unhex(vectors[name].as_str().unwrap());
    let (fin, ap_c) = (secret("hs_s"), secret("ap_c"));
    let chain = expand::<32>(&secret("root"), "chain c2s", &secret("TH7"));
    let text = hash(&[&[0], b"hello"]);
    let chain1 = hash(&[&chain[..], &1u64.to_be_bytes(), &text]);
    assert_eq!(vectors["chain1"], hex(&chain1));
    BTreeMap::from([
        (
            r#"XL(hs_s, "fin")"#,
            hex(&expand::<32>(&fin, "fin", &[])[..]),
        ),
        (
            r#"XL(ap_c, "enc")"#,
            hex(&expand::<32>(&ap_c, "enc", &[])[..]),
        ),
        (
            r#"XL(ap_c, "mac")"#,
            hex(&expand::<32>(&ap_c, "mac", &[])[..]),
        ),
        (
            r#"XL(ap_c, "iv", L = 4)"#,
            hex(&expand::<4>(&ap_c, "iv", &[])[..]),
        ),
        ("chain_c", hex(&chain[..])),
        (r#"H(00 ‖ "hello")"#, hex(&text)),
    ])
}

#[test]
fn the_worked_example_is_the_published_one() {
    let page = read(&book().join("hardened-protocol.md"));
    let vectors = read(&workspace().join("tests/vectors/hardened.json"));
    let vectors: Value = serde_json::from_str(&vectors).unwrap();
    let on_the_way = on_the_way(&vectors);
    let rows = page.lines().filter_map(|line| {
        let (name, value) = line
            .strip_prefix("| `")?
            .strip_suffix("` |")?
            .split_once("` | `")?;
        Some((name, value))
    });
    let mut compared = 0;
    for (name, value) in rows.filter(|(_, value)| value.bytes().all(|b| b.is_ascii_hexdigit())) {
        let published = vectors[name].as_str();
        let right = published.or(on_the_way.get(name).map(String::as_str));
        assert_eq!(right, Some(value), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 28 + on_the_way.len());
    let (_, code) = prose_and_code(&page);
    let record = vectors["rec_msg"].as_str().unwrap();
    assert!(code.concat().contains(record), "the record in full");
}
