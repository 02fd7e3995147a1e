//! Lists of some thousand passwords in both forms, and what a list must not be like.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn digits(password: &str) -> String {
    String::from_utf8(key(password.as_bytes()).to_vec()).unwrap()
}

/// The hashes of this many passwords, with counts of different lengths.
fn hashes(passwords: usize) -> BTreeMap<String, u64> {
    let one = |n: usize| (digits(&format!("password {n}")), 1 + (n as u64).pow(3));
    (0..passwords).map(one).collect()
}

fn text(hashes: &BTreeMap<String, u64>, end: &str) -> String {
    let lines = hashes.iter().map(|(hash, count)| format!("{hash}:{count}"));
    lines.collect::<Vec<_>>().join(end) + end
}

fn list(text: &str) -> (TempDir, Result<BreachedList, String>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("list");
    fs::write(&path, text).unwrap();
    let list = BreachedList::open(&path).map_err(|why| why.to_string());
    (dir, list)
}

/// The downloader's directory, as far as these passwords and the check need it.
fn directory(hashes: &BTreeMap<String, u64>, ending: &str) -> (TempDir, BreachedList) {
    let dir = tempfile::tempdir().unwrap();
    let mut ranges: BTreeMap<String, String> = BTreeMap::new();
    let filler = (0..16).map(|digit| (format!("{digit:X}").repeat(40), 7));
    for (hash, count) in hashes.clone().into_iter().chain(filler) {
        let (prefix, suffix) = hash.split_at(5);
        let range = ranges.entry(prefix.to_owned()).or_default();
        range.push_str(&format!("{suffix}:{count}\r\n"));
    }
    for (prefix, lines) in ranges {
        fs::write(dir.path().join(prefix + ending), lines).unwrap();
    }
    let list = BreachedList::open(dir.path()).unwrap();
    (dir, list)
}

#[test]
fn the_key_is_the_sha_1_of_the_password() {
    // The best known line of the public list.
    assert_eq!(
        digits("password"),
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"
    );
}

#[test]
fn every_password_of_a_file_is_found_and_no_other() {
    let hashes = hashes(3000);
    let whole = text(&hashes, "\r\n");
    let lower = text(&hashes, "\n").to_lowercase();
    let cut = text(&hashes, "\n").trim_end().to_owned();
    let marked = format!("\u{feff}{whole}");
    for text in [whole, lower, cut, marked] {
        let (_dir, list) = list(&text);
        let list = list.unwrap();
        for n in 0..3000 {
            let password = format!("password {n}");
            assert!(list.contains(password.as_bytes()).unwrap(), "{password}");
            let other = format!("passwort {n}");
            assert!(!list.contains(other.as_bytes()).unwrap(), "{other}");
        }
    }
}

#[test]
fn the_first_and_the_last_line_are_found() {
    for passwords in 1..40 {
        let hashes = hashes(passwords);
        let (_dir, list) = list(&text(&hashes, "\n"));
        let list = list.unwrap().ordered().unwrap();
        for hash in hashes.keys() {
            assert!(
                list.contains(hash.as_bytes()).unwrap(),
                "{passwords}: {hash}"
            );
        }
        for hash in ["0".repeat(40), "F".repeat(40)] {
            assert!(
                !list.contains(hash.as_bytes()).unwrap(),
                "{passwords}: {hash}"
            );
        }
    }
}

#[test]
fn every_password_of_a_directory_is_found_and_no_other() {
    let hashes = hashes(2000);
    for ending in ["", ".txt"] {
        let (dir, list) = directory(&hashes, ending);
        for n in 0..2000 {
            assert!(list.contains(format!("password {n}").as_bytes()).unwrap());
        }
        // In a range that is there, and in one that is not.
        let prefix = digits("another password")[..5].to_owned();
        assert!(list.contains(b"another password").is_err());
        fs::write(
            dir.path().join(format!("{prefix}{ending}")),
            "0".repeat(35) + ":1",
        )
        .unwrap();
        assert!(!list.contains(b"another password").unwrap());
    }
}

