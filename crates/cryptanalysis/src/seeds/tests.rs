use super::*;

const NEVER: fn(Progress<'_>) -> ControlFlow<()> = |_| ControlFlow::Continue(());

/// One session's messages under the secrets.
fn session(secrets: &Secrets, texts: &[&str]) -> Sniffed {
    // In counter mode encryption is decryption.
    let plain = Sniffed::new(texts.iter().map(|text| text.as_bytes().to_vec()));
    Sniffed::new(plain.decrypt(secrets))
}

#[test]
fn the_seed_is_found_from_ciphertext_alone() {
    let texts = ["hi bob", "the meeting is at noon", "déjà vu, à demain"];
    for generator in Generator::ALL {
        for seed in [1_700_000_123, 1_700_000_000_123_456] {
            let sniffed = session(&generator.bytes(seed), &texts);
            let found = Search::new(generator).run(seed - 9_000..=seed + 9_000, &sniffed, NEVER);
            assert_eq!(found.hits.len(), 1, "{generator}");
            assert_eq!(found.hits[0].seed, seed);
            assert_eq!((found.tried, found.next), (18_001, None));
            let opened = sniffed.decrypt(&found.hits[0].secrets);
            assert_eq!(opened[0], texts[1].as_bytes());
        }
    }
}

#[test]
fn both_ways_find_the_same_and_keep_to_the_limits() {
    // Short enough for many chance hits.
    let sniffed = session(&Generator::PhpMtRand.bytes(5_000), &["abc"]);
    for generator in Generator::ALL {
        let mut search = Search::new(generator);
        for range in [
            0..=0,
            1..=300,
            130..=260,
            8_000..=8_400,
            u64::MAX - 300..=u64::MAX,
        ] {
            search.plain = true;
            let plain = search.run(range.clone(), &sniffed, NEVER);
            search.plain = false;
            assert_eq!(
                search.run(range.clone(), &sniffed, NEVER),
                plain,
                "{generator}"
            );
            assert!(plain.hits.iter().all(|hit| range.contains(&hit.seed)));
        }
    }
    let backwards = RangeInclusive::new(5, 4);
    assert_eq!(
        Search::new(Generator::CRand)
            .run(backwards, &sniffed, NEVER)
            .tried,
        0
    );
}

#[test]
fn a_search_can_be_ended_and_resumed() {
    let seed = ROUND * 2 + 5;
    let secrets: Secrets = Generator::Mt19937.bytes(seed);
    let test = |candidate: &Secrets| *candidate == secrets;
    let search = Search::new(Generator::Mt19937);
    let first = search.run(10..=ROUND * 4, &test, |_| ControlFlow::Break(()));
    assert_eq!((first.tried, first.next), (ROUND - 10, Some(ROUND)));
    let rest = search.run(ROUND..=ROUND * 4, &test, |progress| {
        if progress.hits.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert_eq!((rest.hits[0].seed, rest.next), (seed, Some(ROUND * 3)));
}

#[test]
fn a_later_session_of_a_server_that_seeds_once_is_found_too() {
    let mut server = Generator::CRand.start(1_700_000_000);
    let (mut first, mut second) = ([0; SECRETS_LEN], [0; SECRETS_LEN]);
    server.fill(&mut first);
    server.fill(&mut second);
    let sniffed = session(&second, &["see you at the station"]);
    let mut search = Search::new(Generator::CRand);
    search.skip = SECRETS_LEN;
    let found = search.run(1_699_999_500..=1_700_000_500, &sniffed, NEVER);
    assert_eq!(found.hits[0].seed, 1_700_000_000);
}

#[test]
fn false_hits_are_as_frequent_as_predicted() {
    for (text, seeds) in [("a", 4_000), ("ab", 20_000), ("abcd", 200_000)] {
        let sniffed = session(&[9; SECRETS_LEN], &[text]);
        let hits = Search::new(Generator::Mt19937)
            .run(1..=seeds, &sniffed, NEVER)
            .hits
            .len();
        let expected = sniffed.chance() * seeds as f64;
        assert!(
            (hits as f64 / expected - 1.0).abs() < 0.15,
            "{hits} for {expected}"
        );
    }
}

#[test]
fn text_is_told_from_rubbish() {
    for text in ["", "hello", "tab\tand\r\n", "grüße", "日本語", "🙂"] {
        assert!(is_plausible(text.as_bytes()), "{text}");
    }
    for rubbish in [&b"\0"[..], b"a\x7f", b"\xff", b"gr\xc3", b"\x1b[31m"] {
        assert!(!is_plausible(rubbish));
    }
}
