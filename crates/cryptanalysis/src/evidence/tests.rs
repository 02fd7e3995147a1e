use super::*;
use crate::generators::Generator;
use crate::{Keystream, Mode, solve, xor};

const HELD_OUT: &str = include_str!("../../tests/held-out.txt");

fn evidence(ciphertexts: &[Vec<u8>]) -> Evidence {
    let english = Language::english();
    let read = solve(ciphertexts, english, &Keystream::new(), Mode::Fast);
    Evidence::of(ciphertexts, &read, &[], english)
}

/// `count` messages of `length` bytes, made of what `byte` says of random ones.
fn messages(seed: u64, count: usize, length: usize, byte: impl Fn(u8) -> u8) -> Vec<Vec<u8>> {
    let mut random = Generator::Mt19937.start(seed);
    let mut one = || {
        let mut bytes = vec![0; length];
        random.fill(&mut bytes);
        bytes.iter().map(|&random| byte(random)).collect()
    };
    (0..count).map(|_| one()).collect()
}

#[test]
fn random_bytes_are_never_language() {
    for count in [2, 3, 5, 9, 20] {
        for length in [5, 8, 24, 60] {
            for seed in 0..2 {
                let random = messages(seed, count, length, |byte| byte);
                let found = evidence(&random);
                assert!(found.chance() > 1e-3, "{count} of {length}: {found:?}");
            }
        }
    }
}

