//! Any messages in any order: the files are found, nothing else is, and no text makes the parser panic.

use latchstring_parcel::{
    Assembly, JoinError, Kind, MARK, Name, PART_BYTES, Part, Received, Sender, join, split,
};
use latchstring_protocol::hardened::message::{Fingerprint, MAX_TEXT, UserName};
use proptest::prelude::*;

const START: u64 = 1_700_000_000;

fn sender(user: &str) -> Sender {
    Sender {
        user: UserName::parse(user).unwrap(),
        key: Fingerprint([7; 32]),
    }
}

fn texts(name: &str, bytes: &[u8]) -> Vec<String> {
    let parts = split(Name::new(name).unwrap(), bytes).unwrap();
    parts.texts().collect()
}

/// The messages of a store: the message at index i has the id i + 1 and came i seconds after [`START`].
fn assembled<'a>(
    user: &str,
    messages: &[String],
    order: impl IntoIterator<Item = &'a usize>,
) -> Assembly {
    let mut assembly = Assembly::default();
    for &i in order {
        let received = Received {
            id: i as u64 + 1,
            at: Some(START + i as u64),
            text: &messages[i],
        };
        assembly.add(&sender(user), received);
    }
    assembly
}

/// All that an assembly says.
fn said(assembly: &Assembly) -> String {
    let files = assembly.files().map(|file| {
        let missing: Vec<u32> = file.missing().collect();
        let messages: Vec<u64> = file.messages().collect();
        format!(
            "{:?} {:?} {missing:?} {messages:?} {:?}\n",
            file.sender,
            file.head,
            file.times()
        )
    });
    let bad: Vec<_> = assembly.bad().collect();
    let others: Vec<_> = assembly.others().collect();
    format!("{}{bad:?}{others:?}", files.collect::<String>())
}

/// Short files, and some of several parts.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let fill = |(length, seed): (usize, u8)| (0..length).map(|i| (i % 251) as u8 ^ seed).collect();
    (prop_oneof![1..100_usize, 1..5 * PART_BYTES], any::<u8>()).prop_map(fill)
}

/// Texts that look like parts more or less.
fn strange() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        Just("1".to_owned()),
        Just("1/1".to_owned()),
        Just("16777216".to_owned()),
        Just("4294967295/4294967295".to_owned()),
        Just("18446744073709551616".to_owned()),
        Just("ab".repeat(32)),
        "[0-9]{1,12}",
        "[A-Za-z0-9+/=]{0,20}",
        "\\PC{0,10}",
    ];
    let fields = prop::collection::vec(field, 0..9);
    prop_oneof![
        any::<String>(),
        fields
            .clone()
            .prop_map(|fields| format!("{MARK}1 {}", fields.join(" "))),
        fields.prop_map(|fields| format!("{MARK}{}", fields.join(" "))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn two_files_among_other_texts_are_found_in_any_order(
        one in file(),
        two in file(),
        foreign in prop::collection::vec("[a-z ]{0,20}", 0..5),
        seed in any::<u64>(),
    ) {
        let (first, second) = (texts("one.zip", &one), texts("two.zip", &two));
        let messages = shuffled([first.clone(), second.clone(), foreign.clone()].concat(), seed);
        let straight: Vec<usize> = (0..messages.len()).collect();
        let assembly = assembled("alice", &messages, &straight);
        let files: Vec<_> = assembly.files().collect();
        prop_assert_eq!(files.len(), 2);
        for (file, bytes) in files.iter().zip([&one, &two]) {
            prop_assert!(file.is_complete());
            let parts = file.messages().map(|id| &messages[id as usize - 1]);
            prop_assert_eq!(&join(file.head, parts).unwrap(), bytes);
            let last = file.messages().max().unwrap() - 1;
            prop_assert_eq!(file.times(), [Some(START + last)]);
        }
        let others: usize = assembly.others().map(|(_, count)| count).sum();
        prop_assert_eq!(others, foreign.len());
        // In another order, and each message a second time, it says the same.
        let again = shuffled([straight.clone(), straight].concat(), !seed);
        let other = assembled("alice", &messages, &again);
        prop_assert_eq!(said(&other), said(&assembly));
    }

    #[test]
    fn exactly_the_parts_that_did_not_come_are_missing(
        bytes in file(),
        lost in prop::collection::vec(any::<bool>(), 5),
    ) {
        let messages = texts("one.zip", &bytes);
        let came: Vec<usize> = (0..messages.len()).filter(|i| !lost[*i]).collect();
        let assembly = assembled("alice", &messages, &came);
        let missing: Vec<u32> = (1..=messages.len() as u32).filter(|n| lost[*n as usize - 1]).collect();
        match assembly.files().next() {
            None => prop_assert!(came.is_empty()),
            Some(file) => {
                prop_assert_eq!(file.is_complete(), missing.is_empty());
                prop_assert_eq!(file.times().is_empty(), !missing.is_empty());
                prop_assert_eq!(file.missing().collect::<Vec<_>>(), missing);
            }
        }
    }

    /// Neither parts of the same file, sent again and broken, nor other files.
    #[test]
    fn nothing_that_comes_later_changes_a_complete_file(
        bytes in file(),
        later in prop::collection::vec(strange(), 0..5),
        forged in any::<u8>(),
    ) {
        let mut messages = texts("one.zip", &bytes);
        let all: Vec<usize> = (0..messages.len()).collect();
        let before = assembled("alice", &messages, &all);
        let before = before.files().next().unwrap();
        // A part with the right head and other bytes.
        let mut part = Part::parse(&messages[0]).unwrap().unwrap();
        part.bytes[0] ^= forged | 1;
        messages.push(part.to_string());
        messages.extend(later);
        let all: Vec<usize> = (0..messages.len()).rev().collect();
        let after = assembled("alice", &messages, &all);
        let after = after.files().find(|file| file.head == before.head).unwrap();
        prop_assert_eq!(after.times(), before.times());
        prop_assert_eq!(after.differing(), 1);
        prop_assert_eq!(after.messages().collect::<Vec<_>>(), before.messages().collect::<Vec<_>>());
    }

    #[test]
    fn any_text_is_parsed_or_refused_and_a_parsed_one_has_no_other_spelling(text in strange()) {
        match Part::parse(&text) {
            Ok(None) => prop_assert!(!text.starts_with(MARK)),
            Ok(Some(part)) => prop_assert_eq!(part.to_string(), text),
            Err(_) => prop_assert!(text.starts_with(MARK)),
        }
    }

    #[test]
    fn a_part_with_one_character_changed_is_another_part_or_none(
        bytes in prop::collection::vec(any::<u8>(), 1..40),
        at in any::<prop::sample::Index>(),
        with in prop_oneof![Just(String::new()), "\\PC", "[0-9a-f /=.]"],
    ) {
        let text = texts("one.zip", &bytes).remove(0);
        let at = at.index(text.len());
        let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        if let Ok(Some(part)) = Part::parse(&changed) {
            prop_assert_eq!(part.to_string(), changed);
        }
    }
}

/// Another order, by a seed.
fn shuffled<T>(mut items: Vec<T>, mut seed: u64) -> Vec<T> {
    for i in (1..items.len()).rev() {
        // Knuth's linear congruential generator (MMIX).
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        items.swap(i, (seed >> 33) as usize % (i + 1));
    }
    items
}

#[test]
fn the_same_file_twice_is_one_file_with_two_times() {
    let once = texts("one.zip", &[5; 30_000]);
    // The first two parts came three times, as from a sender that lost its journal.
    let messages = [&once[..2], &once, &once].concat();
    let all: Vec<usize> = (0..messages.len()).collect();
    let assembly = assembled("alice", &messages, &all);
    let files: Vec<_> = assembly.files().collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].times(), [Some(START + 4), Some(START + 7)]);
}