#[test]
fn a_line_that_only_fills_an_answer_up_is_no_password() {
    let hash = digits("padding");
    let (_dir, list) = list(&format!("{hash}:0\n"));
    assert!(!list.unwrap().contains(b"padding").unwrap());
}

#[test]
fn a_range_without_a_file_is_an_error_that_does_not_name_it() {
    let (_dir, list) = directory(&hashes(10), ".txt");
    let why = list.contains(b"in no range").unwrap_err().to_string();
    assert!(why.contains("not complete"), "{why}");
    assert!(!why.contains(&digits("in no range")[..5]), "{why}");
}

#[test]
fn what_is_no_list_is_refused_at_the_start() {
    let good = text(&hashes(3000), "\r\n");
    let mut by_count: Vec<_> = good.lines().collect();
    by_count.sort_by_key(|line| line.split_once(':').unwrap().1.parse::<u64>().unwrap());
    let by_count = by_count.join("\n");
    let short: String = good
        .lines()
        .map(|line| format!("{}\n", &line[8..]))
        .collect();
    let plain: String = good
        .lines()
        .map(|line| format!("{}\n", &line[..40]))
        .collect();
    let last = format!("{good}the end");
    let unordered_end = format!("{good}{}:1\n", "0".repeat(40));
    for (text, why) in [
        ("", "is empty"),
        (&by_count, "not ordered"),
        (&short, "a line is not"),
        (&plain, "a line is not"),
        (&last, "a line is not"),
        (&unordered_end, "not ordered"),
        ("password\n123456\n", "a line is not"),
        (&"x".repeat(10_000), "a line is not"),
        (&"\n".repeat(10_000), "a line is not"),
    ] {
        let (_dir, list) = list(text);
        let error = list.unwrap_err();
        assert!(error.contains(why), "{error}");
        assert!(
            error.contains("ordered by hash, or the directory"),
            "{error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_list_that_goes_away_is_an_error_and_a_newer_one_is_used_at_once() {
    let (dir, list) = list(&text(&hashes(100), "\n"));
    let list = list.unwrap();
    let path = dir.path().join("list");
    assert!(!list.contains(b"password 100").unwrap());
    fs::write(&path, text(&hashes(101), "\n")).unwrap();
    assert!(list.contains(b"password 100").unwrap());
    fs::remove_file(&path).unwrap();
    let why = list.contains(b"password 100").unwrap_err().to_string();
    assert!(
        why.contains("cannot read") && why.contains("server.toml"),
        "{why}"
    );
}

#[test]
fn a_list_that_others_can_change_is_refused() {
    let (dir, _) = list(&text(&hashes(9), "\n"));
    let path = dir.path().join("list");
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let why = BreachedList::open(&path).unwrap_err().to_string();
    assert!(why.contains("chmod go-w"), "{why}");
    let incomplete = tempfile::tempdir().unwrap();
    let why = BreachedList::open(incomplete.path())
        .unwrap_err()
        .to_string();
    assert!(why.contains("range 00000"), "{why}");
}

proptest! {
    /// The search agrees with a look at every line: hashes that are close to each other, and counts of every length.
    #[test]
    fn the_search_finds_what_a_look_at_every_line_finds(
        lines in prop::collection::btree_map("[0-3A-B]{2}0{37}[0-1]", 1_u64.., 1..60),
        wanted in "[0-3A-B]{2}0{37}[0-1]",
        end in prop::sample::select(vec!["\n", "\r\n"]),
        cut: bool,
    ) {
        let mut text = text(&lines, end);
        if cut {
            text.truncate(text.len() - end.len());
        }
        let (_dir, list) = list(&text);
        let ordered = list.unwrap().ordered().unwrap();
        prop_assert_eq!(ordered.contains(wanted.as_bytes()).unwrap(), lines.contains_key(&wanted));
    }

    /// Whatever the bytes are, the search ends without a panic.
    #[test]
    fn no_bytes_make_the_search_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        fs::write(&path, &bytes).unwrap();
        let _ = BreachedList::open(&path);
        let list = BreachedList { path };
        let _ = list.contains(b"password");
    }
}