#[test]
fn nor_is_what_is_not_encrypted_but_no_text_either() {
    const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    type Kind = (&'static str, fn(u8) -> u8);
    let kinds: [Kind; 4] = [
        ("base64", |byte| BASE64[usize::from(byte % 64)]),
        ("hexadecimal", |byte| {
            b"0123456789abcdef"[usize::from(byte % 16)]
        }),
        ("decimal digits", |byte| {
            b"0123456789"[usize::from(byte % 10)]
        }),
        ("few values", |byte| byte & 3),
    ];
    for (name, byte) in kinds {
        for (count, length) in [(2, 30), (3, 40), (8, 30), (20, 20)] {
            let found = evidence(&messages(7, count, length, byte));
            assert!(
                !found.is_convincing(),
                "{name}, {count} of {length}: {found:?}"
            );
        }
    }
}

#[test]
fn nor_are_random_bytes_behind_a_header_that_repeats() {
    for (count, seed) in [(2, 1), (4, 2), (10, 3), (20, 4)] {
        let mut records = messages(seed, count, 50, |byte| byte);
        for (number, record) in (0u8..).zip(&mut records) {
            // As TLS 1.2 begins its records: type, version, length, a nonce that counts.
            let header = [&[0x17, 3, 3, 0, 50, 0, 0, 0, 0, 0, 0, 0][..], &[number]].concat();
            record.splice(..0, header);
        }
        let found = evidence(&records);
        assert!(!found.is_convincing(), "{count} records: {found:?}");
    }
}

/// The same bytes under one keystream, which is drawn anew for each seed.
fn encrypted(seed: u64, plaintexts: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut key = vec![0; 400];
    Generator::Mt19937.fill(seed, &mut key);
    let plaintexts = plaintexts.into_iter();
    plaintexts.map(|plain| xor(&plain, &key)).collect()
}

#[test]
fn nor_is_what_is_encrypted_and_no_text() {
    const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // A model's file is compressed, by the coder in this crate.
    let compressed = include_bytes!("../../data/italian.model");
    type Kind<'a> = (&'a str, Box<dyn Fn(u64, usize, usize) -> Vec<Vec<u8>> + 'a>);
    let kinds: [Kind<'_>; 3] = [
        (
            "base64",
            Box::new(|seed, count, length| {
                messages(seed, count, length, |byte| BASE64[usize::from(byte % 64)])
            }),
        ),
        (
            "compressed",
            Box::new(|seed, count, length| {
                let from = 5_000 + 3_000 * seed as usize;
                let pieces = compressed[from..].chunks(length);
                pieces.take(count).map(<[u8]>::to_vec).collect()
            }),
        ),
        (
            "few values",
            Box::new(|seed, count, length| messages(seed, count, length, |byte| byte & 7)),
        ),
    ];
    for (name, make) in &kinds {
        for (count, length, seed) in [(2, 40, 1), (4, 100, 2), (12, 40, 3)] {
            let found = evidence(&encrypted(seed, make(seed, count, length)));
            assert!(
                !found.is_convincing(),
                "{name}, {count} of {length}: {found:?}"
            );
        }
    }
}

#[test]
fn what_repeats_is_one_witness() {
    // One text, or one header, however often it was sent: the first bytes of images, zeros, a text that was cut off.
    let header = messages(8, 1, 70, |byte| byte).remove(0);
    let text = &HELD_OUT
        .lines()
        .find(|line| line.len() > 75)
        .unwrap()
        .as_bytes()[..75];
    for (name, whole) in [("zeros", &[0; 70][..]), ("header", &header), ("text", text)] {
        for count in [2, 20] {
            let cut = (0..count).map(|i| whole[..70 - i].to_vec());
            let found = evidence(&encrypted(5, cut));
            assert!(!found.is_convincing(), "{name}, {count} times: {found:?}");
            let mut random = messages(count as u64, count, 80, |byte| byte);
            random
                .iter_mut()
                .for_each(|all| all[..40].copy_from_slice(&whole[..40]));
            let found = evidence(&encrypted(6, random));
            assert!(
                !found.is_convincing(),
                "{name} before noise, {count} times: {found:?}"
            );
        }
    }
}

#[test]
fn held_out_lines_are_language_from_two_messages_on() {
    let lines: Vec<&str> = HELD_OUT.lines().collect();
    for together in [2, 3, 5, 10] {
        let (mut all, mut convincing) = (0, 0);
        for (seed, texts) in (0..).zip(lines.chunks_exact(together)).take(24) {
            let ciphertexts = encrypted(seed, texts.iter().map(|text| text.as_bytes().to_vec()));
            let found = evidence(&ciphertexts);
            all += 1;
            convincing += usize::from(found.is_convincing());
        }
        assert!(
            convincing * 10 >= all * 9,
            "{together}: {convincing} of {all}"
        );
    }
}

#[test]
fn one_message_that_is_no_text_does_not_hide_the_others() {
    let lines: Vec<&str> = HELD_OUT
        .lines()
        .filter(|line| line.len() > 40)
        .take(6)
        .collect();
    let mut ciphertexts = encrypted(9, lines.iter().map(|text| text.as_bytes().to_vec()));
    ciphertexts.push(messages(3, 1, 60, |byte| byte).remove(0));
    let found = evidence(&ciphertexts);
    assert!(found.is_convincing(), "{found:?}");
}

#[test]
fn what_was_given_proves_nothing_about_itself() {
    let english = Language::english();
    let random = messages(5, 2, 20, |byte| byte);
    let text = b"i will be there soon";
    let mut certain = Keystream::new();
    certain.learn(&random[0], text, 0).unwrap();
    let read = solve(&random, english, &certain, Mode::Fast);
    let given = Given {
        message: 0,
        offset: 0,
        length: text.len(),
    };
    assert!(!Evidence::of(&random, &read, &[given], english).is_convincing());
    // The same under a true keystream.
    let other = xor(&random[0], &xor(text, b"meet me at the house"));
    let both = [random[0].clone(), other];
    let read = solve(&both, english, &certain, Mode::Fast);
    assert!(Evidence::of(&both, &read, &[given], english).is_convincing());
}

#[test]
fn chance_is_said_in_words() {
    let words = |ln_ratio: f64| Evidence { ln_ratio }.in_words();
    assert_eq!(words(-40.0), "as a rule");
    assert_eq!(words(50f64.ln()), "up to once in 50 times");
    assert_eq!(words(23.03), "at most once in 10^10 times");
    assert_eq!(words(5000.0), "less than once in 10^100 times");
}