#[test]
fn two_contents_under_one_name_are_both_kept_and_users_are_kept_apart() {
    let (one, two) = (texts("a.zip", b"one"), texts("a.zip", b"two"));
    let mut assembly = Assembly::default();
    for (user, text) in [("alice", &one[0]), ("alice", &two[0]), ("bob", &one[0])] {
        let at = None;
        let kind = assembly.add(&sender(user), Received { id: 1, at, text });
        assert_eq!(kind, Kind::Part);
    }
    let mut found: Vec<_> = assembly
        .files()
        .map(|file| {
            (
                file.sender.user.to_string(),
                file.head.sha256_hex(),
                file.times(),
            )
        })
        .collect();
    found.dedup();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|(_, _, times)| *times == [None]));
}

/// The first copy of a part counts, also when it is the wrong one: then the file is reported, and not repaired.
#[test]
fn parts_of_another_content_are_no_file() {
    let mut texts = texts("one.zip", &[5; 30_000]);
    let mut part = Part::parse(&texts[1]).unwrap().unwrap();
    part.bytes[0] = 6;
    let good = std::mem::replace(&mut texts[1], part.to_string());
    assert_eq!(join(&part.head, &texts), Err(JoinError::Hash));
    texts.swap(0, 1);
    assert_eq!(join(&part.head, &texts), Err(JoinError::NotThePart(1)));
    texts.swap(0, 1);
    texts.truncate(2);
    assert_eq!(join(&part.head, &texts), Err(JoinError::NotThePart(3)));
    texts[1] = good.replacen(MARK, "other", 1);
    assert_eq!(join(&part.head, &texts), Err(JoinError::NotThePart(2)));
}

#[test]
fn every_part_of_a_long_file_with_a_long_name_fits_into_a_message() {
    let bytes = vec![1; latchstring_parcel::MAX_FILE];
    let parts = split(Name::new(&"n".repeat(100)).unwrap(), &bytes).unwrap();
    assert!(
        parts
            .texts()
            .all(|text| text.len() <= MAX_TEXT && text.is_ascii())
    );
    assert_eq!(parts.texts().count(), latchstring_parcel::MAX_PARTS);
}
