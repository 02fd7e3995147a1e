//! CTFd, by `ctfcli/spec/challenge-example.yml` and `ctfcli/core/lint.py` of CTFd/ctfcli.

use std::process::Command;

use latchstring_course::export::ctfd::{Challenge, FlagError, PLUGIN, challenge, flag};
use serde_json::{Map, Value};

use crate::yaml::read;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn hostile() -> Challenge {
    Challenge {
        lab: "01-say-the-name".to_owned(),
        name: "Say: the \"name\" # not a comment".to_owned(),
        author: "- [x] & *y".to_owned(),
        category: "!!python/object: x".to_owned(),
        description: "two\r\nlines, a tab\t, \\ and 小明 🦀\u{2028}\u{85}{{ x }}".to_owned(),
        value: 12,
        hints: vec![("yes".to_owned(), 0), ("read \"the\" record".to_owned(), 3)],
        requirements: vec!["First contact".to_owned()],
        tags: vec!["null".to_owned(), "impersonation".to_owned()],
        files: vec!["capture.pcap".to_owned()],
    }
}

/// The fields of the specification that lint demands, the kinds that CTFd wants, and no flag in clear.
fn refused(yaml: &str) -> Vec<String> {
    let challenge = match read(yaml) {
        Ok(challenge) => challenge,
        Err(error) => return vec![error],
    };
    let mut found = Vec::new();
    for field in [
        "name",
        "author",
        "category",
        "description",
        "attribution",
        "type",
        "version",
    ] {
        let text = challenge.get(field).is_some_and(Value::is_string);
        found.extend((!text).then(|| format!("{field} is no text")));
    }
    found.extend((!challenge.get("value").is_some_and(Value::is_u64)).then(|| "value".to_owned()));
    let state = challenge
        .get("state")
        .is_some_and(|state| state == "hidden" || state == "visible");
    found.extend((!state).then(|| "state".to_owned()));
    let hints = challenge.get("hints").and_then(Value::as_array);
    let hint = |hint: &&Value| !(hint["content"].is_string() && hint["cost"].is_u64());
    found.extend(
        hints
            .into_iter()
            .flatten()
            .find(hint)
            .map(|hint| format!("the hint {hint}")),
    );
    flags(&challenge, &mut found);
    found
}

fn flags(challenge: &Map<String, Value>, found: &mut Vec<String>) {
    let Some(flags) = challenge.get("flags").and_then(Value::as_array) else {
        return found.push("no flags".to_owned());
    };
    for flag in flags {
        // A text or the type `static` is a flag in clear.
        let named = flag.get("type").is_some_and(|kind| kind == "latchstring");
        let lab = flag.get("content").is_some_and(Value::is_string);
        found.extend((!named || !lab).then(|| format!("a flag in clear: {flag}")));
    }
}

#[test]
fn a_challenge_keeps_to_the_specification_and_reads_back() {
    let yaml = challenge(&hostile());
    assert_eq!(refused(&yaml), Vec::<String>::new());
    let back = read(&yaml).unwrap();
    assert_eq!(back["name"], "Say: the \"name\" # not a comment");
    assert_eq!(
        back["description"],
        "two\nlines, a tab , \\ and 小明 🦀\u{2028} {{ x }}"
    );
    assert_eq!(back["tags"][0], "null");
    assert_eq!(back["hints"][1]["cost"], 3);
    insta::assert_snapshot!("ctfd", yaml);
}

#[test]
fn a_challenge_that_breaks_a_rule_is_refused() {
    let good = challenge(&hostile());
    for (from, to) in [
        ("author: ", "writer: "),
        ("value: 12", "value: \"12\""),
        ("state: \"hidden\"", "state: \"secret\""),
        ("type: \"latchstring\"", "type: \"static\""),
        (
            "  - type: \"latchstring\"\n    content: \"01-say-the-name\"\n    data: \"\"\n",
            "  - \"latch{0}\"\n",
        ),
        ("    cost: 3\n", ""),
        ("name: \"", "name: "),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(!refused(&bad).is_empty(), "{from}");
    }
}

#[test]
fn no_flag_of_any_player_is_in_the_file() {
    let of = |email| flag(KEY, "01-say-the-name", email).unwrap();
    let yaml = challenge(&hostile());
    assert!(!yaml.contains("latch{") && !yaml.contains(&of("anna@uni.example")[6..38]));
    // Another player, another lab, another key: another flag.
    assert_eq!(of("anna@uni.example"), of("Anna@uni.example"));
    assert_ne!(of("anna@uni.example"), of("bob@uni.example"));
    assert_ne!(
        of("anna@uni.example"),
        flag(KEY, "02-x", "anna@uni.example").unwrap()
    );
    let other = [KEY, b"x"].concat();
    assert_ne!(
        of("anna@uni.example"),
        flag(&other, "01-say-the-name", "anna@uni.example").unwrap()
    );
    assert_eq!(flag(&KEY[1..], "x", "a@b"), Err(FlagError::ShortKey(31)));
    assert_eq!(flag(KEY, "x", ""), Err(FlagError::NoAddress));
}

/// What the plugin itself computes, in Python.
fn in_python(email: &str) -> String {
    let call = "import sys; print(flag(sys.argv[1].encode(), sys.argv[2], sys.argv[3]))";
    let key = std::str::from_utf8(KEY).unwrap();
    let output = Command::new("python3")
        .args([
            "-c",
            &format!("{PLUGIN}\n{call}"),
            key,
            "01-say-the-name",
            email,
        ])
        .env("PYTHONUTF8", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

#[test]
fn the_plugin_computes_the_same_flag() {
    for email in ["anna@uni.example", "Žofie.ΣΑΣ@Uni.Example"] {
        assert_eq!(
            in_python(email),
            flag(KEY, "01-say-the-name", email).unwrap()
        );
    }
}
